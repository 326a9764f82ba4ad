//! Why `http_req_failed` crossed its threshold, in words: are the failures the service's or the threshold's?
//!
//! k6 counts every status outside of 200 to 399 as a failed request. A seat-lock service answers 409 or 423 when a seat
//! is taken, which is its job; a limit on failed requests then limits how popular a seat may be.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::engines::exact::Ratio;
use crate::engines::measured::algebra::{self, Contradiction};
use crate::engines::measured::limit::Limit;

/// What `explain SP0204` prints.
pub const EXPLAIN_CONTRADICTING_THRESHOLDS: &str = "\
Two thresholds contradict each other: one limits failed requests, the other demands a share of successful locks, and
runs exist that satisfy the second and not the first although every request was answered as designed.

Let a share p of the lock attempts succeed. Every other attempt is a conflict (409 or 423), which k6 counts as a failed
request. Every success sends one release request more. Per attempt there are 1 + p requests, of which 1 - p fail:

    failed share = (1 - p) / (1 + p)

http_req_failed: rate<0.3 therefore needs (1 - p) / (1 + p) < 0.3, which is p > 0.7 / 1.3 = 53.8 %.
seat_lock_success_rate: rate>0.3 asks for p > 30 % only, and allows 0.7 / 1.3 = 53.8 % of the requests to fail.
With p between 30 % and 53.8 % k6 fails the run while the locks work.

Do not delete the threshold, which would hide real errors. Declare the conflicts as expected instead:

    http.setResponseCallback(http.expectedStatuses({ min: 200, max: 399 }, 409, 423));

http_req_failed then counts only what nobody expects, 5xx and time-outs, and may have a limit near zero.
";

/// The counts that a judgement rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestCounts {
    /// All requests.
    pub requests: u64,
    /// Requests that k6 counts as failed.
    pub failed: u64,
    /// Failed requests by status; 0 for those without an answer (time-out, refused connection).
    pub failed_by_status: BTreeMap<u16, u64>,
    /// Statuses that say "taken": 409 and 423.
    pub expected: Vec<u16>,
    /// Lock attempts that succeeded.
    pub successes: u64,
    /// All lock attempts.
    pub attempts: u64,
}

/// A threshold as judged by k6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JudgedThreshold {
    /// k6's metric name, with tags.
    pub metric: String,
    /// As written, with its number for exact arithmetic.
    pub limit: Limit,
    /// k6's verdict.
    pub ok: bool,
}

/// Whose fault the crossed threshold is.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Every failed request is an expected conflict: the threshold measures the wrong thing.
    Threshold,
    /// Without the expected conflicts the threshold would hold; some failures are real.
    Mixed,
    /// The threshold would be crossed even without the expected conflicts.
    Service,
}

/// The judgement on a crossed `http_req_failed`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The crossed threshold, as written.
    pub threshold: String,
    /// Whose fault it is.
    pub cause: Cause,
    /// All requests.
    pub requests: u64,
    /// Failed requests.
    pub failed: u64,
    /// Failed requests that are expected conflicts.
    pub expected_conflicts: u64,
    /// All other failed requests.
    pub unexpected: u64,
    /// Failed requests by status, 0 without an answer.
    pub failed_by_status: BTreeMap<u16, u64>,
    /// Why the threshold was crossed, one sentence each.
    pub why: Vec<String>,
    /// How it contradicts another threshold, where it does.
    pub contradiction: Option<String>,
    /// What to do, one sentence each.
    pub remedy: Vec<String>,
}

/// Judges a crossed `http_req_failed`; `None` when no threshold on it was crossed.
#[must_use]
pub fn judge(counts: &RequestCounts, thresholds: &[JudgedThreshold]) -> Option<Judgement> {
    let crossed = thresholds.iter().find(|threshold| threshold.metric == "http_req_failed" && !threshold.ok)?;
    let conflicts = counts.failed_by_status.iter().filter(|(status, _)| counts.expected.contains(status));
    let expected_conflicts = conflicts.map(|(_, count)| *count).sum::<u64>().min(counts.failed);
    let unexpected = counts.failed - expected_conflicts;
    let without = Ratio::of_counts(unexpected, counts.requests);
    let cause = if unexpected == 0 && counts.failed > 0 {
        Cause::Threshold
    } else if crossed.limit.holds(without) {
        Cause::Mixed
    } else {
        Cause::Service
    };
    let limits = thresholds.iter().map(|threshold| (threshold.metric.as_str(), &threshold.limit));
    let contradiction = algebra::contradiction(limits);
    Some(Judgement {
        threshold: format!("http_req_failed: {}", crossed.limit.source),
        cause,
        requests: counts.requests,
        failed: counts.failed,
        expected_conflicts,
        unexpected,
        failed_by_status: counts.failed_by_status.clone(),
        why: why(counts, expected_conflicts, cause),
        contradiction: contradiction.map(|found| contradiction_text(&found, counts)),
        remedy: remedy(cause, expected_conflicts, &counts.expected),
    })
}

fn why(counts: &RequestCounts, expected_conflicts: u64, cause: Cause) -> Vec<String> {
    let RequestCounts { requests, failed, .. } = counts;
    let expected = joined(&counts.expected, "/");
    let share = |part: u64| Ratio::of_counts(part, *requests).times(100).truncated(2);
    let mut sentences = vec![
        format!("{failed} of {requests} requests ({} %) count as failed.", share(*failed)),
        format!("{expected_conflicts} of {failed} failed requests are expected conflicts ({expected})."),
    ];
    let others = counts.failed_by_status.iter().filter(|(status, _)| !counts.expected.contains(status));
    let others: Vec<_> = others.map(|(status, count)| format!("{count} {}", status_name(*status))).collect();
    if !others.is_empty() {
        let unexpected = failed - expected_conflicts;
        let list = others.join(", ");
        sentences.push(format!("{unexpected} ({} %) are not expected: {list}.", share(unexpected)));
    }
    sentences.push(
        match cause {
            Cause::Threshold => "The threshold is wrong, not the service: it limits how often a seat may be taken.",
            Cause::Mixed => "Without the conflicts the threshold would hold, but the other failures need a look.",
            Cause::Service => "The threshold would be crossed even without the conflicts: the service failed.",
        }
        .to_owned(),
    );
    sentences
}

fn status_name(status: u16) -> String {
    if status == 0 { "without an answer".to_owned() } else { format!("with status {status}") }
}

fn joined(statuses: &[u16], separator: &str) -> String {
    statuses.iter().map(u16::to_string).collect::<Vec<_>>().join(separator)
}

fn contradiction_text(found: &Contradiction, counts: &RequestCounts) -> String {
    let p = Ratio::of_counts(counts.successes, counts.attempts);
    let percent = |share: Ratio| share.times(100).fixed(1);
    format!(
        "{}. With p successful locks per attempt and one release per success, (1 - p) / (1 + p) of the requests fail; \
         here p = {} %, which gives {} %.",
        found.sentence(),
        percent(p),
        percent(p.one_minus_over_one_plus()),
    )
}

fn remedy(cause: Cause, expected_conflicts: u64, expected: &[u16]) -> Vec<String> {
    let mut steps = Vec::new();
    if expected_conflicts > 0 {
        let (named, list) = (joined(expected, " and "), joined(expected, ", "));
        steps.push(format!(
            "Declare {named} as expected statuses in the script: \
             http.setResponseCallback(http.expectedStatuses({{ min: 200, max: 399 }}, {list}))"
        ));
        steps.push("Keep the threshold and set it near zero: it then watches 5xx and time-outs.".to_owned());
    }
    if cause != Cause::Threshold {
        steps.push("Find out why requests failed with statuses that nobody expects.".to_owned());
    }
    steps
}
