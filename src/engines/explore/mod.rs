//! The explorer: every order of events, fault and choice within the bounds, breadth first, on packed states.
//!
//! **Parts.** A state is cut into parts: each client with its handlers, each Redis node, the database, ghost state, the
//! budgets, the clock, crashed processes whose sessions are still open, and instances whose pools can run out
//! (`layout`). Each content is interned once at its place and is a number from then on (`part`), so a state is a row of
//! small integers. What follows from the rest is no part: who waits for a row is read off the clients, and so is how
//! many workers and connections are out as long as they cannot run out.
//!
//! **Memo.** What a step does depends on the parts that it reads and on nothing else. So the steps that a part allows,
//! and what each does to the parts that it read, are found out once by putting a real state together, asking the real
//! [`System`] and taking the answer apart (`extract`), and are looked up ever after in decision trees keyed by the parts
//! that were read (`memo`). A Lua script, an SQL statement or an `async fn` runs once per distinct local situation.
//! *Why the keys are sound:* `footprint` names what each kind of step reads, a part that is written counts as read, and
//! what only shows when the step is fired (the end of a round closes sessions, a mark touches ghost state) is added
//! before the result is kept; a step that may serve somebody else's queue is never kept. [`audit`] proves it on whole
//! spaces: it compares every look-up with the real system.
//!
//! **Inner loop.** Integers in flat memory: a look-up for each client's list, one or two for each step, one addition for
//! the fingerprint of the next state, one look-up among the states met (`expand`). A state is written down only if it is
//! new.
//!
//! **Fingerprints.** 64 bits: the sum over all places of a stable hash of the content there (never of its number), so
//! that a step changes it by a constant. Two of n states share one with a chance of about n²/2⁶⁵, which is printed.
//!
//! **Bytes.** A state met costs 8 bytes in the set at a load of 53 to 80 %, and 6 for the way back (parent, and which of
//! its steps): 16 to 21. A state on the present or the next level costs 8 and 4 a part besides.
//!
//! **Order.** Levels are expanded in chunks by several workers and merged in the order of the level by one. So the first
//! violation is the least in step order among the shortest, and all output is the same for any number of workers.
//!
//! **Reduction.** Steps that touch nothing but their client are joined with the client's next one (`lists`); the lengths
//! of counterexamples do not change.

pub mod audit;
mod expand;
mod extract;
mod footprint;
mod frontier;
mod layout;
mod lists;
mod memo;
mod part;
mod search;
mod visited;

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use self::part::PartId;
use self::search::Search;
use super::reference::ExploreError;
use super::verdict::{Counterexample, Exploration, Verdict};
use crate::system::{Halves, Setting, Step, System};

/// How to search.
#[derive(Copy, Clone, Debug)]
pub struct Options {
    /// Stop when more states than this were met.
    pub max_states: usize,
    /// Stop when the search keeps more bytes than this.
    pub max_bytes: Option<usize>,
    /// Workers. The result does not depend on it.
    pub threads: NonZeroUsize,
    /// Leave out orders that differ only in steps that touch nothing but their client.
    pub reduction: bool,
    /// Collect the fingerprints of the states in which nothing can happen any more.
    pub final_states: bool,
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
}

/// Explores every order of events, fault and choice that the setting allows. The first violation met of each property
/// is a shortest one, and the first in the order of steps among those; the search goes on until every property is
/// decided.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
pub fn explore(setting: &Rc<Setting>, options: Options, stop: &AtomicBool) -> Result<Explored, ExploreError> {
    let mut search = Search::new(setting, options, stop)?;
    let bound = search.run()?;
    let otherwise = bound.map_or(Verdict::Holds, Verdict::Unknown);
    let mut verdicts = Vec::with_capacity(setting.properties.len());
    for (number, property) in setting.properties.iter().enumerate() {
        let verdict = match search.found[number] {
            Some(state) => {
                let steps = steps_to(&mut search, state)?;
                Verdict::Violated(witnessed(setting, steps, property.name)?)
            }
            None => otherwise.clone(),
        };
        verdicts.push((property.name, verdict));
    }
    Ok(Explored {
        exploration: Exploration {
            verdicts,
            states: search.states as usize,
            transitions: search.transitions,
            depth: search.depth,
            final_states: search.final_states,
            abstracted_draws: search.extractor.abstracted.into_iter().collect(),
        },
        figures: Figures { firings: search.extractor.firings, peak_bytes: search.peak_bytes },
    })
}

/// The steps from the initial state to this one.
fn steps_to(search: &mut Search<'_>, state: frontier::StateId) -> Result<Vec<Step>, ExploreError> {
    let mut row = search.initial.clone();
    let mut steps = Vec::new();
    for ordinal in search.trail.way_to(state) {
        follow(search, &mut row, ordinal, &mut steps)?;
    }
    Ok(steps)
}

/// Takes the entry with this ordinal.
fn follow(
    search: &mut Search<'_>,
    row: &mut Vec<PartId>,
    ordinal: u16,
    steps: &mut Vec<Step>,
) -> Result<(), ExploreError> {
    let memo = &search.memo;
    let mut candidates = Vec::new();
    expand::expand(memo, row, 0, &mut candidates).expect("all is known about a state that was expanded");
    let taken = candidates[usize::from(ordinal)];
    let entries = (0..memo.groups.len()).filter_map(|group| memo.list(group, row)).flatten();
    let entry = entries.take(usize::from(ordinal) + 1).last().expect("the entry was listed");
    let transitions = search.extractor.prefixes[entry].iter().copied().chain([taken.transition]);
    steps.extend(transitions.map(|number| search.extractor.transitions[number as usize].step.clone()));
    match taken.effect.as_leaf() {
        Some(effect) => memo.writes(effect).iter().for_each(|write| row[write.position as usize] = write.id),
        None => *row = search.extractor.fire_wide(taken.transition, row)?.0,
    }
    Ok(())
}

/// The counterexample of these steps, as the real system sees it.
///
/// # Panics
/// When the steps cannot be taken there or do not break the property: the search would be unsound.
fn witnessed(setting: &Rc<Setting>, steps: Vec<Step>, property: &str) -> Result<Counterexample, ExploreError> {
    let mut system = System::new(Rc::clone(setting), Halves::Fused, true)?;
    let mut violations = system.judge();
    for step in &steps {
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
