//! Files that the program writes: under a temporary name first, then renamed, so that nobody ever sees half a file.

use std::io::Write;
use std::path::Path;

use super::{Diagnostic, code};

/// Writes the whole file or none of it.
///
/// # Errors
/// The operating system refuses, or a directory stands there.
pub fn write_file(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Diagnostic> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refused = |error: &std::io::Error| {
        Diagnostic::error(&code::OUTPUT, format!("`{}` cannot be written: {}", path.display(), refusal(error)))
            .help("check that the directory exists and may be written to; nothing was changed there")
    };
    if path.is_dir() {
        return Err(Diagnostic::error(&code::OUTPUT, format!("`{}` is a directory, not a file", path.display()))
            .help("name a file inside it"));
    }
    let mut file =
        tempfile::Builder::new().prefix(".seatproof-").tempfile_in(directory).map_err(|error| refused(&error))?;
    file.write_all(content.as_ref()).map_err(|error| refused(&error))?;
    file.persist(path).map_err(|error| refused(&error.error))?;
    Ok(())
}

/// Why the operating system refused, in its own words.
pub(crate) fn refusal(error: &std::io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}
