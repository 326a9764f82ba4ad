//! Replays a schedule: each step must be possible where the schedule has it, and do what its name says.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::recording::{Frame, Recording, held};
use crate::system::facts::{Facts, facts};
use crate::system::fingerprint::Fingerprint;
use crate::system::given::GivenError;
use crate::system::property::Violation;
use crate::system::schedule::{Line, Schedule, model_hash};
use crate::system::{ModelError, Setting, Step, System};

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The steps that were fired, as an engine would name them.
    pub steps: Vec<Step>,
    /// The first violation of each property, and the number of the step (from 1) that caused it.
    pub violations: Vec<(usize, Violation)>,
    /// State after the last step.
    pub fingerprint: Fingerprint,
    /// Hash over the setting and the steps, with the labels that the model gives them now.
    pub model_hash: String,
    /// Why the schedule could not be followed to its end.
    pub divergence: Option<Divergence>,
}

/// A step of the schedule that is not possible where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Number of the step, from 1; 0 for what is given before the first.
    pub number: usize,
    /// The step as the schedule names it.
    pub wanted: String,
    /// Why it is not possible.
    pub reason: String,
    /// The steps that are possible instead, by name.
    pub possible: Vec<String>,
}

/// Follows the schedule step by step.
///
/// # Errors
/// When the model itself is wrong. A schedule that does not fit is no error but a [`Divergence`].
pub fn replay(setting: &Rc<Setting>, schedule: &Schedule) -> Result<Replay, ModelError> {
    replay_to(setting, schedule, None)
}

/// Follows the schedule until somebody asks to stop.
///
/// # Errors
/// As [`replay`].
pub fn replay_until(setting: &Rc<Setting>, schedule: &Schedule, stop: &AtomicBool) -> Result<Replay, ModelError> {
    follow_new(setting, schedule, schedule.steps.iter().take_while(|_| !stop.load(Ordering::Relaxed)))
}

/// Follows the schedule as far as its step `to`, counted from 1.
///
/// # Errors
/// As [`replay`].
pub fn replay_to(setting: &Rc<Setting>, schedule: &Schedule, to: Option<usize>) -> Result<Replay, ModelError> {
    follow_new(setting, schedule, first(schedule, to).iter())
}

fn follow_new<'a>(
    setting: &Rc<Setting>,
    schedule: &Schedule,
    lines: impl Iterator<Item = &'a Line>,
) -> Result<Replay, ModelError> {
    match System::new(Rc::clone(setting), schedule.halves, true) {
        Ok(mut system) => follow(&mut system, lines, None),
        Err(ModelError::Given(error)) => Ok(not_begun(*error)),
        Err(error) => Err(error),
    }
}

/// Follows the schedule as far as its step `to`, counted from 1, and keeps what is seen on the way.
///
/// # Errors
/// As [`replay`].
pub fn record(setting: &Rc<Setting>, schedule: &Schedule, to: Option<usize>) -> Result<Recording, ModelError> {
    let mut system = match System::new(Rc::clone(setting), schedule.halves, true) {
        Ok(system) => system,
        Err(ModelError::Given(error)) => {
            return Ok(Recording::of_replay(not_begun(*error)));
        }
        Err(error) => return Err(error),
    };
    let (start, held) = (facts(&system), held(&system));
    let mut watch = Watch { facts: start.clone(), frames: Vec::new() };
    let replay = follow(&mut system, first(schedule, to).iter(), Some(&mut watch))?;
    let frames = watch.frames;
    Ok(Recording { replay, start, held, frames })
}

/// The replay of a schedule whose past is not possible any more.
fn not_begun(error: GivenError) -> Replay {
    let GivenError { text, reason, .. } = error;
    let wanted = format!("given: {text}");
    let divergence = Some(Divergence { number: 0, wanted, reason, possible: Vec::new() });
    let (steps, violations, model_hash) = (Vec::new(), Vec::new(), String::new());
    Replay { steps, violations, fingerprint: Fingerprint(0), model_hash, divergence }
}

/// What is kept of the steps that are followed.
struct Watch {
    facts: Facts,
    frames: Vec<Frame>,
}

fn first(schedule: &Schedule, to: Option<usize>) -> &[Line] {
    &schedule.steps[..to.unwrap_or(usize::MAX).min(schedule.steps.len())]
}

fn follow<'a>(
    system: &mut System,
    lines: impl Iterator<Item = &'a Line>,
    mut watch: Option<&mut Watch>,
) -> Result<Replay, ModelError> {
    let (mut steps, mut violations, mut divergence) = (Vec::new(), Vec::new(), None);
    let mut fired = Vec::new();
    system.judge();
    for (index, line) in lines.enumerate() {
        let number = index + 1;
        let frame = match next_step(system, line) {
            Ok(step) => {
                let frame = watch.is_some().then(|| Frame::begin(number, system, line, &step));
                fired.push(Line { label: system.label(&step).to_owned(), ..line.clone() });
                system.fire(&step)?;
                steps.push(step);
                frame
            }
            Err(reason) => {
                let possible = system.enabled().iter().map(|step| system.name(step)).collect();
                divergence = Some(Divergence { number, wanted: line.text.clone(), reason, possible });
                break;
            }
        };
        let known = |violation: &Violation, seen: &[(usize, Violation)]| {
            seen.iter().any(|(_, earlier)| earlier.property == violation.property)
        };
        let mut broken = Vec::new();
        for violation in system.judge() {
            if !known(&violation, &violations) {
                broken.push(violation.property);
                violations.push((number, violation));
            }
        }
        if let (Some(watch), Some(mut frame)) = (&mut watch, frame) {
            frame.complete(system, broken, &mut watch.facts);
            watch.frames.push(frame);
        }
    }
    let (fingerprint, model_hash) = (Fingerprint::of(system.state()), model_hash(system.setting(), &fired));
    Ok(Replay { steps, violations, fingerprint, model_hash, divergence })
}

/// The enabled step that the line names, with the clock set to the line's time.
fn next_step(system: &mut System, line: &Line) -> Result<Step, String> {
    if let Some(at_us) = line.at_us {
        if at_us < system.now_us() {
            return Err(format!("its time {at_us} is earlier than that of the step before, {}", system.now_us()));
        }
        system.advance_to(at_us);
    }
    system.resolve(&line.text)
}
