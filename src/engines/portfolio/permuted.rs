//! loom's turn in the portfolio: the size that was explored, under a bound on preemptions.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{shrunk, still_open, verdict_of};
use crate::engines::loom::{self, Explored, Options};
use crate::engines::reference::ExploreError;
use crate::engines::shrink::{ShrinkOptions, Shrunk};
use crate::engines::verdict::{Bound, Counterexample, Exploration, Finding, Verdict};
use crate::system::{ModelError, Setting};

/// What loom met.
#[derive(Clone, Debug)]
pub struct Permuted {
    /// The size that it explored, with the properties that it judged.
    pub setting: Rc<Setting>,
    /// How.
    pub options: Options,
    /// What it met.
    pub explored: Explored,
    /// Its first violations made small, in their order: all of them, unless that was not asked for or somebody asked to
    /// stop.
    pub shrunk: Vec<Shrunk>,
}

impl Permuted {
    /// The violation of a property that was met.
    #[must_use]
    pub fn finding(&self, property: &str) -> Option<&Finding> {
        self.explored.found.iter().find(|found| found.property == property)
    }

    /// The smallest way to the violation of a property that was met, and the setting that it is in.
    #[must_use]
    pub fn smallest(&self, property: &str) -> Option<(Rc<Setting>, Counterexample)> {
        let index = self.explored.found.iter().position(|found| found.property == property)?;
        Some(match self.shrunk.get(index) {
            Some(shrunk) => (Rc::new(shrunk.setting.clone()), shrunk.counterexample()),
            None => (Rc::clone(&self.setting), self.explored.found[index].counterexample.clone()),
        })
    }

    /// What is known about a property that loom did not find broken, if nothing else is.
    fn bound(&self) -> Bound {
        match (&self.explored.bound, self.options.preemptions) {
            (Some(bound), _) => bound.clone(),
            (None, Some(preemptions)) => Bound::Preemptions { clients: self.setting.journeys.len(), preemptions },
            (None, None) => Bound::Sampled,
        }
    }
}

/// Lets loom explore the setting, with as many of its clients as loom has threads for, for the properties that
/// `exploration` does not show broken. A violation becomes the verdict of its property. Without one, a verdict that
/// another engine gave stays. Nothing if all is broken, or `stop` was set before.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
pub fn permute(
    setting: &Setting,
    options: Options,
    exploration: &mut Exploration,
    stop: &Arc<AtomicBool>,
) -> Result<Option<Permuted>, ExploreError> {
    let Some(open) = still_open(setting, exploration) else { return Ok(None) };
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let mut setting = Setting::clone(&open);
    setting.journeys.truncate(loom::CLIENTS_MAX);
    let explored = loom::explore(&setting, options, stop)?;
    let permuted = Permuted { setting: Rc::new(setting), options, explored, shrunk: Vec::new() };
    for (property, verdict) in &mut exploration.verdicts {
        if let Some((_, counterexample)) = permuted.smallest(property) {
            *verdict = Verdict::Violated(counterexample);
        } else if *verdict == Verdict::Unknown(Bound::Sampled) {
            *verdict = Verdict::Unknown(permuted.bound());
        }
    }
    Ok(Some(permuted))
}

/// Makes the violations small, and gives their properties the smaller ways as their verdicts. The first one before
/// which somebody asks to stop, and those after it, stay as they were found.
///
/// # Errors
/// [`ModelError`]: a wrong model.
pub fn shrink_permuted(
    permuted: &mut Permuted,
    options: &ShrinkOptions,
    exploration: &mut Exploration,
    stop: &AtomicBool,
) -> Result<(), ModelError> {
    for finding in &permuted.explored.found {
        let Some(shrunk) = shrunk(&permuted.setting, finding, options, stop)? else { break };
        if let Some(verdict) = verdict_of(exploration, finding.property) {
            *verdict = Verdict::Violated(shrunk.counterexample());
        }
        permuted.shrunk.push(shrunk);
    }
    Ok(())
}
