//! Several engines on one check, and one verdict per property from all of them.
//!
//! The explorer comes first, at the size that can be exhausted. What it did not find broken the schedulers then sample,
//! at full size. A sample without a violation changes no verdict; a violation does, whatever a smaller size showed. At
//! the end each sampled violation is made small. loom comes last: small again, and under a bound on preemptions.

mod permuted;

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub use self::permuted::{Permuted, permute, shrink_permuted};
use super::native;
use super::shrink::{ShrinkError, ShrinkOptions, Shrunk, shrink};
use super::shuttle::{self, Options, Sampled, Scheduler};
use super::verdict::{Bound, Counterexample, Exploration, Finding, Verdict};
use crate::system::exercised::Exercised;
use crate::system::schedule::{Schedule, of_steps};
use crate::system::{ModelError, Setting};

/// The schedulers that sample, in this order. No one of them is best: random and URW find what needs time to pass, PCT
/// what needs one client to run far ahead. docs/power.md has the figures.
pub const SCHEDULERS: [Scheduler; 3] = [Scheduler::Random, Scheduler::Urw, Scheduler::Pct { depth: 3 }];

/// What one scheduler met.
#[derive(Clone, Debug)]
pub struct Sample {
    /// The scheduler.
    pub scheduler: Scheduler,
    /// The size that it sampled, with the properties that it judged.
    pub setting: Rc<Setting>,
    /// Executions that were asked for.
    pub asked: u64,
    /// What it met.
    pub sampled: Sampled,
    /// Its violation made small, unless that was not asked for.
    pub shrunk: Option<Shrunk>,
    /// True when the explorer proved at its own, smaller size what is violated at this one. Both are worth saying.
    pub holds_smaller: bool,
}

impl Sample {
    /// True when time ran out, or the user asked to stop, before it had tried all that was asked for.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.sampled.found.is_none() && self.sampled.executions < self.asked
    }

    /// The smallest way to the violation that was met, and the setting that it is in.
    #[must_use]
    pub fn smallest(&self) -> Option<(Rc<Setting>, Counterexample)> {
        let found = self.sampled.found.as_ref()?;
        Some(match &self.shrunk {
            Some(shrunk) => (Rc::new(shrunk.setting.clone()), shrunk.counterexample()),
            None => (Rc::clone(&self.setting), found.counterexample.clone()),
        })
    }
}

/// The result of exploring nothing: each property is open, for this reason.
#[must_use]
pub fn unexplored(setting: &Setting, why: &Bound) -> Exploration {
    let open = |name| (name, Verdict::Unknown(why.clone()));
    Exploration {
        verdicts: setting.properties.iter().map(|property| open(property.name)).collect(),
        states: 0,
        transitions: 0,
        depth: 0,
        final_states: std::collections::BTreeSet::new(),
        vacuous: Vec::new(),
        exercised: Exercised::default(),
        is_reduced: false,
        is_exact: false,
        abstracted_draws: Vec::new(),
    }
}

/// Samples the setting with one scheduler, for the properties that `exploration` does not show broken. Each violation
/// becomes the verdict of its property, which is not judged any further. A scheduler whose turn comes after `stop` was
/// set does nothing.
///
/// # Errors
/// [`ModelError`]: a wrong model.
pub fn sample(
    setting: &Setting,
    options: Options,
    exploration: &mut Exploration,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<Sample>, ModelError> {
    let mut samples = Vec::new();
    // After a violation the scheduler begins again with the properties that are left.
    while let Some(open) = still_open(setting, exploration) {
        let sample = sample_once(&open, options, exploration, stop)?;
        let is_done = sample.sampled.found.is_none();
        samples.push(sample);
        if is_done {
            break;
        }
    }
    Ok(samples)
}

/// The schedules of the violations found, in the order of the properties. `name` says in which scenario.
///
/// # Errors
/// [`ModelError`]: a wrong model.
pub fn schedules(
    name: &str,
    setting: &Rc<Setting>,
    exploration: &Exploration,
    samples: &[Sample],
    permuted: Option<&Permuted>,
    seed: u64,
) -> Result<Vec<Schedule>, ModelError> {
    let mut schedules = Vec::new();
    for (property, verdict) in &exploration.verdicts {
        // What is not reachable has no schedule.
        let Some(found) = verdict.counterexample().filter(|found| found.is_shown()) else { continue };
        let violation = Some(((*property).to_owned(), found.reason.clone()));
        let is_its = |sample: &&Sample| sample.sampled.found.as_ref().is_some_and(|it| it.property == *property);
        let sampled = samples.iter().find(is_its).and_then(Sample::smallest);
        let met = permuted.and_then(|permuted| permuted.smallest(property));
        let (setting, engine, seed) = match (sampled, met) {
            (Some((setting, _)), _) => (setting, "shuttle", Some(seed)),
            (None, Some((setting, _))) => (setting, "loom", None),
            (None, None) => (Rc::clone(setting), "explore", None),
        };
        let schedule = of_steps(&setting, &found.steps, engine, name, violation)?;
        schedules.push(Schedule { seed, ..schedule });
    }
    Ok(schedules)
}

/// The execution in which a scheduler, or else loom, met the violation, as large as it was found; none if neither did.
///
/// # Errors
/// [`ModelError`]: a wrong model.
pub fn as_found(
    name: &str,
    property: &str,
    samples: &[Sample],
    permuted: Option<&Permuted>,
    seed: u64,
) -> Result<Option<Schedule>, ModelError> {
    let sampled = samples.iter().filter_map(|sample| Some((sample, sample.sampled.found.as_ref()?)));
    if let Some((sample, found)) = sampled.into_iter().find(|(_, found)| found.property == property) {
        let found = native::schedule(&sample.setting, found, "shuttle", name)?;
        return Ok(found.map(|schedule| Schedule { seed: Some(seed), ..schedule }));
    }
    match permuted.and_then(|permuted| Some((permuted, permuted.finding(property)?))) {
        Some((permuted, found)) => native::schedule(&permuted.setting, found, "loom", name),
        None => Ok(None),
    }
}

/// The setting with the properties that are not known to be broken; none if all are.
fn still_open(setting: &Setting, exploration: &Exploration) -> Option<Rc<Setting>> {
    let is_broken = |name: &str| {
        let found = exploration.verdicts.iter().find(|(property, _)| *property == name);
        matches!(found, Some((_, Verdict::Violated(_))))
    };
    let mut open = setting.clone();
    open.properties.retain(|property| !is_broken(property.name));
    (!open.properties.is_empty()).then(|| Rc::new(open))
}

/// Executions up to the first violation, which becomes the verdict of its property.
fn sample_once(
    setting: &Rc<Setting>,
    options: Options,
    exploration: &mut Exploration,
    stop: &Arc<AtomicBool>,
) -> Result<Sample, ModelError> {
    let is_over = stop.load(Ordering::Relaxed);
    let sampled = if is_over { Sampled::default() } else { shuttle::sample(setting, options, stop)? };
    let Options { scheduler, executions: asked, .. } = options;
    let mut holds_smaller = false;
    if let Some(finding) = &sampled.found
        && let Some(verdict) = verdict_of(exploration, finding.property)
    {
        holds_smaller = *verdict == Verdict::Holds;
        *verdict = Verdict::Violated(finding.counterexample.clone());
    }
    Ok(Sample { scheduler, setting: Rc::clone(setting), asked, sampled, shrunk: None, holds_smaller })
}

fn verdict_of<'a>(exploration: &'a mut Exploration, property: &str) -> Option<&'a mut Verdict> {
    exploration.verdicts.iter_mut().find(|(name, _)| *name == property).map(|(_, verdict)| verdict)
}

/// Makes the violation of a sample small, if it has one, and gives its property the smaller way as its verdict. It
/// stays as it was found if somebody asks to stop before a step is left out.
///
/// # Errors
/// [`ModelError`]: a wrong model.
pub fn shrink_sample(
    sample: &mut Sample,
    options: &ShrinkOptions,
    exploration: &mut Exploration,
    stop: &AtomicBool,
) -> Result<(), ModelError> {
    let Some(finding) = &sample.sampled.found else { return Ok(()) };
    let Some(shrunk) = shrunk(&sample.setting, finding, options, stop)? else { return Ok(()) };
    if let Some(verdict) = verdict_of(exploration, finding.property) {
        *verdict = Verdict::Violated(shrunk.counterexample());
    }
    sample.shrunk = Some(shrunk);
    Ok(())
}

/// The finding made small; none if somebody asked to stop before.
fn shrunk(
    setting: &Setting,
    finding: &Finding,
    options: &ShrinkOptions,
    stop: &AtomicBool,
) -> Result<Option<Shrunk>, ModelError> {
    match shrink(setting, &finding.counterexample.steps, finding.property, options, stop) {
        Ok(shrunk) => Ok(Some(shrunk)),
        Err(ShrinkError::Stopped) => Ok(None),
        Err(ShrinkError::Model(error)) => Err(error),
        Err(ShrinkError::NotBroken(property)) => unreachable!("the scheduler saw `{property}` broken by these steps"),
    }
}
