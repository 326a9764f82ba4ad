//! The schedules in the regressions directory, which `check` follows before anything else.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Failure;
use crate::engines::regressions::{Outcome, again};
use crate::system::diagnostic::read::{REPORT_LIMIT_BYTES, read_text};
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::model::Model;
use crate::system::schedule;

/// Follows the schedules of this model, in the order of their names. A directory that does not exist has none.
pub(super) fn run(directory: &Path, model: &'static Model) -> Result<Vec<(String, Outcome)>, Failure> {
    let mut outcomes = Vec::new();
    for path in files(directory)? {
        let text = read_text(&path, REPORT_LIMIT_BYTES)?;
        let schedule = schedule::parse(&path, &text)?;
        if schedule.setting.model != model.name || schedule.violation.is_none() {
            continue;
        }
        let setting = schedule.setting.resolve(model).map_err(|reason| {
            let message = format!("{}: {reason}", path.display());
            Diagnostic::error(&code::SCHEDULE_MODEL, message)
                .help("the model has changed since: delete the file if it has done its work")
        })?;
        outcomes.push((path.display().to_string(), again(&Rc::new(setting), &schedule)?));
    }
    Ok(outcomes)
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
    let refused = |error: std::io::Error| {
        let message = format!("directory `{}` cannot be read: {error}", directory.display());
        Diagnostic::error(&code::FILE_UNREADABLE, message).help("name another one with --regressions")
    };
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(refused(error)),
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(refused)?.path();
        if path.extension().is_some_and(|extension| extension == "replay") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
