//! The object that k6 hands to `handleSummary()`.

use serde::Deserialize;

use super::ReadError;
use super::figures::{self, ContainsWord, KindWord};
use super::groups::{self, FileGroup};
use super::ordered::Ordered;
use crate::engines::metrics::summary::{Contains, Summary, Values};

#[derive(Deserialize)]
struct File {
    state: State,
    metrics: Ordered<FileMetric>,
    root_group: FileGroup,
}

#[derive(Deserialize)]
struct State {
    #[serde(rename = "testRunDurationMs")]
    duration_ms: f64,
}

#[derive(Deserialize)]
struct RawMetric {
    #[serde(rename = "type")]
    kind: KindWord,
    contains: ContainsWord,
    values: Ordered<f64>,
    #[serde(default)]
    thresholds: Ordered<Verdict>,
}

#[derive(Deserialize)]
struct Verdict {
    ok: bool,
}

#[derive(Deserialize)]
#[serde(try_from = "RawMetric")]
struct FileMetric {
    contains: Contains,
    values: Values,
    verdicts: Vec<(String, bool)>,
}

impl TryFrom<RawMetric> for FileMetric {
    type Error = String;

    fn try_from(raw: RawMetric) -> Result<Self, String> {
        Ok(Self {
            contains: raw.contains.into(),
            values: figures::values(raw.kind.into(), &raw.values.0)?,
            verdicts: raw.thresholds.0.into_iter().map(|(source, verdict)| (source, verdict.ok)).collect(),
        })
    }
}

pub(super) fn read(text: &str) -> Result<Summary, ReadError> {
    let file: File = serde_json::from_str(text)?;
    let metrics = file.metrics.0.into_iter();
    let metrics = metrics.map(|(name, metric)| figures::metric(name, metric.contains, metric.values, metric.verdicts));
    Ok(groups::summary(file.state.duration_ms, metrics.collect(), file.root_group))
}
