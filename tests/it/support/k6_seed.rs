//! The measured figures as k6's renderer gets them, for tests.

use seatproof::engines::metrics::summary::{Check, Contains, Metric, Summary, ThresholdResult, Values};
use seatproof::system::threshold::Threshold;
use serde_json::{Map, Value};

/// `seed-metrics-input.json`: metrics by section, thresholds apart.
pub(crate) fn seed_summary() -> Summary {
    let text = include_str!("../../fixtures/k6/seed-metrics-input.json");
    let file: Value = serde_json::from_str(text).expect("valid JSON");
    let report = &file["report"];
    let sections = object(&report["metrics"]).values();
    let mut metrics: Vec<Metric> =
        sections.flat_map(|section| object(section).values()).map(|one| metric(one, &report["thresholds"])).collect();
    let totals = &report["checks"]["metrics"];
    metrics.push(Metric { name: "checks".to_owned(), ..metric(&totals["checks_succeeded"], &Value::Null) });
    metrics.sort_by(|left, right| left.name.cmp(&right.name));
    let checks = report["checks"]["ordered_checks"].as_array().expect("a list");
    Summary {
        duration_ms: 122_400.0,
        metrics,
        checks: checks
            .iter()
            .map(|check| Check {
                name: check["name"].as_str().expect("a name").to_owned(),
                passes: check["passes"].as_u64().expect("a count"),
                fails: check["fails"].as_u64().expect("a count"),
            })
            .collect(),
        groups: Vec::new(),
    }
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().expect("an object")
}

fn metric(found: &Value, thresholds: &Value) -> Metric {
    let name = found["name"].as_str().expect("a name");
    let figure = |name: &str| found["values"][name].as_f64().expect("a number");
    let count = |name: &str| found["values"][name].as_u64().expect("a count");
    let values = match found["type"].as_str() {
        Some("counter") => Values::Counter { count: figure("count"), rate: figure("rate") },
        Some("gauge") => Values::Gauge { value: figure("value"), min: figure("min"), max: figure("max") },
        Some("rate") => Values::Rate { rate: figure("rate"), passes: count("passes"), fails: count("fails") },
        _ => Values::Trend(object(&found["values"]).keys().map(|name| (name.clone(), figure(name))).collect()),
    };
    let judged = |threshold: &Value| {
        let source = threshold["source"].as_str().expect("a source").to_owned();
        let parsed: Threshold = source.parse().expect("a threshold");
        let value = values.get(parsed.aggregation);
        ThresholdResult { source, ok: threshold["ok"] == true, value, vacuous: false }
    };
    Metric {
        name: name.to_owned(),
        contains: match found["contains"].as_str() {
            Some("time") => Contains::Time,
            Some("data") => Contains::Data,
            _ => Contains::Default,
        },
        thresholds: thresholds[name]["thresholds"].as_array().into_iter().flatten().map(judged).collect(),
        values,
    }
}
