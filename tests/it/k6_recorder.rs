//! The samples of a run, through thresholds, to k6's summary.

use std::sync::Arc;

use proptest::prelude::*;
use seatproof::engines::metrics::summary::{Summary, Values};
use seatproof::engines::metrics::{Catalogue, Declarations, Recorder};
use seatproof::report::k6::{Options, summary};
use seatproof::system::model::{CustomMetric, MetricKind};
use seatproof::system::threshold::{Aggregation, MetricName, Threshold};

const LOCK: usize = 0;
const RELEASE: usize = 1;

const NOTHING: Declarations<'_> = Declarations {
    custom: &[],
    request_kinds: &[&[("name", "lock_seats"), ("method", "POST")], &[("name", "release_seats")]],
    checks: &["first", "second"],
    thresholds: &[],
    trend_stats: &Aggregation::DEFAULT_TREND_STATS,
};

fn thresholds(declared: &[(&str, &[&str])]) -> Vec<(MetricName, Vec<Threshold>)> {
    let parse = |source: &&str| source.parse::<Threshold>().expect("a threshold");
    declared.iter().map(|(metric, list)| (metric.parse().expect("a name"), list.iter().map(parse).collect())).collect()
}

fn recorder(declared: &[(&str, &[&str])], custom: &[CustomMetric]) -> Recorder {
    let declarations = Declarations { thresholds: &thresholds(declared), custom, ..NOTHING };
    Recorder::new(Arc::new(Catalogue::new(&declarations).expect("known metrics")))
}

fn verdicts(run: &Summary) -> Vec<(&str, bool, Option<f64>, bool)> {
    let all = run.metrics.iter().flat_map(|metric| metric.thresholds.iter().map(|one| (metric.name.as_str(), one)));
    all.map(|(name, one)| (name, one.ok, one.value, one.vacuous)).collect()
}

fn custom(name: &'static str, kind: MetricKind) -> CustomMetric {
    CustomMetric { name, kind, is_time: kind == MetricKind::Trend }
}

/// A run of k6 with thresholds on metrics and tags without a sample; the samples here are chosen to give its figures.
#[test]
fn thresholds_without_samples_are_judged_as_by_k6() {
    let metrics = [
        custom("never_c", MetricKind::Counter),
        custom("never_r", MetricKind::Rate),
        custom("never_t", MetricKind::Trend),
    ];
    let declared = thresholds(&[
        ("http_req_duration", &["p(95)<500", "p(99)<900"]),
        ("http_req_duration{name:ok}", &["max<2000"]),
        ("http_req_duration{name:typo}", &["p(95)<2000"]),
        ("never_c", &["count>50"]),
        ("never_r", &["rate>0.3"]),
        ("never_t", &["p(95)<2000"]),
    ]);
    let declarations =
        Declarations { thresholds: &declared, custom: &metrics, request_kinds: &[&[("name", "ok")]], ..NOTHING };
    let mut run = Recorder::new(Arc::new(Catalogue::new(&declarations).expect("known metrics")));
    for (request_us, iteration_us) in [(28_813, 35_612), (15_285, 15_432), (27_792, 28_962)] {
        run.request(0, request_us, 200, true, 77, 179);
        run.iteration(iteration_us);
    }
    let run = run.finish(80_313);
    let stdout = include_str!("../fixtures/k6/real-thresholds-without-samples.txt");
    let (stdout, log) = stdout.split_once("time=").expect("k6's error follows the summary");
    // That run did not last a whole number of microseconds.
    assert_eq!(summary(&run, &Options::default()), stdout.replace("37.353627/s", "37.353853/s"));
    assert!(log.contains(&format!("'{}'", run.crossed().collect::<Vec<_>>().join(", "))), "{log}");
    let vacuous = verdicts(&run).into_iter().filter(|(.., vacuous)| *vacuous);
    assert_eq!(
        vacuous.collect::<Vec<_>>(),
        [
            ("http_req_duration{name:typo}", true, Some(0.0), true),
            ("never_c", false, Some(0.0), true),
            ("never_r", true, Some(0.0), true),
            ("never_t", true, Some(0.0), true),
        ]
    );
}

#[test]
fn requests_reach_every_sub_metric_whose_tags_they_carry() {
    let mut run = recorder(
        &[
            ("http_reqs{status:409}", &["count>0"]),
            ("http_reqs{name:lock_seats,method:POST}", &["count>0"]),
            ("http_reqs{name:lock_seats,status:201}", &["count>0"]),
            ("http_req_failed{name:lock_seats}", &["rate<1"]),
            ("http_req_failed{name:release_seats}", &["rate<1"]),
            ("http_req_duration{name:lock_seats,expected_response:false}", &["max<1"]),
            ("http_reqs{scenario:other}", &["count==0"]),
            ("http_reqs{status:none}", &["count==0"]),
        ],
        &[],
    );
    run.request(LOCK, 2_000, 201, true, 10, 20);
    run.request(LOCK, 3_500, 409, false, 10, 20);
    run.request(RELEASE, 1_000, 200, true, 10, 20);
    let run = run.finish(1_000_000);
    assert_eq!(
        verdicts(&run),
        [
            ("http_req_duration{name:lock_seats,expected_response:false}", false, Some(3.5), false),
            ("http_req_failed{name:lock_seats}", true, Some(0.5), false),
            ("http_req_failed{name:release_seats}", true, Some(0.0), false),
            ("http_reqs{name:lock_seats,method:POST}", true, Some(2.0), false),
            ("http_reqs{name:lock_seats,status:201}", true, Some(1.0), false),
            ("http_reqs{scenario:other}", true, Some(0.0), true),
            ("http_reqs{status:409}", true, Some(1.0), false),
            ("http_reqs{status:none}", true, Some(0.0), true),
        ]
    );
    let expected = run.metric("http_req_duration{expected_response:true}").expect("always declared");
    assert_eq!(expected.values.get(Aggregation::Max), Some(2.0));
    let sent = Values::Counter { count: 30.0, rate: 30.0 };
    assert_eq!(run.metric("data_sent").map(|metric| &metric.values), Some(&sent));
}

#[test]
fn checks_stand_in_order_of_first_appearance() {
    let mut run = recorder(&[("checks{check:second}", &["rate==1"])], &[]);
    for (check, holds) in [(1, true), (0, false), (1, true), (0, true)] {
        run.check(check, holds);
    }
    let run = run.finish(1);
    let counts: Vec<_> = run.checks.iter().map(|check| (check.name.as_str(), check.passes, check.fails)).collect();
    assert_eq!(counts, [("second", 2, 0), ("first", 1, 1)]);
    assert_eq!(verdicts(&run), [("checks{check:second}", true, Some(1.0), false)]);
    let all = run.metric("checks").map(|metric| &metric.values);
    assert_eq!(all, Some(&Values::Rate { rate: 0.75, passes: 3, fails: 1 }));
}

#[test]
fn metrics_without_samples_and_thresholds_are_left_out() {
    let mut run = recorder(&[("http_req_duration{name:lock_seats}", &[]), ("vus{a:b}", &[])], &[]);
    assert!(run.clone().finish(1).metrics.is_empty());
    run.request(LOCK, 1, 500, false, 0, 0);
    run.vus(3, 9);
    run.vus(1, 9);
    let run = run.finish(1);
    let names: Vec<&str> = run.metrics.iter().map(|metric| metric.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "data_received",
            "data_sent",
            "http_req_duration",
            "http_req_duration{name:lock_seats}",
            "http_req_failed",
            "http_reqs",
            "vus",
            "vus_max"
        ]
    );
    let level = Values::Gauge { value: 1.0, min: 1.0, max: 3.0 };
    assert_eq!(run.metric("vus").map(|metric| &metric.values), Some(&level));
    assert!(!summary(&run, &Options::default()).contains("THRESHOLDS"), "an empty list judges nothing");
}

#[test]
fn abort_on_fail_waits_for_samples_and_for_its_delay() {
    let mut declared = thresholds(&[("oversold", &["count<=5", "count==0"]), ("vus", &["value<9"])]);
    declared[0].1[1].abort_on_fail = true;
    declared[0].1[1].delay_abort_eval_us = Some(4_000_000);
    let oversold = [custom("oversold", MetricKind::Counter)];
    let declarations = Declarations { thresholds: &declared, custom: &oversold, ..NOTHING };
    let catalogue = Arc::new(Catalogue::new(&declarations).expect("known metrics"));
    let id = catalogue.id("oversold").expect("declared");
    let mut run = Recorder::new(catalogue);
    assert_eq!(run.evaluate_abort(4_000_000), None, "no samples");
    run.add(id, 20);
    run.vus(10, 10);
    assert_eq!(run.evaluate_abort(2_000_000), None, "too early");
    let (metric, threshold) = run.evaluate_abort(4_000_000).expect("crossed");
    assert_eq!((metric, threshold.source.as_str()), ("oversold", "count==0"));
}

#[test]
fn thresholds_that_fit_no_metric_are_refused() {
    for (metric, source, text) in [
        ("seat_lock_sucess", "count>1", "no metric name \"seat_lock_sucess\" found"),
        ("http_reqs{name:lock_seats}", "p(95)<3", "applied on metric http_reqs{name:lock_seats}; reason: unsupported"),
    ] {
        let declarations = Declarations { thresholds: &thresholds(&[(metric, &[source])]), ..NOTHING };
        let error = Catalogue::new(&declarations).expect_err("does not fit");
        assert!(error.to_string().contains(text), "{error}");
    }
}

proptest! {
    /// Against the definition in floats: rank over the sorted milliseconds, interpolated.
    #[test]
    fn percentiles_follow_the_definition(
        samples in prop::collection::vec(0..10_000_000_u64, 1..200),
        percent in 0..=100_u32,
    ) {
        let stats = [Aggregation::Percentile(percent.into()), Aggregation::Avg];
        let declarations = Declarations { trend_stats: &stats, ..NOTHING };
        let mut run = Recorder::new(Arc::new(Catalogue::new(&declarations).expect("known metrics")));
        samples.iter().for_each(|&sample| run.iteration(sample));
        let run = run.finish(1);
        let values = &run.metric("iteration_duration").expect("sampled").values;

        let mut sorted: Vec<f64> = samples.iter().map(|&sample| sample as f64 / 1000.0).collect();
        sorted.sort_by(f64::total_cmp);
        let rank = f64::from(percent) / 100.0 * (sorted.len() as f64 - 1.0);
        let at = |wanted: f64| {
            let found = sorted.iter().enumerate().find(|(place, _)| *place as f64 == wanted);
            found.map(|(_, &value)| value).expect("a rank")
        };
        let (low, high) = (at(rank.floor()), at(rank.ceil()));
        prop_assert_eq!(values.get(stats[0]), Some(low + (high - low) * (rank - rank.floor())));
        let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
        prop_assert!((values.get(Aggregation::Avg).expect("asked for") - mean).abs() <= mean * 1e-12);
    }
}
