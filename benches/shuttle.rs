//! shuttle at 100 contenders: steps a second of each scheduler of the default portfolio beside bare shuttle, and how
//! many executions the portfolio takes to find a double booking that needs one expiry, all in one run.
//!
//! What is measured: 2,500 executions of 600 steps on two threads of the operating system, of the check that
//! `models/set_nx_px_lua_release.toml` calls `none`, at the size that it is sampled at: 100 contenders, one of
//! shuttle's threads each, lock one of 10 seats by SET NX PX, sell it in the database and release it by a Lua script,
//! three rounds each, if 600 steps reach so far. Every state is judged, and every schedule and last state is told from
//! the others.
//!
//! The floor is shuttle without a world: as many of its threads, all started before the first step, as many steps of
//! one execution and as many executions; a step is the load of an atomic. It runs under shuttle's own scheduler of the
//! same name, and beside that under its random scheduler, the fastest it has. So the floor pays what every test under
//! shuttle pays: starting and joining threads, one scheduling point and one switch of stacks a step. It does not pay
//! for what a step does, nor for telling executions apart.
//!
//! Ours and the floors take turns, and the best of five turns counts, so that a busy machine spoils neither.
//!
//! `cargo bench --bench shuttle -- --power` prints the tables of docs/power.md instead.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use seatproof::engines::portfolio::SCHEDULERS;
use seatproof::engines::shuttle::{Options, Sampled, Scheduler, sample};
use seatproof::models;
use seatproof::system::model::Model;
use seatproof::system::scenario::{self, Check, ExpectedVerdict, Scenario};
use seatproof::system::{Setting, setting};
use shuttle::scheduler::{PctScheduler, RandomScheduler, Schedule, Task, TaskId, UrwRandomScheduler};

const CONTENDERS: usize = 100;
const EXECUTIONS: u64 = 2_500;
const STEPS: u32 = 600;
const TURNS: u64 = 5;

fn main() {
    // Cargo asks benches for their tests too.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    if std::env::args().any(|arg| arg == "--power") {
        power();
        return;
    }
    println!(
        "{EXECUTIONS} executions of {STEPS} steps, {CONTENDERS} contenders, 2 threads, SET NX PX with a Lua release"
    );
    println!("million steps a second; the floor under shuttle's scheduler of that name, and under its random one");
    let sound = built_in("set_nx_px_lua_release", "none", setting::of_sample);
    assert_eq!(sound.journeys.len(), CONTENDERS, "the scenario samples at another size");
    SCHEDULERS.into_iter().for_each(|scheduler| speed(&sound, scheduler));
    println!("executions to a double booking that needs one expiry: median of 20 seeds (found)");
    for clients in [3, 10, 100] {
        let broken = contenders("set_nx_px_lua_release", "pause", clients, 2);
        for scheduler in SCHEDULERS {
            let (median, found) = median(|seed| first(&broken, scheduler, seed, 1_000));
            println!("  {clients:3} contenders  {:9} {median:>6} ({found} of 20)", scheduler.to_string());
        }
        let (median, found) = median(|seed| first_of_portfolio(&broken, seed, 1_000));
        println!("  {clients:3} contenders  portfolio {median:>6} ({found} of 20), one scheduler after the other");
    }
}

/// Prints the speed of one scheduler.
fn speed(setting: &Setting, scheduler: Scheduler) {
    let (mut ours, mut floor_own, mut floor_random) = (0.0_f64, 0.0_f64, 0.0_f64);
    let mut last = Sampled::default();
    for turn in 0..TURNS {
        let options = Options { max_steps: STEPS as usize, ..options(scheduler, turn, EXECUTIONS, 2) };
        let began = Instant::now();
        last = sample(setting, options, &never()).expect("the model is right");
        ours = ours.max(rate(last.steps, began.elapsed()));
        floor_own = floor_own.max(floor(scheduler));
        floor_random = floor_random.max(floor(Scheduler::Random));
    }
    println!(
        "  {:8} {:5.2} M   floor {:5.2} M, share {:4.0} %   random floor {:5.2} M, share {:3.0} %   \
         {} steps, {} schedules and {} last states of their own",
        scheduler.to_string(),
        ours / 1e6,
        floor_own / 1e6,
        100.0 * ours / floor_own,
        floor_random / 1e6,
        100.0 * ours / floor_random,
        last.steps,
        last.distinct_schedules,
        last.distinct_final_states,
    );
}

/// The median over 20 seeds, in words, and how many of them found something.
fn median(count: impl FnMut(u64) -> u64) -> (String, usize) {
    let mut counts = (0..20).map(count).collect::<Vec<_>>();
    counts.sort_unstable();
    let found = counts.iter().filter(|count| **count < u64::MAX).count();
    (if counts[9] < u64::MAX { counts[9].to_string() } else { "none".to_owned() }, found)
}

/// Executions of the portfolio, one scheduler after the other with so many executions each, up to the first violating
/// one.
fn first_of_portfolio(setting: &Setting, seed: u64, executions: u64) -> u64 {
    let mut earlier = 0;
    for scheduler in SCHEDULERS {
        let sampled = sampled(setting, scheduler, seed, executions);
        if sampled.found.is_some() {
            return earlier + sampled.executions;
        }
        earlier += sampled.executions;
    }
    u64::MAX
}

/// Number of the first violating execution among so many.
fn first(setting: &Setting, scheduler: Scheduler, seed: u64, executions: u64) -> u64 {
    sampled(setting, scheduler, seed, executions).found.map_or(u64::MAX, |found| found.execution)
}

fn sampled(setting: &Setting, scheduler: Scheduler, seed: u64, executions: u64) -> Sampled {
    sample(setting, options(scheduler, seed, executions, 2), &never()).expect("the model is right")
}

/// A table: for the first violated check of each model, executions and seconds to the first violation.
fn power() {
    const WITHIN: u64 = 300;
    let names = SCHEDULERS.map(|scheduler| scheduler.to_string()).join(" | ");
    println!("| model, check | contenders | {names} |\n|---|---|---|---|---|");
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
                let (median, found) = median(|seed| first(&setting, scheduler, seed, WITHIN));
                let median = if median == "none" { format!("over {WITHIN}") } else { median };
                format!("{median} ({found} of 20, {:.3} s)", began.elapsed().as_secs_f64() / 20.0)
            });
            println!("| {}, {} | {clients} | {} |", entry.model.name, check.name, cells.join(" | "));
        }
    }
}

/// Steps a second of shuttle alone, on two threads of the operating system.
fn floor(scheduler: Scheduler) -> f64 {
    let ran = AtomicU64::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for seed in 0..2 {
            let ran = &ran;
            scope.spawn(move || {
                let executions = usize::try_from(EXECUTIONS / 2).expect("a small number");
                let count = match scheduler {
                    Scheduler::Random => bare(RandomScheduler::new_from_seed(seed, executions)),
                    Scheduler::Urw => bare(UrwRandomScheduler::new_from_seed(seed, executions)),
                    Scheduler::Pct { depth } => bare(PctScheduler::new_from_seed(seed, depth as usize, executions)),
                };
                ran.fetch_add(count as u64, Ordering::Relaxed);
            });
        }
    });
    rate(ran.into_inner() * u64::from(STEPS), began.elapsed())
}

/// Executions in an empty world, with a thread for each contender, one for the clock and one for faults; how many.
fn bare(scheduler: impl shuttle::scheduler::Scheduler + 'static) -> usize {
    let mut config = shuttle::Config::new();
    config.stack_size = 1 << 20;
    config.max_steps = shuttle::MaxSteps::None;
    config.silence_warnings = true;
    shuttle::Runner::new(StartsAllFirst(scheduler), config).run(move || {
        let point = Arc::new(shuttle::sync::atomic::AtomicBool::new(false));
        let taken = Arc::new(AtomicU32::new(0));
        let start = |_| {
            let (point, taken) = (Arc::clone(&point), Arc::clone(&taken));
            shuttle::thread::spawn(move || {
                while taken.fetch_add(1, Ordering::Relaxed) < STEPS {
                    point.load(Ordering::SeqCst);
                }
            })
        };
        let started = (0..CONTENDERS + 2).map(start).collect::<Vec<_>>();
        started.into_iter().for_each(|thread| thread.join().expect("it only loads"));
    })
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

/// A check of a built-in model with so many contenders and rounds.
fn contenders(model: &str, check: &str, clients: usize, rounds: u32) -> Setting {
    let setting = built_in(model, check, setting::of_check);
    let journeys = setting.journeys.iter().copied().cycle().take(clients).collect();
    Setting { journeys, rounds: Some(rounds), ..setting }
}

/// A setting of a check of a built-in model.
fn built_in(model: &str, check: &str, of: fn(&Scenario, &Check, &'static Model) -> Setting) -> Setting {
    let entry = models::find(model).expect("the model is built in");
    let declarations = models::CATALOG.map(|entry| entry.model.declaration());
    let (scenario, _) = scenario::parse(Path::new(model), entry.scenario, &declarations).expect("it is valid");
    let check = scenario.checks.iter().find(|it| it.name == check).expect("the check exists");
    of(&scenario, check, entry.model)
}

/// A scheduler of shuttle's that lets the main thread start all others before it schedules these, as ours do: so that
/// as many threads are alive.
struct StartsAllFirst<S>(S);

impl<S: shuttle::scheduler::Scheduler> shuttle::scheduler::Scheduler for StartsAllFirst<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.0.new_execution()
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let is_main = runnable[0].id() == TaskId::from(0);
        self.0.next_task(if is_main { &runnable[..1] } else { runnable }, current, is_yielding)
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }
}
