//! Fixtures and golden files of the tests on measured runs.

use seatproof::engines::measured::{Measured, read_text};

use super::golden;

/// The text of a file in `tests/fixtures/measured`, or of one that k6 wrote in `tests/fixtures/k6`.
pub(crate) fn fixture(name: &str) -> String {
    let folder = if name.starts_with("real-") || name.starts_with("seed-") { "k6" } else { "measured" };
    let path = golden::project("tests/fixtures").join(folder).join(name);
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The measured run in a fixture.
pub(crate) fn read(name: &str) -> Measured {
    read_text(&fixture(name), name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares with a golden file.
#[track_caller]
pub(crate) fn assert_golden(name: &str, actual: &str) {
    golden::assert_file(&format!("tests/fixtures/measured/golden/{name}"), actual);
}
