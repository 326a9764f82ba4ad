//! What one run of the bundled load test costs, and how that grows with it: `cargo bench --bench simulate`.

use std::path::Path;
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use seatproof::engines::simulate::LoadTest;
use seatproof::models;
use seatproof::system::scenario::{self, Declaration, Load, Scenario};

/// How much larger the large load is: 1000 virtual users on 1000 seats.
const SCALE: u32 = 10;
/// Runs of which the median is printed.
const RUNS: u64 = 15;

fn main() {
    divan::main();
    // Timings are the business of `cargo bench`; `cargo test` only starts this to see that it works.
    if std::env::args().any(|argument| argument == "--bench") {
        print_growth();
    }
}

/// The bundled scenario with `scale` times its virtual users and seats.
fn scenario(scale: u32) -> (Scenario, Load) {
    let model = models::find("moviebooking").expect("a model of the catalogue");
    let properties = model.all_properties();
    let declaration = Declaration {
        name: model.name,
        params: model.params,
        journeys: &model.journeys.iter().map(|journey| journey.name).collect::<Vec<_>>(),
        metrics: model.metrics,
        request_names: model.request_names,
        properties: &properties.iter().map(|property| property.name).collect::<Vec<_>>(),
        draws: model.draws,
    };
    let path = Path::new("models/moviebooking.toml");
    let (mut scenario, _) = scenario::load(path, &[declaration]).expect("the bundled scenario is right");
    let seats = model.params.iter().position(|param| param.name == "seats").expect("the model has seats");
    scenario.params[seats].low *= i64::from(scale);
    scenario.params[seats].high *= i64::from(scale);
    let mut load = scenario.load.clone().expect("the bundled scenario has a load");
    load.stages.iter_mut().for_each(|stage| stage.target *= scale);
    (scenario, load)
}

fn load_test(scale: u32) -> LoadTest {
    let (scenario, load) = scenario(scale);
    let model = models::find("moviebooking").expect("a model of the catalogue");
    LoadTest::new(&scenario, &load, model).expect("the thresholds fit their metrics")
}

/// Seconds of virtual time that the run covers: the load, without the set-up and the last iterations' tail.
fn virtual_duration() -> Duration {
    Duration::from_nanos(scenario(1).1.stages.iter().map(|stage| stage.duration_ns).sum())
}

/// One run with every property judged at every step. Items are seconds of virtual time, so that items per second are
/// how many times faster than real time it runs.
#[divan::bench]
fn one_run(bencher: Bencher<'_, '_>) {
    let test = load_test(1);
    let mut seeds = 0..;
    bencher.counter(ItemsCount::new(virtual_duration().as_secs())).bench_local(|| test.run(seeds.next().unwrap()));
}

fn median_of_runs(test: &LoadTest) -> Duration {
    let timed = |seed| {
        let start = Instant::now();
        let run = test.run(seed).expect("the model is right");
        assert_eq!(run.violation, None);
        start.elapsed()
    };
    let mut times = (0..RUNS).map(timed).collect::<Vec<_>>();
    times.sort_unstable();
    times[times.len() / 2]
}

fn print_growth() {
    let [small, large] = [1, SCALE].map(|scale| {
        let time = median_of_runs(&load_test(scale));
        let factor = virtual_duration().as_secs_f64() / time.as_secs_f64();
        println!("{} virtual users: median {time:.2?} a run, {factor:.0} times faster than real time", 100 * scale);
        time
    });
    println!("{SCALE} times the load takes {:.1} times as long", large.as_secs_f64() / small.as_secs_f64());
}
