//! The explorer: every order of events, fault and choice within the bounds, breadth first, on packed states.
//!
//! **Parts.** A state is cut into parts: each client with its handlers, each Redis node, the database, ghost state, the
//! budgets, the clock, crashed processes whose sessions are still open, operations that land late, and instances whose
//! pools can run out (`layout`). Each content is interned once at its place and is a number from then on (`part`), so
//! a state is a row of small integers. What follows from the rest is no part: who waits for a row is read off the
//! clients, and so is how many workers and connections are out as long as they cannot run out.
//!
//! **Memo.** What a step does depends on the parts that it reads and on nothing else. So the steps that a part allows,
//! and what each does to the parts that it read, are found out once by putting a real state together, asking the real
//! [`System`] and taking the answer apart (`extract`), and are looked up ever after in decision trees keyed by the
//! parts that were read (`memo`). A Lua script, an SQL statement or an `async fn` runs once per distinct local
//! situation. *Why the keys are sound:* `footprint` names what each kind of step reads, a part that is written counts
//! as read, and what only shows when the step is fired (the end of a round closes sessions, a mark touches ghost state)
//! is added before the result is kept; a step that may serve somebody else's queue is never kept. [`audit`] proves it
//! on whole spaces: it compares every look-up with the real system.
//!
//! **Inner loop.** Integers in flat memory: a look-up for each client's list, one or two for each step, one addition
//! for the fingerprint of the next state, one look-up among the states met (`expand`). A state is written down only if
//! it is new.
//!
//! **Judging.** A property is judged when what it reads changed, once for all states that share that (`judge`); what
//! becomes of seats once nobody acts any more, once for all states that share all but the clients.
//!
//! **Fingerprints.** 64 bits: the sum over all places of a stable hash of the content there (never of its number), so
//! that a step changes it by a constant. Two of n states share one with a chance of about n²/2⁶⁵, which is printed.
//! Whoever does not want to trust that asks for whole states (`exact`).
//!
//! **Bytes.** A state met costs 8 bytes in the set at a load of 53 to 80 %, and 6 for the way back (parent, and which
//! of its steps): 16 to 21. A state on the present or the next level costs 8 and 4 a part besides.
//!
//! **Order.** Levels are expanded in chunks by several workers and merged in the order of the level by one. So the
//! first violation is the least in step order among the shortest, and all output is the same for any number of workers.
//!
//! **Reduction.** Steps that touch nothing but their client are joined with the client's next one (`lists`). States
//! that differ only in which of several interchangeable clients or seats is which are one (`canon`), if that proves to
//! be a symmetry of all that enters the memo (`symmetry`). Where time may pass without bound, states that differ only
//! in when they are reached are one (`system::relative`): so there is an end although time has none. The lengths of
//! counterexamples do not change.

pub mod audit;
mod canon;
mod checkpoint;
mod exact;
mod expand;
mod extract;
mod footprint;
mod frontier;
mod judge;
mod layout;
mod lists;
mod memo;
mod part;
mod progress;
mod recent;
mod rename;
mod search;
mod symmetry;
mod visited;
mod way;

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use serde::{Deserialize, Serialize};

use self::checkpoint::Checkpoint;
use self::search::Search;
use self::symmetry::CloseError;
use super::reference::ExploreError;
use super::verdict::{Counterexample, Coverage, Exploration, Verdict};
use crate::system::property::Rule;
use crate::system::{Halves, Setting, Step, System};

/// How to search.
#[derive(Copy, Clone, Debug)]
pub struct Options {
    /// Stop when more states than this were met.
    pub max_states: usize,
    /// Stop when what the search keeps may take more bytes than this. Hit at the same state whatever the machine.
    pub max_bytes: Option<usize>,
    /// Workers. The result does not depend on it.
    pub threads: NonZeroUsize,
    /// What to leave out.
    pub reductions: Reductions,
    /// Compare whole states instead of fingerprints: slower, and with several times the memory. Not to be kept.
    pub exact: bool,
    /// Collect the fingerprints of the states in which nothing can happen any more.
    pub final_states: bool,
}

/// What a search takes for one, where that is sound.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reductions {
    /// Steps that touch nothing but their client, and its next one.
    pub joined_steps: bool,
    /// States that differ only in which of several interchangeable clients is which.
    pub clients: bool,
    /// States that differ only in which of several interchangeable seats is which.
    pub seats: bool,
    /// States that differ only in when they are reached, where the passing of time is not bounded.
    pub relative_time: bool,
}

impl Reductions {
    /// All of them.
    pub const ALL: Self = Self { joined_steps: true, clients: true, seats: true, relative_time: true };
    /// None: the whole space.
    pub const NONE: Self = Self { joined_steps: false, clients: false, seats: false, relative_time: false };

    /// All of them, or none.
    #[must_use]
    pub const fn all_if(is_reducing: bool) -> Self {
        if is_reducing { Self::ALL } else { Self::NONE }
    }
}

/// What a search cost.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Steps fired in the real system: distinct local situations.
    pub firings: u64,
    /// The most bytes that states, ways and levels took at once.
    pub peak_bytes: usize,
}

/// A finished search.
#[derive(Clone, Debug)]
pub struct Explored {
    /// Verdicts and size.
    pub exploration: Exploration,
    /// Cost.
    pub figures: Figures,
    /// True if states that differ only in which client is which were taken for one.
    pub is_symmetric: bool,
    /// How many seats were taken for interchangeable; 0 if none were.
    pub seats: usize,
    /// Why clients that looked interchangeable are not.
    pub asymmetry: Option<&'static str>,
    /// Why time is told apart for ever although its passing is not bounded.
    pub absolute_time: Option<&'static str>,
}

/// How far a search has come.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Glance {
    /// Steps from the initial state to those that are met now.
    pub depth: usize,
    /// States met.
    pub states: usize,
    /// States met and not expanded.
    pub queue: usize,
}

/// As [`explore_watched`], and nobody watches.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
pub fn explore(setting: &Rc<Setting>, options: Options, stop: &AtomicBool) -> Result<Explored, ExploreError> {
    explore_watched(setting, options, stop, &mut |_| ())
}

/// Explores every order of events, fault and choice that the setting allows. The first violation met of each property
/// is a shortest one, and the first in the order of steps among those; the search goes on until every property is
/// decided.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
pub fn explore_watched(
    setting: &Rc<Setting>,
    options: Options,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Glance),
) -> Result<Explored, ExploreError> {
    let explored = explore_kept(setting, options, Keep::No, stop, watch)?;
    Ok(explored.expect("nothing was kept that could be another model's").0)
}

/// Whether a search that is stopped at a bound is kept.
#[derive(Copy, Clone, Debug)]
pub enum Keep<'a> {
    /// It is not.
    No,
    /// It is.
    Yes,
    /// It is, and it goes on from one that was kept, of the same model, setting, program and reductions.
    From(&'a [u8]),
}

/// What was found, and the search itself if it was stopped at a bound and is to be kept.
pub type ExploredAndKept = (Explored, Option<Vec<u8>>);

/// As [`explore_watched`]. None if what was kept is not of this model, setting and program.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
pub fn explore_kept(
    setting: &Rc<Setting>,
    options: Options,
    keep: Keep<'_>,
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Glance),
) -> Result<Option<ExploredAndKept>, ExploreError> {
    let mut kept = match keep {
        Keep::From(bytes) => match postcard::from_bytes::<Checkpoint>(bytes) {
            Ok(kept) => Some(kept),
            Err(_) => return Ok(None),
        },
        Keep::No | Keep::Yes => None,
    };
    let keeps = !matches!(keep, Keep::No) && !options.exact;
    let is_unbounded = setting.budgets.time_steps == u32::MAX;
    let Reductions { relative_time, .. } = options.reductions;
    let wanted = Reductions { relative_time: relative_time && is_unbounded, ..options.reductions };
    let mut reductions = kept.as_ref().map_or(wanted, |kept| kept.reductions);
    let (mut asymmetry, mut absolute_time) = (None, None);
    loop {
        match searched(setting, options, (reductions, keeps, kept.take()), stop, watch) {
            Ok(explored) => {
                let told = |(explored, kept): ExploredAndKept| {
                    let absolute_time = absolute_time.or(explored.absolute_time);
                    (Explored { asymmetry, absolute_time, ..explored }, kept)
                };
                return Ok(explored.map(told));
            }
            Err(CloseError::Explore(error)) => return Err(error),
            Err(CloseError::Asymmetry(found)) if found.is_of_seats => reductions.seats = false,
            Err(CloseError::Asymmetry(found)) => {
                asymmetry = reductions.clients.then_some(found.reason);
                (reductions.clients, reductions.seats) = (false, false);
            }
            Err(CloseError::NamesInstants) => {
                absolute_time = Some("a command says or asks when something is");
                reductions.relative_time = false;
            }
        }
    }
}

fn searched(
    setting: &Rc<Setting>,
    options: Options,
    (reductions, keeps, kept): (Reductions, bool, Option<Checkpoint>),
    stop: &AtomicBool,
    watch: &mut dyn FnMut(Glance),
) -> Result<Option<ExploredAndKept>, CloseError> {
    let mut search = Search::new(setting, options, reductions, stop)?;
    search.progress.questions = keeps.then(Vec::new);
    if let Some(kept) = kept
        && !kept.restore(&mut search)?
    {
        return Ok(None);
    }
    let bound = search.run(watch)?;
    let kept = bound.is_some() && keeps;
    let kept = kept.then(|| postcard::to_stdvec(&Checkpoint::of(&search)).expect("plain data has a serialised form"));
    let otherwise = bound.map_or(Verdict::Holds, Verdict::Unknown);
    let (mut coverage, mut found) = (Coverage::default(), Vec::with_capacity(setting.properties.len()));
    for (number, property) in setting.properties.iter().enumerate() {
        let counterexample = match (search.progress.found[number], property.rule) {
            (Some(_), Rule::Reachable(_)) => {
                coverage.reach(property.name);
                None
            }
            (Some(state), _) => {
                let steps = way::steps_to(&mut search, state)?;
                Some(witnessed(setting, steps, property.name)?)
            }
            (None, _) => None,
        };
        found.push((property.name, counterexample));
    }
    let verdicts = coverage.verdicts(setting, found, &otherwise);
    let Search { progress, peak_bytes, known, .. } = search;
    let swaps = known.canon.as_ref().map_or(0, |canon| canon.swaps.len());
    let of_clients = known.canon.as_ref().map_or(0, |canon| canon.clients);
    let remembers = progress.extractor.scratch.keeps_instants();
    let explored = Explored {
        exploration: Exploration {
            verdicts,
            states: progress.states as usize,
            transitions: progress.transitions,
            depth: progress.depth,
            final_states: progress.final_states,
            vacuous: progress.extractor.vacuous(),
            exercised: progress.extractor.exercised.clone(),
            is_reduced: options.reductions != Reductions::NONE,
            is_exact: options.exact,
            abstracted_draws: progress.extractor.abstracted.into_iter().collect(),
        },
        figures: Figures { firings: progress.extractor.firings, peak_bytes },
        is_symmetric: of_clients > 0,
        seats: if swaps > of_clients { swaps - of_clients + 1 } else { 0 },
        asymmetry: None,
        absolute_time: remembers.then_some("a process, a row or a transaction remembers when something was"),
    };
    Ok(Some((explored, kept)))
}

/// The counterexample of these steps, as the real system sees it.
///
/// # Panics
/// When the steps cannot be taken there or do not break the property: the search would be unsound.
fn witnessed(setting: &Rc<Setting>, mut steps: Vec<Step>, property: &str) -> Result<Counterexample, ExploreError> {
    let mut system = System::new(Rc::clone(setting), Halves::Fused, true)?;
    let mut violations = system.judge();
    for step in &mut steps {
        // Time that was relative to the present is told from the start again.
        if let (Step::Time(to_us), Some(next_us)) = (&mut *step, system.next_instant()) {
            *to_us = next_us;
        }
        assert!(system.is_enabled(step), "a step of the counterexample is not possible: {step:?}");
        system.fire(step)?;
        violations = system.judge();
    }
    let violation = violations.into_iter().find(|violation| violation.property == property);
    let reason = violation.expect("the counterexample breaks its property").reason;
    Ok(Counterexample { steps, reason })
}

/// The chance that two of so many states share a fingerprint and one of them was left out, as one in how many.
#[must_use]
pub fn collision_odds(states: usize) -> u128 {
    let states = states as u128;
    (1 << 65) / (states * states).max(1)
}
