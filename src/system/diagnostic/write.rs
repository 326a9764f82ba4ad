//! Files that the program writes: under a temporary name first, then renamed, so that nobody ever sees half a file.

use std::fs::OpenOptions;
use std::io::{Error, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Diagnostic, code};

/// Writes the whole file or none of it, where a symbolic link leads to. A device or a pipe is written to as it is, and
/// so is an open file by its number, such as `/dev/stdout`.
///
/// # Errors
/// The operating system refuses, or a directory stands there.
pub fn write_file(path: &Path, content: impl AsRef<[u8]>) -> Result<(), Diagnostic> {
    if path.is_dir() {
        return Err(Diagnostic::error(&code::OUTPUT, format!("`{}` is a directory, not a file", path.display()))
            .help("name a file inside it"));
    }
    let refused = |help: &'static str| {
        move |error: Error| {
            let message = format!("`{}` cannot be written: {}", path.display(), refusal(&error));
            Diagnostic::error(&code::OUTPUT, message).help(help)
        }
    };
    match target(path) {
        Some(file) => replace(&file, content.as_ref())
            .map_err(refused("check that the directory exists and may be written to; nothing was changed there")),
        // Behind what is there, if that is an open file: whoever has it open writes to it too.
        None => OpenOptions::new()
            .append(true)
            .open(path)
            .and_then(|mut file| file.write_all(content.as_ref()))
            .map_err(refused("it is no file that could be replaced, so a part may have been written")),
    }
}

/// Why the operating system refused, in its own words.
pub(crate) fn refusal(error: &Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}

/// The file that the path stands for, behind all symbolic links; none if there is something that cannot be replaced.
fn target(path: &Path) -> Option<PathBuf> {
    match path.metadata() {
        Ok(found) if !found.is_file() => return None,
        // Such as a chain of links without an end, which opening it says as well.
        Err(error) if error.kind() != ErrorKind::NotFound => return None,
        _ => {}
    }
    let mut path = path.to_owned();
    loop {
        // A link there leads to an open file, not to a name: replacing the name would lose what is written to the file.
        if path.starts_with("/proc") || path.starts_with("/dev/fd") {
            return None;
        }
        match path.read_link() {
            // Relative to the directory of the link.
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Some(path),
        }
    }
}

/// Puts a file with this content in the place of what stands there. It has the permissions of what stood there, and a
/// new one those of every new file.
fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".seatproof-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(directory)?;
    file.write_all(content)?;
    if let Ok(old) = path.metadata() {
        file.as_file().set_permissions(old.permissions())?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}
