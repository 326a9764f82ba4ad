//! Reads the figures of a measured run and judges them against the distribution over seeds.
//!
//! What a report prints is kept as it was printed, digit for digit: k6 truncates percentages and durations, and whether
//! a report's numbers agree with each other is decided on those digits.

pub mod algebra;
pub mod arithmetic;
mod cell;
mod column;
mod document;
mod encoding;
mod error;
mod from_json;
mod from_markdown;
mod from_stdout;
pub mod judge;
pub mod limit;
mod quantity;
mod row;
mod unreadable;

pub use document::{MeasuredKind, read_text};
pub use error::ReadError;
pub use from_json::from_summary;

use super::distribution::{Unit, figure_name};
use super::exact::Decimal;
use limit::Limit;

/// The figures of one measured run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Name of the file, as the user wrote it.
    pub source: String,
    /// What kind of file it was recognised as.
    pub kind: MeasuredKind,
    /// Each figure once, in the order of the file, then those that follow from others.
    pub figures: Vec<Figure>,
    /// Figures that the file states a second time.
    pub restated: Vec<Figure>,
    /// What stands where a figure should, and cannot be read.
    pub unread: Vec<Unread>,
    /// Thresholds and their marks, in the order of the file.
    pub thresholds: Vec<Threshold>,
    /// The load profile, where the file has one.
    pub stages: Vec<Stage>,
    /// What the reader should know about how the file was read.
    pub notices: Vec<String>,
}

/// One number of a measured run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// k6's metric name, with tags.
    pub metric: String,
    /// Which number of the metric; `None` for the leading one (see [`figure_name`]).
    pub statistic: Option<String>,
    /// The number, with its printed precision.
    pub value: Decimal,
    /// What the number is.
    pub unit: Unit,
    /// As written in the file.
    pub raw: String,
    /// Line of the file, counted from 1; `None` for JSON files and derived figures.
    pub line: Option<usize>,
    /// How the figure was computed, when the file does not state it.
    pub derived: Option<&'static str>,
}

impl Figure {
    /// The canonical name, the same as in a sweep.
    #[must_use]
    pub fn name(&self) -> String {
        figure_name(&self.metric, self.statistic.as_deref())
    }
}

/// A text where a figure should stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// As in [`Figure`].
    pub metric: String,
    /// As in [`Figure`], as far as the file says.
    pub statistic: Option<String>,
    /// As written in the file.
    pub raw: String,
    /// Line of the file, counted from 1.
    pub line: usize,
    /// What keeps it from being read.
    pub why: &'static str,
}

impl Unread {
    /// As [`Figure::name`].
    #[must_use]
    pub fn name(&self) -> String {
        figure_name(&self.metric, self.statistic.as_deref())
    }
}

/// A threshold and the mark that the file gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// k6's metric name, with tags.
    pub metric: String,
    /// The expression in k6's grammar; `None` in k6's legacy layout, which prints only the mark.
    pub limit: Option<Limit>,
    /// The value the file names beside the mark.
    pub actual: Option<(Decimal, Unit)>,
    /// The mark.
    pub passed: Option<bool>,
    /// Line of the file, counted from 1; `None` for JSON files.
    pub line: Option<usize>,
}

/// One row of a load profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// Length in milliseconds.
    pub duration_ms: u64,
    /// Virtual users at its end.
    pub target: u64,
    /// The length as written.
    pub raw: String,
    /// Line of the file, counted from 1.
    pub line: usize,
}

impl Measured {
    fn new(kind: MeasuredKind) -> Self {
        Self {
            source: String::new(),
            kind,
            figures: Vec::new(),
            restated: Vec::new(),
            unread: Vec::new(),
            thresholds: Vec::new(),
            stages: Vec::new(),
            notices: Vec::new(),
        }
    }

    /// The figure of this canonical name and unit: a table may have a count and a share in one row.
    #[must_use]
    pub fn figure(&self, name: &str, unit: Unit) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.unit == unit && figure.name() == name)
    }

    /// The figure as a whole number.
    #[must_use]
    pub fn count(&self, name: &str) -> Option<u64> {
        self.figure(name, Unit::Count).and_then(|figure| figure.value.as_count())
    }

    fn record(&mut self, figure: Figure) {
        if self.figure(&figure.name(), figure.unit).is_some() {
            self.restated.push(figure);
        } else {
            self.figures.push(figure);
        }
    }

    /// Adds what follows from the stated figures: the lock attempts, and the requests behind a truncated failure rate.
    fn derive(&mut self) {
        let attempts = arithmetic::parts(self).map(|parts| parts.sum());
        self.derive_count("attempts", attempts, "sum of seat_lock_success, seat_lock_conflict and seat_lock_error");
        if let (Some(failed), Some(rate)) =
            (self.count("http_req_failed count"), self.figure("http_req_failed", Unit::Percent))
        {
            let requests = arithmetic::whole_behind(failed, rate.value);
            self.derive_count("http_reqs", requests, "the only total that prints as http_req_failed");
        }
    }

    fn derive_count(&mut self, name: &str, count: Option<u64>, how: &'static str) {
        let Some(value) = count.and_then(Decimal::whole) else { return };
        if self.figure(name, Unit::Count).is_none() {
            self.figures.push(Figure {
                metric: name.to_owned(),
                statistic: None,
                value,
                unit: Unit::Count,
                raw: value.to_string(),
                line: None,
                derived: Some(how),
            });
        }
    }
}
