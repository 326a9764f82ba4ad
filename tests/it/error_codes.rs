//! Every error code, and how wide its words are printed.

use std::fmt::Write as _;

use seatproof::system::diagnostic::{Diagnostic, code};

use crate::support::golden;

/// `docs/errors.md`.
fn manual() -> String {
    let mut text = "# Error codes\n\nThe text of each is also what `seatproof explain CODE` prints. This file is \
                    written by `UPDATE_EXPECT=1 cargo test error_codes`.\n"
        .to_owned();
    for code in code::ALL {
        write!(text, "\n## {}\n\nExit code {}. {}\n", code.id, code.exit, code.about).expect("text can be written");
    }
    text
}

#[test]
fn the_manual_lists_every_code() {
    golden::assert_file("docs/errors.md", &manual());
}

#[test]
fn codes_are_well_formed_unique_sorted_and_found() {
    for code in code::ALL {
        let number = code.id.strip_prefix("SP").expect("SP and a number");
        assert!(number.len() == 4 && number.bytes().all(|digit| digit.is_ascii_digit()), "{code:?}");
        assert!(code.about.ends_with('.'), "{code:?} is explained in sentences");
        assert_eq!(code::find(&code.id.to_lowercase()), Some(*code));
    }
    assert!(code::ALL.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert_eq!(code::find("SP9999"), None);
}

/// The lines that are wider than 80 columns although a blank would have allowed a break.
fn too_wide(text: &str) -> Vec<&str> {
    let is_breakable = |line: &str| {
        let words = line.split_once(": ").map_or(line, |(_, words)| words);
        words.trim().contains(' ')
    };
    text.lines().filter(|line| line.chars().count() > 80 && is_breakable(line)).collect()
}

#[test]
fn no_diagnostic_is_wider_than_80_columns() {
    let printed = std::fs::read_to_string(golden::project("tests/fixtures/scenario/errors.txt")).expect("the file");
    // What is replaced in a case stands in its heading.
    let printed: String = printed.split_inclusive('\n').filter(|line| !line.starts_with("### ")).collect();
    assert_eq!(too_wide(&printed), Vec::<&str>::new());
    for code in code::ALL {
        let long = Diagnostic::error(code, code.about).help(code.about).render(false);
        assert_eq!(too_wide(&long), Vec::<&str>::new());
    }
}

#[test]
fn only_a_word_may_be_wider() {
    let path = "x/".repeat(60);
    let printed = Diagnostic::error(&code::FILE_MISSING, format!("there is no file `{path}`")).render(false);
    assert!(printed.contains(&path), "a path is not broken, so that it can be copied: {printed}");
    assert_eq!(too_wide(&printed), Vec::<&str>::new());
    let wide = format!("error: {} {}", "a".repeat(40), "b".repeat(40));
    assert_eq!(too_wide(&wide), [wide.as_str()], "the test can fail");
}
