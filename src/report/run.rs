//! What `simulate` says about a run beside k6's own summary.

use std::fmt::Write;
use std::time::Duration;

use serde_json::{Value, json};

use super::exploration::shrinking;
use super::judgement::{JudgedThreshold, Judgement, RequestCounts, judge};
use super::k6;
use super::table::{Signs, paragraph};
use crate::engines::measured::limit::Limit;
use crate::engines::metrics::summary::{Summary, Values};
use crate::engines::shrink::Shrunk;
use crate::engines::simulate::Run;
use crate::system::model::Model;
use crate::system::property::Violation;
use crate::system::scenario::Scenario;
use crate::system::schedule::Line;

/// Why `http_req_failed` crossed its threshold, if it did.
#[must_use]
pub fn judgement(scenario: &Scenario, model: &Model, run: &Run) -> Option<Judgement> {
    let rate = |name: &str| match run.summary.metric(name).map(|metric| &metric.values) {
        Some(Values::Rate { passes, fails, .. }) => (*passes, passes + fails),
        _ => (0, 0),
    };
    let (failed, requests) = rate("http_req_failed");
    let (successes, attempts) = model.attempts.map_or((0, 0), rate);
    let counts = RequestCounts {
        requests,
        failed,
        failed_by_status: run.vitals.failed_by_status.clone(),
        expected: model.conflicts.to_vec(),
        successes,
        attempts,
    };
    let judged = scenario.thresholds.iter().flat_map(|of| {
        let metric = run.summary.metric(&of.metric.raw);
        let results = metric.into_iter().flat_map(|metric| &metric.thresholds);
        results.filter_map(|result| {
            let limit = Limit::parse(&result.source)?;
            Some(JudgedThreshold { metric: of.metric.raw.clone(), limit, ok: result.ok })
        })
    });
    judge(&counts, &judged.collect::<Vec<_>>())
}

/// Notes on a run for stderr: digest, seats, the judgement, vacuous thresholds. At most 80 columns.
#[must_use]
pub fn notes(run: &Run, judgement: Option<&Judgement>, signs: Signs) -> String {
    let vitals = &run.vitals;
    let mut text = format!("digest of all events: {} ({} steps)\n", run.digest, vitals.steps);
    let seconds = vitals.seats_held_max_at_us / 1_000_000;
    let (most, left, cut) = (vitals.seats_held_max, vitals.seats_left_held, vitals.iterations_cut);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "seats: at most {most} held at a time (t={seconds}s), none by two; left held {left}");
    if cut > 0 {
        let what = format!("{cut} iterations cut by a graceful period; their seats stay locked until the TTL");
        text.push_str(&paragraph(&format!("{} ", signs.notice), &what));
    }
    if let Some((metric, source)) = &run.aborted_by {
        text.push_str(&paragraph(&format!("{} ", signs.notice), &format!("aborted by threshold {metric}: {source}")));
    }
    if let Some(at_us) = run.interrupted_at_us {
        let what = format!("interrupted at {} s of virtual time: all figures are those until then", at_us / 1_000_000);
        text.push_str(&paragraph(&format!("{} ", signs.notice), &what));
    }
    for (metric, source) in vacuous(&run.summary) {
        let what = format!("vacuous: {metric} saw no sample, so `{source}` says nothing about the service");
        text.push_str(&paragraph(&format!("{} ", signs.vacuous), &what));
    }
    if let Some(judgement) = judgement {
        let _ = writeln!(text, "{} {}", signs.notice, judgement.threshold);
        for sentence in judgement.why.iter().chain(&judgement.contradiction) {
            text.push_str(&paragraph("  ", sentence));
        }
        for step in &judgement.remedy {
            text.push_str(&paragraph("  - ", step));
        }
        text.push_str("  more: seatproof explain SP0204\n");
    }
    text
}

/// The violation that stopped a run: step, seed, reason.
#[must_use]
pub fn violation(violation: &Violation, seed: u64, number: usize, step: &Line, signs: Signs) -> String {
    let at_us = step.at_us.unwrap_or(0);
    let mut text = format!("{} violated  {}, seed {seed}, step {number}", signs.fails, violation.property);
    let _ = write!(text, " at {}.{:06} s\n{}", at_us / 1_000_000, at_us % 1_000_000, paragraph("  step  ", &step.text));
    text.push_str(&paragraph("  why   ", &violation.reason));
    text.trim_end().to_owned()
}

/// What shrinking the violation did and how long that took.
#[must_use]
pub fn shrunk(shrunk: Option<&Shrunk>, took: Duration, is_interrupted: bool) -> String {
    let text = match shrunk {
        Some(shrunk) => {
            let tenths = took.as_millis().div_ceil(100);
            format!("{}; {}.{} s", shrinking(shrunk), tenths / 10, tenths % 10)
        }
        None if is_interrupted => "interrupted: the schedule is as large as it was found".to_owned(),
        None => "not possible: it takes time between an effect and the arrival of its outcome".to_owned(),
    };
    paragraph("shrunk  ", &text).trim_end().to_owned()
}

fn vacuous(summary: &Summary) -> impl Iterator<Item = (&str, &str)> {
    let thresholds = |metric: &'_ crate::engines::metrics::summary::Metric| metric.thresholds.len();
    summary.metrics.iter().filter(move |metric| thresholds(metric) > 0).flat_map(|metric| {
        let vacuous = metric.thresholds.iter().filter(|threshold| threshold.vacuous);
        vacuous.map(|threshold| (metric.name.as_str(), threshold.source.as_str()))
    })
}

/// A run as one JSON document. `k6` is the object that k6 hands to handleSummary.
#[must_use]
pub fn json(scenario: &Scenario, run: &Run, judgement: Option<&Judgement>) -> Value {
    let vitals = &run.vitals;
    let thresholds = run.summary.metrics.iter().flat_map(|metric| {
        metric.thresholds.iter().map(|threshold| {
            json!({
                "metric": metric.name,
                "source": threshold.source,
                "ok": threshold.ok,
                "value": threshold.value,
                "vacuous": threshold.vacuous,
            })
        })
    });
    let violation = run.violation.as_ref();
    let k6 = serde_json::from_str::<Value>(&k6::handle_summary(&run.summary)).unwrap_or(Value::Null);
    json!({
        "version": 1,
        "model": scenario.model,
        "seed": run.seed,
        "digest": run.digest.to_string(),
        "violation": violation.map(|it| json!({ "property": it.property, "reason": it.reason })),
        "aborted_by": run.aborted_by.as_ref().map(|(metric, source)| json!({ "metric": metric, "source": source })),
        "interrupted_at_us": run.interrupted_at_us,
        "thresholds": thresholds.collect::<Vec<_>>(),
        "judgement": judgement,
        "vitals": {
            "vus_max": vitals.vus_max,
            "steps": vitals.steps,
            "seats_held_max": vitals.seats_held_max,
            "seats_held_max_at_us": vitals.seats_held_max_at_us,
            "seats_left_held": vitals.seats_left_held,
            "iterations_cut": vitals.iterations_cut,
            "failed_by_status": vitals.failed_by_status,
        },
        "k6": k6,
    })
}
