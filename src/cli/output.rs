//! Files that the program writes: under a temporary name first, then renamed, so that nobody ever sees half a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::system::diagnostic::{Diagnostic, code};
use crate::system::schedule::Schedule;

/// Writes the whole file or none of it.
pub(super) fn write_file(path: &Path, content: &str) -> Result<(), Diagnostic> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refused = |error: &std::io::Error| {
        let words = error.to_string();
        let reason = words.split(" (os error").next().unwrap_or_default().to_lowercase();
        Diagnostic::error(&code::OUTPUT, format!("`{}` cannot be written: {reason}", path.display()))
            .help("check that the directory exists and may be written to; nothing was changed there")
    };
    if path.is_dir() {
        return Err(Diagnostic::error(&code::OUTPUT, format!("`{}` is a directory, not a file", path.display()))
            .help("name a file inside it"));
    }
    let mut file =
        tempfile::Builder::new().prefix(".seatproof-").tempfile_in(directory).map_err(|error| refused(&error))?;
    file.write_all(content.as_bytes()).map_err(|error| refused(&error))?;
    file.persist(path).map_err(|error| refused(&error.error))?;
    Ok(())
}

/// Writes a found schedule into the regressions directory, under a name made of what it breaks and its last state;
/// beside it, ending `.shuttle`, the execution as it was found, for shuttle's own replayer.
pub(super) fn write_regression(
    directory: &Path,
    schedule: &Schedule,
    native: Option<&str>,
) -> Result<PathBuf, Diagnostic> {
    if let Err(error) = std::fs::create_dir_all(directory) {
        let message = format!("directory `{}` cannot be made: {error}", directory.display());
        return Err(Diagnostic::error(&code::OUTPUT, message).help("name another one with --regressions"));
    }
    let property = schedule.violation.as_ref().map_or("schedule", |(property, _)| property.as_str());
    let id = schedule.fingerprint.get(..8).unwrap_or("00000000");
    let path = directory.join(format!("{property}-{id}.replay"));
    if let Some(native) = native {
        write_file(&path.with_extension("shuttle"), native)?;
    }
    write_file(&path, &schedule.to_string())?;
    Ok(path)
}
