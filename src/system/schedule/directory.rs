//! A directory of schedules, meant to be kept under version control.

use std::path::{Path, PathBuf};

use super::Schedule;
use crate::system::diagnostic::write::write_file;
use crate::system::diagnostic::{Diagnostic, code};

/// Where schedules of violations are kept unless something else is said.
pub const REGRESSIONS: &str = "seatproof-regressions";

/// Writes a found schedule into the regressions directory, under a name made of what it breaks and its last state;
/// beside it, ending in the name of the engine (`.shuttle`, `.loom`), the execution as large as it was found, in the
/// engine's own notation.
///
/// # Errors
/// The directory cannot be made, or a file cannot be written.
pub fn write(directory: &Path, schedule: &Schedule, as_found: Option<&Schedule>) -> Result<PathBuf, Diagnostic> {
    if let Err(error) = std::fs::create_dir_all(directory) {
        let message = format!("directory `{}` cannot be made: {error}", directory.display());
        return Err(Diagnostic::error(&code::OUTPUT, message).help("name another one with --regressions"));
    }
    let property = schedule.violation.as_ref().map_or("schedule", |(property, _)| property.as_str());
    let id = schedule.fingerprint.get(..8).unwrap_or("00000000");
    let path = directory.join(format!("{property}-{id}.replay"));
    if let Some(as_found) = as_found {
        write_file(&path.with_extension(&as_found.engine), as_found.to_string())?;
    }
    write_file(&path, schedule.to_string())?;
    Ok(path)
}

/// The schedule that a user names: a file, or the only one in the directory whose name contains the text.
///
/// # Errors
/// None or several have it in their name, or the directory cannot be read.
pub fn named(directory: &Path, named: &Path) -> Result<PathBuf, Diagnostic> {
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

/// The schedules of a directory, by name. A directory that does not exist has none.
///
/// # Errors
/// The directory cannot be read.
pub fn files(directory: &Path) -> Result<Vec<PathBuf>, Diagnostic> {
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
