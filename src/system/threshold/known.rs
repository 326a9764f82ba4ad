//! Which metrics thresholds may name: k6's built-in ones that a simulated run has, and those that the model declares.

use super::{MetricName, MetricNameError};
use crate::system::diagnostic::suggest::choose;
use crate::system::model::{CustomMetric, MetricKind};

/// k6's built-in metrics that a simulated run has. `data_*` are bytes.
const BUILT_IN: [CustomMetric; 10] = [
    built_in("checks", MetricKind::Rate, false),
    built_in("data_received", MetricKind::Counter, false),
    built_in("data_sent", MetricKind::Counter, false),
    built_in("http_req_duration", MetricKind::Trend, true),
    built_in("http_req_failed", MetricKind::Rate, false),
    built_in("http_reqs", MetricKind::Counter, false),
    built_in("iteration_duration", MetricKind::Trend, true),
    built_in("iterations", MetricKind::Counter, false),
    built_in("vus", MetricKind::Gauge, false),
    built_in("vus_max", MetricKind::Gauge, false),
];

/// Real in k6, but the simulator has no such phases or events.
const NOT_SIMULATED: [&str; 8] = [
    "dropped_iterations",
    "group_duration",
    "http_req_blocked",
    "http_req_connecting",
    "http_req_receiving",
    "http_req_sending",
    "http_req_tls_handshaking",
    "http_req_waiting",
];

const fn built_in(name: &'static str, kind: MetricKind, is_time: bool) -> CustomMetric {
    CustomMetric { name, kind, is_time }
}

/// k6's built-in metrics that a simulated run has, in name order.
#[must_use]
pub const fn built_in_metrics() -> &'static [CustomMetric] {
    &BUILT_IN
}

/// The metric that a key of `thresholds` names, or that its sub-metric is a part of.
///
/// # Errors
/// [`MetricNameError::Unknown`] in k6's words, with the nearest name as the remedy.
pub fn resolve(metric: &MetricName, custom: &[CustomMetric]) -> Result<CustomMetric, MetricNameError> {
    let all = || BUILT_IN.iter().chain(custom);
    if let Some(found) = all().find(|known| known.name == metric.name) {
        return Ok(*found);
    }
    let remedy = if NOT_SIMULATED.contains(&metric.name.as_str()) {
        format!("k6 has `{}`, but the simulation does not; `http_req_duration` is the whole request", metric.name)
    } else {
        choose(&metric.name, &all().map(|known| known.name).collect::<Vec<_>>())
    };
    Err(MetricNameError::Unknown { metric: metric.raw.clone(), span: 0..metric.name.len(), remedy })
}
