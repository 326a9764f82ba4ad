//! Why `http_req_failed` crossed: the measured run, a mixed one, and a service that really failed.

use std::collections::BTreeMap;

use crate::support::measured::{assert_golden, read};
use seatproof::engines::measured::limit::Limit;
use seatproof::report::judgement::{Cause, EXPLAIN_CONTRADICTING_THRESHOLDS, JudgedThreshold, RequestCounts, judge};

fn threshold(metric: &str, source: &str, ok: bool) -> JudgedThreshold {
    let limit = Limit::parse(source).expect("a threshold");
    JudgedThreshold { metric: metric.to_owned(), limit, ok }
}

fn measured_thresholds() -> Vec<JudgedThreshold> {
    vec![threshold("http_req_failed", "rate<0.3", false), threshold("seat_lock_success_rate", "rate>0.3", true)]
}

fn counts(requests: u64, statuses: &[(u16, u64)]) -> RequestCounts {
    let failed_by_status: BTreeMap<_, _> = statuses.iter().copied().collect();
    let failed = failed_by_status.values().sum();
    RequestCounts { requests, failed, failed_by_status, expected: vec![409, 423], successes: 1048, attempts: 2803 }
}

#[test]
fn the_measured_run_is_judged_as_in_its_report_with_the_reason() {
    let run = read("seed-summary-v1.2-v2.2-plain.txt");
    let (requests, conflicts) = (run.count("http_reqs"), run.count("seat_lock_conflict"));
    let (requests, conflicts) = (requests.expect("requests"), conflicts.expect("conflicts"));
    let judgement = judge(&counts(requests, &[(409, conflicts)]), &measured_thresholds()).expect("crossed");
    assert_eq!(judgement.cause, Cause::Threshold);
    let json = serde_json::to_string_pretty(&judgement).expect("JSON");
    assert_golden("judgement.json", &format!("{json}\n"));
}

#[test]
fn real_failures_are_not_excused() {
    let cause = |statuses: &[(u16, u64)]| {
        let judgement = judge(&counts(1000, statuses), &measured_thresholds()).expect("a crossed threshold");
        assert_eq!(judgement.expected_conflicts + judgement.unexpected, judgement.failed);
        (judgement.cause, judgement.why[2].clone())
    };
    let mixed = cause(&[(409, 300), (500, 10), (0, 2)]);
    assert_eq!(mixed, (Cause::Mixed, "12 (1.20 %) are not expected: 2 without an answer, 10 with status 500.".into()));
    assert_eq!(cause(&[(500, 300)]).0, Cause::Service);
    assert_eq!(cause(&[(423, 1), (500, 299)]).0, Cause::Mixed);
}

#[test]
fn a_held_threshold_needs_no_judgement() {
    let mut held = measured_thresholds();
    held[0].ok = true;
    assert_eq!(judge(&counts(3855, &[(409, 1)]), &held), None);
    assert_eq!(judge(&counts(3855, &[(409, 1755)]), &[]), None);
}

#[test]
fn thresholds_contradict_below_the_crossing_point_only() {
    let contradicts = |failed: &str, success: &str| {
        let thresholds = [threshold("http_req_failed", failed, false), threshold("x_success_rate", success, true)];
        judge(&counts(3855, &[(409, 1755)]), &thresholds).expect("crossed").contradiction.is_some()
    };
    // 0.7 / 1.3 = 0.538461..., so 0.538 contradicts and 0.539 does not.
    assert!(contradicts("rate<0.3", "rate>0.538"));
    assert!(!contradicts("rate<0.3", "rate>0.539"));
    assert!(!contradicts("rate<0.3", "rate<0.1"));
    assert!(contradicts("rate<=0", "rate>=0.999999999"));
    assert!(!contradicts("rate<2", "rate>0.3"));
}

#[test]
fn the_explanation_is_plain_text_with_the_algebra() {
    let wide = EXPLAIN_CONTRADICTING_THRESHOLDS.lines().find(|line| line.chars().count() > 120);
    assert_eq!(wide, None);
    assert!(EXPLAIN_CONTRADICTING_THRESHOLDS.contains("failed share = (1 - p) / (1 + p)"));
}
