//! `--new-machine-readable-summary`, schema 1.0.0.

use serde::Deserialize;

use super::ReadError;
use super::figures;
use super::groups::FileCheck;
use super::typed::TypedMetric;
use crate::engines::metrics::summary::{Check, Contains, Metric, Summary, Values};

#[derive(Deserialize)]
struct File {
    config: Config,
    results: Results,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "duration")]
    duration_s: f64,
}

#[derive(Deserialize)]
struct Results {
    checks: Option<Checks>,
    metrics: Vec<TypedMetric>,
}

#[derive(Deserialize)]
struct Checks {
    results: Vec<FileCheck>,
}

pub(super) fn read(text: &str) -> Result<Summary, ReadError> {
    let File { config: Config { duration_s }, results } = serde_json::from_str(text)?;
    let mut metrics: Vec<Metric> = results.metrics.into_iter().map(|found| completed(found, duration_s)).collect();
    let checks: Vec<Check> = results.checks.into_iter().flat_map(|checks| checks.results).map(Check::from).collect();
    metrics.extend(total(&checks));
    metrics.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Summary { duration_ms: duration_s * 1000.0, metrics, checks, groups: Vec::new() })
}

/// This form leaves out the rates of counters and writes `p95` for `p(95)`.
fn completed(found: TypedMetric, duration_s: f64) -> Metric {
    let mut values = found.values;
    match &mut values {
        Values::Counter { count, rate } if duration_s > 0.0 => *rate = *count / duration_s,
        Values::Trend(statistics) => {
            for (name, _) in statistics {
                if let Some(percent) = name.strip_prefix('p').filter(|percent| percent.parse::<f64>().is_ok()) {
                    *name = format!("p({percent})");
                }
            }
        }
        _ => {}
    }
    figures::metric(found.name.unwrap_or_default(), found.contains, values, Vec::new())
}

/// The metric `checks`, which this form leaves out too.
fn total(checks: &[Check]) -> Option<Metric> {
    let sum = |count: fn(&Check) -> u64| checks.iter().map(count).fold(0, u64::saturating_add);
    let (passes, fails) = (sum(|check| check.passes), sum(|check| check.fails));
    let all = passes.saturating_add(fails);
    let values = Values::Rate { rate: passes as f64 / all as f64, passes, fails };
    (all > 0).then(|| figures::metric("checks".to_owned(), Contains::Default, values, Vec::new()))
}
