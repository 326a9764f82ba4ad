//! The explorer on the model on which model checkers are compared, beside stateright, Spin (if it is installed) and a
//! yardstick written by hand, in one run, as ratios. Every search of the same size must find the same number of states.
//! `cargo bench --bench explore`, or with the names of sections behind `--`.

#[path = "explore/seatlock.rs"]
mod seatlock;
#[path = "explore/spin.rs"]
mod spin;
#[path = "explore/stateright.rs"]
mod stateright;
#[path = "explore/yardstick.rs"]
mod yardstick;

use std::num::NonZeroUsize;
use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use seatproof::engines::explore::{Explored, Options, Reductions, explore};
use seatproof::engines::verdict::Verdict;
use seatproof::models;
use seatproof::process::Params;
use seatproof::system::model::ParamValue;
use seatproof::system::{Setting, scenario, setting};

use self::seatlock::{Grain, Seatlock, Size};
use self::spin::Verifier;
use self::stateright::Mode;

/// Where reductions are compared.
const REDUCED: Size = Size { contenders: 5, seats: 2, expiries: 1 };
/// Where speed is compared with peers: more than 10 M states.
const EQUAL: Size = Size { contenders: 6, seats: 2, expiries: 2 };
/// Where memory is measured.
const LARGE: Size = Size { contenders: 6, seats: 3, expiries: 2 };

/// What can be asked for.
const SECTIONS: [(&str, fn()); 5] = [
    ("reduced", reduced),
    ("counterexample", counterexample),
    ("beyond", beyond),
    ("equal", equal),
    ("memory", memory),
];

fn main() {
    // Cargo asks benches for their tests too.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    let wanted = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect::<Vec<_>>();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|it| it == name);
    SECTIONS.into_iter().filter(|(name, _)| is_wanted(name)).for_each(|(_, section)| section());
}

/// How long until all is proved, with every reduction that each has; ours includes taking the automata out of the
/// model.
fn reduced() {
    println!("reduced, fenced {}: time to the verdict", name(REDUCED));
    let setting = setting_of("fenced", REDUCED);
    let ours = best(10, || ours(&setting, 1, Reductions::ALL));
    line("seatproof", ours.1.exploration.states, ours.0, None);
    for (grain, what) in [(Grain::Messages, "messages are steps"), (Grain::Operations, "operations are steps")] {
        println!("  peers, {what}:");
        let model = Seatlock::new(REDUCED, grain);
        let symmetric = best(3, || stateright::explore(&model, Mode::Symmetric));
        line("stateright, symmetry, dfs", symmetric.1, symmetric.0, Some(ours.0));
        let spin = Verifier::compile(&model, &[], "-w21");
        let runs = spin.iter().flat_map(|verifier| (0..3).filter_map(|_| verifier.explore()));
        match runs.min_by_key(|(_, elapsed)| *elapsed) {
            Some((states, elapsed)) => line("Spin, partial order", states, elapsed, Some(ours.0)),
            None => println!("  skipped: Spin is not installed"),
        }
    }
}

fn counterexample() {
    let size = Size { contenders: 4, seats: 2, expiries: 1 };
    println!("unfenced {}: time to the shortest counterexample", name(size));
    let setting = setting_of("unfenced", size);
    let (elapsed, found) = best(10, || ours(&setting, 1, Reductions::ALL));
    let Verdict::Violated(counterexample) = &found.exploration.verdicts[0].1 else { panic!("it is broken") };
    line("seatproof", found.exploration.states, elapsed, None);
    println!("  {} steps, {} of them operations", counterexample.steps.len(), counterexample.operations());
}

/// Sizes that no peer finishes.
fn beyond() {
    for contenders in [10, 15] {
        let size = Size { contenders, seats: 2, expiries: 2 };
        println!("reduced, fenced {}: time to the verdict", name(size));
        let setting = setting_of("fenced", size);
        let (elapsed, explored) = best(1, || ours(&setting, 2, Reductions::ALL));
        line("seatproof", explored.exploration.states, elapsed, None);
    }
}

/// The whole space, with all peers at the same grain.
fn equal() {
    println!("whole space, fenced {}, 2 threads, operations are steps", name(EQUAL));
    let model = Seatlock::new(EQUAL, Grain::Operations);
    let yardstick = best(2, || yardstick::explore(&model, 1 << 25));
    line("yardstick", yardstick.1, yardstick.0, None);
    let ratio = Some(yardstick.0);
    let check = |what: &str, (elapsed, states): (Duration, usize)| {
        assert_eq!(states, yardstick.1, "{what} explores the same space");
        line(what, states, elapsed, ratio);
    };
    let setting = setting_of("fenced", EQUAL);
    for (what, threads) in [("seatproof, 1 thread", 1), ("seatproof", 2)] {
        let (elapsed, explored) = best(2, || ours(&setting, threads, Reductions::NONE));
        check(what, (elapsed, explored.exploration.states));
        println!("  {} bytes a state at the peak", explored.figures.peak_bytes / yardstick.1);
    }
    for (what, mode) in [("stateright, dfs", Mode::Dfs), ("stateright, bfs", Mode::Bfs)] {
        check(what, best(1, || stateright::explore(&model, mode)));
    }
    match Verifier::compile(&model, &["-DNOREDUCE"], "-w25").and_then(|spin| spin.explore()) {
        Some((states, elapsed)) => check("Spin, exact", (elapsed, states)),
        None => println!("  skipped: Spin is not installed"),
    }
}

/// The whole space of a size that takes some memory.
fn memory() {
    println!("whole space, fenced {}, 2 threads", name(LARGE));
    let setting = setting_of("fenced", LARGE);
    let (elapsed, explored) = best(1, || ours(&setting, 2, Reductions::NONE));
    let states = explored.exploration.states;
    line("seatproof", states, elapsed, None);
    println!(
        "  {} bytes a state, {} MB at the peak",
        explored.figures.peak_bytes / states,
        explored.figures.peak_bytes >> 20
    );
}

fn name(size: Size) -> String {
    format!("({},{},{})", size.contenders, size.seats, size.expiries)
}

/// One line: states, time, states a second, and how many times as long as `base` it took.
fn line(what: &str, states: usize, elapsed: Duration, base: Option<Duration>) {
    let seconds = elapsed.as_secs_f64();
    let ratio = base.map_or_else(String::new, |base| format!("  x {:.2}", seconds / base.as_secs_f64()));
    println!("  {what:28} {states:>10} states {:>10.1} ms {:>6.2} M/s{ratio}", seconds * 1e3, rate(states, seconds));
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn rate(states: usize, seconds: f64) -> f64 {
    states as f64 / seconds / 1e6
}

/// The shortest of several runs, and its result.
fn best<T>(runs: u32, mut run: impl FnMut() -> T) -> (Duration, T) {
    let timed = (0..runs).map(|_| {
        let began = Instant::now();
        let result = run();
        (began.elapsed(), result)
    });
    timed.min_by_key(|(elapsed, _)| *elapsed).expect("at least one run")
}

/// The explorer on a setting that has been read already.
fn ours(setting: &Rc<Setting>, threads: usize, reductions: Reductions) -> Explored {
    let options = Options {
        max_states: usize::MAX,
        max_bytes: None,
        threads: NonZeroUsize::new(threads).expect("at least one"),
        reductions,
        exact: false,
        final_states: false,
    };
    explore(setting, options, &AtomicBool::new(false)).expect("the model is right")
}

fn setting_of(journey: &str, size: Size) -> Rc<Setting> {
    let entry = models::find("seatlock").expect("the model is built in");
    let declarations = models::CATALOG.map(|entry| entry.model.declaration());
    let (scenario, _) =
        scenario::parse(Path::new("seatlock"), entry.scenario, &declarations).expect("the scenario is valid");
    let check = scenario.checks.iter().find(|check| check.name == journey).expect("the check exists");
    let mut setting = setting::of_check(&scenario, check, entry.model);
    setting.params = Params::new([("seats", ParamValue::one(size.seats.into()))]);
    setting.journeys = vec![setting.journeys[0]; size.contenders as usize];
    setting.budgets.evict = size.expiries;
    Rc::new(setting)
}
