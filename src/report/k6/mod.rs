//! k6's end-of-test summary and its JSON files, byte for byte.

mod collation;
mod json;
mod legacy;
mod lines;
mod metrics;
mod numbers;
mod paint;
mod summary;

pub use json::{handle_summary, summary_export};
pub use legacy::legacy;
pub use numbers::TimeUnit;
pub use summary::summary;

/// How a summary is printed.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// With ANSI colours, as on a terminal.
    pub is_coloured: bool,
    /// With the phases of a request and the groups: `--summary-mode=full`.
    pub is_full: bool,
    /// All times in one unit (`summaryTimeUnit`); without it each in the one that fits.
    pub time_unit: Option<TimeUnit>,
}
