//! Fixtures and golden files of the tests on measured runs.

use seatproof::engines::measured::{Measured, read_text};

use super::golden;

const FOLDER: &str = "tests/fixtures/measured";

/// The text of a file in `tests/fixtures/measured`.
pub(crate) fn fixture(name: &str) -> String {
    std::fs::read_to_string(golden::project(FOLDER).join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The measured run in a fixture.
pub(crate) fn read(name: &str) -> Measured {
    read_text(&fixture(name), name).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Compares with a golden file.
#[track_caller]
pub(crate) fn assert_golden(name: &str, actual: &str) {
    golden::assert_file(&format!("{FOLDER}/golden/{name}"), actual);
}
