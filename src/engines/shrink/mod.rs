//! Makes a failing schedule minimal: fewer contenders, seats, rounds, faults and steps, and still the same property is
//! broken.
//!
//! Three phases. Steps are left out as long as the rest, followed as far as it goes, breaks the property (delta
//! debugging); what is then left is small enough for the explorer, which says what is shortest; and as long as the
//! explorer finds a way with a contender, seat, round or fault less, that way is taken. The order of these words is
//! the order of what matters: a contender less is worth more steps.
//!
//! Deterministic: the budget counts steps that are fired, never seconds.

mod exact;
mod fuse;
mod moves;
mod reduce;
mod trial;

use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use super::replay::replay_until;
use super::verdict::Counterexample;
use crate::system::schedule::Schedule;
use crate::system::{ModelError, Setting, Step};
use trial::{Broken, Trials};

/// How much may be tried.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct ShrinkOptions {
    /// Steps fired in all: by trials, and by the explorer in the last phase.
    pub max_steps: u64,
    /// States of one search of the last phase; beyond, the result is only known to have no step too many.
    pub max_states: usize,
}

impl Default for ShrinkOptions {
    /// Some seconds at most.
    fn default() -> Self {
        Self { max_steps: 2_000_000, max_states: 50_000 }
    }
}

/// How large a schedule is; compared in this order.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size {
    /// Clients of the setting.
    pub contenders: usize,
    /// Seats of the setting; `None` where the model has no parameter `seats`.
    pub seats: Option<i64>,
    /// Rounds that the busiest client begins.
    pub rounds: u32,
    /// Steps that a fault budget pays for.
    pub faults: usize,
    /// All steps.
    pub steps: usize,
    /// Steps that are operations.
    pub operations: usize,
}

/// What is known about the result.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Minimality {
    /// The explorer knows no shorter way in this setting.
    Shortest,
    /// No single contender, round, fault or step can be left out; the space was too large to search.
    OneByOne,
    /// The budget ran out, or somebody asked to stop: the result breaks the property, and less may do.
    Unfinished,
}

/// A shrunk schedule.
#[derive(Clone, Debug)]
pub struct Shrunk {
    /// The smaller setting. Its properties are those of the original.
    pub setting: Setting,
    /// The steps from its initial state; the last one breaks the property.
    pub steps: Vec<Step>,
    /// How, in words.
    pub reason: String,
    /// What is known about the result, and so which phase it comes from.
    pub minimality: Minimality,
    /// Executions that were tried.
    pub replays: u64,
    /// Steps fired in them and in searches: what the budget counts.
    pub fired: u64,
    /// Size before.
    pub from: Size,
    /// Size after.
    pub to: Size,
}

impl Shrunk {
    /// The result as a counterexample.
    #[must_use]
    pub fn counterexample(&self) -> Counterexample {
        Counterexample { steps: self.steps.clone(), reason: self.reason.clone() }
    }
}

/// Why a schedule cannot be shrunk.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShrinkError {
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The steps do not break the property.
    #[error("the steps do not break `{0}`, so there is nothing to shrink")]
    NotBroken(&'static str),
    /// Somebody asked to stop before anything was left out.
    #[error("stopped before anything was left out")]
    Stopped,
}

/// Shrinks steps with fused halves. The same input gives the same result, unless `stop` is set on the way.
///
/// # Errors
/// A wrong model, steps that do not break this property of the setting, or `stop` before one of them could go.
pub fn shrink(
    setting: &Setting,
    steps: &[Step],
    property: &'static str,
    options: &ShrinkOptions,
    stop: &AtomicBool,
) -> Result<Shrunk, ShrinkError> {
    let mut trials = Trials::new(property, options.max_steps, stop);
    let Some(given) = trials.record(setting, steps)? else {
        return Err(if trials.is_stopped() { ShrinkError::Stopped } else { ShrinkError::NotBroken(property) });
    };
    let from = size(&given);
    let reduced = reduce::reduce(&mut trials, given)?;
    let (best, is_shortest) = exact::shortest(&mut trials, reduced, options.max_states)?;
    let to = size(&best);
    if trials.is_stopped() && to == from && !is_shortest {
        return Err(ShrinkError::Stopped);
    }
    let minimality = match (is_shortest, trials.is_over()) {
        (true, _) => Minimality::Shortest,
        (false, false) => Minimality::OneByOne,
        (false, true) => Minimality::Unfinished,
    };
    let Broken { case, steps, reason, .. } = best;
    let Trials { replays, fired, .. } = trials;
    Ok(Shrunk { setting: case.setting, steps, reason, minimality, replays, fired, from, to })
}

/// Shrinks a schedule of an engine that keeps time. With fused halves an outcome arrives when the operation takes
/// effect, and a violation may need the time between.
///
/// # Errors
/// A wrong model, a schedule that does not break this property with fused halves, or `stop` before one step could go:
/// a schedule of hours takes seconds to be told again.
pub fn shrink_timed(
    setting: &Rc<Setting>,
    schedule: &Schedule,
    property: &'static str,
    options: &ShrinkOptions,
    stop: &AtomicBool,
) -> Result<Shrunk, ShrinkError> {
    let steps = replay_until(setting, schedule, stop)?.steps;
    let instants = schedule.steps.iter().map(|line| line.at_us.unwrap_or(0));
    let timed = instants.zip(steps).collect::<Vec<_>>();
    let fused = fuse::fused_setting(setting, &timed);
    let steps = fuse::fused_steps(&fused, &timed, stop)?;
    shrink(&fused, &steps, property, options, stop)
}

fn size(broken: &Broken) -> Size {
    let Broken { case, steps, .. } = broken;
    let seats = case.setting.params.iter().find(|(name, _)| *name == "seats");
    let counterexample = Counterexample { steps: steps.clone(), reason: String::new() };
    Size {
        contenders: case.setting.journeys.len(),
        seats: seats.map(|(_, value)| value.low),
        rounds: case.moves.iter().map(|it| it.round).max().unwrap_or(0),
        faults: steps.iter().filter(|step| moves::is_fault(step)).count(),
        steps: steps.len(),
        operations: counterexample.operations(),
    }
}
