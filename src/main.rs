//! Command line of seatproof: parses, runs, and ends with the documented exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    seatproof::cli::main()
}
