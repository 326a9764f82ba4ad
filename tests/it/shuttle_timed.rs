//! shuttle's threads in the order of virtual time do what `simulate` does, step for step.

use seatproof::engines::shuttle;
use seatproof::engines::simulate::LoadTest;
use seatproof::models;

use crate::support::built_in::scenario;

const SEEDS: u64 = 8;

fn load_test() -> LoadTest {
    let entry = models::find("moviebooking").expect("a model of the catalogue");
    let (scenario, _) = scenario(entry.scenario).expect("the bundled scenario is right");
    let load = scenario.load.as_ref().expect("it has a load");
    LoadTest::new(&scenario, load, entry.model).expect("its thresholds fit its metrics")
}

/// The digest covers every operation that took effect: who, when, and with what outcome.
#[test]
fn the_bundled_load_test_is_the_same_run_under_shuttle_for_many_seeds() {
    let compare = |seeds: std::ops::Range<u64>| {
        let test = load_test();
        for seed in seeds {
            let alone = test.run(seed).expect("the model is right");
            let by_threads = shuttle::simulate(&test, seed).expect("the model is right");
            assert_eq!(by_threads.digest, alone.digest, "seed {seed}");
            assert_eq!(by_threads, alone, "seed {seed}");
            assert!(alone.vitals.steps > 90_000, "seed {seed}: {} steps", alone.vitals.steps);
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| compare(0..SEEDS / 2));
        compare(SEEDS / 2..SEEDS);
    });
}
