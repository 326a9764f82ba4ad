//! A user's own protocol: a model that is no part of the library, explored with the library alone.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::reference::explore;
use seatproof::engines::verdict::{Exploration, Verdict};
use seatproof::process::{Ctx, Flow, Lost, Mark, Params, Request, Response};
use seatproof::system::mishap::Clocks;
use seatproof::system::model::{Handler, Journey, Model, SeatMap};
use seatproof::system::pace::Pace;
use seatproof::system::property::GENERAL;
use seatproof::system::state::Budgets;
use seatproof::system::{Halves, Service, Setting, Step, System};
use seatproof::world::argv::ByteString;
use seatproof::world::reply::Reply;
use seatproof::world::value::Value;

const KEY: &str = "seat:1";
const TTL_MS: u64 = 1_000;

/// Clients that speak to Redis and the database themselves; there is no service in between.
static OWN: Model = Model {
    name: "own",
    about: "Three ways to take a seat.",
    params: &[],
    schema: "CREATE TABLE sales (id bigserial PRIMARY KEY, seat integer NOT NULL UNIQUE);",
    rows: |_| Vec::new(),
    setup: None,
    journeys: &[
        Journey { name: "naive", about: "GET, then SET.", run: |ctx| Box::pin(naive(ctx)) },
        Journey { name: "atomic", about: "SET NX PX, then a blind DEL.", run: |ctx| Box::pin(atomic(ctx)) },
        Journey { name: "gate", about: "INSERT under a unique index.", run: |ctx| Box::pin(gate(ctx)) },
        Journey { name: "pinger", about: "Calls a handler that needs no operation.", run: |ctx| Box::pin(pinger(ctx)) },
        Journey { name: "chooser", about: "Chooses one of three.", run: |ctx| Box::pin(chooser(ctx)) },
    ],
    children: &[],
    handlers: &[Handler { route: "GET /ping", run: |_, _| Box::pin(async { Response::new(204, 100) }) }],
    jobs: &[],
    seats: SeatMap { key: |_| ByteString::from(KEY), ..SeatMap::NONE },
    metrics: &[],
    attempts: None,
    conflicts: &[],
    checks: &[],
    request_names: &[],
    draws: &[],
    properties: &[],
};

async fn naive(mut ctx: Ctx) -> Flow {
    let token = ctx.token();
    if ctx.redis(["GET", KEY]).await == Ok(Reply::Nil) {
        let set = [b"SET".as_slice(), KEY.as_bytes(), &token];
        if ctx.redis(set).await == Ok(Reply::OK) {
            ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
        }
    }
    Flow::Done
}

async fn atomic(mut ctx: Ctx) -> Flow {
    let token = ctx.token();
    let ttl = TTL_MS.to_string();
    let set = [b"SET".as_slice(), KEY.as_bytes(), &token, b"NX", b"PX", ttl.as_bytes()];
    if ctx.redis(set).await == Ok(Reply::OK) {
        ctx.sleep_us(0).await;
        let _ = ctx.redis(["DEL", KEY]).await;
    }
    Flow::Again
}

async fn gate(mut ctx: Ctx) -> Flow {
    let inserted = ctx.sql("INSERT INTO sales (seat) VALUES ($1)", [Value::Int(1)]).await;
    if inserted.is_ok() {
        ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
    }
    Flow::Done
}

async fn pinger(mut ctx: Ctx) -> Flow {
    if ctx.call(Request::new("GET /ping", "ping", 100)).await == Err(Lost) {
        ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
    }
    Flow::Done
}

async fn chooser(mut ctx: Ctx) -> Flow {
    if ctx.choose(3).await == 2 {
        let before = ctx.now().await;
        ctx.sleep_us(5_000).await;
        assert!(ctx.now().await > before, "a sleep takes time");
        ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
    }
    Flow::Done
}

fn setting(journeys: &[&str], rounds: u32, budgets: Budgets) -> Rc<Setting> {
    let index = |name: &&str| OWN.journeys.iter().position(|journey| journey.name == *name).expect("a journey");
    Rc::new(Setting {
        model: &OWN,
        params: Params::new([]),
        service: Service { instances: 1, workers: 1, connections: 1 },
        journeys: journeys.iter().map(|name| u16::try_from(index(name)).expect("few")).collect(),
        rounds: Some(rounds),
        jobs: Vec::new(),
        given: Vec::new(),
        replicas: 0,
        clocks: Clocks::default(),
        pace: Pace::default(),
        budgets,
        properties: GENERAL.to_vec(),
        draws: BTreeMap::new(),
    })
}

fn explored(journeys: &[&str], rounds: u32, budgets: Budgets) -> Exploration {
    explore(&setting(journeys, rounds, budgets), 100_000, &AtomicBool::new(false)).expect("the model is right")
}

fn shortest(exploration: &Exploration, property: &str) -> Option<usize> {
    exploration.verdicts.iter().find_map(|(name, verdict)| match verdict {
        Verdict::Violated(found) if *name == property => Some(found.operations()),
        _ => None,
    })
}

#[test]
fn get_then_set_lets_two_in_with_four_operations() {
    let found = explored(&["naive", "naive"], 1, Budgets::default());
    assert_eq!(shortest(&found, "one-holder-per-seat"), Some(4));
    // Each client's SET also replaces the other's token.
    assert_eq!(shortest(&found, "release-own-only"), Some(4));
}

#[test]
fn a_unique_index_is_a_gate_that_holds() {
    let found = explored(&["gate", "gate", "gate"], 1, Budgets::default());
    assert!(found.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds), "{found:?}");
}

#[test]
fn a_blind_del_needs_an_expiry_to_hit_a_stranger() {
    let still = explored(&["atomic", "atomic"], 1, Budgets::default());
    assert_eq!(shortest(&still, "release-own-only"), None);
    // The key is dead only after its deadline: two steps of time, to it and a millisecond past it.
    let one = explored(&["atomic", "atomic"], 1, Budgets { time_steps: 1, ..Budgets::default() });
    assert_eq!(shortest(&one, "release-own-only"), None);
    let two = explored(&["atomic", "atomic"], 1, Budgets { time_steps: 2, ..Budgets::default() });
    assert_eq!(shortest(&two, "release-own-only"), Some(3));
}

#[test]
fn a_lost_reply_makes_a_client_leave_its_lock_behind() {
    let budgets = Budgets { lose_reply: 1, ..Budgets::default() };
    let found = explored(&["atomic"], 2, budgets);
    assert_eq!(shortest(&found, "release-own-only"), None);
    assert!(found.states > explored(&["atomic"], 2, Budgets::default()).states);
}

#[test]
fn the_answer_of_a_handler_that_needs_no_operation_can_be_lost() {
    let found = explored(&["pinger", "pinger"], 1, Budgets { lose_reply: 2, ..Budgets::default() });
    assert_eq!(shortest(&found, "one-holder-per-seat"), Some(2), "both clients saw a time-out");
    let crash = explored(&["pinger", "pinger"], 1, Budgets { crash: 1, lose_request: 1, ..Budgets::default() });
    assert_eq!(shortest(&crash, "one-holder-per-seat"), None);
}

#[test]
fn every_alternative_of_a_choice_is_a_step_and_sleeping_takes_time() {
    let system = System::new(setting(&["chooser"], 1, Budgets::default()), Halves::Fused, true).expect("right");
    let choices = system.enabled().iter().filter(|step| matches!(step, Step::Choose(..))).count();
    assert_eq!(choices, 3);
    let found = explored(&["chooser", "chooser"], 1, Budgets { time_steps: 4, ..Budgets::default() });
    assert!(shortest(&found, "one-holder-per-seat").is_some());
    let stopped = explored(&["chooser", "chooser"], 1, Budgets::default());
    assert_eq!(shortest(&stopped, "one-holder-per-seat"), None, "nobody wakes while time stands still");
}
