//! The simulated SQL store plays the transcripts under `tests/fixtures/sql/`; `sql_conformance.rs` plays them on a
//! real PostgreSQL.

use std::fs;

use crate::support::golden;
use crate::support::sql_script::{StoreArm, play};

#[test]
fn every_transcript_is_what_the_store_does() {
    for file in golden::files("tests/fixtures/sql") {
        let expected = fs::read_to_string(golden::project(&file)).expect("a transcript");
        let mut arm = StoreArm::new();
        let played = play(&expected, |step| arm.perform(step));
        golden::assert_file(&file, &played);
    }
}
