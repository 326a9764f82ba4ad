//! The reference explorer: breadth first over exact states, one thread, no memo, no reduction. It is the oracle that
//! every faster search is tested against, so it stays simple: each step forks the whole system and fires it.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::verdict::{Bound, Counterexample, Coverage, Exploration, Verdict};
use crate::process::Support;
use crate::system::fingerprint::Fingerprint;
use crate::system::state::State;
use crate::system::{Halves, ModelError, Setting, Step, System, Unexplorable};

/// Why a search could not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExploreError {
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A draw has no value that can be taken.
    #[error("{0}")]
    Draw(Box<Unexplorable>),
}

/// How a state was reached: from which one, by which step.
struct Origin {
    parent: usize,
    step: Option<Step>,
    depth: usize,
}

/// Explores every order of events, fault and choice that the setting allows.
///
/// The first violation met is a shortest one, because states are met in order of their distance; among several at
/// that distance, the first in the order of steps. The search goes on until every property is decided.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
pub fn explore(setting: &Rc<Setting>, max_states: usize, stop: &AtomicBool) -> Result<Exploration, ExploreError> {
    let mut search = Search::new(setting)?;
    while let Some((at, system)) = search.frontier.pop_front() {
        let bound = if stop.load(Ordering::Relaxed) {
            Some(Bound::Interrupted)
        } else {
            (search.visited.len() > max_states).then_some(Bound::States(max_states))
        };
        if let Some(bound) = bound {
            return Ok(search.finish(&Verdict::Unknown(bound)));
        }
        if search.is_decided() {
            break;
        }
        search.expand(at, &system)?;
    }
    Ok(search.finish(&Verdict::Holds))
}

struct Search {
    /// Look-up only; its order decides nothing.
    visited: HashSet<State>,
    frontier: VecDeque<(usize, System)>,
    origins: Vec<Origin>,
    found: Vec<(&'static str, Option<Counterexample>)>,
    transitions: usize,
    final_states: BTreeSet<Fingerprint>,
    abstracted: BTreeSet<&'static str>,
    coverage: Coverage,
    setting: Rc<Setting>,
}

impl Search {
    fn new(setting: &Rc<Setting>) -> Result<Self, ExploreError> {
        let mut system = System::new(Rc::clone(setting), Halves::Fused, true)?;
        // From here on it watches what is exercised.
        system.take_exercised();
        let mut search = Self {
            visited: HashSet::new(),
            frontier: VecDeque::new(),
            origins: vec![Origin { parent: 0, step: None, depth: 0 }],
            found: setting.properties.iter().map(|property| (property.name, None)).collect(),
            transitions: 0,
            final_states: BTreeSet::new(),
            abstracted: BTreeSet::new(),
            coverage: Coverage::default(),
            setting: Rc::clone(setting),
        };
        search.judge(0, &mut system);
        search.visited.insert(system.state().clone());
        search.frontier.push_back((0, system));
        Ok(search)
    }

    fn is_decided(&self) -> bool {
        let is_decided = |(name, found): &(&str, Option<_>)| found.is_some() || self.coverage.has_reached(name);
        !self.found.is_empty() && self.found.iter().all(is_decided)
    }

    fn expand(&mut self, at: usize, system: &System) -> Result<(), ExploreError> {
        if let Some(draw) = system.unexplorable_draw() {
            return Err(ExploreError::Draw(draw));
        }
        let enabled = system.enabled();
        if enabled.is_empty() {
            self.final_states.insert(Fingerprint::of(system.state()));
        }
        for step in enabled {
            if let Step::Draw(process, _) = step {
                self.abstracted.extend(abstracted(system, process));
            }
            let mut next = system.clone();
            next.fire(&step)?;
            self.transitions += 1;
            self.coverage.note_exercised(next.take_exercised());
            // A step to a state that is known may be the first with something to judge.
            self.coverage.note_judged(next.judged());
            if self.visited.contains(next.state()) {
                continue;
            }
            self.visited.insert(next.state().clone());
            let id = self.origins.len();
            self.origins.push(Origin { parent: at, step: Some(step), depth: self.origins[at].depth + 1 });
            self.judge(id, &mut next);
            self.frontier.push_back((id, next));
        }
        Ok(())
    }

    fn judge(&mut self, at: usize, system: &mut System) {
        let broken = system.judge();
        self.coverage.note(system);
        for violation in broken {
            let steps = self.steps_to(at);
            let found = self.found.iter_mut().find(|(name, _)| *name == violation.property);
            if let Some((_, slot @ None)) = found {
                *slot = Some(Counterexample { steps, reason: violation.reason });
            }
        }
    }

    fn steps_to(&self, mut at: usize) -> Vec<Step> {
        let mut steps = Vec::with_capacity(self.origins[at].depth);
        while let Some(step) = &self.origins[at].step {
            steps.push(step.clone());
            at = self.origins[at].parent;
        }
        steps.reverse();
        steps
    }

    /// Verdicts, with `otherwise` for the properties that no state met so far breaks.
    fn finish(self, otherwise: &Verdict) -> Exploration {
        Exploration {
            vacuous: self.coverage.vacuous(&self.setting),
            exercised: self.coverage.exercised().clone(),
            verdicts: self.coverage.verdicts(&self.setting, self.found, otherwise),
            states: self.visited.len(),
            transitions: self.transitions,
            depth: self.origins.last().map_or(0, |origin| origin.depth),
            final_states: self.final_states,
            is_reduced: false,
            is_exact: true,
            abstracted_draws: self.abstracted.into_iter().collect(),
        }
    }
}

/// The draw that this process waits for, if not all of its values are explored.
pub(super) fn abstracted(system: &System, process: crate::world::identity::ProcessId) -> Option<&'static str> {
    let draw = system.draw_of(process)?;
    let is_ends_only = matches!(draw.support, Support::Duration { low_us, high_us } if high_us - low_us > 2);
    (is_ends_only || system.setting().draws.contains_key(draw.name)).then_some(draw.name)
}
