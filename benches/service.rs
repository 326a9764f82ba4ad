//! The measured service under every fault: two clients and any two of its handlers and jobs, each kind of fault alone,
//! every space exhausted; then three clients with all jobs, as far as a bound on states. `cargo bench --bench service`.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use seatproof::engines::explore::{Explored, Options, Reductions, explore};
use seatproof::engines::verdict::Verdict;
use seatproof::models;
use seatproof::process::Params;
use seatproof::system::Setting;
use seatproof::system::given::Given;
use seatproof::system::model::{Model, ParamValue};
use seatproof::system::state::Budgets;

/// Journeys that between them call every handler, with the call before which their locks and bookings are made.
const JOURNEYS: [(&str, &str); 7] = [
    ("lock_release", "DELETE /seat-locks/showtime/{id}"),
    ("lock_confirm", "POST /bookings/confirm"),
    ("buy", "POST /payments/momo/ipn"),
    ("buy_with_paypal", "POST /payments/paypal/capture"),
    ("fail_to_pay", "POST /payments/momo/ipn"),
    ("fail_then_pay", "POST /payments/momo/ipn"),
    ("recalculate", "Q2"),
];
/// How often time may pass beside three clients and the jobs: to when these are due, and to when a lock has run out.
const TIME_STEPS: u32 = 2;
/// States after which the large search ends.
const LARGE: usize = 50_000_000;
/// States up to which reductions are compared.
const COMPARED: usize = 3_000_000;

fn main() {
    // Cargo asks benches for their tests too.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    pairs();
    reductions();
    large();
}

/// Who takes part, and what has happened before.
struct Cast {
    journeys: [&'static str; 2],
    jobs: Vec<u32>,
    given: Vec<String>,
}

/// Every two of the handlers and jobs. Two clients go their whole ways; beside jobs, the first has made its lock or its
/// booking, and that has run out, when the second begins to lock and confirm.
fn casts() -> Vec<Cast> {
    let mut casts = Vec::new();
    let jobs = |jobs: [u32; 2], (journey, call)| Cast {
        journeys: [journey, "lock_confirm"],
        jobs: jobs.to_vec(),
        given: vec![format!("vu1 until {call}"), "wait 901s".to_owned()],
    };
    for (number, one) in JOURNEYS.into_iter().enumerate() {
        let others = JOURNEYS[number..].iter();
        let pair = |other: &(_, _)| Cast { journeys: [one.0, other.0], jobs: Vec::new(), given: Vec::new() };
        casts.extend(others.map(pair));
        casts.extend([jobs([1, 0], one), jobs([0, 1], one), jobs([1, 1], one)]);
    }
    casts
}

fn pairs() {
    let casts = casts();
    println!("two clients and any two handlers or jobs ({} casts), each fault alone, 2 threads", casts.len());
    println!("  {:16} {:>12} {:>12} {:>12} {:>10}", "fault", "complete", "states", "most", "time");
    let mut total = Duration::ZERO;
    // The service has no replica that could take over.
    let names = Budgets::UNLIMITED.entries().into_iter().map(|(name, _)| name);
    let names = names.filter(|name| !matches!(*name, "time_steps" | "failover"));
    for fault in std::iter::once("none").chain(names) {
        let (mut complete, mut states, mut most) = (0, 0, 0);
        let began = Instant::now();
        for cast in &casts {
            let setting = Setting { given: given(cast), ..setting(&cast.journeys, &cast.jobs, 0, fault) };
            let explored = explored(setting, usize::MAX, Reductions::ALL);
            complete += usize::from(is_complete(&explored));
            states += explored.exploration.states;
            most = most.max(explored.exploration.states);
        }
        total += began.elapsed();
        println!("  {fault:16} {complete:>5} of {:>3} {states:>12} {most:>12} {:>9.2?}", casts.len(), began.elapsed());
    }
    println!("  all together in {total:.1?}");
}

/// What each reduction wins by itself, and all of them together.
fn reductions() {
    println!("what reductions win: states of the whole space over those explored with each alone, and with all");
    let alone = [
        ("steps joined", Reductions { joined_steps: true, ..Reductions::NONE }),
        ("clients", Reductions { clients: true, ..Reductions::NONE }),
        ("seats", Reductions { seats: true, ..Reductions::NONE }),
        ("all", Reductions::ALL),
    ];
    for (journeys, seats, fault) in [
        (["lock_confirm"; 2].as_slice(), 1, "none"),
        (&["lock_confirm"; 2], 2, "none"),
        (&["lock_confirm"; 2], 1, "lose_reply"),
        (&["lock_confirm"; 3], 1, "none"),
        (&["buy"; 2], 1, "none"),
        (&["buy", "lock_confirm", "lock_release"], 1, "none"),
    ] {
        let setting = || with_seats(setting(journeys, &[], 0, fault), seats);
        let whole = explored(setting(), COMPARED, Reductions::NONE);
        let bound = if is_complete(&whole) { "" } else { "more than " };
        print!("  {journeys:?}, {seats} seat(s), {fault}: {} states", whole.exploration.states);
        for (name, reductions) in alone {
            let reduced = explored(setting(), COMPARED, reductions).exploration.states;
            print!(", {name} {bound}x {:.2}", ratio(whole.exploration.states, reduced));
        }
        println!();
    }
    // Without relative time there is no end.
    let endless = || Setting {
        budgets: Budgets { time_steps: u32::MAX, ..Budgets::default() },
        ..setting(&["lock_release"; 2], &[], 0, "none")
    };
    let whole = explored(endless(), COMPARED, Reductions { relative_time: false, ..Reductions::ALL });
    let relative = explored(endless(), COMPARED, Reductions::ALL);
    println!(
        "  lock_release twice, time without end: {} states (complete: {}), without relative time {} (complete: {})",
        relative.exploration.states,
        is_complete(&relative),
        whole.exploration.states,
        is_complete(&whole)
    );
}

fn large() {
    let journeys = ["lock_release", "lock_confirm", "buy"];
    println!("three clients {journeys:?} and both jobs, {TIME_STEPS} time steps, 2 threads");
    let began = Instant::now();
    let explored = explored(setting(&journeys, &[1, 1], TIME_STEPS, "none"), LARGE, Reductions::ALL);
    let (states, seconds) = (explored.exploration.states, began.elapsed().as_secs_f64());
    println!("  {states} states, {} transitions in {seconds:.1} s", explored.exploration.transitions);
    println!("  {:.2} M states/s, {} bytes a state", rate(states, seconds), explored.figures.peak_bytes / states);
    println!(
        "  {} steps fired in the real system, 1 of {} transitions",
        explored.figures.firings,
        explored.exploration.transitions as u64 / explored.figures.firings
    );
}

fn model() -> &'static Model {
    models::find("moviebooking").expect("the model is built in").model
}

/// One seat, no latency of the payment gateway, every default property.
fn setting(journeys: &[&str], jobs: &[u32], time_steps: u32, fault: &str) -> Setting {
    let mut budgets = Budgets { time_steps, ..Budgets::default() };
    if fault != "none" {
        *budgets.get_mut(fault) = 1;
    }
    let setting = Setting::of(model(), journeys);
    let params = model().params.iter().map(|param| match param.name {
        "seats" | "seats_per_request" => (param.name, ParamValue::one(1)),
        "gateway" => (param.name, ParamValue::one(0)),
        _ => (param.name, param.default),
    });
    Setting { params: Params::new(params), jobs: jobs.to_vec(), budgets, ..setting }
}

fn with_seats(setting: Setting, seats: i64) -> Setting {
    let params = model().params.iter().map(|param| match param.name {
        "seats" => (param.name, ParamValue::one(seats)),
        name => (name, ParamValue::one(setting.params.get(name))),
    });
    Setting { params: Params::new(params), ..setting }
}

fn given(cast: &Cast) -> Vec<Given> {
    cast.given.iter().map(|text| Given::parse(text).expect("a prologue is well formed")).collect()
}

fn explored(setting: Setting, max_states: usize, reductions: Reductions) -> Explored {
    let threads = NonZeroUsize::new(2).expect("two");
    let options = Options { max_states, max_bytes: None, threads, reductions, exact: false, final_states: false };
    explore(&Rc::new(setting), options, &AtomicBool::new(false)).expect("the model is right")
}

/// True if no property is left open by a bound.
fn is_complete(explored: &Explored) -> bool {
    explored.exploration.verdicts.iter().all(|(_, verdict)| !matches!(verdict, Verdict::Unknown(_)))
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for people to read")]
fn ratio(many: usize, few: usize) -> f64 {
    many as f64 / few as f64
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn rate(states: usize, seconds: f64) -> f64 {
    states as f64 / seconds / 1e6
}
