//! What the columns of a report's table hold, from their headers.

use super::cell;
use super::quantity::{Quantity, quantity};

/// What a column holds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Column {
    Metric,
    /// Measured values.
    Value(Heading),
    Limit,
    Mark,
    Duration,
    Target,
    Other,
}

/// What a header says of the values below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) statistic: Option<String>,
    /// The unit of numbers that have none of their own: `p(95) (ms)`.
    unit: Option<&'static str>,
    pub(super) of: Of,
}

/// What a bare number is, as far as the header says.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Any,
    Counts,
    /// Shares of rates, and amounts per second of counters.
    Rates,
}

/// Units that a header may name. No other word of a header is spelled like one of them.
const HEADER_UNITS: [&str; 8] = ["%", "/s", "ns", "µs", "μs", "us", "ms", "s"];

impl Column {
    pub(super) fn of(header: &str) -> Self {
        let header = header.to_lowercase();
        let has =
            |words: &[&str]| words.iter().any(|word| header.split(|c: char| !c.is_alphanumeric()).any(|w| w == *word));
        let statistic = cell::statistic(&header);
        if has(&["metric", "metrics", "figure"]) {
            Self::Metric
        } else if has(&["meaning", "insight", "code", "goal", "comment", "notes"]) {
            Self::Other
        } else if has(&["threshold", "thresholds", "limit"]) {
            Self::Limit
        } else if has(&["result", "value", "actual", "measured", "count", "rate"]) || statistic.is_some() {
            let of = match (has(&["count"]), has(&["rate"])) {
                (true, _) => Of::Counts,
                (false, true) => Of::Rates,
                (false, false) => Of::Any,
            };
            Self::Value(Heading { statistic, unit: unit(&header), of })
        } else if has(&["status", "verdict", "outcome"]) {
            Self::Mark
        } else if has(&["duration"]) {
            Self::Duration
        } else if has(&["target", "vus"]) {
            Self::Target
        } else {
            Self::Other
        }
    }
}

/// The unit that a header names: `p(95) (ms)`, `Rate in %`, `req/s`.
fn unit(header: &str) -> Option<&'static str> {
    let mut words = header.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | '[' | ']'));
    words.find_map(|word| {
        let unit = word.find("/s").map_or(word, |at| &word[at..]);
        HEADER_UNITS.into_iter().find(|known| *known == unit)
    })
}

impl Heading {
    /// A number as it stands in this column: a bare one is in the header's unit.
    pub(super) fn complete(&self, read: Quantity, raw: &str) -> Quantity {
        let in_unit = self.unit.filter(|_| read.is_bare()).and_then(|unit| quantity(&format!("{raw}{unit}")));
        in_unit.unwrap_or(read)
    }
}
