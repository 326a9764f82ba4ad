//! What a node remembers of scripts shows nowhere: a thread that has run a script often and one that has never seen it
//! get the same replies and leave the same node behind.

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use seatproof::world::argv::{Argv, ByteString};
use seatproof::world::identity::SessionId;
use seatproof::world::redis::Redis;
use seatproof::world::reply::Reply;

type Removed = Vec<(ByteString, ByteString)>;

/// Statements of which scripts are made: every kind of thing that a script can depend on.
const STATEMENTS: [&str; 14] = [
    "local v = redis.call('GET', KEYS[1])",
    "redis.call('SET', KEYS[1], ARGV[1])",
    "redis.call('SET', KEYS[2], ARGV[2], 'PX', '20')",
    "redis.call('DEL', KEYS[2])",
    "redis.call('INCR', KEYS[1])",
    "if redis.pcall('INCR', KEYS[2]).err then redis.call('DEL', KEYS[2]) end",
    "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end",
    "if redis.call('EXISTS', KEYS[2]) == 1 then return redis.call('GET', KEYS[2]) end",
    "redis.call('SET', KEYS[1], math.random(3))",
    "math.randomseed(tonumber(ARGV[3]))",
    "if redis.call('TIME')[2] % 2 == 0 then redis.call('SET', KEYS[2], 'even') end",
    "if not redis.call('GET', KEYS[1]) then error('nothing there') end",
    "redis.call('NOSUCH')",
    "if redis.call('GET', KEYS[2]) then return {KEYS[2], ARGV[1], 7} end",
];

/// Number of a script among the case's, its keys, its arguments, and how much later than the last one it runs.
type Run = (usize, [usize; 2], [usize; 2], u64);

fn script(statements: &[usize]) -> String {
    let body = statements.iter().map(|number| format!("do {} end ", STATEMENTS[*number])).collect::<String>();
    format!("{body} return redis.call('GET', KEYS[1])")
}

fn argv(script: &str, (_, keys, arguments, _): &Run) -> Argv {
    let [key1, key2] = keys.map(|key| ["a", "b", "c"][key]);
    let [argument1, argument2] = arguments.map(|argument| ["x", "7"][argument]);
    Argv::new(["EVAL", script, "2", key1, key2, argument1, argument2, "5"])
}

fn execute(node: &mut Redis, argv: &Argv, now_us: u64) -> (Reply, Removed) {
    let mut removed = Removed::new();
    let reply = node.execute(SessionId::Shared, argv, now_us, &mut removed);
    (reply, removed)
}

/// On a thread of its own, where no script has run before.
fn execute_afresh(node: &mut Redis, argv: &Argv, now_us: u64) -> (Reply, Removed) {
    std::thread::scope(|scope| scope.spawn(|| execute(node, argv, now_us)).join().expect("no command panics"))
}

#[test]
fn what_is_remembered_of_scripts_shows_nowhere() {
    let statement = 0..STATEMENTS.len();
    let scripts = prop::collection::vec(prop::collection::vec(statement, 1..5), 1..3);
    let run = (0_usize..3, [0_usize..3, 0..3], [0_usize..2, 0..2], prop_oneof![Just(0), Just(1), Just(9_000)]);
    let config = ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let case = (scripts, prop::collection::vec(run, 1..40));
    let outcome = runner.run(&case, |(scripts, runs)| {
        let scripts = scripts.iter().map(|statements| script(statements)).collect::<Vec<_>>();
        let (mut seasoned, mut fresh) = (Redis::new(), Redis::new());
        let mut now_us = 1_000_000;
        for run in &runs {
            now_us += run.3;
            let argv = argv(&scripts[run.0 % scripts.len()], run);
            let known = execute(&mut seasoned, &argv, now_us);
            prop_assert_eq!(known, execute_afresh(&mut fresh, &argv, now_us), "{}", argv);
            prop_assert_eq!(&seasoned, &fresh);
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn a_script_that_goes_another_way_than_before_says_so() {
    // The order of keys that are tables is that of their addresses.
    let script = "local t = {} for i = 1, 40 do t[{}] = i end \
                  for _, i in pairs(t) do redis.call('SET', KEYS[1], i) redis.call('GET', KEYS[2]) break end \
                  return redis.call('GET', KEYS[1])";
    let mut node = Redis::new();
    let mut strayed = false;
    for round in 0..200 {
        execute(&mut node, &Argv::new(["SET", "other", &round.to_string()]), 0);
        match execute(&mut node, &Argv::new(["EVAL", script, "2", "key", "other"]), 0).0 {
            Reply::Error(text) => strayed |= text.contains("the script sent other commands than before"),
            reply => assert!(matches!(reply, Reply::Bulk(_)), "{reply}"),
        }
    }
    assert!(strayed, "two hundred times the same order of addresses");
}
