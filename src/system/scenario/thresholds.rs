//! Thresholds: k6's expressions on metrics that exist.

use std::ops::Range;

use serde::Deserialize;

use super::de::Table;
use super::fault::Fault;
use super::tree::{At, Kind, Node};
use super::values::{BareNumber, duration_us};
use super::{Declaration, MetricThresholds, form, tags};
use crate::system::diagnostic::code;
use crate::system::model::MetricKind;
use crate::system::threshold::{MetricName, MetricNameError, Threshold, ThresholdError, resolve};

/// Builds the thresholds of all metrics, sorted by metric as k6 prints them.
pub(super) fn build(
    table: &Table<Node>,
    model: &Declaration<'_>,
    bare: BareNumber,
    warnings: &mut Vec<Fault>,
) -> Result<Vec<MetricThresholds>, Fault> {
    let mut metrics = Vec::new();
    for (key, node) in &table.0 {
        let unknown = |error: MetricNameError| {
            Fault::new(&code::THRESHOLD_METRIC, &inside(key, error.span()), error.to_string()).help(error.remedy())
        };
        let metric: MetricName = key.value.parse().map_err(unknown)?;
        let kind = resolve(&metric, model.metrics).map_err(unknown)?.kind;
        let thresholds: Vec<Threshold> = match &node.kind {
            Kind::List(items) => {
                items.iter().map(|item| threshold(item, &metric, kind, bare)).collect::<Result<_, _>>()?
            }
            _ => vec![threshold(node, &metric, kind, bare)?],
        };
        warnings.extend(tags::warning(key, &metric, kind, &thresholds, model));
        metrics.push(MetricThresholds { metric, thresholds });
    }
    metrics.sort_by(|a, b| a.metric.raw.cmp(&b.metric.raw));
    Ok(metrics)
}

/// One threshold: an expression, or a table with k6's options.
fn threshold(node: &Node, metric: &MetricName, kind: MetricKind, bare: BareNumber) -> Result<Threshold, Fault> {
    let form = match &node.kind {
        Kind::Text(source) => form::Threshold {
            threshold: At { span: node.span.clone(), value: source.clone() },
            abort_on_fail: None,
            delay_abort_eval: None,
        },
        Kind::Table(_) => form::Threshold::deserialize(node.clone())?,
        _ => {
            let message = "expected a threshold, such as \"p(95)<2000\", or a table with `threshold`";
            return Err(Fault::new(&code::WRONG_TYPE, &node.span, message));
        }
    };
    let refused = |error: ThresholdError| {
        let span = inside(&form.threshold, error.span());
        Fault::new(&code::THRESHOLD, &span, error.to_string()).help(error.remedy())
    };
    let mut threshold: Threshold = form.threshold.value.parse().map_err(refused)?;
    threshold.check(metric, kind).map_err(refused)?;
    threshold.abort_on_fail = form.abort_on_fail.unwrap_or(false);
    threshold.delay_abort_eval_us = form.delay_abort_eval.map(|node| duration_us(&node, bare)).transpose()?;
    Ok(threshold)
}

/// Where `part` of a string stands in the text that the string was read from. A string with escapes is longer in the
/// text than its value and its quotes; it is meant as a whole.
fn inside(at: &At<String>, part: Range<usize>) -> Range<usize> {
    match at.span.len().checked_sub(at.value.len()) {
        Some(quotes @ (0 | 2)) => {
            let start = at.span.start + quotes / 2;
            start + part.start..start + part.end
        }
        _ => at.span.clone(),
    }
}
