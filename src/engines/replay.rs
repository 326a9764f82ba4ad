//! Replays a schedule: each step must be possible where the schedule has it, and do what its name says.

use std::rc::Rc;

use super::recording::{Frame, Recording};
use crate::process::{Drawn, Op};
use crate::system::facts::facts;
use crate::system::fingerprint::Fingerprint;
use crate::system::property::Violation;
use crate::system::schedule::{Line, Schedule};
use crate::system::state::Phase;
use crate::system::{ModelError, Setting, Step, System};
use crate::world::identity::ProcessId;

/// What a replay came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The steps that were fired, as an engine would name them.
    pub steps: Vec<Step>,
    /// The first violation of each property, and the number of the step (from 1) that caused it.
    pub violations: Vec<(usize, Violation)>,
    /// State after the last step.
    pub fingerprint: Fingerprint,
    /// Why the schedule could not be followed to its end.
    pub divergence: Option<Divergence>,
}

/// A step of the schedule that is not possible where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// Number of the step, from 1.
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
    let mut system = System::new(Rc::clone(setting), schedule.halves, true)?;
    follow(&mut system, &schedule.steps, None)
}

/// Follows the schedule as far as its step `to`, counted from 1, and keeps what is seen on the way.
///
/// # Errors
/// As [`replay`].
pub fn record(setting: &Rc<Setting>, schedule: &Schedule, to: Option<usize>) -> Result<Recording, ModelError> {
    let mut system = System::new(Rc::clone(setting), schedule.halves, true)?;
    let start = facts(&system);
    let mut frames = Vec::new();
    let steps = &schedule.steps[..to.unwrap_or(usize::MAX).min(schedule.steps.len())];
    let replay = follow(&mut system, steps, Some(&mut frames))?;
    Ok(Recording { replay, start, frames })
}

fn follow(system: &mut System, lines: &[Line], mut frames: Option<&mut Vec<Frame>>) -> Result<Replay, ModelError> {
    let mut replay =
        Replay { steps: Vec::new(), violations: Vec::new(), fingerprint: Fingerprint(0), divergence: None };
    system.judge();
    for (index, line) in lines.iter().enumerate() {
        let number = index + 1;
        let frame = match next_step(system, line) {
            Ok(step) => {
                let frame = frames.is_some().then(|| Frame::begin(number, system, line, &step));
                system.fire(&step)?;
                replay.steps.push(step);
                frame
            }
            Err(reason) => {
                let possible = system.enabled().iter().map(|step| system.name(step)).collect();
                replay.divergence = Some(Divergence { number, wanted: line.text.clone(), reason, possible });
                break;
            }
        };
        let known = |violation: &Violation, seen: &[(usize, Violation)]| {
            seen.iter().any(|(_, earlier)| earlier.property == violation.property)
        };
        let mut broken = Vec::new();
        for violation in system.judge() {
            if !known(&violation, &replay.violations) {
                broken.push(violation.property);
                replay.violations.push((number, violation));
            }
        }
        if let (Some(frames), Some(mut frame)) = (&mut frames, frame) {
            frame.complete(system, broken);
            frames.push(frame);
        }
    }
    replay.fingerprint = Fingerprint::of(system.state());
    Ok(replay)
}

/// The enabled step that the line names, with the clock set to the line's time.
fn next_step(system: &mut System, line: &Line) -> Result<Step, String> {
    if let Some(at_us) = line.at_us {
        if at_us < system.now_us() {
            return Err(format!("its time {at_us} is earlier than that of the step before, {}", system.now_us()));
        }
        system.advance_to(at_us);
    }
    let text = line.text.as_str();
    let Some(process) = process_of(text) else {
        let found = system.enabled().into_iter().find(|step| system.name(step) == text);
        return found.ok_or_else(|| "no such step is possible here".to_owned());
    };
    if system.state().find(process).is_none() {
        return Err(format!("there is no {process} at this point"));
    }
    if let Some(drawn) = drawn_of(system, process, text) {
        let step = Step::Draw(process, drawn);
        let is_possible = system.is_enabled(&step) && system.name(&step) == text;
        return if is_possible { Ok(step) } else { Err("the draw cannot come out so".to_owned()) };
    }
    let mut own = Vec::new();
    system.enabled_of(process, &mut own);
    own.extend([Step::Reap(process), Step::Deadlock(process)].into_iter().filter(|step| system.is_enabled(step)));
    let found = own.iter().find(|step| system.name(step) == text);
    found.cloned().ok_or_else(|| match own.first() {
        Some(step) => format!("{process} can do this instead: {}", system.name(step)),
        None => format!("{process} {}", state_of(system, process)),
    })
}

/// Who a step's name is about: its first word, or the second after the name of a fault.
fn process_of(text: &str) -> Option<ProcessId> {
    text.split([' ', ':']).take(2).find_map(ProcessId::parse)
}

/// The values in `vu1: draws seats = 3 17`, when that process draws.
fn drawn_of(system: &System, process: ProcessId, text: &str) -> Option<Drawn> {
    system.draw_of(process)?;
    let (_, values) = text.split_once(" = ")?;
    values.split(' ').map(|value| value.parse().ok()).collect()
}

fn state_of(system: &System, process: ProcessId) -> &'static str {
    let slot = system.state().slot(process);
    match slot.phase {
        Phase::Idle => "has not begun",
        Phase::Issued if matches!(slot.op, Some(Op::Sql(..))) => "waits for a database connection",
        Phase::Issued | Phase::Applied => "is about to go on",
        Phase::Blocked => "waits for another transaction",
        Phase::Calling(..) => "waits for an answer",
        Phase::Asleep(_) => "is asleep",
        Phase::Ended => "has ended",
    }
}
