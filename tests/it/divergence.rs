//! A step that is not possible says why, and names what stands in the way; one that is possible is found by its name.

use std::rc::Rc;

use seatproof::engines::prng::{Purpose, Stream};
use seatproof::models::CATALOG;
use seatproof::process::{Ctx, Flow, Request, Response};
use seatproof::system::model::{Handler, Journey, Model};
use seatproof::system::pace::Pace;
use seatproof::system::state::Budgets;
use seatproof::system::{Halves, Service, Setting, System, setting};
use seatproof::world::value::Value;

use super::support::built_in::scenario;

static OWN: Model = Model {
    name: "own",
    schema: "CREATE TABLE seats (id bigint PRIMARY KEY, n bigint NOT NULL);",
    rows: |_| vec![("INSERT INTO seats (id, n) VALUES ($1, $2)", vec![Value::Int(1), Value::Int(0)])],
    journeys: &[
        Journey { name: "writer", about: "Updates a row.", run: |ctx| Box::pin(writer(ctx)) },
        Journey { name: "caller", about: "Has a row updated.", run: |ctx| Box::pin(caller(ctx)) },
        Journey { name: "sleeper", about: "Sets a key and sleeps.", run: |ctx| Box::pin(sleeper(ctx)) },
    ],
    handlers: &[Handler {
        route: "POST /write",
        run: |ctx, _| {
            Box::pin(async {
                write(ctx).await;
                Response::new(200, 100)
            })
        },
    }],
    ..Model::BARE
};

async fn write(mut ctx: Ctx) {
    let _ = ctx.sql("BEGIN", []).await;
    let _ = ctx.sql("UPDATE seats SET n = 1 WHERE id = 1", []).await;
    let _ = ctx.sql("COMMIT", []).await;
}

async fn writer(ctx: Ctx) -> Flow {
    write(ctx).await;
    Flow::Done
}

async fn caller(mut ctx: Ctx) -> Flow {
    let _ = ctx.call(Request::new("POST /write", "write", 100)).await;
    Flow::Done
}

async fn sleeper(mut ctx: Ctx) -> Flow {
    let _ = ctx.redis(["SET", "k", "1", "PX", "1000"]).await;
    ctx.sleep_us(5_000_000).await;
    Flow::Done
}

const ONE_OF_EACH: Service = Service { instances: 1, workers: 1, connections: 1 };
const UPDATE: &str = "UPDATE seats SET n = 1 WHERE id = 1";

/// The execution after these steps.
fn after(journeys: &[u16], service: Service, budgets: Budgets, names: &[&str]) -> System {
    let setting = Setting { service, journeys: journeys.to_vec(), budgets, ..Setting::of(&OWN, &[]) };
    let mut system = System::new(Rc::new(setting), Halves::Fused, true).expect("the model is right");
    for name in names {
        let step = system.resolve(name).unwrap_or_else(|reason| panic!("{name}: {reason}"));
        system.fire(&step).expect("the model is right");
    }
    system
}

fn reason(system: &System, name: &str) -> String {
    system.resolve(name).expect_err("the step is not possible")
}

#[test]
fn a_statement_waits_for_the_holder_of_its_row() {
    let (first, second) = (format!("vu1: {UPDATE}"), format!("vu2: {UPDATE}"));
    let names = ["vu1: BEGIN", "vu2: BEGIN", &first, &second];
    let system = after(&[0, 0], ONE_OF_EACH, Budgets::default(), &names);
    assert_eq!(reason(&system, "vu2: COMMIT"), "vu2 waits for a row that vu1 has locked");
    let deadlock = format!("deadlock vu2: {UPDATE}");
    assert_eq!(
        reason(&system, &deadlock),
        "vu2 waits for a row that vu1 has locked, and that one does not wait for it"
    );
    assert_eq!(reason(&system, "deadlock vu1: COMMIT"), "vu1 waits for no row");
    assert_eq!(reason(&system, "vu1: ROLLBACK"), "vu1 can do this instead: vu1: COMMIT");
}

#[test]
fn a_request_waits_for_a_worker_thread_or_a_connection() {
    let names = ["vu1: POST /write", "vu2: POST /write", "vu3: POST /write"];
    let system = after(&[1, 1, 1], ONE_OF_EACH, Budgets::default(), &names);
    let wanted = "vu3/1 waits: all 1 worker threads of instance 0 are in use, and 1 others are before it";
    assert_eq!(reason(&system, "vu3/1: BEGIN"), wanted);
    assert_eq!(
        reason(&system, "vu3: POST /write"),
        format!("vu3 waits for {wanted}").replace("vu3/1 waits", "vu3/1, which waits")
    );
    assert_eq!(reason(&system, "vu1: POST /write"), "vu1 waits for an answer; next is vu1/1: BEGIN");
    let system = after(&[1, 1], Service { workers: 2, ..ONE_OF_EACH }, Budgets::default(), &names[..2]);
    let wanted = "vu2/1 waits: all 1 database connections of instance 0 are in use, and 0 others are before it";
    assert_eq!(reason(&system, "vu2/1: BEGIN"), wanted);
}

#[test]
fn sleeps_and_the_passing_of_time_say_when() {
    let set = "vu1: SET k 1 PX 1000";
    let system = after(&[2], ONE_OF_EACH, Budgets::default(), &[set]);
    assert_eq!(reason(&system, "vu1: wakes"), "vu1 is asleep until 5000000us, and it is 0us");
    assert_eq!(reason(&system, "time 1000000"), "the setting has no budget `time_steps`");
    let budgets = Budgets { time_steps: 1, ..Budgets::default() };
    let system = after(&[2], ONE_OF_EACH, budgets, &[set]);
    assert_eq!(reason(&system, "time 7"), "time moves to 1000000 next: something can change there");
    let system = after(&[2], ONE_OF_EACH, budgets, &[set, "time 1000000"]);
    assert_eq!(reason(&system, "time 1001000"), "the budget time_steps = 1 is used up");
    let system = after(&[0], ONE_OF_EACH, budgets, &[]);
    assert_eq!(reason(&system, "time 7"), "nothing is left that waits for a time");
    let pace = Pace { max_delay_us: Some(300_000), max_pause_us: Some(200_000) };
    let setting = Setting { journeys: vec![2, 0], budgets, pace, ..Setting::of(&OWN, &[]) };
    let mut system = System::new(Rc::new(setting), Halves::Fused, true).expect("the model is right");
    let step = system.resolve(set).expect("it is possible");
    system.fire(&step).expect("the model is right");
    assert_eq!(
        reason(&system, "time 1000000"),
        "time may not pass to 1000000: by the bounds on slowness vu2 goes on by 500000us"
    );
}

#[test]
fn faults_say_whether_their_budget_or_their_target_is_missing() {
    let set = "vu1: SET k 1 PX 1000";
    let system = after(&[2], ONE_OF_EACH, Budgets::default(), &[]);
    for (name, fault) in [
        ("lose_reply vu1: SET k 1 PX 1000", "lose_reply"),
        ("crash vu1", "crash"),
        ("crash instance 0", "crash"),
        ("evict 0 k", "evict"),
    ] {
        assert_eq!(reason(&system, name), format!("the setting has no budget `{fault}`"));
    }
    let budgets = Budgets { lose_reply: 1, crash: 1, evict: 1, redis_restart: 1, ..Budgets::default() };
    let system = after(&[2, 2], ONE_OF_EACH, budgets, &["lose_reply vu1: SET k 1 PX 1000"]);
    assert_eq!(reason(&system, "lose_reply vu2: SET k 1 PX 1000"), "the budget lose_reply = 1 is used up");
    assert_eq!(reason(&system, "crash instance 9"), "instances have the numbers 0 to 0");
    assert_eq!(reason(&system, "redis_restart 5"), "Redis nodes have the numbers 0 to 0");
    let missing = "the node has no live key `seat`, or is none; Redis nodes have the numbers 0 to 0";
    assert_eq!(reason(&system, "evict 0 seat"), missing);
    assert_eq!(reason(&system, "reap vu2"), "vu2 has not crashed");
    let landed = "no operation of number `3` is under way that nobody waits for";
    assert_eq!(reason(&system, "land 3 vu1: SET k 1 PX 1000"), landed);
    assert_eq!(reason(&system, "clock_jump 0"), "the setting has no budget `clock_jump`");
    assert!(after(&[2], ONE_OF_EACH, budgets, &[set, "evict 0 k"]).state().budgets.evict == 0);
}

#[test]
fn processes_that_are_not_there_say_why() {
    let names = ["vu1: POST /write", "vu1/1: BEGIN", &format!("vu1/1: {UPDATE}"), "vu1/1: COMMIT"];
    let system = after(&[1, 1], ONE_OF_EACH, Budgets::default(), &names);
    assert_eq!(reason(&system, "vu9: GET k"), "there is no vu9: the setting has 2 clients");
    assert_eq!(reason(&system, "vu2/4: BEGIN"), "there is no vu2/4 yet: vu2 has made 0 calls");
    assert_eq!(reason(&system, "vu1/1: COMMIT"), "vu1/1 has ended");
    assert_eq!(reason(&system, "vu1: POST /write"), "vu1 has ended");
    for name in ["hello", "", " ", "times", "vu", "redis", "vu1/", "setup/0"] {
        assert_eq!(reason(&system, name), "no step has such a name", "{name:?}");
    }
}

/// A crashed instance's handlers are gone, and the database has yet to notice.
#[test]
fn the_connection_of_a_handler_that_is_gone_can_be_reaped() {
    let budgets = Budgets { crash: 1, ..Budgets::default() };
    let names = ["vu1: POST /write", "vu1/1: BEGIN", &format!("vu1/1: {UPDATE}"), "crash instance 0", "reap vu1/1"];
    let system = after(&[1], ONE_OF_EACH, budgets, &names);
    assert_eq!(reason(&system, "reap vu1/1"), "no connection of vu1/1 is left to clean up");
}

#[test]
fn every_possible_step_is_found_by_its_name_and_no_other_is() {
    let mut stream = Stream::new(3, 0, Purpose::Scheduler);
    for entry in CATALOG {
        let loaded = scenario(entry.scenario).expect("the built-in scenario is right").0;
        let mut setting = setting::of_check(&loaded, loaded.checks.last().expect("a check"), entry.model);
        setting.budgets = Budgets {
            lose_request: 2,
            lose_reply: 2,
            crash: 2,
            redis_restart: 1,
            evict: 2,
            time_steps: 6,
            ..Budgets::default()
        };
        let mut system = System::new(Rc::new(setting), Halves::Fused, true).expect("the model is right");
        let mut met = std::collections::BTreeSet::new();
        for _ in 0..80 {
            let enabled = system.enabled();
            for step in &enabled {
                let name = system.name(step);
                assert_eq!(system.resolve(&name).as_ref(), Ok(step), "{name}");
                met.insert(name);
            }
            for name in &met {
                match system.resolve(name) {
                    Ok(step) => assert!(enabled.contains(&step), "{name}"),
                    Err(reason) => assert!(!reason.is_empty(), "{name}"),
                }
            }
            let Some(last) = enabled.len().checked_sub(1) else { break };
            let pick = stream.between(0, i64::try_from(last).expect("few"));
            system.fire(&enabled[usize::try_from(pick).expect("not negative")]).expect("the model is right");
        }
    }
}
