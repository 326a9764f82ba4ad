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

/// The schedule that a user names: a file, or the only one in the directory whose name contains the text.
pub(super) fn named(directory: &Path, named: &Path) -> Result<PathBuf, Diagnostic> {
    let is_path = named.exists() || named.components().count() > 1 || named.extension().is_some();
    let Some(id) = named.to_str().filter(|id| !is_path && !id.is_empty()) else { return Ok(named.to_owned()) };
    let is_meant = |path: &PathBuf| path.file_stem().is_some_and(|stem| stem.to_string_lossy().contains(id));
    let mut meant = files(directory)?.into_iter().filter(is_meant).collect::<Vec<_>>();
    let message = match meant.len() {
        1 => return Ok(meant.remove(0)),
        0 => format!("no file `{id}`, and no schedule in `{}` has it in its name", directory.display()),
        several => format!("{several} schedules in `{}` have `{id}` in their name", directory.display()),
    };
    let names = meant.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
    let help = if names.is_empty() { "name the file, or its directory with --regressions".to_owned() } else { names };
    Err(Diagnostic::error(&code::FILE_MISSING, message).help(help))
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
