//! Files that cannot be read are refused at once, with a reason, and never by a panic.

use std::fs;
use std::path::Path;

use seatproof::system::diagnostic::read::{REPORT_LIMIT_BYTES, SCENARIO_LIMIT_BYTES, read_text};
use seatproof::system::scenario::load;

/// The text printed for the file at `path`, with `DIR` in place of its directory; the exit code is 2.
fn refusal(dir: &Path, name: &str) -> String {
    let error = load(&dir.join(name), &[]).expect_err("the file is refused");
    assert_eq!(error.exit_code(), 2);
    error.message.replace(&dir.display().to_string(), "DIR") + "; " + error.help.as_deref().unwrap_or_default()
}

#[test]
fn each_unreadable_file_has_its_reason() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let write = |name: &str, bytes: &[u8]| fs::write(dir.path().join(name), bytes).expect("a temporary file");
    assert_eq!(
        refusal(dir.path(), "none.toml"),
        "there is no file `DIR/none.toml`; check the path; it is taken relative to the current directory"
    );
    assert_eq!(refusal(dir.path(), ""), "`DIR/` is a directory, not a file; name a file inside it");
    write("empty.toml", b" \n\t\n");
    assert_eq!(refusal(dir.path(), "empty.toml"), "`DIR/empty.toml` is empty; was the file written completely?");
    write("latin1.toml", b"model = 'x'\ntitle = 'caf\xe9'\n");
    assert_eq!(
        refusal(dir.path(), "latin1.toml"),
        "`DIR/latin1.toml` is not UTF-8 text: line 2 has byte 0xe9 (offset 24); save the file with the encoding UTF-8"
    );
    assert_eq!(
        refusal(dir.path(), "a/b.toml"),
        "there is no file `DIR/a/b.toml`; check the path; it is taken relative to the current directory"
    );
}

#[test]
fn a_huge_file_is_refused_without_reading_it() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("huge.toml");
    // A sparse file: no disk is used, but reading it would take a gigabyte of memory.
    fs::File::create(&path).and_then(|file| file.set_len(1 << 30)).expect("a sparse file");
    assert_eq!(
        refusal(dir.path(), "huge.toml"),
        "`DIR/huge.toml` has 1073741824 bytes, more than the limit of 1 MiB; is this the right file?"
    );
    let error = read_text(&path, REPORT_LIMIT_BYTES).expect_err("too large for a report");
    assert!(error.message.ends_with("more than the limit of 64 MiB"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_source_without_length_is_bounded_too() {
    let error = read_text(Path::new("/dev/zero"), SCENARIO_LIMIT_BYTES).expect_err("an endless file");
    assert_eq!(error.message, "`/dev/zero` has no known length and goes on, more than the limit of 1 MiB");
}

#[test]
fn a_byte_order_mark_is_no_content() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join("bom.toml");
    fs::write(&path, "\u{feff}model = 'x'").expect("a temporary file");
    assert_eq!(read_text(&path, SCENARIO_LIMIT_BYTES).as_deref(), Ok("model = 'x'"));
}
