//! Schedules of violations that were found before, followed again.

use std::rc::Rc;

use super::replay::replay;
use crate::system::schedule::Schedule;
use crate::system::{ModelError, Setting};

/// What came of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It breaks its property as it did.
    StillViolates,
    /// All its steps are possible, and its property holds.
    Passes,
    /// The model changed: this step, counted from 1, is not possible any more, so the schedule says nothing.
    Diverged(usize),
}

/// Follows a schedule that broke a property.
///
/// # Errors
/// [`ModelError`]: a wrong model.
pub fn again(setting: &Rc<Setting>, schedule: &Schedule) -> Result<Outcome, ModelError> {
    let replayed = replay(setting, schedule)?;
    let broken = schedule.violation.as_ref().map(|(property, _)| property.as_str());
    let is_broken = replayed.violations.iter().any(|(_, violation)| Some(violation.property) == broken);
    Ok(match replayed.divergence {
        _ if is_broken => Outcome::StillViolates,
        Some(divergence) => Outcome::Diverged(divergence.number),
        None => Outcome::Passes,
    })
}
