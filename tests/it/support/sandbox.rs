//! The program itself, run in a directory of its own.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// Runs the program in an empty directory of its own.
pub(crate) struct Sandbox(pub(crate) tempfile::TempDir);

impl Sandbox {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_seatproof"));
        command.args(args).current_dir(self.0.path()).env("LC_ALL", "C.UTF-8").stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> (i32, String, String) {
        outcome(&self.command(args).output().expect("the program runs"))
    }

    /// Runs the program and sends it Ctrl-C after a while, in which it must not have ended.
    #[cfg(unix)]
    pub(crate) fn interrupted(&self, args: &[&str], after: std::time::Duration) -> (i32, String, String) {
        let mut command = self.command(args);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program runs");
        std::thread::sleep(after);
        let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().expect("kill runs");
        assert!(signal.success());
        outcome(&child.wait_with_output().expect("it ends"))
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).expect("a file");
        path
    }

    /// A file of this kind that a check left in its directory of schedules.
    pub(crate) fn written(&self, extension: &str) -> String {
        let entries = std::fs::read_dir(self.0.path().join("seatproof-regressions")).expect("it was made");
        let mut paths = entries.map(|entry| entry.expect("readable").path());
        let path = paths.find(|path| path.extension().is_some_and(|it| it == extension));
        path.expect("there is one").to_str().expect("UTF-8").to_owned()
    }
}

/// Exit code, stdout and stderr.
pub(crate) fn outcome(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("output is UTF-8");
    (output.status.code().expect("it exits"), text(&output.stdout), text(&output.stderr))
}
