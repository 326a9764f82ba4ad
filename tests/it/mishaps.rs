//! What goes wrong with one operation, clocks that differ, and bounds on slowness: each fault has its consequence, and
//! without the fault there is none.

use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::reference::explore;
use seatproof::engines::replay::replay;
use seatproof::engines::verdict::{Exploration, Verdict};
use seatproof::process::{Ctx, Flow, Lost, Mark, Request, Response};
use seatproof::system::mishap::Clocks;
use seatproof::system::model::{Handler, Journey, Model, SeatMap};
use seatproof::system::pace::Pace;
use seatproof::system::property::{GENERAL, Property, Reads, Rule, Subject, success_is_reported};
use seatproof::system::schedule::{self, of_steps};
use seatproof::system::state::Budgets;
use seatproof::system::{Service, Setting, Step};
use seatproof::world::argv::ByteString;
use seatproof::world::reply::Reply;
use seatproof::world::value::Value;

const TTL_MS: u64 = 1_000;

static PRONE: Model = Model {
    name: "prone",
    about: "Clients and a handler that rely on what a network does not promise.",
    schema: "CREATE TABLE orders (id bigserial PRIMARY KEY, item bigint NOT NULL);",
    journeys: &[
        Journey { name: "blind", about: "SET NX, then DEL.", run: |ctx| Box::pin(blind(ctx)) },
        Journey { name: "trusting", about: "Takes nil for taken by others.", run: |ctx| Box::pin(trusting(ctx)) },
        Journey { name: "order", about: "Orders once.", run: |ctx| Box::pin(order(ctx)) },
        Journey { name: "leased", about: "Holds for the TTL.", run: |ctx| Box::pin(leased(ctx)) },
        Journey { name: "queued", about: "MULTI, SET, EXEC.", run: |ctx| Box::pin(queued(ctx)) },
    ],
    handlers: &[Handler { route: "POST /orders", run: |ctx, _| Box::pin(ordered(ctx)) }],
    seats: SeatMap {
        key: |_| ByteString::from("k"),
        done: |state, _, _| state.world.sql.committed_rows("orders").next().is_some(),
        ..SeatMap::NONE
    },
    properties: &PROPERTIES,
    ..Model::BARE
};

const PROPERTIES: [Property; 3] = [
    success_is_reported(),
    Property {
        name: "one-order",
        about: "Nothing is ordered twice.",
        reads: Reads::Data,
        subject: Subject::Row(&["orders"]),
        rule: Rule::NoRow("SELECT item FROM orders GROUP BY item HAVING COUNT(*) > 1"),
        is_default: true,
    },
    Property {
        name: "never-queued",
        about: "What a client gave up does not happen.",
        reads: Reads::Locks,
        subject: Subject::Always,
        rule: Rule::Never(|state| state.world.redis[0].live_value(b"queued", 0).map(|value| format!("it is {value}"))),
        is_default: true,
    },
];

async fn take(ctx: &mut Ctx) -> Result<Reply, Lost> {
    let token = ctx.token();
    let ttl = TTL_MS.to_string();
    ctx.redis([b"SET".as_slice(), b"k", &token, b"NX", b"PX", ttl.as_bytes()]).await
}

/// A DEL that gets no answer is sent again if the key is still there: right, unless the first comes late.
async fn blind(mut ctx: Ctx) -> Flow {
    if take(&mut ctx).await == Ok(Reply::OK)
        && ctx.redis(["DEL", "k"]).await.is_err()
        && matches!(ctx.redis(["EXISTS", "k"]).await, Ok(Reply::Int(1)))
    {
        let _ = ctx.redis(["DEL", "k"]).await;
    }
    Flow::Done
}

async fn trusting(mut ctx: Ctx) -> Flow {
    let token = ctx.token();
    if ctx.redis([b"SET".as_slice(), b"k", &token, b"NX"]).await == Ok(Reply::Nil) {
        let owner = ctx.redis(["GET", "k"]).await;
        assert_ne!(owner, Ok(Reply::Bulk(ByteString::new(&token))), "told no, and has it");
    }
    Flow::Done
}

async fn order(mut ctx: Ctx) -> Flow {
    let _ = ctx.call(Request::new("POST /orders", "order", 100)).await;
    Flow::Done
}

async fn ordered(mut ctx: Ctx) -> Response {
    for statement in ["BEGIN", "INSERT INTO orders (item) VALUES (7)"] {
        if ctx.sql(statement, []).await.is_err() {
            let _ = ctx.sql("ROLLBACK", []).await;
            return Response::new(500, 100);
        }
    }
    Response::new(if ctx.sql("COMMIT", []).await.is_ok() { 201 } else { 500 }, 100)
}

async fn leased(mut ctx: Ctx) -> Flow {
    let asked_at = ctx.now().await;
    if take(&mut ctx).await == Ok(Reply::OK) {
        let until_us = Value::from(asked_at.plus_us(TTL_MS * 1_000));
        let Value::Timestamp(until_us) = until_us else { unreachable!("an instant is a timestamp") };
        let until_us = u64::try_from(until_us).expect("after the start");
        ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us });
        // Works on without a look at the clock.
        let _ = ctx.sql("INSERT INTO orders (item) VALUES (7)", []).await;
    }
    Flow::Done
}

async fn queued(mut ctx: Ctx) -> Flow {
    for words in [&["MULTI"][..], &["SET", "queued", "1"], &["EXEC"]] {
        if ctx.redis(words).await.is_err() {
            let _ = ctx.redis(["GET", "queued"]).await;
            return Flow::Done;
        }
    }
    let _ = ctx.redis(["DEL", "queued"]).await;
    Flow::Done
}

fn setting(journeys: &[&str], budgets: Budgets) -> Setting {
    Setting {
        service: Service { instances: 1, workers: 2, connections: 2 },
        budgets,
        properties: GENERAL.iter().chain(&PROPERTIES).copied().collect(),
        ..Setting::of(&PRONE, journeys)
    }
}

/// Explores, and follows every counterexample through its text.
fn explored(setting: Setting) -> Exploration {
    let setting = Rc::new(setting);
    let found = explore(&setting, 200_000, &AtomicBool::new(false)).expect("the model is right");
    for (property, verdict) in &found.verdicts {
        let Some(way) = verdict.counterexample() else { continue };
        let violation = Some(((*property).to_owned(), way.reason.clone()));
        let written = of_steps(&setting, &way.steps, "reference", "test", violation).expect("the model is right");
        let read = schedule::parse(Path::new("found.replay"), &written.to_string()).expect("it can be read");
        assert_eq!(read, written);
        let resolved = Rc::new(read.setting.resolve(&PRONE).expect("the model has all of it"));
        let replayed = replay(&resolved, &read).expect("the model is right");
        assert_eq!(replayed.divergence, None);
        assert!(replayed.violations.iter().any(|(at, it)| it.property == *property && *at == way.steps.len()));
    }
    found
}

/// The names of the properties that break.
fn broken(journeys: &[&str], budgets: Budgets) -> Vec<&'static str> {
    names(&explored(setting(journeys, budgets)))
}

fn names(found: &Exploration) -> Vec<&'static str> {
    let broken = found.verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Violated(_)));
    broken.map(|(name, _)| *name).collect()
}

const NONE: [&str; 0] = [];

#[test]
fn a_command_that_lands_late_deletes_what_is_another_s() {
    assert_eq!(broken(&["blind"], Budgets { late: 1, ..Budgets::default() }), NONE);
    assert_eq!(broken(&["blind", "blind"], Budgets::default()), NONE);
    assert_eq!(broken(&["blind", "blind"], Budgets { late: 1, ..Budgets::default() }), ["release-own-only"]);
}

#[test]
fn a_transaction_that_lands_late_takes_its_queue_along() {
    // In order, and with a reply that is lost, the key is there as well: only what was given up is of interest here.
    let given_up = |budgets| {
        let found = explored(setting(&["queued"], budgets));
        let (_, verdict) =
            found.verdicts.iter().find(|(name, _)| *name == "never-queued").expect("it is judged").clone();
        verdict.counterexample().is_some_and(|way| way.steps.iter().any(|step| matches!(step, Step::Land(_))))
    };
    assert!(!given_up(Budgets::default()));
    let late = explored(Setting {
        given: ["vu1: MULTI", "vu1: SET queued 1", "late vu1: EXEC", "vu1"]
            .map(|text| seatproof::system::given::Given::parse(text).expect("an entry"))
            .to_vec(),
        ..setting(&["queued"], Budgets::default())
    });
    assert_eq!(names(&late), ["never-queued"], "EXEC comes with what was queued");
}

#[test]
fn a_driver_that_repeats_set_nx_tells_its_client_no_and_a_panic_is_a_violation() {
    assert_eq!(broken(&["trusting"], Budgets::default()), NONE);
    let found = explored(setting(&["trusting"], Budgets { driver_repeat: 1, ..Budgets::default() }));
    assert_eq!(names(&found), ["no-panic"]);
    let (_, verdict) = found.verdicts.iter().find(|(name, _)| *name == "no-panic").expect("it is judged");
    let reason = &verdict.counterexample().expect("violated").reason;
    assert!(reason.contains("vu1 panicked") && reason.contains("told no, and has it"), "{reason}");
}

#[test]
fn a_client_that_repeats_its_call_orders_twice() {
    assert_eq!(broken(&["order"], Budgets::default()), NONE);
    assert_eq!(broken(&["order"], Budgets { client_retry: 1, ..Budgets::default() }), ["one-order"]);
}

#[test]
fn a_cancelled_statement_is_rolled_back_and_a_broken_commit_is_done_or_not() {
    let aborted = explored(setting(&["order"], Budgets { sql_abort: 1, ..Budgets::default() }));
    assert_eq!(names(&aborted), ["no-server-error"]);
    let unknown = explored(setting(&["order"], Budgets { commit_unknown: 1, ..Budgets::default() }));
    assert_eq!(names(&unknown), ["no-server-error", "success-is-reported"]);
    // Answered 201; answered 500 and done; answered 500 and not done.
    assert_eq!(unknown.final_states.len(), 3);
    let late = explored(setting(&["order"], Budgets { late: 1, ..Budgets::default() }));
    // A call or a COMMIT that lands after its sender has given up is still done.
    assert!(names(&late).contains(&"no-server-error"), "{late:?}");
}

#[test]
fn a_clock_that_jumps_ends_a_lease_that_its_owner_counts_on() {
    assert_eq!(broken(&["leased", "leased"], Budgets::default()), NONE);
    let jump = Budgets { clock_jump: 1, ..Budgets::default() };
    assert_eq!(broken(&["leased", "leased"], jump), ["one-holder-per-seat", "one-order"]);
}

/// The lease ends in Redis when a client whose clock is ahead has stopped counting on it long ago.
#[test]
fn a_client_whose_clock_is_ahead_gives_up_earlier() {
    let jump = Budgets { clock_jump: 1, ..Budgets::default() };
    let clocks = Clocks { clients: vec![2_000_000, 2_000_000], instances: Vec::new() };
    let same = explored(Setting { clocks: clocks.clone(), ..setting(&["leased", "leased"], jump) });
    // Both read a clock that is ahead when they count, so each counts as long as before.
    assert_eq!(names(&same), ["one-holder-per-seat", "one-order"]);
}

#[test]
fn bounds_on_slowness_keep_a_lease_from_running_out_unnoticed() {
    let slow = Budgets { time_steps: 3, ..Budgets::default() };
    assert_eq!(broken(&["leased", "leased"], slow), ["one-order"]);
    let pace = Pace { max_delay_us: Some(100_000), max_pause_us: Some(100_000) };
    assert_eq!(names(&explored(Setting { pace, ..setting(&["leased", "leased"], slow) })), NONE);
    let pace = Pace { max_delay_us: Some(800_000), max_pause_us: Some(800_000) };
    assert_eq!(names(&explored(Setting { pace, ..setting(&["leased", "leased"], slow) })), ["one-order"]);
}

#[test]
fn a_property_without_anything_to_judge_is_vacuous() {
    let found = explored(setting(&["order"], Budgets::default()));
    assert!(found.vacuous.contains(&"one-holder-per-seat") && found.vacuous.contains(&"release-own-only"), "{found:?}");
    assert!(!found.vacuous.contains(&"one-order") && !found.vacuous.contains(&"no-server-error"), "{found:?}");
}
