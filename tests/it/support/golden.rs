//! Files that tests compare with, written anew by `UPDATE_EXPECT=1 cargo test`: read the difference before
//! committing it.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the project, by its path from the root.
pub(crate) fn project(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Asserts that the file at `path` from the root holds exactly this text, or writes it.
#[track_caller]
pub(crate) fn assert_file(path: &str, actual: &str) {
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let file = project(path);
        fs::create_dir_all(file.parent().expect("a file of the project")).expect("its folder can be made");
        fs::write(file, actual).expect("the file is writable");
    }
    assert_same(path, actual);
}

/// Asserts that the file at `path` from the root holds exactly this text, and names the first line that differs.
#[track_caller]
pub(crate) fn assert_same(path: &str, actual: &str) {
    let expected = fs::read_to_string(project(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    for (index, (found, wanted)) in actual.lines().zip(expected.lines()).enumerate() {
        assert_eq!(found, wanted, "left: found, right: line {} of {path}", index + 1);
    }
    assert!(actual == expected, "{path}: one of the texts ends before the other, or their line ends differ");
}

/// The files of a folder of the project, by name, as paths from the root.
pub(crate) fn files(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(project(folder)).expect("a folder of the project");
    let mut files: Vec<_> = entries
        .map(|entry| format!("{folder}/{}", entry.expect("a readable folder").file_name().to_string_lossy()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} is empty");
    files
}
