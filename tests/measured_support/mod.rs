//! Fixtures and golden files of the tests on measured runs.

use seatproof::engines::measured::{Measured, read_text};

/// The text of a file in `tests/fixtures/measured`, or of one that k6 wrote in `tests/fixtures/k6`.
pub(crate) fn fixture(name: &str) -> String {
    let path = path(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The measured run in a fixture.
pub(crate) fn read(name: &str) -> Measured {
    read_text(&fixture(name), name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares with a golden file; with `UPDATE_GOLDEN` set, writes it instead.
pub(crate) fn assert_golden(name: &str, actual: &str) {
    let name = format!("golden/{name}");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path(&name), actual).expect("the golden file can be written");
    }
    assert_eq!(actual, fixture(&name), "{name}");
}

fn path(name: &str) -> String {
    let folder = if name.starts_with("real-") || name.starts_with("seed-") { "k6" } else { "measured" };
    format!("{}/tests/fixtures/{folder}/{name}", env!("CARGO_MANIFEST_DIR"))
}
