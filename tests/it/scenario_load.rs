//! A valid scenario file is read as what it says, and what it leaves out has the documented default.

use crate::support::scenario::{FULL, read};
use seatproof::system::model::ParamValue;
use seatproof::system::pace::Pace;
use seatproof::system::scenario::{
    Bounds, Draw, Expectation, ExpectedVerdict, Link, Links, Service, Stage, StatusRange,
};
use seatproof::system::state::Budgets;

/// A scenario with nothing that may be left out.
const BARE: &str = "model = 'moviebooking'\ntitle = 'Bare'\n";

#[test]
fn every_key_is_read() {
    let (scenario, warnings) = read(FULL).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(warnings, []);
    assert_eq!((scenario.model.as_str(), scenario.title.as_str()), ("moviebooking", "The measured load test"));
    assert_eq!(scenario.about, "100 contenders want 100 seats.");
    assert_eq!(
        scenario.params,
        [
            ParamValue::one(100),
            ParamValue { low: 1, high: 3 },
            ParamValue::one(600_000_000),
            ParamValue { low: 1_000_000, high: 4_000_000 },
        ]
    );
    assert_eq!(scenario.service, Service { instances: 2, workers: 200, connections: 10 });
    assert_eq!(
        scenario.links,
        Links {
            http: Link { p50_us: 2_000, p95_us: 26_760 },
            redis: Link { p50_us: 150, p95_us: 300 },
            sql: Link { p50_us: 1_000, p95_us: 1_500 },
        }
    );
}

#[test]
fn the_load_is_read_in_nanoseconds() {
    let (scenario, _) = read(FULL).unwrap_or_else(|error| panic!("{error}"));
    let load = scenario.load.expect("the scenario has a load");
    assert_eq!((load.journey, load.start_vus, load.measured_seed), (0, 0, Some(42)));
    let stage = |seconds: u64, target| Stage { duration_ns: seconds * 1_000_000_000, target };
    assert_eq!(load.stages, [stage(20, 30), stage(90, 100), stage(10, 0)]);
    assert_eq!((load.graceful_ramp_down_ns, load.graceful_stop_ns), (15_000_000_000, 45_000_000_000));
    let range = |low, high| StatusRange { low, high };
    assert_eq!(load.expected_statuses, [range(200, 399), range(409, 409), range(423, 423)]);
}

#[test]
fn thresholds_are_sorted_by_metric() {
    let (scenario, _) = read(FULL).unwrap_or_else(|error| panic!("{error}"));
    let metrics: Vec<&str> = scenario.thresholds.iter().map(|metric| metric.metric.raw.as_str()).collect();
    assert_eq!(
        metrics,
        [
            "http_req_duration{name:lock_seats}",
            "http_req_duration{name:release_seats}",
            "http_req_failed",
            "seat_lock_success",
        ]
    );
    let thresholds = scenario.thresholds.iter().flat_map(|metric| &metric.thresholds);
    let found: Vec<_> = thresholds.map(|t| (t.source.as_str(), t.abort_on_fail, t.delay_abort_eval_us)).collect();
    assert_eq!(found, [("p(95)<2000", false, None), ("rate<0.3", false, None), ("count>50", true, Some(10_000_000))]);
}

const PACE: Pace = Pace { max_delay_us: Some(5_000_000), max_pause_us: Some(1_000_000) };
const RARE: Budgets = Budgets {
    lose_request: 0,
    lose_reply: 0,
    crash: 0,
    redis_restart: 0,
    evict: 0,
    late: 0,
    driver_repeat: 7,
    client_retry: 8,
    sql_abort: 9,
    commit_unknown: 10,
    clock_jump: 11,
    failover: 12,
    time_steps: 2,
};

#[test]
fn checks_are_read_in_file_order() {
    let (scenario, _) = read(FULL).unwrap_or_else(|error| panic!("{error}"));
    let [lock_release, confirm] = scenario.checks.as_slice() else { panic!("two checks") };
    assert_eq!((lock_release.name.as_str(), lock_release.title.as_str()), ("lock-release", "Lock and release"));
    assert_eq!((lock_release.about.as_str(), lock_release.journeys.as_slice()), ("Two clients.", [1, 1].as_slice()));
    assert_eq!(lock_release.params[0], ParamValue::one(2));
    assert_eq!(lock_release.service, Some(Service { instances: 2, workers: 3, connections: 10 }));
    assert_eq!(confirm.service, None);
    assert_eq!(lock_release.params[1..], scenario.params[1..]);
    assert_eq!(lock_release.draws, [Draw { name: "seats".to_owned(), values: vec![vec![1], vec![1, 2]] }]);
    let budgets = Budgets { lose_request: 1, lose_reply: 2, crash: 3, redis_restart: 4, evict: 5, late: 6, ..RARE };
    assert_eq!((lock_release.budgets, lock_release.replicas), (budgets, 2));
    assert_eq!(lock_release.bounds, Bounds { rounds: 3, pace: PACE, max_states: 1000 });
    assert_eq!((&lock_release.clocks.clients[..], &lock_release.clocks.instances[..]), (&[0, 2_000_000][..], &[5][..]));
    assert_eq!(lock_release.properties, ["one-holder-per-seat", "all-or-nothing"]);
    let expectation = |property: &str, verdict| Expectation { property: property.to_owned(), verdict };
    assert_eq!(
        lock_release.expect,
        [
            expectation("one-holder-per-seat", ExpectedVerdict::Holds),
            expectation("all-or-nothing", ExpectedVerdict::Violated { labels: Some(6), ops: Some(14) }),
        ]
    );
    assert_eq!(lock_release.expect_states, Some(1234));
    let sample = lock_release.sample.as_ref().expect("the check has a sample");
    assert_eq!((sample.journeys.as_slice(), sample.rounds, sample.executions), ([1; 5].as_slice(), 4, 50));
    assert_eq!((sample.params[0], sample.params[1]), (lock_release.params[0], ParamValue::one(1)));
    assert_eq!(sample.draws, [Draw { name: "seats".to_owned(), values: vec![vec![2]] }]);
    assert_eq!(sample.budgets, Budgets { crash: 1, time_steps: 7, ..Budgets::default() });
    assert_eq!(confirm.sample, None);
    assert_eq!((confirm.name.as_str(), confirm.journeys.as_slice()), ("confirm", [2, 0].as_slice()));
    assert_eq!(confirm.params, scenario.params);
    assert_eq!(confirm.budgets, Budgets { time_steps: u32::MAX, ..Budgets::default() });
    assert_eq!(confirm.bounds, Bounds { rounds: 1, pace: Pace::default(), max_states: 2_000_000 });
    assert_eq!(confirm.properties, ["one-holder-per-seat", "all-or-nothing", "no-stuck-seat"]);
    assert_eq!((confirm.expect.len(), confirm.expect_states), (0, None));
}

#[test]
fn what_is_left_out_has_its_default() {
    let (scenario, warnings) = read(BARE).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(warnings, []);
    assert_eq!(scenario.about, "");
    assert_eq!(scenario.params[0], ParamValue::one(100));
    assert_eq!(scenario.service, Service { instances: 1, workers: 200, connections: 10 });
    assert_eq!(scenario.links, Links::default());
    assert_eq!((scenario.load, scenario.thresholds.len(), scenario.checks.len()), (None, 0, 0));
}

#[test]
fn a_load_defaults_as_in_k6() {
    let load = "[load]\nexecutor = 'ramping-vus'\njourney = 'book'\nstages = [{ duration = '1s', target = 5 }]";
    let (scenario, _) = read(&format!("{BARE}{load}")).unwrap_or_else(|error| panic!("{error}"));
    let load = scenario.load.expect("the scenario has a load");
    assert_eq!((load.journey, load.start_vus, load.measured_seed), (2, 1, None));
    assert_eq!((load.graceful_ramp_down_ns, load.graceful_stop_ns), (30_000_000_000, 30_000_000_000));
    assert_eq!(load.expected_statuses, [StatusRange { low: 200, high: 399 }]);
}

#[test]
fn a_range_may_be_one_value() {
    let text = format!("{BARE}[params]\npicks = 2\nhold = '1s'");
    let (scenario, _) = read(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((scenario.params[1], scenario.params[3]), (ParamValue::one(2), ParamValue::one(1_000_000)));
}
