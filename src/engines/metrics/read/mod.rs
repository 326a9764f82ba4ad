//! Summaries that k6 wrote, in any of its three JSON forms.

mod export;
mod figures;
mod groups;
mod handle_summary;
mod machine_readable;
mod ordered;
mod typed;

use std::fmt;

use serde::de::IgnoredAny;

use super::summary::Summary;
use ordered::Ordered;

/// Which of k6's three files a text is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The object that k6 hands to `handleSummary()`: the only form with types, duration and verdicts.
    HandleSummary,
    /// `--summary-export`: types are inferred from the figures, the run's duration from a counter and its rate.
    SummaryExport,
    /// `--new-machine-readable-summary`, schema 1.0.0: no thresholds.
    MachineReadable,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::HandleSummary => "k6 handleSummary data",
            Self::SummaryExport => "k6 --summary-export",
            Self::MachineReadable => "k6 --new-machine-readable-summary",
        })
    }
}

/// Why a text is no summary of k6.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} (line {line}, column {column})")]
pub struct ReadError {
    /// What is wrong.
    pub what: String,
    /// From 1.
    pub line: usize,
    /// In bytes, from 1; 0 for the end of the line before.
    pub column: usize,
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let what = text.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&text).to_owned();
        Self { what, line, column }
    }
}

/// Reads a k6 summary and says which kind it is. Figures that a kind lacks are left out or, where that is exact,
/// computed: a rate per second from count and duration, a duration from count and rate. Whether a metric had samples
/// is taken from its figures: one whose figures are all 0 counts as never sampled, except for gauges.
///
/// # Errors
/// Text that is not JSON, or not of one of k6's three forms, with the place.
pub fn read_summary_json(text: &str) -> Result<(Kind, Summary), ReadError> {
    let keys: Ordered<IgnoredAny> = serde_json::from_str(text)?;
    let has = |wanted: &str| keys.0.iter().any(|(key, _)| key == wanted);
    if has("metrics") && has("state") {
        Ok((Kind::HandleSummary, handle_summary::read(text)?))
    } else if has("results") {
        Ok((Kind::MachineReadable, machine_readable::read(text)?))
    } else if has("metrics") {
        Ok((Kind::SummaryExport, export::read(text)?))
    } else {
        let what = "this JSON is no k6 summary: it has neither `metrics` (handleSummary data or --summary-export) nor \
                    `results` (--new-machine-readable-summary)";
        Err(ReadError { what: what.to_owned(), line: 1, column: 1 })
    }
}
