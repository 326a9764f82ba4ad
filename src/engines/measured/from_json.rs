//! The three JSON summaries of k6, as figures.

use serde::de::IgnoredAny;
use serde_json::Value;

use super::document::MeasuredKind;
use super::limit::Limit;
use super::{Figure, Measured, ReadError, Threshold};
use crate::engines::distribution::Unit;
use crate::engines::exact::Decimal;
use crate::engines::metrics::read::{self, Kind, read_summary_json};
use crate::engines::metrics::summary::{Contains, Metric, Summary, ThresholdResult, Values};

/// Reads a JSON summary of any of the three kinds.
pub(super) fn read(text: &str, file: &str) -> Result<Measured, ReadError> {
    let (kind, summary) = read_summary_json(text).map_err(|error| refused(text, file, &error))?;
    let kind = match kind {
        Kind::HandleSummary => MeasuredKind::HandleSummary,
        Kind::SummaryExport => MeasuredKind::SummaryExport,
        Kind::MachineReadable => MeasuredKind::MachineReadable,
    };
    Ok(from_summary(kind, &summary))
}

/// Tells a broken file from a whole one of another kind.
fn refused(text: &str, file: &str, error: &read::ReadError) -> ReadError {
    let file = file.to_owned();
    if is_sample_stream(text) {
        let why = "it is k6's stream of samples (k6 run --out json=FILE), one a line".to_owned();
        return ReadError::NoSummary { file, place: (1, 1), why };
    }
    let place = (error.line, error.column);
    let why = error.what.trim_start_matches("this JSON is no k6 summary: ").to_owned();
    match serde_json::from_str::<IgnoredAny>(text) {
        Err(syntax) => ReadError::Json { file, place, why, truncated: syntax.is_eof() },
        Ok(_) => ReadError::NoSummary { file, place, why },
    }
}

/// True for the lines that `--out json` writes: `{"type":"Point","metric":"http_reqs","data":{...}}`.
fn is_sample_stream(text: &str) -> bool {
    let first = text.trim_start().lines().next().unwrap_or_default();
    serde_json::from_str::<Value>(first)
        .is_ok_and(|line| matches!(line["type"].as_str(), Some("Metric" | "Point")) && line["data"].is_object())
}

/// The figures of a summary. Numbers that exact arithmetic cannot hold (above 18 digits) are left out with a notice.
#[must_use]
pub fn from_summary(kind: MeasuredKind, summary: &Summary) -> Measured {
    let mut measured = Measured::new(kind);
    for metric in &summary.metrics {
        for (statistic, value, unit) in numbers(metric) {
            let share = |exact: Decimal| if unit == Unit::Percent { exact.shifted(2) } else { Some(exact) };
            let scaled = Decimal::from_f64(value).and_then(share);
            let Some(exact) = scaled else {
                measured.notices.push(format!("{} has a number that cannot be compared exactly: {value}", metric.name));
                continue;
            };
            measured.record(Figure {
                metric: metric.name.clone(),
                statistic,
                value: exact,
                unit,
                raw: value.to_string(),
                line: None,
                derived: None,
            });
        }
        measured.thresholds.extend(metric.thresholds.iter().map(|result| threshold(metric, result)));
    }
    measured
}

/// Statistic, value and unit of every number that a metric has. Shares become percent later.
fn numbers(metric: &Metric) -> Vec<(Option<String>, f64, Unit)> {
    let unit = match metric.contains {
        Contains::Default => Unit::Plain,
        Contains::Time => Unit::Milliseconds,
        Contains::Data => Unit::Bytes,
    };
    let count = if metric.contains == Contains::Default { Unit::Count } else { unit };
    let named = |name: &str| Some(name.to_owned());
    match &metric.values {
        Values::Counter { count: sum, rate } => vec![(None, *sum, count), (named("rate"), *rate, Unit::PerSecond)],
        Values::Gauge { value, min, max } => {
            vec![(None, *value, count), (named("min"), *min, count), (named("max"), *max, count)]
        }
        Values::Rate { rate, passes, fails } => {
            // Counts of samples are below 2^53: k6 itself keeps and prints them as floats.
            let float = |count: u64| count.to_string().parse::<f64>().unwrap_or(0.0);
            let total = float(passes.saturating_add(*fails));
            let counts = [("count", float(*passes)), ("total", total)];
            let counts = counts.map(|(name, value)| (named(name), value, Unit::Count));
            std::iter::once((None, *rate, Unit::Percent)).chain(counts).collect()
        }
        Values::Trend(statistics) => {
            let one = |(name, value): &(String, f64)| {
                (Some(name.clone()), *value, if name == "count" { Unit::Count } else { unit })
            };
            statistics.iter().map(one).collect()
        }
    }
}

fn threshold(metric: &Metric, result: &ThresholdResult) -> Threshold {
    let limit = Limit::parse(&result.source);
    let is_share = matches!(metric.values, Values::Rate { .. });
    let unit = if is_share { Unit::Percent } else { Unit::Plain };
    let actual = result.value.and_then(Decimal::from_f64);
    let actual = if is_share { actual.and_then(|share| share.shifted(2)) } else { actual };
    Threshold {
        metric: metric.name.clone(),
        limit,
        actual: actual.map(|actual| (actual, unit)),
        passed: Some(result.ok),
        line: None,
    }
}
