//! shuttle at 100 contenders: steps a second of each scheduler beside the floor, the same number of steps by the same
//! number of threads over an empty world; and how many executions it takes to find a double booking that needs one
//! expiry. Everything in one run, as ratios.
//!
//! `cargo bench --bench shuttle -- --power` prints the tables of docs/power.md instead.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use seatproof::engines::portfolio::SCHEDULERS;
use seatproof::engines::shuttle::{Options, Scheduler, sample};
use seatproof::models;
use seatproof::system::scenario::{self, ExpectedVerdict};
use seatproof::system::{Setting, setting};

const CONTENDERS: usize = 100;
const EXECUTIONS: u64 = 500;

fn main() {
    // Cargo asks benches for their tests too.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    if std::env::args().any(|arg| arg == "--power") {
        power();
        return;
    }
    println!("steps a second, {CONTENDERS} contenders, 2 threads, SET NX PX with a Lua release");
    let sound = contenders("set_nx_px_lua_release", "none", CONTENDERS, 1, 10);
    for scheduler in SCHEDULERS {
        let began = Instant::now();
        let sampled = sample(&sound, options(scheduler, 0, EXECUTIONS, 2), &never()).expect("the model is right");
        let ours = rate(sampled.steps, began.elapsed());
        let floor = floor(sampled.steps / sampled.executions, EXECUTIONS);
        println!(
            "  {:8} {:6.2} M   floor {:6.2} M   share {:3.0} %   {} steps an execution",
            scheduler.to_string(),
            ours / 1e6,
            floor / 1e6,
            100.0 * ours / floor,
            sampled.steps / sampled.executions,
        );
    }
    println!("executions to a double booking that needs one expiry: median of 20 seeds (found)");
    for clients in [3, 10, 100] {
        let broken = contenders("set_nx_px_lua_release", "pause", clients, 2, 1);
        for scheduler in SCHEDULERS {
            let mut counts = (0..20).map(|seed| first(&broken, scheduler, seed, 1_000)).collect::<Vec<_>>();
            counts.sort_unstable();
            let found = counts.iter().filter(|count| **count < u64::MAX).count();
            let median = if counts[9] < u64::MAX { counts[9].to_string() } else { "none".to_owned() };
            println!("  {clients:3} contenders  {:8} {median:>6} ({found} of 20)", scheduler.to_string());
        }
    }
}

/// Number of the first violating execution among so many.
fn first(setting: &Setting, scheduler: Scheduler, seed: u64, executions: u64) -> u64 {
    let sampled = sample(setting, options(scheduler, seed, executions, 2), &never()).expect("the model is right");
    sampled.found.map_or(u64::MAX, |found| found.execution)
}

/// A table: for the first violated check of each model, executions and seconds to the first violation.
fn power() {
    const WITHIN: u64 = 300;
    println!("| model, check | contenders | urw | random | pct(3) |\n|---|---|---|---|---|");
    for entry in models::CATALOG {
        let declarations = models::CATALOG.map(|entry| entry.model.declaration());
        let (scenario, _) = scenario::parse(Path::new("power"), entry.scenario, &declarations).expect("it is valid");
        let is_violated = |it: &scenario::Expectation| matches!(it.verdict, ExpectedVerdict::Violated { .. });
        let Some(check) = scenario.checks.iter().find(|check| check.expect.iter().any(is_violated)) else { continue };
        for clients in [3, 10, 100] {
            let setting = setting::of_check(&scenario, check, entry.model);
            let journeys = setting.journeys.iter().copied().cycle().take(clients).collect();
            let setting = Setting { journeys, ..setting };
            let cells = SCHEDULERS.map(|scheduler| {
                let began = Instant::now();
                let mut counts = (0..20).map(|seed| first(&setting, scheduler, seed, WITHIN)).collect::<Vec<_>>();
                let seconds = began.elapsed().as_secs_f64() / 20.0;
                counts.sort_unstable();
                let found = counts.iter().filter(|count| **count < u64::MAX).count();
                let median = if counts[9] < u64::MAX { counts[9].to_string() } else { format!("over {WITHIN}") };
                format!("{median} ({found} of 20, {seconds:.3} s)")
            });
            println!("| {}, {} | {clients} | {} |", entry.model.name, check.name, cells.join(" | "));
        }
    }
}

/// Steps a second of shuttle alone: threads that load an atomic, under its own random scheduler, on two threads of the
/// operating system.
fn floor(steps: u64, executions: u64) -> f64 {
    let taken = Arc::new(AtomicU32::new(0));
    let each = steps.div_ceil(CONTENDERS as u64);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let executions = usize::try_from(executions / 2).expect("a small number");
                let mut config = shuttle::Config::new();
                config.stack_size = 1 << 20;
                config.max_steps = shuttle::MaxSteps::None;
                config.silence_warnings = true;
                let scheduler = shuttle::scheduler::RandomScheduler::new_from_seed(1, executions);
                let taken = Arc::clone(&taken);
                shuttle::Runner::new(scheduler, config).run(move || {
                    let point = Arc::new(shuttle::sync::atomic::AtomicBool::new(false));
                    let threads = (0..CONTENDERS + 2).map(|_| {
                        let point = Arc::clone(&point);
                        shuttle::thread::spawn(move || (0..each).for_each(|_| _ = point.load(Ordering::SeqCst)))
                    });
                    threads.collect::<Vec<_>>().into_iter().for_each(|thread| thread.join().expect("it only loads"));
                    taken.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
    });
    rate(u64::from(taken.load(Ordering::Relaxed)) * each * (CONTENDERS as u64 + 2), began.elapsed())
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn rate(count: u64, elapsed: Duration) -> f64 {
    count as f64 / elapsed.as_secs_f64()
}

fn options(scheduler: Scheduler, seed: u64, executions: u64, threads: usize) -> Options {
    let threads = NonZeroUsize::new(threads).expect("at least one");
    Options { scheduler, seed, executions, max_steps: 100_000, threads }
}

fn never() -> Arc<AtomicBool> {
    Arc::new(AtomicBool::new(false))
}

/// A check of a built-in model with so many contenders, rounds and seats.
fn contenders(model: &str, check: &str, clients: usize, rounds: u32, seats: i64) -> Setting {
    let entry = models::find(model).expect("the model is built in");
    let declarations = models::CATALOG.map(|entry| entry.model.declaration());
    let text = entry.scenario.replace("seats = 1\n", &format!("seats = {seats}\n"));
    let (scenario, _) = scenario::parse(Path::new(model), &text, &declarations).expect("the scenario is valid");
    let check = scenario.checks.iter().find(|it| it.name == check).expect("the check exists");
    let setting = setting::of_check(&scenario, check, entry.model);
    let journeys = setting.journeys.iter().copied().cycle().take(clients).collect();
    Setting { journeys, rounds: Some(rounds), ..setting }
}
