//! What is written and cannot be: stdout, and files where something else than a file stands.
#![cfg(target_os = "linux")]

use std::fs::{self, File};
use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};
use std::process::{Command, Stdio};

use seatproof::system::diagnostic::write::write_file;

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

#[test]
fn a_link_is_followed_and_stays_a_link() {
    let sandbox = Sandbox::new();
    let at = |name: &str| sandbox.0.path().join(name);
    fs::create_dir(at("there")).expect("a directory");
    sandbox.file("there/old", "old");
    for (link, target) in [("to-old", "there/old"), ("to-new", "there/new"), ("to-link", "to-new")] {
        symlink(target, at(link)).expect("a link");
        write_file(&at(link), link).expect("it is written");
        assert!(at(link).is_symlink(), "{link}");
    }
    assert_eq!(fs::read_to_string(at("there/old")).expect("a file"), "to-old");
    assert_eq!(fs::read_to_string(at("there/new")).expect("a file"), "to-link");
    symlink("ring-b", at("ring-a")).expect("a link");
    symlink("ring-a", at("ring-b")).expect("a link");
    let refused = write_file(&at("ring-a"), "").expect_err("it leads nowhere");
    assert!(refused.message.contains("symbolic links"), "{}", refused.message);
    assert!(at("ring-a").is_symlink() && at("ring-b").is_symlink());
    assert_eq!(fs::read_dir(at("there")).expect("a directory").count(), 2, "nothing temporary is left");
}

#[test]
fn a_file_keeps_its_permissions_and_a_new_one_has_those_of_any_new_file() {
    let sandbox = Sandbox::new();
    let mode = |name: &str| fs::metadata(sandbox.0.path().join(name)).expect("a file").permissions().mode() & 0o7777;
    let ordinary = sandbox.file("ordinary", "");
    write_file(&sandbox.0.path().join("new"), "").expect("it is written");
    assert_eq!(mode("new"), mode("ordinary"));
    fs::set_permissions(&ordinary, fs::Permissions::from_mode(0o664)).expect("it is ours");
    write_file(&ordinary, "other").expect("it is written");
    assert_eq!(mode("ordinary"), 0o664);
    assert_eq!(fs::read_to_string(ordinary).expect("a file"), "other");
}

#[test]
fn a_pipe_is_written_to_and_stays_a_pipe() {
    let sandbox = Sandbox::new();
    let pipe = sandbox.0.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo runs").success());
    let reader = Command::new("cat").arg(&pipe).stdout(Stdio::piped()).spawn().expect("cat runs");
    let written = write_file(&pipe, "through");
    assert!(fs::metadata(&pipe).expect("it is there").file_type().is_fifo());
    written.expect("it is written");
    assert_eq!(outcome(&reader.wait_with_output().expect("cat ends")).1, "through");
}

/// By the name that `/dev/stdout` stands for, where no file can be replaced by mistake.
#[test]
fn stdout_by_its_name_is_written_to_after_the_result() {
    let sandbox = Sandbox::new();
    sandbox.file("short.toml", short_scenario());
    let args = ["simulate", "short.toml", "--summary-export", "/proc/self/fd/1"];
    let (_, piped, err) = sandbox.run(&args);
    assert!(piped.contains("THRESHOLDS") && piped.contains("\"http_reqs\": {"), "{piped}{err}");
    let path = sandbox.0.path().join("both");
    let file = File::create(&path).expect("a file");
    assert!(sandbox.command(&args).stdout(file).stderr(Stdio::null()).status().is_ok());
    assert_eq!(fs::read_to_string(path).expect("a file"), piped);
    symlink("/proc/self/fd/1", sandbox.0.path().join("link")).expect("a link");
    let mut command = sandbox.command(&["simulate", "short.toml", "--summary-export", "link"]);
    let (code, _, err) = outcome(&command.stdout(full()).stderr(Stdio::piped()).output().expect("it runs"));
    assert_eq!(code, 2, "{err}");
    assert!(err.contains("`link` cannot be written: no space left on device"), "{err}");
}
