//! loom explores the same processes, two or three clients at a time: every order of steps with so many preemptions,
//! every fault and every choice.
//!
//! There is no second semantics: a thread that loom chooses fires a step of [`System`]. loom's threads are one for each
//! client with the handler that it waits for, and one for time, faults of the infrastructure, background jobs, and
//! handlers that nobody waits for any more. loom's main thread has too small a stack to do that itself; it starts the
//! others.
//! When no thread has a step the execution ends, and all threads are woken to end with it.
//!
//! What loom calls complete is complete at the bound: within the chosen number of preemptions, and as far as its
//! partial-order reduction under a bound goes (beyond the last preemption it does not try others where a thread must be
//! left anyway). So an exploration at a bound proves nothing about a property; without a bound it visits every final
//! state.

mod checkpoint;
mod dice;
mod graph;
mod play;
mod search;
mod stage;
mod threads;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use ::loom::model::Builder;

pub use self::checkpoint::{ReplayError, replay};
use self::search::{End, Search};
use self::stage::Stage;
use super::reference::ExploreError;
use super::verdict::{Bound, Finding};
use crate::system::exercised::Exercised;
use crate::system::fingerprint::Fingerprint;
use crate::system::{Halves, Setting, System};

/// Clients at most: loom's threads without the main thread and nature's.
pub const CLIENTS_MAX: usize = ::loom::MAX_THREADS - 2;

/// Preemptions unless something else is said.
pub const DEFAULT_PREEMPTIONS: u8 = 2;

/// Steps after which an execution is given up; models with two or three clients need a tenth.
const STEPS_MAX: usize = 1_000;

/// Scheduling points after which loom panics. A step needs one, and two more if the thread was parked before and for
/// each die.
const BRANCHES_MAX: usize = 8 * STEPS_MAX;

/// How to explore.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How often a thread that could go on is left for another one in an execution; `None` for as often as possible.
    pub preemptions: Option<u8>,
    /// Executions at most. They are counted anew when loom begins anew because a draw turned out to have more values
    /// than there were dice for: of what came before nothing is told.
    pub max_permutations: u64,
}

/// What loom met.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Explored {
    /// Executions.
    pub permutations: u64,
    /// Those among them that ended at once, because what the chosen thread had been about to do became impossible.
    pub dead_ends: u64,
    /// Steps of all executions.
    pub steps: u64,
    /// Why loom did not explore all that it explores at this number of preemptions; `None` if it did.
    pub bound: Option<Bound>,
    /// What the executions exercised.
    pub exercised: Exercised,
    /// Fingerprints of the states in which nothing could happen any more.
    pub final_states: BTreeSet<Fingerprint>,
    /// The first violation of each property, in the order in which they were met.
    pub found: Vec<Finding>,
    /// Draws that were explored by representatives or by the ends of their range only.
    pub abstracted_draws: Vec<&'static str>,
}

/// Explores what loom explores, until every property of the setting is broken or there were enough executions.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
///
/// # Panics
/// With more clients than [`CLIENTS_MAX`].
pub fn explore(setting: &Setting, options: Options, stop: &Arc<AtomicBool>) -> Result<Explored, ExploreError> {
    assert!(setting.journeys.len() <= CLIENTS_MAX, "loom has threads for {CLIENTS_MAX} clients");
    let mut template = System::new(Rc::new(setting.clone()), Halves::Fused, true)?;
    // From here on its copies watch what is exercised.
    template.take_exercised();
    Stage::set(template, Search::new(setting, options.max_permutations, stop));
    let result = explored(options);
    Stage::clear();
    result
}

fn explored(options: Options) -> Result<Explored, ExploreError> {
    loop {
        run(options.preemptions, None);
        let (end, mut explored) = Stage::with(|stage| stage.search.take());
        match end {
            Some(End::Short(plan)) => Stage::with(|stage| stage.set_plan(plan)),
            Some(End::Error(error)) => return Err(error),
            end => {
                if let Some(End::Bound(bound)) = end {
                    explored.bound = Some(bound);
                }
                explored.exercised = Stage::with(|stage| std::mem::take(&mut stage.graph.exercised));
                for finding in &mut explored.found {
                    finding.native = Some(checkpoint::of_execution(options.preemptions, finding.execution));
                }
                return Ok(explored);
            }
        }
    }
}

/// loom's checkpoint file, and the execution before which it is written, from 1; loom stops there.
struct Checkpoint {
    file: PathBuf,
    before: usize,
}

/// What ends a run of executions from inside.
struct Stopped;

/// Runs executions on the stage that was set, until loom has no more or the search wants no more.
///
/// loom returns alike when it is done and when it reached a maximum of its own. So it gets none: the search stops it,
/// and only when loom asks for one execution more.
fn run(preemptions: Option<u8>, checkpoint: Option<Checkpoint>) {
    // Each of these fields would otherwise come from the environment.
    let mut builder = Builder::new();
    builder.max_threads = ::loom::MAX_THREADS;
    builder.max_branches = BRANCHES_MAX;
    builder.max_duration = None;
    builder.preemption_bound = preemptions.map(usize::from);
    builder.expect_explicit_explore = true;
    builder.location = false;
    builder.log = false;
    builder.checkpoint_interval = checkpoint.as_ref().map_or(usize::MAX, |it| it.before);
    builder.max_permutations = checkpoint.as_ref().map(|it| it.before);
    builder.checkpoint_file = checkpoint.map(|it| it.file);
    let execution = || {
        if !play::begin() {
            // Unlike a panic, this is silent. No other thread has started.
            resume_unwind(Box::new(Stopped));
        }
    };
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| builder.check(execution)))
        && !panic.is::<Stopped>()
    {
        Stage::clear();
        resume_unwind(panic);
    }
}
