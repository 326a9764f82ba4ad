//! What is written and cannot be.
#![cfg(target_os = "linux")]

use std::fs::File;
use std::process::Stdio;

use crate::cli::short_scenario;
use crate::support::sandbox::{Sandbox, outcome};

fn full() -> Stdio {
    File::options().write(true).open("/dev/full").expect("Linux has it").into()
}

#[test]
fn a_result_that_stdout_does_not_take_is_an_error() {
    let sandbox = Sandbox::new();
    sandbox.file("short.toml", short_scenario());
    let commands: [&[&str]; 6] = [
        &["schema"],
        &["list"],
        &["list", "--json"],
        &["explain", "SP0104"],
        &["simulate", "short.toml", "--seeds", "0..2"],
        &["check", "get_then_set", "--only", "none", "--engine", "explore"],
    ];
    for args in commands {
        let output = sandbox.command(args).stdout(full()).stderr(Stdio::piped()).output().expect("it runs");
        let (code, _, err) = outcome(&output);
        assert_eq!(code, 2, "{args:?}\n{err}");
        assert!(err.contains("cannot be written to stdout: no space left on device"), "{args:?}\n{err}");
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let sandbox = Sandbox::new();
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = sandbox.command(&["schema"]).stdout(writer).stderr(Stdio::piped()).output().expect("it runs");
    let (code, _, err) = outcome(&output);
    assert_eq!((code, err.as_str()), (0, ""));
}
