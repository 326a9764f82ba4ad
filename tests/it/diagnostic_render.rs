//! How diagnostics look: byte for byte the same on every terminal, whatever stands in the line.

use std::ops::Range;

use seatproof::system::diagnostic::{Diagnostic, Source, code};

/// An unknown key at the first occurrence of `meant` in `text`, as printed.
fn printed(text: &str, meant: &str) -> String {
    let start = text.find(meant).expect("the text has the passage");
    at(text, start..start + meant.len())
}

/// An unknown key at `span` of `text`, as printed.
fn at(text: &str, span: Range<usize>) -> String {
    let source = Source { file: "seatproof.toml", text };
    Diagnostic::error(&code::UNKNOWN_KEY, "unknown key `x`")
        .at(source, span)
        .label("no such key")
        .help("mend it")
        .render(false)
}

#[test]
fn the_line_is_shown_with_a_label_and_help() {
    let golden = "\
error[SP0102]: unknown key `x`
  ╭▸ seatproof.toml:2:3
  │
2 │ a.x = 1
  │   ━ no such key
  │
  ╰ help: mend it
";
    assert_eq!(printed("[load]\na.x = 1\n", "x"), golden);
}

#[test]
fn a_long_line_is_cut_around_the_passage() {
    let text = format!("{}x{}", "a = 1 # ".repeat(30), " # more".repeat(30));
    let golden = "\
error[SP0102]: unknown key `x`
  ╭▸ seatproof.toml:1:241
  │
";
    let found = printed(&text, "x");
    assert!(found.starts_with(golden), "{found}");
    assert!(found.lines().all(|line| line.chars().count() <= 80), "{found}");
    assert!(found.contains("x # more"), "{found}");
}

#[test]
fn tabs_and_wide_characters_keep_the_caret_in_place() {
    let golden = "\
error[SP0102]: unknown key `x`
  ╭▸ seatproof.toml:1:9
  │
1 │     座席 = { x = 1 }
  │              ━ no such key
  │
  ╰ help: mend it
";
    assert_eq!(printed("\t座席 = { x = 1 }", "x"), golden);
}

#[test]
fn windows_line_ends_are_not_shown() {
    let golden = "\
error[SP0102]: unknown key `x`
  ╭▸ seatproof.toml:2:1
  │
2 │ x = 1
  │ ━ no such key
  │
  ╰ help: mend it
";
    assert_eq!(printed("[load]\r\nx = 1\r\n", "x"), golden);
}

#[test]
fn a_passage_over_several_lines_shows_the_first() {
    let found = at("a = [\n  1,\n]\n", 4..13);
    assert!(found.contains("1 │ a = [\n  │     ━ no such key\n"), "{found}");
}

#[test]
fn long_sentences_are_wrapped_at_80_columns() {
    let words = "a sentence that says in many words what is wrong with the value and why it matters to you";
    let golden = "\
error[SP0102]: a sentence that says in many words what is wrong with the value
               and why it matters to you
 │
 ╰ help: a sentence that says in many words what is wrong with the value and
         why it matters to you
";
    let found = Diagnostic::error(&code::UNKNOWN_KEY, words).help(words).render(false);
    assert_eq!(found, golden);
    let warning = Diagnostic::warning(&code::TAG_NEVER_SEEN, words).to_string();
    assert!(warning.starts_with("warning[SP0107]: a sentence"), "{warning}");
}
