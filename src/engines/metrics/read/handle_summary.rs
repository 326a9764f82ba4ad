//! The object that k6 hands to `handleSummary()`.

use serde::Deserialize;

use super::ReadError;
use super::figures;
use super::groups::{self, FileGroup};
use super::ordered::Ordered;
use super::typed::TypedMetric;
use crate::engines::metrics::summary::Summary;

#[derive(Deserialize)]
struct File {
    state: State,
    metrics: Ordered<TypedMetric>,
    root_group: FileGroup,
}

#[derive(Deserialize)]
struct State {
    #[serde(rename = "testRunDurationMs")]
    duration_ms: f64,
}

pub(super) fn read(text: &str) -> Result<Summary, ReadError> {
    let file: File = serde_json::from_str(text)?;
    let metrics = file.metrics.0.into_iter();
    let metrics = metrics.map(|(name, found)| figures::metric(name, found.contains, found.values, found.verdicts));
    Ok(groups::summary(file.state.duration_ms, metrics.collect(), file.root_group))
}
