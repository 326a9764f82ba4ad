//! `--summary-export`: figures without types, and verdicts where `true` means failed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::ReadError;
use super::figures::{self, Figures};
use super::groups::{self, FileGroup};
use super::ordered::Ordered;
use crate::engines::metrics::summary::{Contains, Summary, Values};
use crate::system::model::MetricKind;

#[derive(serde::Deserialize)]
struct File {
    metrics: Ordered<FileMetric>,
    root_group: FileGroup,
}

struct FileMetric {
    values: Values,
    verdicts: Vec<(String, bool)>,
}

impl<'de> Deserialize<'de> for FileMetric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetricVisitor)
    }
}

struct MetricVisitor;

impl<'de> Visitor<'de> for MetricVisitor {
    type Value = FileMetric;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the figures of a metric")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FileMetric, A::Error> {
        let mut found = Vec::new();
        let mut verdicts = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if key == "thresholds" {
                let failed: Ordered<bool> = map.next_value()?;
                verdicts = failed.0.into_iter().map(|(source, failed)| (source, !failed)).collect();
            } else {
                found.push((key, map.next_value()?));
            }
        }
        let kind = kind(&found).ok_or_else(|| A::Error::custom("the figures fit no type of metric that k6 has"))?;
        Ok(FileMetric { values: figures::values(kind, &found).map_err(A::Error::custom)?, verdicts })
    }
}

/// Each type has a figure that no other has; a trend may have any selection of statistics.
fn kind(figures: &Figures) -> Option<MetricKind> {
    let has = |name: &str| figures.iter().any(|(figure, _)| figure == name);
    if has("passes") {
        Some(MetricKind::Rate)
    } else if has("value") {
        Some(MetricKind::Gauge)
    } else if has("rate") {
        Some(MetricKind::Counter)
    } else if figures.is_empty() {
        None
    } else {
        Some(MetricKind::Trend)
    }
}

/// k6's own times and amounts of data are known by name; the units of other metrics are not in the file.
fn contains(name: &str) -> Contains {
    match name.split('{').next().unwrap_or(name) {
        "data_received" | "data_sent" => Contains::Data,
        "group_duration" | "iteration_duration" => Contains::Time,
        "http_req_failed" => Contains::Default,
        name if name.starts_with("http_req_") => Contains::Time,
        _ => Contains::Default,
    }
}

pub(super) fn read(text: &str) -> Result<Summary, ReadError> {
    let file: File = serde_json::from_str(text)?;
    let metrics = file.metrics.0.into_iter();
    let metrics: Vec<_> = metrics
        .map(|(name, found)| figures::metric(name.clone(), contains(&name), found.values, found.verdicts))
        .collect();
    let run_ms = |values: &Values| match values {
        Values::Counter { count, rate } if *rate > 0.0 => Some(count / rate * 1000.0),
        _ => None,
    };
    let duration_ms = metrics.iter().find_map(|metric| run_ms(&metric.values)).unwrap_or(0.0);
    Ok(groups::summary(duration_ms, metrics, file.root_group))
}
