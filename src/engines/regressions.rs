//! Schedules of violations that were found before, followed again.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::native::{self, NativeError};
use super::replay::replay;
use crate::system::diagnostic::read::{REPORT_LIMIT_BYTES, read_text};
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::model::Model;
use crate::system::schedule::{self, Schedule, directory};
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

/// A schedule of the directory that was followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its file.
    pub path: PathBuf,
    /// The schedule.
    pub schedule: Schedule,
    /// What came of it.
    pub outcome: Outcome,
}

/// Why schedules could not be followed.
#[derive(Debug, thiserror::Error)]
pub enum RegressionError {
    /// A file is no schedule of this model.
    #[error(transparent)]
    File(Box<Diagnostic>),
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
}

impl From<Diagnostic> for RegressionError {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::File(Box::new(diagnostic))
    }
}

/// Follows the schedules of this model in a directory, in the order of their names.
///
/// # Errors
/// [`RegressionError`]: an unreadable or damaged file, one that the model cannot follow any more, a wrong model.
pub fn follow_all(directory: &Path, model: &'static Model) -> Result<Vec<Followed>, RegressionError> {
    let mut outcomes = Vec::new();
    for path in directory::files(directory)? {
        let schedule = load(&path)?;
        if schedule.setting.model != model.name || schedule.violation.is_none() {
            continue;
        }
        let setting = resolved(&path, &schedule, model)?;
        let schedule = named(&path, &setting, schedule)?;
        let outcome = again(&setting, &schedule)?;
        outcomes.push(Followed { path, schedule, outcome });
    }
    Ok(outcomes)
}

/// The schedule in a file.
///
/// # Errors
/// [`RegressionError`]: an unreadable or damaged file.
pub fn load(path: &Path) -> Result<Schedule, RegressionError> {
    let text = read_text(path, REPORT_LIMIT_BYTES).map_err(|diagnostic| match diagnostic.code {
        // What cannot be read as text is no schedule, whatever else is wrong with it.
        code if [&code::FILE_NOT_UTF8, &code::FILE_EMPTY].contains(&code) => {
            Diagnostic { code: &code::SCHEDULE_DAMAGED, ..diagnostic }
        }
        _ => diagnostic,
    })?;
    Ok(schedule::parse(path, &text)?)
}

/// The schedule's setting for a model of its name.
///
/// # Errors
/// [`RegressionError`]: the model does not declare what the schedule names.
pub fn resolved(path: &Path, schedule: &Schedule, model: &'static Model) -> Result<Rc<Setting>, RegressionError> {
    let setting = schedule.resolve(model).map_err(|reason| {
        let message = format!("{}: {reason}", path.display());
        Diagnostic::error(&code::SCHEDULE_MODEL, message)
            .help("the model has changed since: delete the file if it has done its work")
    })?;
    Ok(Rc::new(setting))
}

/// The schedule with the names of its steps, if it has them in its engine's notation only.
///
/// # Errors
/// [`RegressionError`]: the engine's own replayer cannot follow it.
pub fn named(path: &Path, setting: &Rc<Setting>, schedule: Schedule) -> Result<Schedule, RegressionError> {
    native::named(setting, schedule).map_err(|error| match error {
        NativeError::Model(error) => RegressionError::Model(error),
        other => Diagnostic::error(&code::SCHEDULE_DIVERGED, format!("{}: {other}", path.display()))
            .help("the model has changed since; the file ending .replay beside it names the step that is impossible")
            .into(),
    })
}

/// Follows a schedule that broke a property.
fn again(setting: &Rc<Setting>, schedule: &Schedule) -> Result<Outcome, ModelError> {
    let replayed = replay(setting, schedule)?;
    let broken = schedule.violation.as_ref().map(|(property, _)| property.as_str());
    let is_broken = replayed.violations.iter().any(|(_, violation)| Some(violation.property) == broken);
    Ok(match replayed.divergence {
        _ if is_broken => Outcome::StillViolates,
        Some(divergence) => Outcome::Diverged(divergence.number),
        None => Outcome::Passes,
    })
}
