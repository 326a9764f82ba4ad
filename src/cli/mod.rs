//! The command line: arguments, exit codes, progress. No logic of its own.

mod args;
mod check;
mod compare;
mod console;
mod deadline;
mod discover;
mod exit;
mod input;
mod interrupt;
mod progress;
mod replay;
mod search_file;
mod simulate;
mod sweep;
mod why_not;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::Parser;

use crate::engines::doublecheck::{DoublecheckError, Nondeterminism};
use crate::engines::regressions::RegressionError;
use crate::process::panic_message;
use crate::system::ModelError;
use crate::system::diagnostic::Diagnostic;
use args::{Cli, Command};
use console::Console;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// Something that the user wrote is wrong.
    #[error(transparent)]
    Input(#[from] Diagnostic),
    /// A built-in model is wrong.
    #[error("the model is wrong: {0}")]
    Model(#[from] ModelError),
    /// A built-in model reads something that is not an outcome.
    #[error("the model is wrong: {0}")]
    Nondeterminism(#[from] Box<Nondeterminism>),
    /// What cannot happen with a checked scenario.
    #[error("{0}")]
    Bug(String),
    /// The program panicked: its message, which the lines with its place stand before.
    #[error("panicked: {0}")]
    Panic(String),
}

impl From<RegressionError> for Failure {
    fn from(error: RegressionError) -> Self {
        match error {
            RegressionError::File(diagnostic) => Self::Input(*diagnostic),
            RegressionError::Model(error) => Self::Model(error),
        }
    }
}

impl From<DoublecheckError> for Failure {
    fn from(error: DoublecheckError) -> Self {
        match error {
            DoublecheckError::Model(error) => Self::Model(error),
            DoublecheckError::Differs(difference) => Self::Nondeterminism(difference),
        }
    }
}

/// Parses the command line, runs the command, and gives its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(&cli.global);
    let result = carried_out(|| {
        let code = run(&cli.command, &console)?;
        console.written()?;
        Ok(code)
    });
    conclude(result, &console).into()
}

fn run(command: &Command, console: &Console) -> Result<u8, Failure> {
    match command {
        Command::Simulate(args) => simulate::run(args, console),
        Command::Check(args) => check::run(args, console),
        Command::Replay(args) => replay::run(args, console),
        Command::WhyNot(args) => why_not::run(args, console),
        Command::Compare(args) => compare::run(args, console),
        Command::Explain { name } => discover::explain(name, console),
        Command::List => discover::list(console),
        Command::Schema => {
            console.out(&crate::system::scenario::schema());
            Ok(exit::OK)
        }
    }
}

/// A panic of the program as a failure. One of a worker thread arrives here too, because whoever waits for the thread
/// panics in turn. The standard library has then said where; a panic of a model's code never comes this far.
fn carried_out(run: impl FnOnce() -> Result<u8, Failure>) -> Result<u8, Failure> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| Err(Failure::Panic(panic_message(&*panic))))
}

/// Says on stderr why a command failed, and gives its exit code.
fn conclude(result: Result<u8, Failure>, console: &Console) -> u8 {
    let report = "This is a bug in seatproof. Please report it with the command that you ran";
    match result {
        Ok(code) => code,
        Err(Failure::Input(diagnostic)) => {
            console.diagnose(&diagnostic);
            diagnostic.exit_code()
        }
        Err(panic @ Failure::Panic(_)) => {
            console.error(&format!("error: {panic}\n{report}, and the lines above.\n"));
            exit::BUG
        }
        Err(bug) => {
            console.error(&format!("error: {bug}\n{report}.\n"));
            exit::BUG
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::caught;
    use crate::system::diagnostic::code;

    fn code_of(run: impl FnOnce() -> Result<u8, Failure>) -> u8 {
        let cli = Cli::parse_from(["seatproof", "list"]);
        conclude(carried_out(run), &Console::new(&cli.global))
    }

    #[test]
    fn a_panic_ends_with_the_code_of_a_bug_also_in_a_thread_and_after_one_of_a_model() {
        assert_eq!(code_of(|| panic!("a rule is broken")), 70);
        let in_a_worker = || {
            std::thread::scope(|scope| {
                scope.spawn(|| assert!(code::ALL.is_empty(), "a rule is broken"));
            });
            Ok(exit::OK)
        };
        assert_eq!(code_of(in_a_worker), 70);
        assert!(caught(|| assert!(code::ALL.is_empty(), "the model is wrong")).is_err());
        assert_eq!(code_of(|| panic!("a rule is broken again")), 70);
        assert_eq!(code_of(|| Ok(3)), 3);
        let failure = carried_out(|| panic!("a rule is broken"));
        assert_eq!(failure.expect_err("it panics").to_string(), "panicked: a rule is broken");
    }
}
