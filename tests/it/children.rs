//! Processes that a process starts beside itself: started, waited for, cancelled, and ended with their parent.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::reference::explore;
use seatproof::engines::simulate::LoadTest;
use seatproof::engines::verdict::{Exploration, Verdict};
use seatproof::engines::{loom, shuttle};
use seatproof::models;
use seatproof::process::{Ctx, Flow, Request, Response};
use seatproof::system::model::{Handler, Journey, Model};
use seatproof::system::property::{Property, Reads, Rule, Subject};
use seatproof::system::state::{Budgets, State};
use seatproof::system::{Halves, Setting, System};
use seatproof::world::identity::ProcessId;
use seatproof::world::value::Value;

use crate::support::built_in::scenario;

static FAMILY: Model = Model {
    name: "family",
    about: "Parents that start children.",
    schema: "CREATE TABLE rows (id bigint PRIMARY KEY, n bigint NOT NULL);",
    rows: |_| vec![("INSERT INTO rows (id, n) VALUES (1, 0)", Vec::new())],
    journeys: &[
        Journey { name: "all", about: "Waits for both of two.", run: |ctx| Box::pin(join_all(ctx)) },
        Journey { name: "first", about: "Waits for the first of two.", run: |ctx| Box::pin(join_first(ctx)) },
        Journey { name: "leave", about: "Ends without its child.", run: |ctx| Box::pin(leave(ctx)) },
        Journey { name: "cancel", about: "Cancels a transaction.", run: |ctx| Box::pin(cancel(ctx)) },
        Journey { name: "write", about: "Writes the row.", run: |ctx| Box::pin(write(ctx)) },
        Journey { name: "call", about: "A call whose handler has a child.", run: |ctx| Box::pin(call(ctx)) },
        Journey { name: "stray", about: "A child that calls.", run: |ctx| Box::pin(stray(ctx)) },
    ],
    handlers: &[Handler { route: "POST /", run: |ctx, _| Box::pin(handle(ctx)) }],
    children: &[
        Handler { route: "count", run: |ctx, job| Box::pin(count(ctx, job)) },
        Handler { route: "lock", run: |ctx, _| Box::pin(lock(ctx)) },
        Handler { route: "nested", run: |ctx, _| Box::pin(nested(ctx)) },
        Handler { route: "caller", run: |ctx, _| Box::pin(caller(ctx)) },
    ],
    properties: &[
        Property { rule: Rule::Never(|state| says(state, "both")), ..told("never-both") },
        Property { rule: Rule::Never(|state| says(state, "one")), ..told("never-one") },
        Property { rule: Rule::Never(|state| says(state, "n")), ..told("never-counted") },
    ],
    ..Model::BARE
};

const fn told(name: &'static str) -> Property {
    let rule = Rule::Never(|_| None);
    Property {
        name,
        about: "A key is never there.",
        reads: Reads::Locks,
        subject: Subject::Always,
        rule,
        is_default: true,
    }
}

fn says(state: &State, key: &str) -> Option<String> {
    state.world.redis[0].live_value(key.as_bytes(), 0).map(|value| format!("{key} is {value}"))
}

fn job(route: &'static str) -> Request {
    Request::new(route, route, 0)
}

async fn join_all(mut ctx: Ctx) -> Flow {
    let first = ctx.spawn(job("count").with("by", 1)).await;
    let second = ctx.spawn(job("count").with("by", 2)).await;
    let results = ctx.join(2, &[first, second]).await;
    assert_eq!(results.iter().map(|(child, _)| *child).collect::<Vec<_>>(), [first, second]);
    assert_eq!(results.iter().map(|(_, response)| response.status).sum::<u16>(), 403);
    assert!(ctx.join(2, &[first, second]).await.is_empty(), "a result is told once");
    let _ = ctx.redis(["SET", "both", "1"]).await;
    Flow::Done
}

async fn join_first(mut ctx: Ctx) -> Flow {
    let first = ctx.spawn(job("count").with("by", 1)).await;
    let second = ctx.spawn(job("count").with("by", 2)).await;
    if ctx.join(1, &[first, second]).await.len() == 1 {
        let _ = ctx.redis(["SET", "one", "1"]).await;
    }
    ctx.cancel(second).await;
    ctx.cancel(second).await;
    Flow::Done
}

async fn count(mut ctx: Ctx, job: Request) -> Response {
    let Value::Int(by) = job.get("by") else { panic!("a number") };
    let _ = ctx.redis(["INCRBY", "n", &by.to_string()]).await;
    Response::new(200 + u16::try_from(*by).expect("small"), 0)
}

async fn leave(mut ctx: Ctx) -> Flow {
    let _ = ctx.spawn(job("count").with("by", 1)).await;
    Flow::Done
}

async fn cancel(mut ctx: Ctx) -> Flow {
    let child = ctx.spawn(job("lock")).await;
    ctx.cancel(child).await;
    Flow::Done
}

async fn lock(mut ctx: Ctx) -> Response {
    for statement in ["BEGIN", "UPDATE rows SET n = 1 WHERE id = 1", "COMMIT"] {
        let _ = ctx.sql(statement, []).await;
    }
    Response::new(200, 0)
}

async fn write(mut ctx: Ctx) -> Flow {
    let _ = ctx.sql("UPDATE rows SET n = 2 WHERE id = 1", []).await;
    let _ = ctx.redis(["SET", "both", "1"]).await;
    Flow::Done
}

async fn call(mut ctx: Ctx) -> Flow {
    let _ = ctx.call(Request::new("POST /", "post", 0)).await;
    Flow::Done
}

async fn handle(mut ctx: Ctx) -> Response {
    let child = ctx.spawn(job("nested")).await;
    let results = ctx.join(1, &[child]).await;
    Response::new(results.first().map_or(500, |(_, response)| response.status), 0)
}

async fn nested(mut ctx: Ctx) -> Response {
    let child = ctx.spawn(job("count").with("by", 3)).await;
    ctx.join(1, &[child]).await[0].1.clone()
}

async fn stray(mut ctx: Ctx) -> Flow {
    let child = ctx.spawn(job("caller")).await;
    let _ = ctx.join(1, &[child]).await;
    Flow::Done
}

async fn caller(mut ctx: Ctx) -> Response {
    let _ = ctx.call(Request::new("POST /", "post", 0)).await;
    Response::new(200, 0)
}

fn setting(journeys: &[&str], budgets: Budgets) -> Setting {
    Setting { budgets, ..Setting::of(&FAMILY, journeys) }
}

fn explored(journeys: &[&str], budgets: Budgets) -> Exploration {
    let setting = Rc::new(setting(journeys, budgets));
    explore(&setting, 100_000, &AtomicBool::new(false)).expect("the model is right")
}

fn is_broken(found: &Exploration, property: &str) -> bool {
    let verdict = found.verdicts.iter().find(|(name, _)| *name == property).map(|(_, verdict)| verdict);
    match verdict.expect("it is judged") {
        Verdict::Violated(_) => true,
        Verdict::Holds => false,
        other => panic!("{property}: {other:?}"),
    }
}

/// Fires the steps of these names.
fn follow(system: &mut System, names: &[&str]) {
    for name in names {
        let step = system.resolve(name).unwrap_or_else(|why| panic!("{name}: {why}"));
        system.fire(&step).expect("the model is right");
    }
}

fn started(journeys: &[&str], budgets: Budgets) -> System {
    System::new(Rc::new(setting(journeys, budgets)), Halves::Fused, true).expect("the model is right")
}

#[test]
fn a_parent_waits_for_as_many_as_it_says() {
    assert!(is_broken(&explored(&["all"], Budgets::default()), "never-both"));
    assert!(is_broken(&explored(&["first"], Budgets::default()), "never-one"));
    let mut system = started(&["all"], Budgets::default());
    follow(&mut system, &["vu1: starts count by=1", "vu1: starts count by=2", "vu1/2: INCRBY n 2"]);
    let why = system.resolve("vu1: waits for 2 of vu1/1 vu1/2").expect_err("one of them is at work");
    assert_eq!(why, "vu1 waits until 2 of its children have ended");
    // A copy is re-created from histories.
    let mut copy = system.clone();
    for system in [&mut system, &mut copy] {
        follow(system, &["vu1/1: INCRBY n 1", "vu1: waits for 2 of vu1/1 vu1/2", "vu1: waits for 2 of vu1/1 vu1/2"]);
        assert!(says(system.state(), "n").is_some_and(|n| n == "n is 3"));
    }
    assert_eq!(system.state(), copy.state());
}

/// Of what a child has in flight when its parent ends, both happens: it takes effect later, or never.
#[test]
fn a_child_ends_with_its_parent_and_what_it_sent_may_still_come() {
    let mut system = started(&["leave"], Budgets::default());
    follow(&mut system, &["vu1: starts count by=1"]);
    assert!(system.state().find(ProcessId::handler(1, 1)).is_none(), "the round is over, and so is the child");
    assert_eq!(says(system.state(), "n"), None);
    follow(&mut system, &["land 0 vu1/1: INCRBY n 1"]);
    assert!(says(system.state(), "n").is_some());
    let mut crashed = started(&["all"], Budgets { crash: 1, ..Budgets::default() });
    follow(&mut crashed, &["vu1: starts count by=1", "crash vu1"]);
    assert_eq!(crashed.enabled(), [], "a crash leaves nobody behind");
}

#[test]
fn the_transaction_of_a_cancelled_child_is_rolled_back_when_the_database_notices() {
    assert!(is_broken(&explored(&["cancel", "write"], Budgets::default()), "never-both"), "the row comes free");
    let mut system = started(&["cancel", "write"], Budgets::default());
    let update = "vu1/1: UPDATE rows SET n = 1 WHERE id = 1";
    follow(&mut system, &["vu1: starts lock", "vu1/1: BEGIN", update, "vu1: cancels vu1/1"]);
    follow(&mut system, &["vu2: UPDATE rows SET n = 2 WHERE id = 1"]);
    let why = system.resolve("vu2: goes on: UPDATE rows SET n = 2 WHERE id = 1").expect_err("the row is locked");
    assert_eq!(why, "vu2 waits for a row that vu1/1 has locked");
    follow(&mut system, &["reap vu1/1", "vu2: goes on: UPDATE rows SET n = 2 WHERE id = 1"]);
}

#[test]
fn children_have_children_and_handlers_have_both() {
    let found = explored(&["call"], Budgets { crash: 1, ..Budgets::default() });
    assert!(is_broken(&found, "never-counted") && !is_broken(&found, "no-server-error"));
    let mut system = started(&["call"], Budgets { crash: 1, ..Budgets::default() });
    follow(&mut system, &["vu1: POST /", "vu1/1: starts nested", "vu1/2: starts count by=3", "crash instance 0"]);
    assert_eq!(system.state().clients[1].handlers, [], "an instance takes the children of its handlers with it");
}

#[test]
fn a_child_that_calls_the_service_is_a_mistake_of_the_model() {
    let found = explored(&["stray"], Budgets::default());
    let (_, verdict) = found.verdicts.iter().find(|(name, _)| *name == "no-panic").expect("it is judged");
    let reason = &verdict.counterexample().expect("it is broken").reason;
    assert_eq!(reason, "vu1/1 panicked: only a client calls the service");
}

#[test]
fn schedulers_agree_with_the_explorer_about_children() {
    let never = Arc::new(AtomicBool::new(false));
    for journeys in [&["all", "first"][..], &["leave", "first"], &["cancel", "write"], &["call", "leave"]] {
        let setting = Setting { properties: Vec::new(), ..setting(journeys, Budgets::default()) };
        let oracle = explore(&Rc::new(setting.clone()), usize::MAX, &never).expect("explorable");
        let depth_first = shuttle::explore(&setting, usize::MAX, &never).expect("explorable");
        assert_eq!(depth_first.states, oracle.states, "{journeys:?}");
        assert_eq!(depth_first.final_states, oracle.final_states, "{journeys:?}");
        let options = loom::Options { preemptions: Some(2), max_permutations: 5_000 };
        let explored = loom::explore(&setting, options, &never).expect("explorable");
        assert!(!explored.final_states.is_empty(), "{journeys:?}");
        assert!(explored.final_states.is_subset(&oracle.final_states), "{journeys:?}");
    }
}

/// Under load a watchdog keeps a lock for longer than its TTL, and without it the lock is lost.
#[test]
fn children_work_in_virtual_time() {
    let load = |renewal: u32| {
        let text = format!(
            "model = \"watchdog\"\ntitle = \"test\"\n\
             params = {{ seats = 1, lock_ttl = \"1s\", work = \"2500ms\", renewal = {renewal} }}\n\
             links = {{ redis = {{ p50 = \"1ms\", p95 = \"5ms\" }}, sql = {{ p50 = \"1ms\", p95 = \"5ms\" }} }}\n\
             [load]\nexecutor = \"ramping-vus\"\njourney = \"contend\"\nstartVUs = 5\n\
             stages = [{{ duration = \"6s\", target = 5 }}]\ngracefulStop = \"1s\"\n"
        );
        let (loaded, _) = scenario(&text).expect("it is valid");
        let model = models::find("watchdog").expect("it is built in").model;
        LoadTest::new(&loaded, loaded.load.as_ref().expect("it has a load"), model).expect("thresholds fit")
    };
    let renewed = load(1).run(1).expect("the model is right");
    assert_eq!(renewed.violation, None);
    assert!(renewed.vitals.steps > 100);
    let threads = shuttle::simulate(&load(1), 1).expect("the model is right");
    assert_eq!(threads.digest, renewed.digest);
    let lost = load(0).run(1).expect("the model is right");
    assert_eq!(lost.violation.map(|violation| violation.property), Some("one-holder-per-seat"));
}
