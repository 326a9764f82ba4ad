//! Replicas that lag, WAIT, and a replica that takes its primary's place: in one node, and in what clients live
//! through.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::loom;
use seatproof::engines::reference::explore;
use seatproof::engines::replay::replay;
use seatproof::engines::verdict::Verdict;
use seatproof::models;
use seatproof::process::{Ctx, Flow, Lost};
use seatproof::system::model::{Journey, Model};
use seatproof::system::property::{Property, Reads, Rule, Subject};
use seatproof::system::schedule::{self, of_steps};
use seatproof::system::state::Budgets;
use seatproof::system::{Halves, Setting, Step, System, setting};
use seatproof::world::argv::Argv;
use seatproof::world::identity::{ProcessId, SessionId};
use seatproof::world::redis::Redis;

use crate::support::built_in::scenario;

fn ask(node: &mut Redis, client: u16, words: &str) -> String {
    let session = SessionId::Own(ProcessId::client(client));
    node.execute(session, &Argv::new(words.split(' ')), 0, &mut Vec::new()).to_string()
}

fn lags(node: &Redis) -> Vec<(u8, usize)> {
    node.lags().collect()
}

/// As measured with real servers: the replica is stopped, SET is acknowledged, WAIT answers 0, the primary is killed
/// and the replica promoted, and the lock is free.
#[test]
fn a_promoted_replica_knows_nothing_of_what_it_was_not_sent() {
    let mut node = Redis::with_replicas(1);
    assert_eq!(ask(&mut node, 1, "SET lock A NX"), "OK");
    assert_eq!(ask(&mut node, 1, "WAIT 1 200"), ":0");
    node.fail_over(0);
    assert_eq!(ask(&mut node, 2, "GET lock"), "nil");
    assert_eq!(ask(&mut node, 2, "SET lock B NX"), "OK");
    assert_eq!(node.replicas(), 1, "the old primary is back");
}

#[test]
fn a_replica_takes_effects_in_order_and_each_as_a_whole() {
    let mut node = Redis::with_replicas(1);
    let script = "redis.call('SET','a','1') redis.call('SET','b','1') return 1";
    node.execute(SessionId::Shared, &Argv::new(["EVAL", script, "0"]), 0, &mut Vec::new());
    for command in ["GET a", "SET a 1 NX", "DEL nothing", "SET a 2", "MULTI", "SET c 3"] {
        ask(&mut node, 1, command);
    }
    // What changes nothing, and what is only queued, is not sent.
    assert_eq!(lags(&node), [(0, 2)]);
    node.replicate(0);
    node.fail_over(0);
    assert_eq!(ask(&mut node, 1, "MGET a b c"), "[\"1\", \"1\", nil]");
}

/// WAIT is about what there was at the last command of its connection; a new connection has had none.
#[test]
fn wait_counts_the_replicas_that_have_what_its_connection_saw() {
    let mut node = Redis::with_replicas(2);
    assert_eq!(ask(&mut node, 1, "WAIT 2 0"), ":2");
    ask(&mut node, 1, "SET a 1");
    assert_eq!(ask(&mut node, 2, "WAIT 2 0"), ":2", "client 2 has seen nothing");
    ask(&mut node, 2, "GET a");
    assert_eq!((ask(&mut node, 1, "WAIT 2 0"), ask(&mut node, 2, "WAIT 2 0")), (":0".to_owned(), ":0".to_owned()));
    // Of two replicas that are equally far one stands for both.
    assert_eq!(lags(&node), [(0, 1)]);
    node.replicate(0);
    assert_eq!(lags(&node), [(0, 0), (1, 1)]);
    assert_eq!(ask(&mut node, 1, "WAIT 2 0"), ":1");
    ask(&mut node, 2, "SET b 1");
    assert_eq!(ask(&mut node, 1, "WAIT 2 0"), ":1", "client 1 has seen nothing of that");
    assert_eq!(ask(&mut node, 2, "WAIT 2 0"), ":0");
    node.replicate_all();
    assert!(!node.is_behind());
    assert_eq!(ask(&mut node, 2, "WAIT 2 0"), ":2");
    node.fail_over(1);
    assert_eq!(ask(&mut node, 1, "WAIT 2 0"), ":2", "on a new connection");
}

#[test]
fn a_promoted_replica_judges_deadlines_by_itself() {
    let mut node = Redis::with_replicas(1);
    ask(&mut node, 1, "SET a 1 PX 5");
    node.replicate(0);
    ask(&mut node, 1, "PERSIST a");
    let mut instants = Vec::new();
    node.instants_after(0, &mut |instant_us| instants.push(instant_us));
    assert_eq!(instants, [5_000, 6_000], "the replica still knows of a deadline");
    node.purge_expired(6_000);
    node.fail_over(0);
    assert_eq!(ask(&mut node, 1, "EXISTS a"), ":0");
}

/// The present moves back again and again, as in a search that keeps time relative. What is dead stays dead, on a
/// replica and on the way to it, and for how long it has been dead does not matter.
#[test]
fn what_was_dead_before_the_present_was_moved_back_stays_dead() {
    let mut node = Redis::with_replicas(1);
    ask(&mut node, 1, "SET old 1");
    ask(&mut node, 1, "SET kept 1 PX 5");
    node.replicate_all();
    ask(&mut node, 1, "PEXPIRE old 5");
    ask(&mut node, 1, "PERSIST kept");
    ask(&mut node, 1, "SET new 1 PX 5");
    let mut since = Vec::new();
    for ms in [6, 1, 7] {
        node.purge_expired(ms * 1_000);
        node.move_ms(ms);
        let mut instants = Vec::new();
        node.instants_after(0, &mut |instant_us| instants.push(instant_us));
        assert_eq!(instants, [0; 0], "nothing that is alive has a deadline");
        since.push(node.clone());
    }
    assert!(since.iter().all(|other| *other == node));
    assert_eq!(lags(&node), [(0, 3)], "how far the replica is has not changed");
    for (taken, promoted) in [(0, "[\"1\", nil, nil]"), (1, "[nil, nil, nil]"), (2, "[nil, \"1\", nil]")] {
        let mut node = node.clone();
        (0..taken).for_each(|_| node.replicate(0));
        node.fail_over(0);
        assert_eq!(ask(&mut node, 2, "MGET old kept new"), promoted, "after {taken} effects");
    }
    node.replicate_all();
    node.fail_over(0);
    assert_eq!((ask(&mut node, 2, "DBSIZE"), ask(&mut node, 2, "KEYS *")), (":1".to_owned(), "[\"kept\"]".to_owned()));
}

#[test]
fn eviction_reaches_replicas_and_an_empty_primary_empties_them() {
    let mut node = Redis::with_replicas(1);
    ask(&mut node, 1, "MSET a 1 b 1");
    node.replicate_all();
    node.evict(b"a", 0);
    node.replicate_all();
    let mut restarted = node.clone();
    node.fail_over(0);
    assert_eq!(ask(&mut node, 1, "MGET a b"), "[nil, \"1\"]");
    restarted.restart_empty();
    restarted.fail_over(0);
    assert_eq!(ask(&mut restarted, 1, "MGET a b"), "[nil, nil]");
}

static CAREFUL: Model = Model {
    name: "careful",
    about: "Tells a lost connection from a refusal.",
    journeys: &[Journey { name: "set", about: "SET, and again if it was lost.", run: |ctx| Box::pin(set(ctx)) }],
    properties: &[Property {
        name: "never-told",
        about: "Nobody hears that a connection is gone.",
        reads: Reads::Locks,
        subject: Subject::Always,
        rule: Rule::Never(|state| state.world.redis[0].live_value(b"lost", 0).map(|_| "it was heard".to_owned())),
        is_default: true,
    }],
    ..Model::BARE
};

async fn set(mut ctx: Ctx) -> Flow {
    if ctx.redis(["SET", "a", "1"]).await == Err(Lost) {
        let _ = ctx.redis(["SET", "lost", "1"]).await;
    }
    Flow::Done
}

fn careful(budgets: Budgets) -> Rc<Setting> {
    Rc::new(Setting { replicas: 1, budgets, ..Setting::of(&CAREFUL, &["set"]) })
}

const FAILOVER: Budgets = Budgets {
    failover: 1,
    lose_request: 0,
    lose_reply: 0,
    crash: 0,
    redis_restart: 0,
    evict: 0,
    late: 0,
    driver_repeat: 0,
    client_retry: 0,
    sql_abort: 0,
    commit_unknown: 0,
    clock_jump: 0,
    time_steps: 0,
};

/// What was under way when the primary went down is sent on a new connection, or its sender hears that it is lost.
#[test]
fn a_command_under_way_in_a_failover_may_be_lost() {
    let stop = AtomicBool::new(false);
    let without = explore(&careful(Budgets::default()), 1_000, &stop).expect("explorable");
    assert!(without.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds));
    let setting = careful(FAILOVER);
    let found = explore(&setting, 1_000, &stop).expect("explorable");
    let (_, verdict) = found.verdicts.iter().find(|(name, _)| *name == "never-told").expect("it is judged");
    let counterexample = verdict.counterexample().expect("it is broken");
    assert_eq!(counterexample.operations(), 2);
    let violation = Some(("never-told".to_owned(), counterexample.reason.clone()));
    let written =
        of_steps(&setting, &counterexample.steps, "reference", "test", violation).expect("it can be followed");
    let names = written.steps.iter().map(|line| line.text.as_str()).collect::<Vec<_>>();
    assert_eq!(names, ["failover 0 0", "disconnect vu1: SET a 1", "vu1: SET lost 1"]);
    let read = schedule::parse(Path::new("found.replay"), &written.to_string()).expect("it is well-formed");
    assert_eq!(read, written);
    let again = Rc::new(read.resolve(&CAREFUL).expect("the model has all that it names"));
    assert_eq!(again.replicas, 1);
    assert_eq!(replay(&again, &read).expect("the model is right").divergence, None);
}

#[test]
fn what_is_not_possible_says_why() {
    let mut system = System::new(careful(FAILOVER), Halves::Fused, true).expect("the model is right");
    let why = |system: &System, name: &str| system.resolve(name).expect_err("it is not possible");
    assert_eq!(why(&system, "replicate 0 0"), "node 0: replica 0 lacks 0 effects");
    assert_eq!(why(&system, "failover 0 1"), "node 0: replica 0 lacks 0 effects");
    let not_cut_off = "vu1 had no command under way when Redis failed over, or has gone on since";
    assert_eq!(why(&system, "disconnect vu1: SET a 1"), not_cut_off);
    system.fire(&Step::Apply(ProcessId::client(1))).expect("the model is right");
    assert_eq!(why(&system, "failover 1 0"), "node 0: replica 0 lacks 1 effects");
    for name in ["replicate 0 0", "failover 0 0"] {
        let step = system.resolve(name).expect("it is possible");
        system.fire(&step).expect("the model is right");
    }
    assert_eq!(why(&system, "failover 0 0"), "the budget failover = 1 is used up");
    let alone = System::new(Rc::new(Setting::of(&CAREFUL, &["set"])), Halves::Fused, true).expect("the model is right");
    assert_eq!(why(&alone, "replicate 0 0"), "node 0 has no replica");
}

/// shuttle's search is compared with the explorer's for every model (`shuttle_agreement`); here is loom's.
#[test]
fn loom_reaches_only_what_the_explorer_reaches() {
    let never = Arc::new(AtomicBool::new(false));
    let entry = models::find("fence_on_read").expect("it is built in");
    let (judged, _) = scenario(entry.scenario).expect("it is valid");
    let check = judged.checks.iter().find(|check| check.name == "failover-refuse-equal").expect("the check exists");
    let whole = setting::of_check(&judged, check, entry.model);
    let is_sale = |property: &Property| property.name == "one-booking-per-seat";
    let properties = whole.properties.iter().copied().filter(is_sale).collect();
    let setting = Setting { properties, rounds: Some(1), ..whole };
    let options = loom::Options { preemptions: Some(2), max_permutations: 1_000 };
    let explored = loom::explore(&setting, options, &never).expect("explorable");
    let oracle = explore(&Rc::new(setting), usize::MAX, &never).expect("explorable");
    assert!(!explored.final_states.is_empty());
    assert!(explored.final_states.is_subset(&oracle.final_states));
    assert!(explored.found.is_empty(), "{:?}", explored.found);
}
