//! The bundled load test under three seeds: any change of an operation, its time or its outcome shows here.

use seatproof::engines::metrics::summary::Values;
use seatproof::engines::simulate::{LoadTest, Run};
use seatproof::models;

use crate::support::built_in::scenario;

/// Seed, digest, the figures that k6 does not see, and the main ones that it does; of a rate passes and fails, of the
/// request duration avg, min, med, max, p(90) and p(95) in milliseconds.
const PINNED: [&str; 3] = [
    "0 d978cd32ee0461c9964f7e07b4e3725f steps 90831 held 65 at 85040357 left 0 cut 0 failed {409: 1808} \
     reqs 3848 sent 1190312 received 1299400 iterations 2826 \
     checks 3844/0 locks 1018/1808 \
     duration 10.56435550935551 2.965 9.698 35.148 15.9323 18.35794999999999",
    "1 45865180d978ee709524b1e390c2af1c steps 91552 held 63 at 71591747 left 0 cut 0 failed {409: 1802} \
     reqs 3864 sent 1193332 received 1307490 iterations 2831 \
     checks 3860/0 locks 1029/1802 \
     duration 10.615081780538302 2.644 9.733 34.7 16.192100000000007 18.3634",
    "2 eba208c3fd5cad0849ef71427fc59946 steps 92672 held 70 at 92885388 left 0 cut 0 failed {409: 1831} \
     reqs 3915 sent 1210582 received 1323880 iterations 2871 \
     checks 3911/0 locks 1040/1831 \
     duration 10.455648020434227 1.734 9.633 30.355 15.9046 17.96059999999998",
];

fn load_test() -> LoadTest {
    let entry = models::find("moviebooking").expect("a model of the catalogue");
    let (scenario, _) = scenario(entry.scenario).expect("the bundled scenario is right");
    let load = scenario.load.as_ref().expect("it has a load");
    LoadTest::new(&scenario, load, entry.model).expect("its thresholds fit its metrics")
}

fn figures(run: &Run) -> String {
    let count = |name: &str| {
        let metric = run.summary.metrics.iter().find(|metric| metric.name == name);
        match &metric.unwrap_or_else(|| panic!("the run has no metric `{name}`")).values {
            Values::Counter { count, .. } => count.to_string(),
            Values::Rate { passes, fails, .. } => format!("{passes}/{fails}"),
            Values::Trend(all) => all.iter().map(|(_, value)| value.to_string()).collect::<Vec<_>>().join(" "),
            Values::Gauge { max, .. } => max.to_string(),
        }
    };
    let vitals = &run.vitals;
    format!(
        "{} {} steps {} held {} at {} left {} cut {} failed {:?} reqs {} sent {} received {} iterations {} checks {} \
         locks {} duration {}",
        run.seed,
        run.digest,
        vitals.steps,
        vitals.seats_held_max,
        vitals.seats_held_max_at_us,
        vitals.seats_left_held,
        vitals.iterations_cut,
        vitals.failed_by_status,
        count("http_reqs"),
        count("data_sent"),
        count("data_received"),
        count("iterations"),
        count("checks"),
        count("seat_lock_success_rate"),
        count("http_req_duration"),
    )
}

#[test]
fn a_seed_gives_the_same_run_for_ever() {
    let test = load_test();
    for (seed, pinned) in (0..).zip(PINNED) {
        let run = test.run(seed).expect("the model is right");
        assert_eq!(run.violation, None);
        assert_eq!(figures(&run), pinned, "seed {seed}");
    }
}
