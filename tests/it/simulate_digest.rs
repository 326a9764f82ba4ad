//! The bundled load test under three seeds: any change of an operation, its time or its outcome shows here.

use seatproof::engines::metrics::summary::Values;
use seatproof::engines::simulate::{LoadTest, Run};
use seatproof::models;

use crate::support::built_in::scenario;

/// Seed, digest, the figures that k6 does not see, and the main ones that it does; of a rate passes and fails, of the
/// request duration avg, min, med, max, p(90) and p(95) in milliseconds.
const PINNED: [&str; 3] = [
    "0 89a3d5b40041911877061fc797032c3f steps 92114 held 63 at 74732716 left 0 cut 0 failed {409: 1787} \
     reqs 3887 sent 1200878 received 1316680 iterations 2835 \
     checks 3883/0 locks 1048/1787 \
     duration 15.022299974273219 4.179 14.025 42.131 22.7818 25.834799999999998",
    "1 4d2e5b3936deb39598f9228b235b7977 steps 92434 held 66 at 103469462 left 0 cut 0 failed {409: 1796} \
     reqs 3890 sent 1200824 received 1318690 iterations 2841 \
     checks 3886/0 locks 1045/1796 \
     duration 15.049920051413881 3.754 13.7065 46.891 23.2061 26.147249999999996",
    "2 98284b8fc1890b4f31d2c912ca594663 steps 92309 held 64 at 81052541 left 0 cut 0 failed {409: 1860} \
     reqs 3904 sent 1209480 received 1317700 iterations 2880 \
     checks 3900/0 locks 1020/1860 \
     duration 14.84964574795082 2.469 13.541 47.35 22.794700000000006 25.692549999999997",
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
