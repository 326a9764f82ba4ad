//! Which kind of measured run a text is, by its content and never by its name.

use super::error::ReadError;
use super::{Measured, encoding, from_json, from_markdown, from_stdout};

/// What a measured run was read from.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum MeasuredKind {
    /// The object that k6 hands to `handleSummary`.
    HandleSummary,
    /// `--summary-export`.
    SummaryExport,
    /// `--new-machine-readable-summary`.
    MachineReadable,
    /// k6's standard output, layout of v1.0 and later.
    Stdout,
    /// k6's standard output, layout of v0.x.
    StdoutLegacy,
    /// A Markdown report with metric tables.
    Markdown,
}

impl MeasuredKind {
    /// The kind in words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::HandleSummary => "k6 handleSummary data",
            Self::SummaryExport => "k6 summary export",
            Self::MachineReadable => "k6 machine-readable summary",
            Self::Stdout => "k6 output",
            Self::StdoutLegacy => "k6 output, legacy layout",
            Self::Markdown => "Markdown report",
        }
    }
}

/// Reads the measured run in this text; `file` is what messages call it.
///
/// # Errors
/// When the text is broken JSON, JSON that is no k6 summary, or text without any figure of a k6 run.
pub fn read_text(text: &str, file: &str) -> Result<Measured, ReadError> {
    let repaired = encoding::repair_mac_roman(text);
    let text = repaired.as_deref().unwrap_or(text).trim_start_matches('\u{feff}');
    let mut measured = if text.trim_start().starts_with('{') {
        from_json::read(text, file)?
    } else {
        let found = from_stdout::read(text).or_else(|| from_markdown::read(text));
        found.ok_or_else(|| ReadError::NoFigures { file: file.to_owned() })?
    };
    file.clone_into(&mut measured.source);
    if repaired.is_some() {
        measured.notices.insert(0, format!("{file} is UTF-8 that was read as Mac Roman; decoded again"));
    }
    measured.derive();
    Ok(measured)
}
