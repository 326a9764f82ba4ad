//! What has happened before a check begins, and background jobs that begin by themselves.

use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::explore as explorer;
use seatproof::engines::reference::{ExploreError, explore};
use seatproof::engines::replay::replay;
use seatproof::engines::verdict::{Exploration, Verdict};
use seatproof::process::{Ctx, Flow, Mark, Request, Response};
use seatproof::system::given::Given;
use seatproof::system::model::{Handler, Job, Journey, Model, SeatMap};
use seatproof::system::property::GENERAL;
use seatproof::system::schedule::{self, of_steps};
use seatproof::system::state::Budgets;
use seatproof::system::{ModelError, Service, Setting, Step};
use seatproof::world::argv::ByteString;
use seatproof::world::reply::Reply;

/// Clients book the seat if its key is free; a job deletes the key every minute, whoever it belongs to.
static SWEPT: Model = Model {
    name: "swept",
    about: "A job that frees what is in use.",
    schema: "CREATE TABLE unused (id bigint PRIMARY KEY);",
    journeys: &[Journey { name: "take", about: "Asks for the seat.", run: |ctx| Box::pin(take(ctx)) }],
    handlers: &[Handler { route: "POST /take", run: |ctx, request| Box::pin(taken(ctx, request)) }],
    jobs: &[Job { name: "sweep", about: "Frees it.", period_us: 60_000_000, run: |ctx| Box::pin(sweep(ctx)) }],
    seats: SeatMap { key: |_| ByteString::from("seat"), ..SeatMap::NONE },
    ..Model::BARE
};

async fn take(mut ctx: Ctx) -> Flow {
    if ctx.call(Request::new("POST /take", "take", 100)).await.is_ok_and(|answer| answer.status == 201) {
        ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
    }
    Flow::Done
}

async fn taken(mut ctx: Ctx, _: Request) -> Response {
    let token = ctx.token();
    ctx.label("T1");
    let is_free = ctx.redis([b"SET".as_slice(), b"seat", &token, b"NX"]).await == Ok(Reply::OK);
    Response::new(if is_free { 201 } else { 409 }, 100)
}

async fn sweep(mut ctx: Ctx) -> Flow {
    ctx.label("J1");
    let _ = ctx.redis(["GET", "seat"]).await;
    ctx.label("J2");
    let _ = ctx.redis(["DEL", "seat"]).await;
    Flow::Again
}

fn setting(clients: usize, time_steps: u32, runs: u32, given: &[&str]) -> Rc<Setting> {
    Rc::new(Setting {
        service: Service { instances: 1, workers: 1, connections: 1 },
        jobs: vec![runs],
        given: given.iter().map(|text| Given::parse(text).expect("an entry")).collect(),
        budgets: Budgets { time_steps, ..Budgets::default() },
        properties: GENERAL.to_vec(),
        ..Setting::of(&SWEPT, &vec!["take"; clients])
    })
}

fn explored(setting: &Rc<Setting>) -> Exploration {
    let oracle = explore(setting, 100_000, &AtomicBool::new(false)).expect("the model is right");
    let options = explorer::Options {
        max_states: 100_000,
        max_bytes: None,
        threads: std::num::NonZeroUsize::MIN,
        reductions: explorer::Reductions::NONE,
        exact: true,
        final_states: true,
    };
    let found = explorer::explore(setting, options, &AtomicBool::new(false)).expect("the model is right");
    assert_eq!(found.exploration, oracle, "the explorer agrees with the reference one");
    oracle
}

/// Steps of the shortest way to two holders.
fn shortest(setting: &Rc<Setting>) -> Option<Vec<Step>> {
    let found = explored(setting).verdicts.into_iter().find(|(name, _)| *name == "one-holder-per-seat");
    match found.expect("it is judged").1 {
        Verdict::Violated(found) => Some(found.steps),
        _ => None,
    }
}

#[test]
fn a_job_begins_when_its_period_has_passed_and_not_more_often_than_it_may() {
    assert_eq!(shortest(&setting(2, 0, 1, &[])), None, "time stands still");
    assert_eq!(shortest(&setting(2, 1, 0, &[])), None, "it may not run");
    let steps = shortest(&setting(2, 1, 1, &[])).expect("the job frees the seat between the two");
    assert!(steps.contains(&Step::Time(60_000_000)), "{steps:?}");
    assert_eq!(steps.iter().filter(|step| matches!(step, Step::Begin(_))).count(), 1);
    // Of three clients the third needs a second run, a minute after the first began.
    let three = |runs, time_steps| explored(&setting(3, time_steps, runs, &[])).final_states.len();
    assert!(three(2, 1) == three(1, 1) && three(2, 2) > three(1, 2));
}

#[test]
fn what_is_given_is_neither_explored_nor_counted() {
    let whole = shortest(&setting(2, 1, 1, &[])).expect("broken").len();
    let given = ["vu1", "wait 60s", "job sweep until J2"];
    let rest = shortest(&setting(2, 0, 0, &given)).expect("the rest of it is broken");
    assert!(rest.len() + 5 <= whole, "{rest:?} of {whole}");
    // The run that is given does not use up the one that is allowed; the faults that are given are free.
    let steps = shortest(&setting(2, 1, 1, &["vu1", "wait 60s", "job sweep", "wait 1s", "redis_restart 0", "vu2"]));
    assert_eq!(steps, Some(Vec::new()), "both hold the seat when the check begins");
}

#[test]
fn what_cannot_have_happened_is_an_error_that_names_its_entry() {
    let cases = [
        (&["vu1", "vu1 until T9"][..], 1, "does not come to `T9`: it has ended"),
        (&["vu1: GET seat"], 0, "no such step"),
        (&["job tidy"], 0, "no job"),
        (&["vu1 until T1", "vu1 until T1", "crash vu9"], 2, "no such step"),
    ];
    for (given, index, reason) in cases {
        match explore(&setting(2, 0, 0, given), 1_000, &AtomicBool::new(false)) {
            Err(ExploreError::Model(ModelError::Given(error))) => {
                assert_eq!(error.index, index, "{error}");
                assert!(error.reason.contains(reason), "{error}");
            }
            other => panic!("{given:?}: {other:?}"),
        }
    }
}

#[test]
fn schedules_with_jobs_and_a_past_replay_through_their_text() {
    let setting = setting(2, 2, 2, &["vu1 until T1", "wait 59s"]);
    let steps = shortest(&setting).expect("broken");
    let violation = Some(("one-holder-per-seat".to_owned(), String::new()));
    let written = of_steps(&setting, &steps, "reference", "test", violation).expect("the model is right");
    let text = written.to_string();
    assert!(text.contains("given = [\"vu1 until T1\", \"wait 59s\"]") && text.contains("job1: begins sweep"), "{text}");
    let read = schedule::parse(Path::new("test.replay"), &text).expect("what is written can be read");
    assert_eq!(read, written);
    let resolved = Rc::new(read.setting.resolve(&SWEPT).expect("the model has all of it"));
    let replayed = replay(&resolved, &read).expect("the model is right");
    assert_eq!((replayed.divergence, replayed.fingerprint.to_string()), (None, read.fingerprint));
    let damaged = text.replace("wait 59s", "wait for it");
    assert!(schedule::parse(Path::new("test.replay"), &damaged).is_err());
}

/// A crash of the instance ends the job; its period begins anew.
#[test]
fn a_job_of_an_instance_that_crashes_is_due_a_period_later() {
    let given = ["vu1", "wait 60s", "job sweep until J2", "crash instance 0"];
    assert_eq!(shortest(&setting(2, 0, 1, &given)), None);
    let later = shortest(&setting(2, 1, 1, &given)).expect("it runs again");
    assert!(later.contains(&Step::Time(120_000_000)), "{later:?}");
}
