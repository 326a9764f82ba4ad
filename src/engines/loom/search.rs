//! What an exploration found so far, and when it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::Explored;
use super::dice::Plan;
use crate::engines::reference::ExploreError;
use crate::engines::verdict::{Bound, Counterexample, Finding};
use crate::system::fingerprint::Fingerprint;
use crate::system::property::Violation;
use crate::system::{Setting, Step};

/// Why loom is asked for no further execution.
#[derive(Clone, Debug)]
pub(super) enum End {
    /// Every property is decided.
    Decided,
    /// Not all was explored.
    Bound(Bound),
    /// The dice of this plan would do.
    Short(Plan),
    /// The model cannot be explored.
    Error(ExploreError),
}

/// The executions since loom began.
#[derive(Debug)]
pub(super) struct Search {
    properties: usize,
    most: u64,
    stop: Arc<AtomicBool>,
    pub(super) explored: Explored,
    pub(super) end: Option<End>,
}

impl Search {
    pub(super) fn new(setting: &Setting, most: u64, stop: &Arc<AtomicBool>) -> Self {
        let properties = setting.properties.len();
        let stop = Arc::clone(stop);
        Self { properties, most, stop, explored: Explored::default(), end: None }
    }

    /// What was found, and why loom was stopped. The search begins anew.
    pub(super) fn take(&mut self) -> (Option<End>, Explored) {
        (self.end.take(), std::mem::take(&mut self.explored))
    }

    /// Counts the next execution. False when there shall be none: loom asks only if there is one more.
    pub(super) fn begins(&mut self) -> bool {
        let is_decided = self.properties > 0 && self.explored.found.len() == self.properties;
        let bound = if self.stop.load(Ordering::Relaxed) {
            Some(Bound::Interrupted)
        } else {
            let permutations = self.explored.permutations;
            (permutations >= self.most).then_some(Bound::Permutations(permutations))
        };
        if self.end.is_none() {
            self.end = if is_decided { Some(End::Decided) } else { bound.map(End::Bound) };
        }
        self.explored.permutations += u64::from(self.end.is_none());
        self.end.is_none()
    }

    /// Notes how the state breaks properties to which these steps led.
    pub(super) fn note(&mut self, broken: &[Violation], steps: impl Fn() -> Vec<Step>) {
        for Violation { property, reason } in broken {
            if self.explored.found.iter().all(|found| found.property != *property) {
                let counterexample = Counterexample { steps: steps(), reason: reason.clone() };
                let execution = self.explored.permutations;
                self.explored.found.push(Finding { property, counterexample, execution, native: None });
            }
        }
    }

    /// An execution went as far as it could.
    pub(super) fn ends_in(&mut self, last: Fingerprint) {
        self.explored.final_states.insert(last);
    }

    pub(super) fn abstracts(&mut self, draw: &'static str) {
        if !self.explored.abstracted_draws.contains(&draw) {
            self.explored.abstracted_draws.push(draw);
            self.explored.abstracted_draws.sort_unstable();
        }
    }
}
