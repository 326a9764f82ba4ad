//! k6's JSON files: `--summary-export`, and the object that it hands to `handleSummary()`.
//!
//! k6 writes keys in random order; here metrics are in name order, and the rest is as in k6's documentation.

use serde_json::{Map, Value, json};

use crate::engines::metrics::summary::{Check, Contains, Group, Metric, Summary, Values};

/// The file of `k6 run --summary-export`: a threshold's value is `true` if it FAILED.
#[must_use]
pub fn summary_export(summary: &Summary) -> String {
    let metric = |metric: &Metric| {
        let mut entry = figures(&metric.values, "value");
        if !metric.thresholds.is_empty() {
            let failed = metric.thresholds.iter().map(|threshold| (threshold.source.clone(), json!(!threshold.ok)));
            entry.insert("thresholds".to_owned(), Value::Object(failed.collect()));
        }
        Value::Object(entry)
    };
    let file = json!({
        "metrics": by_name(&summary.metrics, metric),
        "root_group": group(&root_group(summary), "", Listing::ByName),
    });
    format!("{file:#}")
}

/// The object that k6 hands to `handleSummary()`.
#[must_use]
pub fn handle_summary(summary: &Summary) -> String {
    let metric = |metric: &Metric| {
        let mut entry = Map::new();
        entry.insert("type".to_owned(), json!(metric.values.kind().name()));
        entry.insert("contains".to_owned(), json!(contains(metric.contains)));
        entry.insert("values".to_owned(), Value::Object(figures(&metric.values, "rate")));
        if !metric.thresholds.is_empty() {
            let verdict = metric.thresholds.iter().map(|one| (one.source.clone(), json!({ "ok": one.ok })));
            entry.insert("thresholds".to_owned(), Value::Object(verdict.collect()));
        }
        Value::Object(entry)
    };
    let trend_stats: Vec<&str> = summary
        .metrics
        .iter()
        .find_map(|metric| match &metric.values {
            Values::Trend(statistics) => Some(statistics.iter().map(|(name, _)| name.as_str()).collect()),
            _ => None,
        })
        .unwrap_or_default();
    let file = json!({
        "options": { "summaryTrendStats": trend_stats, "summaryTimeUnit": "", "noColor": true },
        "state": { "isStdOutTTY": false, "isStdErrTTY": false, "testRunDurationMs": number(summary.duration_ms) },
        "metrics": by_name(&summary.metrics, metric),
        "root_group": group(&root_group(summary), "", Listing::InOrder),
    });
    format!("{file:#}")
}

fn by_name(metrics: &[Metric], entry: impl Fn(&Metric) -> Value) -> Value {
    Value::Object(metrics.iter().map(|metric| (metric.name.clone(), entry(metric))).collect())
}

/// The figures of a metric; a rate's share has another name in each file.
fn figures(values: &Values, share: &str) -> Map<String, Value> {
    let named =
        |figures: &[(&str, f64)]| figures.iter().map(|&(name, value)| (name.to_owned(), number(value))).collect();
    match values {
        Values::Counter { count, rate } => named(&[("count", *count), ("rate", *rate)]),
        Values::Gauge { value, min, max } => named(&[("value", *value), ("min", *min), ("max", *max)]),
        Values::Rate { rate, passes, fails } => {
            let mut figures: Map<String, Value> = named(&[(share, *rate)]);
            figures.insert("passes".to_owned(), json!(passes));
            figures.insert("fails".to_owned(), json!(fails));
            figures
        }
        Values::Trend(statistics) => statistics.iter().map(|(name, value)| (name.clone(), number(*value))).collect(),
    }
}

const fn contains(contains: Contains) -> &'static str {
    match contains {
        Contains::Default => "default",
        Contains::Time => "time",
        Contains::Data => "data",
    }
}

/// JavaScript and Go write whole numbers without a fraction.
fn number(value: f64) -> Value {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
        return json!(value as i64);
    }
    json!(value)
}

/// How a file lists groups and checks.
#[derive(Copy, Clone)]
enum Listing {
    InOrder,
    ByName,
}

/// All checks and groups below the root; checks that belong to a group stand only there.
fn root_group(summary: &Summary) -> Group {
    fn subtract(checks: &mut [Check], group: &Group) {
        for inside in &group.checks {
            if let Some(total) = checks.iter_mut().find(|total| total.name == inside.name) {
                total.passes = total.passes.saturating_sub(inside.passes);
                total.fails = total.fails.saturating_sub(inside.fails);
            }
        }
        group.groups.iter().for_each(|inner| subtract(checks, inner));
    }
    let mut checks = summary.checks.clone();
    summary.groups.iter().for_each(|group| subtract(&mut checks, group));
    checks.retain(|check| check.passes > 0 || check.fails > 0);
    Group { name: String::new(), checks, groups: summary.groups.clone() }
}

/// The id of a group or check is the MD5 sum of its path.
fn group(found: &Group, path: &str, listing: Listing) -> Value {
    let below = |name: &str| format!("{path}::{name}");
    let groups = found.groups.iter().map(|inner| (inner.name.clone(), group(inner, &below(&inner.name), listing)));
    let checks = found.checks.iter().map(|check| {
        let path = below(&check.name);
        let id = id(&path);
        let Check { name, passes, fails } = check;
        (name.clone(), json!({ "name": name, "path": path, "id": id, "passes": passes, "fails": fails }))
    });
    json!({
        "name": found.name,
        "path": path,
        "id": id(path),
        "groups": listed(groups, listing),
        "checks": listed(checks, listing),
    })
}

fn listed(entries: impl Iterator<Item = (String, Value)>, listing: Listing) -> Value {
    match listing {
        Listing::InOrder => Value::Array(entries.map(|(_, entry)| entry).collect()),
        Listing::ByName => Value::Object(entries.collect()),
    }
}

fn id(path: &str) -> String {
    format!("{:x}", md5::compute(path))
}
