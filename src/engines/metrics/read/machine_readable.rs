//! `--new-machine-readable-summary`, schema 1.0.0.

use serde::Deserialize;

use super::ReadError;
use super::figures::{self, ContainsWord, KindWord};
use super::groups::FileCheck;
use super::ordered::Ordered;
use crate::engines::metrics::summary::{Check, Contains, Metric, Summary, Values};

#[derive(Deserialize)]
struct File {
    config: Config,
    results: Results,
}

#[derive(Deserialize)]
struct Config {
    /// In seconds.
    duration: f64,
}

#[derive(Deserialize)]
struct Results {
    checks: Option<Checks>,
    metrics: Vec<FileMetric>,
}

#[derive(Deserialize)]
struct Checks {
    results: Vec<FileCheck>,
}

#[derive(Deserialize)]
struct RawMetric {
    name: String,
    #[serde(rename = "type")]
    kind: KindWord,
    contains: ContainsWord,
    values: Ordered<f64>,
}

#[derive(Deserialize)]
#[serde(try_from = "RawMetric")]
struct FileMetric(Metric);

impl TryFrom<RawMetric> for FileMetric {
    type Error = String;

    fn try_from(raw: RawMetric) -> Result<Self, String> {
        let mut found: Vec<_> = raw.values.0.into_iter().map(|(name, value)| (with_parentheses(name), value)).collect();
        // Counters come without a rate; `read` computes it, as the duration stands elsewhere in the file.
        if matches!(raw.kind, KindWord::Counter) {
            found.push(("rate".to_owned(), 0.0));
        }
        let values = figures::values(raw.kind.into(), &found)?;
        Ok(Self(figures::metric(raw.name, raw.contains.into(), values, Vec::new())))
    }
}

pub(super) fn read(text: &str) -> Result<Summary, ReadError> {
    let file: File = serde_json::from_str(text)?;
    let mut metrics: Vec<Metric> = file.results.metrics.into_iter().map(|metric| metric.0).collect();
    for metric in &mut metrics {
        if let Values::Counter { count, rate } = &mut metric.values
            && file.config.duration > 0.0
        {
            *rate = *count / file.config.duration;
        }
    }
    let checks: Vec<Check> =
        file.results.checks.into_iter().flat_map(|checks| checks.results).map(Check::from).collect();
    metrics.extend(total(&checks));
    metrics.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Summary { duration_ms: file.config.duration * 1000.0, metrics, checks, groups: Vec::new() })
}

/// This form writes `p95` for `p(95)`.
fn with_parentheses(statistic: String) -> String {
    match statistic.strip_prefix('p') {
        Some(percent) if percent.parse::<f64>().is_ok() => format!("p({percent})"),
        _ => statistic,
    }
}

/// The metric `checks`, which this form leaves out.
fn total(checks: &[Check]) -> Option<Metric> {
    let passes = checks.iter().fold(0_u64, |sum, check| sum.saturating_add(check.passes));
    let fails = checks.iter().fold(0_u64, |sum, check| sum.saturating_add(check.fails));
    let all = passes.saturating_add(fails);
    let values = Values::Rate { rate: passes as f64 / all as f64, passes, fails };
    (all > 0).then(|| figures::metric("checks".to_owned(), Contains::Default, values, Vec::new()))
}
