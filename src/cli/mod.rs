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

use std::process::ExitCode;

use clap::Parser;

use crate::engines::doublecheck::{DoublecheckError, Nondeterminism};
use crate::engines::regressions::RegressionError;
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
    let result = match &cli.command {
        Command::Simulate(args) => simulate::run(args, &console),
        Command::Check(args) => check::run(args, &console),
        Command::Replay(args) => replay::run(args, &console),
        Command::WhyNot(args) => why_not::run(args, &console),
        Command::Compare(args) => compare::run(args, &console),
        Command::Explain { name } => discover::explain(name, &console),
        Command::List => discover::list(&console),
        Command::Schema => {
            console.out(&crate::system::scenario::schema());
            Ok(exit::OK)
        }
    };
    match result {
        Ok(code) => code.into(),
        Err(Failure::Input(diagnostic)) => {
            console.diagnose(&diagnostic);
            diagnostic.exit_code().into()
        }
        Err(bug) => {
            eprintln!("error: {bug}\nThis is a bug in seatproof. Please report it with the command that you ran.");
            exit::BUG.into()
        }
    }
}
