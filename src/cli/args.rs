//! The command line.

use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::search_file::SEARCHES;
use crate::engines::DEFAULT_SEED;
use crate::engines::loom::DEFAULT_PREEMPTIONS;
use crate::system::scenario::duration;
use crate::system::schedule::directory::REGRESSIONS;

/// Check Redis seat locks for double sales, and predict the k6 run.
#[derive(Debug, Parser)]
#[command(name = "seatproof", version, about, arg_required_else_help = true, after_help = EXAMPLES)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,
    #[command(flatten)]
    pub(super) global: Global,
}

const EXAMPLES: &str = "\
Examples:
  seatproof simulate                  what k6 will print, in virtual time
  seatproof simulate --seeds 0..400   how much that varies from run to run
  seatproof check                     can a seat be sold twice? show the shortest way
  seatproof replay FILE               a found way again, step by step
  seatproof why-not FILE              can this happen? if not, why not
  seatproof compare summary.json      a measured k6 run against the model

SCENARIO is a file, or the name of a built-in model (`seatproof list`).
Exit codes: 0 all holds, 1 violated, 2 usage, 3 inconclusive, 4 replay diverged, 5 outside the
interval, 70 a bug in seatproof, 99 thresholds crossed, 104 invalid scenario, 130 interrupted.";

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub(super) struct Global {
    /// One JSON document on stdout instead of text
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Colours: auto where the stream is a terminal
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(super) color: Color,
    /// Letters instead of ✓ ✗ █, save in k6's own summary
    #[arg(long, global = true)]
    pub(super) ascii: bool,
    /// No notes on stderr, only errors
    #[arg(short, long, global = true)]
    pub(super) quiet: bool,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Color {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the load test in virtual time and print k6's end-of-test summary
    #[command(visible_alias = "sim")]
    Simulate(Simulate),
    /// Explore every order of events within the scenario's bounds
    Check(Check),
    /// Run a schedule again, step by step
    Replay(Replay),
    /// Say whether a schedule that you suspect can happen, and if not, at which step and why
    WhyNot(WhyNot),
    /// Compare a measured k6 run with the distribution over seeds
    Compare(Compare),
    /// Explain an error code, a property or a contradiction between thresholds
    Explain {
        /// For example SP0104, SP0204 or one-holder-per-seat
        name: String,
    },
    /// List models with their journeys, jobs, parameters, properties and draws
    List,
    /// Print the JSON schema of scenario files
    Schema,
}

#[derive(Debug, Args)]
pub(super) struct Input {
    /// Scenario file, or name of a built-in model
    #[arg(value_name = "SCENARIO", default_value = "moviebooking")]
    pub(super) scenario: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct Simulate {
    #[command(flatten)]
    pub(super) input: Input,
    /// Seed of the run, or `measured` for the scenario's measured_seed [default: 42]
    #[arg(long, value_name = "N", conflicts_with = "seeds")]
    pub(super) seed: Option<Seed>,
    /// Many seeds, A included, B not: a table of every figure's distribution
    #[arg(long, value_name = "A..B", value_parser = seeds)]
    pub(super) seeds: Option<Range<u64>>,
    /// Find the least seed whose run satisfies this, such as 'seat_lock_success==1048'
    #[arg(long, value_name = "CONDITIONS", conflicts_with = "seed")]
    pub(super) find: Option<String>,
    /// Options of a k6 script as JSON: stages and thresholds replace the scenario's
    #[arg(long, value_name = "FILE")]
    pub(super) options: Option<PathBuf>,
    /// What stdout shows
    #[arg(long, value_name = "FORMAT", default_value = "k6", conflicts_with_all = ["json", "seeds", "find"])]
    pub(super) format: Format,
    /// Write the file that k6's --summary-export writes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seeds", "find"])]
    pub(super) summary_export: Option<PathBuf>,
    /// Run twice and compare the digests of all events
    #[arg(long, conflicts_with_all = ["seeds", "find"])]
    pub(super) doublecheck: bool,
    /// Leave the schedule of a violation as large as it was found
    #[arg(long, conflicts_with_all = ["seeds", "find"])]
    pub(super) no_shrink: bool,
    #[command(flatten)]
    pub(super) threads: Threads,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// End-of-test summary of k6 v1.2 to v2.2
    K6,
    /// The layout of k6 0.x
    K6Legacy,
    /// The object that k6 hands to handleSummary()
    HandleSummary,
}

#[derive(Copy, Clone, Debug, Args)]
pub(super) struct Threads {
    /// Threads that share the work; the output is the same for any number [default: all cores]
    #[arg(long, value_name = "N", value_parser = threads)]
    threads: Option<NonZeroUsize>,
}

impl Threads {
    pub(super) fn get(self) -> NonZeroUsize {
        self.threads.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
    }
}

/// More threads than any machine has that this is run on; the operating system would refuse many more.
const THREADS_MAX: usize = 1024;

/// At least one thread.
fn threads(text: &str) -> Result<NonZeroUsize, String> {
    let threads = text.parse::<NonZeroUsize>().ok().filter(|threads| threads.get() <= THREADS_MAX);
    threads.ok_or_else(|| format!("a whole number of threads, 1 to {THREADS_MAX}"))
}

/// A number of bytes, perhaps in units of 1024.
fn bytes(text: &str) -> Result<usize, String> {
    let units = [("K", 10), ("M", 20), ("G", 30)];
    let unit = units.iter().find_map(|(unit, shift)| Some((text.strip_suffix(unit)?, *shift)));
    let (digits, shift) = unit.unwrap_or((text, 0));
    let number = digits.parse::<usize>().ok();
    let bytes = number.and_then(|number| number.checked_mul(1 << shift));
    bytes.ok_or_else(|| "a whole number of bytes below 2^64, perhaps in units of K, M or G: `500M`".to_owned())
}

#[derive(Debug, Args)]
pub(super) struct Check {
    #[command(flatten)]
    pub(super) input: Input,
    /// Only the checks of these names
    #[arg(long, value_name = "NAME")]
    pub(super) only: Vec<String>,
    /// Judge against the verdicts that the scenario expects
    #[arg(long)]
    pub(super) expect: bool,
    /// Which engines judge the checks
    #[arg(long, value_name = "ENGINE", default_value = "all")]
    pub(super) engine: Engine,
    /// Seed of everything that the schedulers draw
    #[arg(long, value_name = "N", default_value_t = DEFAULT_SEED, env = "SEATPROOF_SEED", value_parser = seed)]
    pub(super) seed: u64,
    /// Leave what the schedulers find as large as it was found
    #[arg(long)]
    pub(super) no_shrink: bool,
    /// Executions of each scheduler and of loom, whatever the scenario says [default for loom: 5000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) executions: Option<u64>,
    /// How often loom leaves a client that could go on for another one, in an execution
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PREEMPTIONS)]
    pub(super) preemptions: u8,
    #[command(flatten)]
    pub(super) threads: Threads,
    /// Stop after so many states, whatever the scenario says
    #[arg(long, value_name = "N")]
    pub(super) max_states: Option<usize>,
    /// Stop when the states kept may take more memory than this: `500M`, `6G`
    #[arg(long, value_name = "SIZE", value_parser = bytes)]
    pub(super) max_memory: Option<usize>,
    /// Keep a search of the explorer that is cut short in DIR, and go on with one that was [default DIR:
    /// seatproof-searches]
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true, default_missing_value = SEARCHES)]
    pub(super) resume: Option<PathBuf>,
    /// Explore every order of events, also those that make no difference
    #[arg(long)]
    pub(super) no_reduction: bool,
    /// Compare whole states, not their fingerprints: slower, and more memory
    #[arg(long, conflicts_with = "resume")]
    pub(super) exact: bool,
    /// Do as many executions twice, and compare them step by step, as each scheduler samples [default: 3]
    #[arg(long)]
    pub(super) doublecheck: bool,
    /// Time for all checks together, such as 60s; what it cuts short says so [default: no limit]
    #[arg(long, value_name = "DURATION", value_parser = budget)]
    pub(super) timeout: Option<Duration>,
    /// Where schedules of found violations go
    #[arg(long, value_name = "DIR", default_value = REGRESSIONS)]
    pub(super) regressions: PathBuf,
}

impl Check {
    /// An option for the explorer that was given although another engine is asked for.
    pub(super) fn idle_option(&self) -> Option<&'static str> {
        let options = [
            ("--max-states", self.max_states.is_some()),
            ("--max-memory", self.max_memory.is_some()),
            ("--resume", self.resume.is_some()),
            ("--no-reduction", self.no_reduction),
            ("--exact", self.exact),
        ];
        let explores = matches!(self.engine, Engine::All | Engine::Explore);
        options.into_iter().find(|(_, is_given)| *is_given && !explores).map(|(option, _)| option)
    }
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Engine {
    /// The explorer, then the schedulers, then loom
    All,
    /// Every order of events within the bounds
    Explore,
    /// Samples, at the size that the scenario gives for them
    Shuttle,
    /// Every order with so many preemptions, for two or three clients
    Loom,
}

#[derive(Debug, Args)]
pub(super) struct Replay {
    /// A schedule: a file ending .replay, or a part of the name of one in the regressions directory
    #[arg(value_name = "FILE|ID", env = "SEATPROOF_SCHEDULE")]
    pub(super) schedule: PathBuf,
    /// Wait for Enter after each step; q ends (terminal only)
    #[arg(long, conflicts_with_all = ["json", "diagram", "export"])]
    pub(super) step: bool,
    /// Stop after this step, counted from 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) to: Option<u32>,
    /// What is shown of the state after each step [default: none; diff with --step]
    #[arg(long, value_name = "WHAT", conflicts_with_all = ["json", "diagram", "export"])]
    pub(super) state: Option<StateShown>,
    /// Draw a space-time diagram instead of the table of steps
    #[arg(long, conflicts_with_all = ["json", "export"])]
    pub(super) diagram: bool,
    /// Print the steps in the format of another tool instead
    #[arg(long, value_name = "FORMAT", conflicts_with = "json")]
    pub(super) export: Option<Export>,
    /// Where an ID is looked up
    #[arg(long, value_name = "DIR", default_value = REGRESSIONS)]
    pub(super) regressions: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct WhyNot {
    /// A schedule as you suspect it: a .replay file, edited, or a part of the name of one in the regressions directory
    #[arg(value_name = "FILE|ID")]
    pub(super) schedule: PathBuf,
    /// Where an ID is looked up
    #[arg(long, value_name = "DIR", default_value = REGRESSIONS)]
    pub(super) regressions: PathBuf,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum StateShown {
    /// Everything
    Full,
    /// What the step changed
    Diff,
    /// Nothing
    None,
}

#[derive(Copy, Clone, Debug, ValueEnum)]
pub(super) enum Export {
    /// Informal Trace Format of Apalache
    Itf,
    /// Log with vector clocks for ShiViz
    Shiviz,
    /// Sequence diagram in Mermaid
    Mermaid,
    /// Every step with its outcomes and what it changed
    Json,
}

#[derive(Debug, Args)]
pub(super) struct Compare {
    /// Summary JSON of k6 (three kinds), k6's stdout, or a Markdown report
    #[arg(value_name = "REPORT")]
    pub(super) report: PathBuf,
    #[command(flatten)]
    pub(super) input: Input,
    /// Seeds of the runs to compare with
    #[arg(long, value_name = "A..B", value_parser = seeds, default_value = "0..400")]
    pub(super) seeds: Range<u64>,
    /// Central share of the runs that the interval covers
    #[arg(long, value_name = "SHARE", default_value = "0.99", value_parser = ["0.95", "0.99"])]
    pub(super) level: String,
    /// What stdout shows
    #[arg(long, value_name = "FORMAT", default_value = "table", conflicts_with = "json")]
    pub(super) format: CompareFormat,
    #[command(flatten)]
    pub(super) threads: Threads,
}

#[derive(Copy, Clone, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CompareFormat {
    Table,
    Md,
}

/// A seed, or the scenario's measured one.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Seed {
    Number(u64),
    Measured,
}

impl std::str::FromStr for Seed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "measured" {
            return Ok(Self::Measured);
        }
        text.parse().map(Self::Number).map_err(|_| "a seed is a whole number below 2^64, or `measured`".to_owned())
    }
}

/// A seed from the command line or the environment.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "--seed and SEATPROOF_SEED are whole numbers below 2^64".to_owned())
}

/// A time budget; with none at all nothing could be said.
fn budget(text: &str) -> Result<Duration, String> {
    match duration::parse_ns(text) {
        Ok(0) => Err("a budget of no time decides nothing".to_owned()),
        Ok(ns) => Ok(Duration::from_nanos(ns)),
        Err(error) => Err(error.to_string()),
    }
}

/// `A..B`, half-open.
fn seeds(text: &str) -> Result<Range<u64>, String> {
    let (from, to) = text.split_once("..").ok_or("seeds are written A..B, A included and B not: 0..400")?;
    let bound = |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is no seed: a whole number below 2^64"));
    let (from, to) = (bound(from)?, bound(to)?);
    if from < to { Ok(from..to) } else { Err(format!("{from}..{to} holds no seed: B is not included")) }
}
