//! Reading a file that a user named, without trusting it.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use super::{Diagnostic, code};

/// Limit for scenarios and k6 options.
pub const SCENARIO_LIMIT_BYTES: u64 = 1 << 20;
/// Limit for reports of measured runs.
pub const REPORT_LIMIT_BYTES: u64 = 64 << 20;

/// The bytes of the file at `path`. Its length is looked at before anything is read; the read itself is bounded too,
/// because a pipe or a growing file has no length.
///
/// # Errors
/// The file is missing, a directory, unreadable, or larger than `limit_bytes`.
pub fn read_bytes(path: &Path, limit_bytes: u64) -> Result<Vec<u8>, Diagnostic> {
    let shown = path.display();
    let refused = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => Diagnostic::error(&code::FILE_MISSING, format!("there is no file `{shown}`"))
            .help("check the path; it is taken relative to the current directory"),
        _ => Diagnostic::error(&code::FILE_UNREADABLE, format!("`{shown}` cannot be read: {}", reason(&error)))
            .help("check the file's permissions"),
    };
    let too_large = |found: String| {
        let limit = format!("{} MiB", limit_bytes >> 20);
        Diagnostic::error(&code::FILE_TOO_LARGE, format!("`{shown}` has {found}, more than the limit of {limit}"))
            .help("is this the right file?")
    };
    let metadata = std::fs::metadata(path).map_err(refused)?;
    if metadata.is_dir() {
        return Err(Diagnostic::error(&code::FILE_IS_DIRECTORY, format!("`{shown}` is a directory, not a file"))
            .help("name a file inside it"));
    }
    if metadata.len() > limit_bytes {
        return Err(too_large(format!("{} bytes", metadata.len())));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(refused)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit_bytes) {
        Ok(bytes)
    } else {
        Err(too_large("no known length and goes on".to_owned()))
    }
}

/// The text of the file at `path`, without a byte order mark.
///
/// # Errors
/// As [`read_bytes`]; and the file is empty, or not UTF-8.
pub fn read_text(path: &Path, limit_bytes: u64) -> Result<String, Diagnostic> {
    let bytes = read_bytes(path, limit_bytes)?;
    let shown = path.display();
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() + 1;
        let byte = error.as_bytes()[offset];
        let message = format!("`{shown}` is not UTF-8 text: line {line} has byte 0x{byte:02x} (offset {offset})");
        Diagnostic::error(&code::FILE_NOT_UTF8, message).help("save the file with the encoding UTF-8")
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    if text.trim().is_empty() {
        return Err(Diagnostic::error(&code::FILE_EMPTY, format!("`{shown}` is empty"))
            .help("was the file written completely?"));
    }
    Ok(text)
}

/// The operating system's words without the number that differs between systems.
fn reason(error: &std::io::Error) -> String {
    let words = error.to_string();
    words.split(" (os error").next().unwrap_or_default().to_lowercase()
}
