//! loom over the models of the catalogue, two clients at a time: what it reaches, how often, what it calls complete.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::support::built_in::scenario;
use crate::support::golden;
use seatproof::engines::loom::{self, Explored, Options};
use seatproof::engines::portfolio::{permute, shrink_permuted, unexplored};
use seatproof::engines::reference;
use seatproof::engines::replay::replay;
use seatproof::engines::shrink::ShrinkOptions;
use seatproof::engines::verdict::{Bound, Verdict};
use seatproof::models::{self, CATALOG};
use seatproof::process::{Ctx, Flow};
use seatproof::system::fingerprint::Fingerprint;
use seatproof::system::model::{Journey, Model};
use seatproof::system::schedule::of_steps;
use seatproof::system::setting;
use seatproof::system::state::Budgets;
use seatproof::system::{Halves, Setting, Step, System};
use seatproof::world::value::Value;

/// Permutations of one exploration of the agreement test: where all are wanted, and elsewhere.
const PERMUTATIONS_MAX: [u64; 2] = [2_000, 150];

/// Where loom at preemption bound 2 reaches every final state of the explorer, and does so soon: clients with one
/// critical section of some ten steps, so that two preemptions suffice for whatever two clients can do to each other,
/// and at most one fault that its victim suffers by itself. Not on the list: clients that can race twice, such as GET
/// then SET; crashes and lost requests, which have too many permutations; and restarts of Redis in the longer ones, for
/// which nature needs a preemption too.
const EQUAL: [(&str, &str); 20] = [
    ("moviebooking", "none"),
    ("setnx_expire", "none"),
    ("setnx_expire", "time_steps"),
    ("setnx_expire", "lose_reply"),
    ("set_nx_px_blind_del", "none"),
    ("set_nx_px_blind_del", "time_steps"),
    ("set_nx_px_blind_del", "lose_reply"),
    ("set_nx_px_get_del", "none"),
    ("set_nx_px_lua_release", "none"),
    ("set_nx_px_lua_release", "time_steps"),
    ("set_nx_px_lua_release", "lose_reply"),
    ("set_nx_px_lua_release", "redis_restart"),
    ("set_nx_px_lua_release", "evict"),
    ("watch_multi_exec", "none"),
    ("msetnx", "none"),
    ("unique_index", "none"),
    ("unique_index", "time_steps"),
    ("unique_index", "lose_reply"),
    ("unique_index", "evict"),
    ("hold_conditional_confirm", "none"),
];

fn never() -> Arc<AtomicBool> {
    Arc::default()
}

fn explored(setting: &Setting, preemptions: Option<u8>, max_permutations: u64) -> Explored {
    loom::explore(setting, Options { preemptions, max_permutations }, &never()).expect("the model is right")
}

/// The first check of a model.
fn first_check(name: &str) -> Setting {
    let entry = models::find(name).expect("the model is built in");
    let (judged, _) = scenario(entry.scenario).expect("it is valid");
    setting::of_check(&judged, &judged.checks[0], entry.model)
}

/// Two clients, one seat, one round each, and no property that would end a search early.
fn reduced(name: &str, budgets: Budgets) -> Setting {
    let setting = first_check(name);
    let journeys = setting.journeys.iter().copied().cycle().take(2).collect();
    Setting { journeys, rounds: Some(1), budgets, properties: Vec::new(), ..setting }
}

/// Nothing, one time step, or one fault.
fn variants() -> [(&'static str, Budgets); 7] {
    let none = Budgets::default();
    [
        ("none", none),
        ("time_steps", Budgets { time_steps: 1, ..none }),
        ("lose_request", Budgets { lose_request: 1, ..none }),
        ("lose_reply", Budgets { lose_reply: 1, ..none }),
        ("crash", Budgets { crash: 1, ..none }),
        ("redis_restart", Budgets { redis_restart: 1, ..none }),
        ("evict", Budgets { evict: 1, ..none }),
    ]
}

#[test]
fn at_bound_two_loom_reaches_what_the_explorer_reaches() {
    // A thread for each model: one after the other they take longer than all other tests together.
    let lines = std::thread::scope(|scope| {
        let agree = |entry: models::Entry| scope.spawn(move || agreement(entry.model.name));
        let started = CATALOG.into_iter().map(agree).collect::<Vec<_>>();
        let joined = started.into_iter().map(|thread| thread.join());
        joined.flat_map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
    });
    let table = "model, what may happen: final states of the explorer's that loom reaches at bound 2\n".to_owned();
    let table = table + &lines.concat();
    print!("{table}");
    golden::assert_file("tests/fixtures/loom/agreement.txt", &table);
}

/// Under a bound loom may let others step while a thread throws its die, and what it could do has changed then.
#[test]
fn a_thread_takes_no_step_that_it_no_longer_has() {
    async fn delete(mut ctx: Ctx) -> Flow {
        let _ = ctx.redis([b"DEL", b"key"]).await;
        Flow::Done
    }
    const DELETING: Model = Model {
        name: "deleting",
        journeys: &[Journey { name: "delete", about: "Deletes.", run: |ctx| Box::pin(delete(ctx)) }],
        ..models::get_then_set::MODEL
    };
    let setting = of_model(&DELETING, 2, Budgets { late: 1, crash: 1, ..Budgets::default() });
    let oracle = reference::explore(&Rc::new(setting.clone()), usize::MAX, &never()).expect("explorable");
    let loom = explored(&setting, Some(2), 20_000);
    assert_eq!((&loom.bound, &loom.final_states), (&None, &oracle.final_states));
}

/// One line for each variant: what loom reaches, what it omits, and whether it was stopped before its end.
fn agreement(name: &str) -> Vec<String> {
    let compare = |(variant, budgets): (&'static str, Budgets)| {
        let setting = reduced(name, budgets);
        let oracle = reference::explore(&Rc::new(setting.clone()), usize::MAX, &never()).expect("explorable");
        let is_equal = EQUAL.contains(&(name, variant));
        let loom = explored(&setting, Some(2), PERMUTATIONS_MAX[usize::from(!is_equal)]);
        let what = format!("{name}, {variant}");
        assert!(loom.final_states.is_subset(&oracle.final_states), "{what}");
        assert!(!loom.final_states.is_empty(), "{what}");
        if is_equal {
            assert_eq!((&loom.bound, &loom.final_states), (&None, &oracle.final_states), "{what}");
        }
        let (reached, of) = (loom.final_states.len(), oracle.final_states.len());
        let omitted = if reached == of { "all".to_owned() } else { format!("{} omitted", of - reached) };
        let end = if loom.bound.is_some() { "stopped there" } else { "complete" };
        format!("{what}: {reached} of {of}, {omitted}; {} permutations, {end}\n", loom.permutations)
    };
    variants().map(compare).to_vec()
}

/// How many schedules there are, by the explorer's own steps.
fn schedules(system: &System, known: &mut HashMap<Fingerprint, u64>) -> u64 {
    let state = Fingerprint::of(system.state());
    if let Some(count) = known.get(&state) {
        return *count;
    }
    let enabled = system.enabled();
    let mut count = u64::from(enabled.is_empty());
    for step in &enabled {
        count += schedules(&after(system, step), known);
    }
    known.insert(state, count);
    count
}

/// How many of them have at most so many preemptions, for clients without faults.
fn schedules_within(system: &System, preemptions: u8, last: u16) -> u64 {
    let enabled = system.enabled();
    let client = |step: &Step| step.actor().expect("only clients take steps").client;
    let can_go_on = enabled.iter().any(|step| client(step) == last);
    let follow = |step: &Step| {
        let is_preemption = can_go_on && client(step) != last;
        let left = preemptions.checked_sub(u8::from(is_preemption))?;
        Some(schedules_within(&after(system, step), left, client(step)))
    };
    if enabled.is_empty() { 1 } else { enabled.iter().filter_map(follow).sum() }
}

fn after(system: &System, step: &Step) -> System {
    let mut next = system.clone();
    next.fire(step).expect("the model is right");
    next
}

fn start(setting: &Setting) -> System {
    System::new(Rc::new(setting.clone()), Halves::Fused, true).expect("the model is right")
}

/// Final states alone would not show a schedule that loom leaves out, nor one that it repeats.
#[test]
fn without_a_bound_loom_follows_every_schedule_once() {
    for (variant, budgets) in variants() {
        // Where nature has a step at any time, there are too many schedules of two clients.
        if budgets.redis_restart == 0 {
            follows_every_schedule_once(&reduced("unique_index", budgets), variant);
        }
    }
    follows_every_schedule_once(&of_model(&BLOCKING, 2, Budgets { time_steps: 2, ..Budgets::default() }), "blocking");
    follows_every_schedule_once(&of_model(&CHOOSING, 1, Budgets::default()), "choosing");
    let alone = Setting { journeys: vec![0], ..reduced("set_nx_px_lua_release", Budgets::default()) };
    let budgets = Budgets { redis_restart: 1, evict: 1, time_steps: 2, crash: 1, ..Budgets::default() };
    follows_every_schedule_once(&Setting { budgets, ..alone }, "one client, many faults");
}

fn follows_every_schedule_once(setting: &Setting, what: &str) {
    let oracle = reference::explore(&Rc::new(setting.clone()), usize::MAX, &never()).expect("explorable");
    let loom = explored(setting, None, u64::MAX);
    assert_eq!(loom.final_states, oracle.final_states, "{what}");
    let count = schedules(&start(setting), &mut HashMap::new());
    println!("{what}: {count} schedules, {} permutations", loom.permutations);
    assert_eq!(loom.permutations - loom.dead_ends, count, "{what}");
}

#[test]
fn at_a_bound_two_clients_follow_every_schedule_within_it_once() {
    for name in ["get_then_set", "set_nx_px_blind_del", "unique_index"] {
        let setting = reduced(name, Budgets::default());
        for preemptions in [1, 2] {
            let count = schedules_within(&start(&setting), preemptions, 0);
            assert_eq!(explored(&setting, Some(preemptions), u64::MAX).permutations, count, "{name}, {preemptions}");
        }
    }
}

/// Waits for a row, and for time to pass; the second waits for the first.
async fn block(mut ctx: Ctx) -> Flow {
    let _ = ctx.sql("BEGIN", []).await;
    let _ = ctx.sql("UPDATE bookings SET seat_id = seat_id + 1 WHERE id = $1", [Value::Int(1)]).await;
    let _ = ctx.sql("COMMIT", []).await;
    ctx.sleep_us(1_000_000).await;
    Flow::Done
}

/// Chooses among more alternatives than a die has faces.
async fn choose(mut ctx: Ctx) -> Flow {
    let chosen = ctx.choose(17).await;
    let _ = ctx.redis(["SET", "chosen", &chosen.to_string()]).await;
    if ctx.choose(2).await == 1 {
        ctx.choose(3).await;
    }
    Flow::Done
}

const BLOCKING: Model = Model {
    name: "blocking",
    rows: |_| vec![("INSERT INTO bookings (seat_id) VALUES ($1)", vec![Value::Int(0)])],
    journeys: &[Journey { name: "block", about: "Waits.", run: |ctx| Box::pin(block(ctx)) }],
    ..models::get_then_set::MODEL
};

const CHOOSING: Model = Model {
    name: "choosing",
    journeys: &[Journey { name: "choose", about: "Chooses.", run: |ctx| Box::pin(choose(ctx)) }],
    ..models::get_then_set::MODEL
};

fn of_model(model: &'static Model, clients: usize, budgets: Budgets) -> Setting {
    Setting { model, journeys: vec![0; clients], ..reduced("get_then_set", budgets) }
}

#[test]
fn what_loom_stops_at_is_never_called_complete() {
    let buys = std::collections::BTreeMap::from([("buys".to_owned(), vec![[1].as_slice().into()])]);
    let setting = Setting { draws: buys, ..reduced("unique_index", Budgets::default()) };
    // With choices loom begins anew, and so does the count.
    for setting in [&setting, &of_model(&CHOOSING, 2, Budgets::default())] {
        let whole = explored(setting, Some(2), u64::MAX);
        assert_eq!(whole.bound, None);
        let count = whole.permutations;
        assert_eq!(explored(setting, Some(2), count).bound, None, "exactly enough");
        let short = explored(setting, Some(2), count - 1);
        assert_eq!((short.bound, short.permutations), (Some(Bound::Permutations(count - 1)), count - 1));
    }
    let options = Options { preemptions: Some(2), max_permutations: u64::MAX };
    let stopped = loom::explore(&setting, options, &Arc::new(AtomicBool::new(true))).expect("the model is right");
    assert_eq!((stopped.bound, stopped.permutations), (Some(Bound::Interrupted), 0));
    // An execution that never ends.
    async fn go_on(mut ctx: Ctx) -> Flow {
        loop {
            let _ = ctx.redis([b"GET", b"key"]).await;
        }
    }
    const ENDLESS: Model = Model {
        name: "endless",
        journeys: &[Journey { name: "go_on", about: "Never ends.", run: |ctx| Box::pin(go_on(ctx)) }],
        ..models::get_then_set::MODEL
    };
    let endless = explored(&of_model(&ENDLESS, 1, Budgets::default()), Some(2), u64::MAX);
    assert_eq!(endless.bound, Some(Bound::Steps(1_000)));
}

#[test]
fn a_violation_replays_everywhere_and_shrinks() {
    let setting = Setting { rounds: Some(2), ..first_check("set_nx_px_blind_del") };
    let setting = Setting { budgets: Budgets { time_steps: 2, ..Budgets::default() }, ..setting };
    let options = Options { preemptions: Some(2), max_permutations: 5_000 };
    let mut exploration = unexplored(&setting, &Bound::Sampled);
    let mut permuted = permute(&setting, options, &mut exploration, &never()).expect("explorable").expect("its turn");
    assert!(!permuted.explored.found.is_empty(), "a blind DEL takes away another client's lock");
    for found in &permuted.explored.found {
        let shared = Rc::clone(&permuted.setting);
        let violation = Some((found.property.to_owned(), found.counterexample.reason.clone()));
        let schedule = of_steps(&shared, &found.counterexample.steps, "loom", "test", violation).expect("they fit");
        let again = replay(&shared, &schedule).expect("the model is right");
        assert_eq!(again.divergence, None);
        assert_eq!(again.fingerprint.to_string(), schedule.fingerprint);
        let last = found.counterexample.steps.len();
        let broken = again.violations.iter().map(|(number, violation)| (*number, violation.property));
        assert!(broken.clone().any(|it| it == (last, found.property)), "{:?}", broken.collect::<Vec<_>>());
        let native = found.native.as_ref().expect("loom has a notation of its own");
        let steps = loom::replay(&permuted.setting, native).expect("loom reads its own checkpoint");
        assert_eq!(steps[..last], found.counterexample.steps, "{}", found.property);
        assert!(loom::replay(&permuted.setting, &native[1..]).is_err(), "a damaged one is an error");
    }
    let small = ShrinkOptions { max_steps: 200_000, max_states: 4_000 };
    shrink_permuted(&mut permuted, &small, &mut exploration, &never()).expect("the model is right");
    for (found, shrunk) in permuted.explored.found.iter().zip(&permuted.shrunk) {
        assert!(shrunk.steps.len() <= found.counterexample.steps.len());
        let (_, smallest) = permuted.smallest(found.property).expect("it was found");
        let verdict = exploration.verdicts.iter().find(|(property, _)| *property == found.property);
        assert_eq!(verdict.map(|(_, verdict)| verdict), Some(&Verdict::Violated(smallest)));
    }
}

#[test]
fn loom_says_its_bound_and_changes_no_verdict_of_the_explorer() {
    let setting = Setting { rounds: Some(1), ..first_check("set_nx_px_lua_release") };
    let options = Options { preemptions: Some(1), max_permutations: 5_000 };
    let mut alone = unexplored(&setting, &Bound::Sampled);
    permute(&setting, options, &mut alone, &never()).expect("explorable").expect("its turn");
    let bounded = Verdict::Unknown(Bound::Preemptions { clients: 2, preemptions: 1 });
    assert!(alone.verdicts.iter().all(|(_, verdict)| *verdict == bounded), "{:?}", alone.verdicts);
    let mut exhausted = reference::explore(&Rc::new(setting.clone()), usize::MAX, &never()).expect("explorable");
    let before = exhausted.clone();
    permute(&setting, options, &mut exhausted, &never()).expect("explorable").expect("its turn");
    assert_eq!(exhausted, before);
    let crowd = Setting { journeys: vec![0; 5], ..setting };
    let permuted = permute(
        &crowd,
        Options { max_permutations: 10, ..options },
        &mut unexplored(&crowd, &Bound::Sampled),
        &never(),
    );
    assert_eq!(permuted.expect("explorable").expect("its turn").setting.journeys.len(), loom::CLIENTS_MAX);
}

#[test]
fn a_wrong_statement_is_an_error_and_no_panic() {
    async fn ask(mut ctx: Ctx) -> Flow {
        let _ = ctx.sql("SELECT nothing FROM nowhere", []).await;
        Flow::Done
    }
    const WRONG: Model = Model {
        name: "wrong",
        journeys: &[Journey { name: "ask", about: "Asks.", run: |ctx| Box::pin(ask(ctx)) }],
        ..models::get_then_set::MODEL
    };
    let options = Options { preemptions: Some(2), max_permutations: 100 };
    let error = loom::explore(&of_model(&WRONG, 2, Budgets::default()), options, &never());
    assert!(error.expect_err("the table does not exist").to_string().contains("nowhere"));
}
