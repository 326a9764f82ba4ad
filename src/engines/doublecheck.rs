//! Finds a model that reads anything but the outcomes of its operations: a static, a clock, random numbers, the order
//! of a hash map. Every verdict rests on its absence, because engines re-create a process from its outcomes alone.
//!
//! Two executions take the same steps side by side, and must agree on everything after each of them.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::draw;
use super::prng::{Purpose, Stream};
use crate::system::facts::{changes, facts};
use crate::system::{Halves, ModelError, Setting, Step, System};
use crate::world::identity::ProcessId;

/// Steps of one walk.
const WALK_STEPS: usize = 1_000;
/// One step in so many is any that is possible, also a fault or the passing of time; the others are of processes.
const ANY_STEP: u64 = 8;

/// Two executions of the same steps came out differently.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{process} depends on something that is not an outcome: after step {number} ({step}) it came out as\n  {first}\n\
     and, the same steps taken again, as\n  {second}\nA process may read its context alone: no static, no clock, no \
     random numbers, no hash map's order."
)]
pub struct Nondeterminism {
    /// Whose code it is.
    pub process: ProcessId,
    /// Number of the step after which the executions differ, from 1; 0 when they differ from the beginning.
    pub number: usize,
    /// That step, by name and label.
    pub step: String,
    /// What is so in the one execution.
    pub first: String,
    /// What is so in the other.
    pub second: String,
}

/// Why executions could not be compared, or how they differ.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DoublecheckError {
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The model reads something that is not an outcome.
    #[error(transparent)]
    Differs(Box<Nondeterminism>),
}

/// Takes random steps from the initial state, twice each, in so many executions.
///
/// # Errors
/// [`DoublecheckError`]: the first difference, or a wrong model.
pub fn walks(setting: &Rc<Setting>, seed: u64, executions: u64, stop: &AtomicBool) -> Result<(), DoublecheckError> {
    for execution in 0..executions {
        let mut stream = Stream::new(seed.wrapping_add(execution), 0, Purpose::Doublecheck);
        let mut twins = Twins::new(setting, Halves::Fused)?;
        for _ in 0..WALK_STEPS {
            if stop.load(Ordering::Relaxed) {
                return Ok(());
            }
            let Some(step) = next_step(&twins.one, &mut stream) else { break };
            twins.fire(&step)?;
        }
    }
    Ok(())
}

/// Takes these steps twice; each with the time to which the clock is set before it, where the engine keeps time.
///
/// # Errors
/// As [`walks`].
///
/// # Panics
/// When a step is not possible where it stands.
pub fn steps<'a>(
    setting: &Rc<Setting>,
    halves: Halves,
    steps: impl IntoIterator<Item = (Option<u64>, &'a Step)>,
) -> Result<(), DoublecheckError> {
    let mut twins = Twins::new(setting, halves)?;
    for (at_us, step) in steps {
        if let Some(at_us) = at_us {
            twins.one.advance_to(at_us);
            twins.other.advance_to(at_us);
        }
        twins.fire(step)?;
    }
    Ok(())
}

/// A possible step: mostly of a process that can go on, now and then any.
fn next_step(system: &System, stream: &mut Stream) -> Option<Step> {
    let mut ready = system.state().processes().filter(|it| system.is_ready(*it)).collect::<Vec<_>>();
    let mut steps = Vec::new();
    if ready.is_empty() || stream.below(ANY_STEP) == 0 {
        steps = system.enabled();
    }
    while steps.is_empty() && !ready.is_empty() {
        let process = ready.swap_remove(below(stream, ready.len()));
        // A draw of many values has no step in the list unless the scenario names some of them.
        match system.draw_of(process) {
            Some(draw) if !system.setting().draws.contains_key(draw.name) => {
                return Some(Step::Draw(process, draw::sample(draw, |low, high| stream.between(low, high))));
            }
            _ => system.enabled_of(process, &mut steps),
        }
    }
    (!steps.is_empty()).then(|| steps.swap_remove(below(stream, steps.len())))
}

fn below(stream: &mut Stream, n: usize) -> usize {
    usize::try_from(stream.below(n as u64)).expect("below a length")
}

/// Two executions of the same steps.
struct Twins {
    one: System,
    other: System,
    fired: usize,
}

impl Twins {
    fn new(setting: &Rc<Setting>, halves: Halves) -> Result<Self, DoublecheckError> {
        let new = || System::new(Rc::clone(setting), halves, true);
        let twins = Self { one: new()?, other: new()?, fired: 0 };
        match twins.difference(None, "the beginning") {
            Some(difference) => Err(DoublecheckError::Differs(difference)),
            None => Ok(twins),
        }
    }

    fn fire(&mut self, step: &Step) -> Result<(), DoublecheckError> {
        let label = self.one.label(step);
        let space = if label.is_empty() { "" } else { " " };
        let name = format!("{label}{space}{}", self.one.name(step));
        self.one.fire(step)?;
        self.other.fire(step)?;
        self.fired += 1;
        match self.difference(step.actor(), &name) {
            Some(difference) => Err(DoublecheckError::Differs(difference)),
            None => {
                self.one.forget_happenings_after(0);
                self.other.forget_happenings_after(0);
                Ok(())
            }
        }
    }

    /// In what the executions differ after a step of `actor`.
    fn difference(&self, actor: Option<ProcessId>, step: &str) -> Option<Box<Nondeterminism>> {
        let (one, other) = (self.one.state(), self.other.state());
        if one == other {
            return None;
        }
        let differs = |process: &ProcessId| one.find(*process) != other.find(*process);
        let process = one.processes().chain(other.processes()).find(differs).or(actor).unwrap_or(ProcessId::SETUP);
        let (was, is) = (facts(&self.one), facts(&self.other));
        let changed = changes(&was, &is);
        // What the process does next says most; what it stated, or the world as it left it, is the next best.
        let shown = changed.iter().find(|it| it.thing.name == process.to_string()).or(changed.first());
        let side = |value: Option<&String>| match (shown, value) {
            (Some(change), Some(value)) => format!("{}: {value}", change.thing),
            (Some(change), None) => format!("{}: nothing", change.thing),
            (None, _) => "another label, or other tokens".to_owned(),
        };
        let first = side(shown.and_then(|it| it.was.as_ref()));
        let second = side(shown.and_then(|it| it.is.as_ref()));
        let (number, step) = (self.fired, step.to_owned());
        Some(Box::new(Nondeterminism { process, number, step, first, second }))
    }
}
