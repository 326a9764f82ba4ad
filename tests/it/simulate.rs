//! The load test against what was measured and against an independent simulation of the same rules.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::AtomicBool;

use seatproof::engines::distribution::Sweep;
use seatproof::engines::exact::Ratio;
use seatproof::engines::figures::{by_figure, figures, values};
use seatproof::engines::metrics::summary::Values;
use seatproof::engines::simulate::{LoadTest, Run};
use seatproof::engines::sweep::{Recipe, sweep};
use seatproof::models;
use seatproof::system::scenario::Scenario;

use crate::support::built_in::scenario;

fn measured_scenario() -> Scenario {
    let entry = models::find("moviebooking").expect("a built-in model");
    scenario(entry.scenario).expect("the built-in scenario is right").0
}

fn load_test(scenario: &Scenario) -> LoadTest {
    let entry = models::find(&scenario.model).expect("a built-in model");
    LoadTest::new(scenario, scenario.load.as_ref().expect("it has a load"), entry.model).expect("thresholds fit")
}

fn swept(scenario: &Scenario, seeds: std::ops::Range<u64>, threads: usize) -> (Vec<Run>, Sweep) {
    let entry = models::find(&scenario.model).expect("a built-in model");
    let recipe = Recipe { scenario, load: scenario.load.as_ref().expect("it has a load"), model: entry.model };
    let threads = NonZeroUsize::new(threads).expect("at least one");
    let runs = sweep(recipe, seeds.clone(), threads, &AtomicBool::new(false), |_| false, Run::clone, || {});
    let runs = runs.expect("the model is right");
    assert_eq!((runs.seeds, runs.stopped_at), (seeds.clone(), None));
    let figures = figures(scenario, entry.model);
    let rows = runs.collected.iter().map(|run| values(&figures, &run.summary)).collect::<Vec<_>>();
    (runs.collected, by_figure(&figures, seeds, &rows).distributions())
}

/// Of a million runs the others would take hours.
#[test]
fn a_panic_in_one_run_ends_the_sweep_and_goes_on() {
    let scenario = measured_scenario();
    let model = models::find(&scenario.model).expect("a built-in model").model;
    let recipe = Recipe { scenario: &scenario, load: scenario.load.as_ref().expect("it has a load"), model };
    let threads = NonZeroUsize::new(2).expect("two");
    let is_bad = |run: &Run| {
        assert!(run.seed != 3, "seed 3 is bad");
        false
    };
    let never = AtomicBool::new(false);
    let swept = catch_unwind(AssertUnwindSafe(|| sweep(recipe, 0..1_000_000, threads, &never, is_bad, |_| (), || {})));
    let Err(panic) = swept else { panic!("the panic got lost") };
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"seed 3 is bad"));
}

/// 400 seeds: the means of an independent simulation within 1 %, every measured count inside the central 95 %, the
/// calibrated latencies within 2 % of the report's.
#[test]
fn four_hundred_seeds_predict_the_measured_run() {
    let scenario = measured_scenario();
    let (runs, sweep) = swept(&scenario, 0..400, 2);
    assert!(runs.iter().all(|run| run.violation.is_none()));
    let figure = |name: &str| {
        let found = sweep.figures.iter().find(|figure| figure.name == name);
        found.unwrap_or_else(|| panic!("figure {name}"))
    };
    let near = |value: Ratio, wanted_milli: i128, percent: i128| {
        let wanted = Ratio::new(wanted_milli, 1_000);
        let slack = Ratio::new(wanted_milli * percent, 100_000);
        let (low, high) = (wanted.numerator() * slack.denominator(), slack.numerator() * wanted.denominator());
        let scale = wanted.denominator() * slack.denominator();
        Ratio::new(low - high, scale) <= value && value <= Ratio::new(low + high, scale)
    };
    let independent = [
        ("seat_lock_success", 1_034_700, 1_048),
        ("seat_lock_conflict", 1_800_900, 1_755),
        ("attempts", 2_835_600, 2_803),
    ];
    for (name, mean_milli, measured) in independent {
        let distribution = &figure(name).distribution;
        assert!(near(distribution.mean, mean_milli, 1), "{name}: mean {}", distribution.mean.fixed(1));
        let measured = Ratio::new(measured, 1);
        assert!(distribution.p2_5 <= measured && measured <= distribution.p97_5, "{name}: {distribution:?}");
    }
    let latencies =
        [("http_req_duration{name:lock_seats} p(95)", 26_760), ("http_req_duration{name:release_seats} p(95)", 21_980)];
    for (name, measured_us) in latencies {
        let figure = figure(name);
        let median = figure.printed(figure.distribution.median);
        assert!(near(median, measured_us, 2), "{name}: median {} ms", median.fixed(3));
    }
}

/// The seed that reproduces the report's counts exactly, and with them its rates and the verdicts of its thresholds.
#[test]
fn the_measured_seed_reproduces_the_report() {
    let scenario = measured_scenario();
    let seed = scenario.load.as_ref().and_then(|load| load.measured_seed).expect("the scenario names it");
    let run = load_test(&scenario).run(seed).expect("the model is right");
    let summary = &run.summary;
    let values = |name: &str| &summary.metric(name).unwrap_or_else(|| panic!("metric {name}")).values;
    let count = |name: &str| match values(name) {
        Values::Counter { count, .. } => *count,
        other => panic!("{name} is no counter: {other:?}"),
    };
    assert_eq!(count("seat_lock_success"), 1_048.0);
    assert_eq!(count("seat_lock_conflict"), 1_755.0);
    assert_eq!(count("http_reqs"), 3_855.0);
    assert!(matches!(values("http_req_failed"), Values::Rate { passes: 1_755, fails: 2_100, .. }));
    assert!(matches!(values("checks"), Values::Rate { fails: 0, .. }));
    let text = seatproof::report::k6::summary(summary, &seatproof::report::k6::Options::default());
    for line in [
        "✗ 'rate<0.3' rate=45.52%",
        "✓ 'count>50' count=1048",
        "✓ 'rate>0.3' rate=37.38%",
        "✓ 'p(95)<2000' p(95)=",
        "http_req_failed................: 45.52% 1755 out of 3855",
        "seat_lock_success_rate.........: 37.38% 1048 out of 2803",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
}

#[test]
fn a_seed_gives_the_same_run_again_and_on_any_number_of_threads() {
    let scenario = measured_scenario();
    let test = load_test(&scenario);
    let (alone, one_table) = swept(&scenario, 0..12, 1);
    let (together, two_table) = swept(&scenario, 0..12, 2);
    assert_eq!(alone, together);
    assert_eq!(one_table, two_table);
    let digests = alone.iter().map(|run| run.digest).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(digests.len(), alone.len(), "different seeds, different runs");
    for run in &alone[..4] {
        assert_eq!(test.run(run.seed).as_ref(), Ok(run));
    }
}

/// A cut iteration sends no release: its seats stay locked, and the run says how many.
#[test]
fn graceful_periods_cut_iterations_and_leave_their_seats_locked() {
    let entry = models::find("moviebooking").expect("a built-in model");
    let text = entry.scenario.replace("startVUs = 0", "startVUs = 0\ngracefulRampDown = \"0s\"\ngracefulStop = \"0s\"");
    let scenario = scenario(&text).expect("a scenario").0;
    let run = load_test(&scenario).run(7).expect("the model is right");
    assert!(run.vitals.iterations_cut > 20, "{:?}", run.vitals);
    assert!(run.vitals.seats_left_held > 0, "{:?}", run.vitals);
    let Values::Counter { count, .. } = run.summary.metric("iterations").expect("iterations").values else { panic!() };
    let attempts = run.summary.metric("seat_lock_success_rate").expect("attempts");
    let Values::Rate { passes, fails, .. } = attempts.values else { panic!() };
    assert!(count < (passes + fails) as f64, "samples of cut iterations stay counted");
    assert!((run.summary.duration_ms - 120_000.0).abs() < 1_000.0, "{}", run.summary.duration_ms);
}
