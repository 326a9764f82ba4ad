//! The simulated SQL store plays the transcripts under `tests/fixtures/sql/`; `sql_conformance.rs` plays them on a
//! real PostgreSQL.

#[path = "support/sql_script.rs"]
mod sql_script;

use std::fs;
use std::path::Path;

use self::sql_script::{StoreArm, play};

#[test]
fn every_transcript_is_what_the_store_does() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sql");
    let mut files: Vec<_> = fs::read_dir(folder).expect("the transcripts").map(|file| file.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let expected = fs::read_to_string(&file).expect("a transcript");
        let mut arm = StoreArm::new();
        let played = play(&expected, |step| arm.perform(step));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&file, &played).expect("the transcript is writable");
        }
        assert_eq!(played, expected, "{}", file.display());
    }
}
