//! The warning for a threshold on a sub-metric that gets no sample in a simulated run.

use super::Declaration;
use super::fault::Fault;
use super::tree::At;
use crate::system::diagnostic::{code, suggest};
use crate::system::model::MetricKind;
use crate::system::threshold::{MetricName, Threshold, simulated_tags, tags_of_k6_alone};

/// The warning for the first tag that no sample carries, with what k6 makes of these thresholds then.
pub(super) fn warning(
    key: &At<String>,
    metric: &MetricName,
    kind: MetricKind,
    thresholds: &[Threshold],
    model: &Declaration<'_>,
) -> Option<Fault> {
    let (tag, value, advice) =
        metric.tags.iter().find_map(|(tag, value)| Some((tag, value, advice(&metric.name, tag, value, model)?)))?;
    let message = format!("no simulated sample of `{}` carries the tag `{tag}:{value}`", metric.name);
    let help = [advice, without_samples(kind, thresholds)].join(" ");
    Some(Fault::new(&code::TAG_NEVER_SEEN, &key.span, message).help(help.trim_end()))
}

/// What to do about a tag that no sample of the metric carries; `None` for one that a sample may carry.
fn advice(metric: &str, tag: &str, value: &str, model: &Declaration<'_>) -> Option<String> {
    let simulated = simulated_tags(metric);
    if !simulated.contains(&tag) {
        return Some(if tags_of_k6_alone(metric).contains(&tag) {
            format!("k6 gives its samples the tag `{tag}` and would judge by them; the simulation does not.")
        } else if simulated.is_empty() {
            format!("Simulated samples of `{metric}` have no tags, and the script's own are not simulated.")
        } else {
            let tags = suggest::list(simulated);
            format!("Simulated samples of `{metric}` have the tags {tags}; the script's own are not simulated.")
        });
    }
    let choose = |known: &[&str]| (!known.contains(&value)).then(|| suggest::choose(value, known));
    let advice = match tag {
        "name" => choose(model.request_names),
        "check" => choose(model.checks),
        "expected_response" => choose(&["true", "false"]),
        _ => value.parse::<u16>().is_err().then(|| "a status is a whole number".to_owned()),
    }?;
    Some(if advice.ends_with('?') { advice } else { advice + "." })
}

/// What becomes of thresholds on a metric without samples: k6 compares 0, but lets a rate pass.
fn without_samples(kind: MetricKind, thresholds: &[Threshold]) -> String {
    let (rule, passes): (_, fn(&Threshold) -> bool) = match kind {
        MetricKind::Rate => ("lets a rate pass", |_| true),
        MetricKind::Counter | MetricKind::Gauge | MetricKind::Trend => ("compares 0", |one| one.holds(0.0)),
    };
    let verdict = |one: &Threshold| format!("`{}` {}", one.source, if passes(one) { "passes" } else { "fails" });
    match thresholds {
        [] => String::new(),
        _ => {
            let verdicts = thresholds.iter().map(verdict).collect::<Vec<_>>().join(", ");
            format!("Without samples k6 {rule}: {verdicts}.")
        }
    }
}
