//! Executions as large as they were found, in the notation of the engine that found them. Such a schedule has a few
//! kilobytes, whatever its length, and is followed by the replayer that the engine has of its own.

use std::rc::Rc;

use super::verdict::Finding;
use super::{loom, shuttle};
use crate::process::caught;
use crate::system::schedule::{Schedule, of_steps};
use crate::system::{Halves, ModelError, Setting, Step, System};

/// Why an engine's own replayer gave no steps.
#[derive(Debug, thiserror::Error)]
pub enum NativeError {
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Most often the model is not the one that the execution was found in.
    #[error("{engine}'s own replayer cannot follow it: {reason}")]
    Refused {
        /// Whose replayer.
        engine: String,
        /// What it said.
        reason: String,
    },
}

/// The finding as a schedule in its engine's notation; none if the engine has none.
///
/// # Errors
/// [`ModelError`]: a wrong model.
pub fn schedule(
    setting: &Rc<Setting>,
    finding: &Finding,
    engine: &str,
    scenario: &str,
) -> Result<Option<Schedule>, ModelError> {
    let Some(native) = finding.native.clone() else { return Ok(None) };
    let violation = Some((finding.property.to_owned(), finding.counterexample.reason.clone()));
    let named = of_steps(setting, &finding.counterexample.steps, engine, scenario, violation)?;
    Ok(Some(Schedule { native: Some(native), ..named }))
}

/// The schedule with the names of its steps, which the engine's own replayer tells if they are in its notation.
///
/// # Errors
/// [`NativeError`]: a wrong model, or a replayer that could not follow it.
pub fn named(setting: &Rc<Setting>, schedule: Schedule) -> Result<Schedule, NativeError> {
    let Some(native) = &schedule.native else { return Ok(schedule) };
    let refused = |reason: &str| NativeError::Refused { engine: schedule.engine.clone(), reason: reason.to_owned() };
    // Those that an engine had found broken before did not end its executions any more.
    let mut judged = Setting::clone(setting);
    judged.properties.retain(|property| schedule.violation.as_ref().is_some_and(|(name, _)| property.name == name));
    let replayed = caught(|| match schedule.engine.as_str() {
        "shuttle" => shuttle::replay(&judged, native).map_err(NativeError::Model),
        "loom" => loom::replay(&judged, native).map_err(|error| match error {
            loom::ReplayError::Model(error) => NativeError::Model(error),
            other => refused(&other.to_string()),
        }),
        _ => Err(refused("it has none")),
    });
    let mut steps = replayed.map_err(|panic| refused(panic.lines().next().unwrap_or_default()))??;
    steps.truncate(up_to_violation(&Rc::new(judged), &steps)?);
    let steps = of_steps(setting, &steps, &schedule.engine, &schedule.scenario, None)?.steps;
    Ok(Schedule { steps, ..schedule })
}

/// How many of the steps lead to the first state that breaks a property; all if none does.
fn up_to_violation(setting: &Rc<Setting>, steps: &[Step]) -> Result<usize, ModelError> {
    // Nothing is forked or fingerprinted here.
    let mut system = System::new(Rc::clone(setting), Halves::Fused, false)?;
    for (count, step) in steps.iter().enumerate() {
        if !system.judge().is_empty() {
            return Ok(count);
        }
        system.fire(step)?;
    }
    Ok(steps.len())
}
