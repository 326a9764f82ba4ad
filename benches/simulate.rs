//! What one run of the bundled load test costs, beside a peer and a yardstick, and how that grows with it:
//! `cargo bench --bench simulate`.

#[path = "simulate/turmoil.rs"]
mod turmoil;
#[path = "simulate/workload.rs"]
mod workload;
#[path = "simulate/yardstick.rs"]
mod yardstick;

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use divan::Bencher;
use divan::counter::ItemsCount;
use mimalloc::MiMalloc;
use seatproof::engines::simulate::LoadTest;
use seatproof::engines::sweep::{Recipe, sweep};
use seatproof::models;
use seatproof::system::model::Model;
use seatproof::system::scenario::{self, Load, Scenario};

/// That of the command line.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How much larger the large load is: 1000 virtual users on 1000 seats.
const SCALE: u32 = 10;
/// Runs of which the median is printed.
const RUNS: u64 = 15;
/// Seeds of the sweep.
const SWEEP: u64 = 1_000;

fn main() {
    divan::main();
    // Timings are the business of `cargo bench`; `cargo test` only starts this to see that it works.
    if std::env::args().any(|argument| argument == "--bench") {
        print_peers();
        print_growth();
        print_sweep();
    }
}

/// The bundled scenario with `scale` times its virtual users and seats.
fn scenario(scale: u32) -> (Scenario, Load) {
    let model = model();
    let path = Path::new("models/moviebooking.toml");
    let (mut scenario, _) = scenario::load(path, &[model.declaration()]).expect("the bundled scenario is right");
    let seats = model.params.iter().position(|param| param.name == "seats").expect("the model has seats");
    scenario.params[seats].low *= i64::from(scale);
    scenario.params[seats].high *= i64::from(scale);
    let mut load = scenario.load.clone().expect("the bundled scenario has a load");
    load.stages.iter_mut().for_each(|stage| stage.target *= scale);
    (scenario, load)
}

fn load_test(scale: u32) -> LoadTest {
    let (scenario, load) = scenario(scale);
    LoadTest::new(&scenario, &load, model()).expect("the thresholds fit their metrics")
}

fn model() -> &'static Model {
    models::find("moviebooking").expect("a model of the catalogue").model
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

fn median_of_runs(run: impl Fn(u64)) -> Duration {
    let timed = |seed| {
        let start = Instant::now();
        run(seed);
        start.elapsed()
    };
    let mut times = (0..RUNS).map(timed).collect::<Vec<_>>();
    times.sort_unstable();
    times[times.len() / 2]
}

fn run(test: &LoadTest, seed: u64) {
    let run = test.run(seed).expect("the model is right");
    assert_eq!(run.violation, None);
}

/// The same virtual users without our service: in turmoil, which simulates a network, and counted by hand.
fn print_peers() {
    let test = load_test(1);
    let ours = median_of_runs(|seed| run(&test, seed));
    let in_turmoil = median_of_runs(|seed| turmoil::run(seed, test.shifts()).check());
    let by_hand = median_of_runs(|seed| yardstick::run(seed, test.shifts()).check());
    let times = |one: Duration, other: Duration| one.as_secs_f64() / other.as_secs_f64();
    println!("one run: median {ours:.2?}, the whole service, every property judged");
    println!("turmoil, a table for a service: {in_turmoil:.2?}, {:.1} times as long", times(in_turmoil, ours));
    println!("counted by hand, no service: {by_hand:.2?}; we take {:.1} times as long", times(ours, by_hand));
}

fn print_growth() {
    let [small, large] = [1, SCALE].map(|scale| {
        let test = load_test(scale);
        let time = median_of_runs(|seed| run(&test, seed));
        let factor = virtual_duration().as_secs_f64() / time.as_secs_f64();
        println!("{} virtual users: median {time:.2?} a run, {factor:.0} times faster than real time", 100 * scale);
        time
    });
    println!("{SCALE} times the load takes {:.1} times as long", large.as_secs_f64() / small.as_secs_f64());
}

/// A sweep over many seeds on two threads, and what it adds to the memory in use.
fn print_sweep() {
    let (scenario, load) = scenario(1);
    let recipe = Recipe { scenario: &scenario, load: &load, model: model() };
    let threads = NonZeroUsize::new(2).expect("two");
    let timed = |seeds: u64| {
        let start = Instant::now();
        let swept = sweep(recipe, 0..seeds, threads, &AtomicBool::new(false), |_| false, |run| run.digest, || ());
        assert_eq!(swept.expect("the model is right").collected.len() as u64, seeds);
        (start.elapsed(), peak_memory())
    };
    let (_, first) = timed(10);
    let (time, last) = timed(SWEEP);
    println!("{SWEEP} seeds on 2 threads: {time:.2?}; peak memory {first} after 10 seeds, {last} after {SWEEP}");
}

/// The most memory that the process ever had, as Linux tells it.
fn peak_memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.map_or_else(|| "unknown".to_owned(), |peak| peak.trim().to_owned())
}
