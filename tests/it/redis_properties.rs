//! What holds for a simulated Redis node whatever the commands: no panic, an honest account of removed values,
//! dead keys that only DBSIZE can see, and deadlines that are announced.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use seatproof::world::argv::{Argv, ByteString};
use seatproof::world::identity::SessionId;
use seatproof::world::redis::Redis;
use seatproof::world::reply::Reply;

use crate::support::redis_scripts::{Step, resolve, script};

const START_US: u64 = 1_700_000_000_123_456;

fn check<S: Strategy>(strategy: &S, test: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    TestRunner::new_with_rng(config, rng).run(strategy, test).unwrap_or_else(|error| panic!("{error}"));
}

/// Sends each command of a script to `visit`, with its instant.
fn play(steps: &[Step], mut visit: impl FnMut(Argv, u64) -> Result<(), TestCaseError>) -> Result<(), TestCaseError> {
    let mut now_us = START_US;
    for step in steps {
        match step {
            Step::Advance(pause_us) => now_us += pause_us,
            Step::Command(words) => visit(resolve(words, now_us), now_us)?,
        }
    }
    Ok(())
}

fn execute(node: &mut Redis, argv: &Argv, now_us: u64) -> (Reply, Vec<(ByteString, ByteString)>) {
    let mut removed = Vec::new();
    let reply = node.execute(SessionId::Shared, argv, now_us, &mut removed);
    (reply, removed)
}

fn live(node: &Redis, now_us: u64) -> BTreeMap<ByteString, ByteString> {
    node.live_keys(now_us).map(|(key, value, _)| (key.clone(), value.clone())).collect()
}

#[test]
fn no_bytes_panic() {
    let names = vec!["get", "SET", "getex", "expire", "PEXPIREAT", "keys", "setrange", "incrby", "copy", "nothing", ""];
    let word = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        any::<i32>().prop_map(|number| (number % 100_000).to_string().into_bytes()),
        prop::sample::select(vec![i64::MIN, i64::MAX, i64::MAX / 1000]).prop_map(|it| it.to_string().into_bytes()),
        prop::sample::select(vec!["NX", "ex", "PXAT", "DB", "a", "[^"]).prop_map(|word| word.as_bytes().to_vec()),
    ];
    let command = (prop::sample::select(names), prop::collection::vec(word, 0..7), any::<u64>());
    check(&prop::collection::vec(command, 1..30), |commands| {
        let mut node = Redis::new();
        for (name, words, now_us) in commands {
            let argv = Argv::new(std::iter::once(name.as_bytes().to_vec()).chain(words));
            execute(&mut node, &argv, now_us);
            node.instants_after(now_us, &mut |_| ());
        }
        execute(&mut node, &Argv::default(), 0);
        Ok(())
    });
}

#[test]
fn every_value_that_goes_is_reported() {
    check(&script(), |steps| {
        let mut node = Redis::new();
        play(&steps, |argv, now_us| {
            let before = live(&node, now_us);
            let (_, removed) = execute(&mut node, &argv, now_us);
            let after = live(&node, now_us);
            for (key, value) in before.iter().filter(|&(key, value)| after.get(key) != Some(value)) {
                prop_assert!(removed.contains(&(key.clone(), value.clone())), "{argv}: lost {key}={value}");
            }
            for (key, _) in removed {
                prop_assert!(before.contains_key(&key) || argv.len() > 4, "{argv}: {key} was not there");
            }
            Ok(())
        })
    });
}

#[test]
fn only_dbsize_sees_dead_keys() {
    check(&script(), |steps| {
        let (mut node, mut purged) = (Redis::new(), Redis::new());
        play(&steps, |argv, now_us| {
            purged.purge_expired(now_us);
            let (expected, actual) = (execute(&mut node, &argv, now_us), execute(&mut purged, &argv, now_us));
            let is_dbsize = argv.get(0).is_some_and(|name| name.eq_ignore_ascii_case(b"DBSIZE"));
            prop_assert!(is_dbsize || expected == actual, "{argv}: {expected:?}, purged: {actual:?}");
            let mut canonical = node.clone();
            canonical.purge_expired(now_us);
            purged.purge_expired(now_us);
            prop_assert_eq!(canonical, purged.clone());
            Ok(())
        })
    });
}

#[test]
fn nothing_dies_between_announced_instants() {
    check(&script(), |steps| {
        let mut node = Redis::new();
        play(&steps, |argv, now_us| {
            execute(&mut node, &argv, now_us);
            let mut next_us = u64::MAX;
            node.instants_after(now_us, &mut |instant_us| next_us = next_us.min(instant_us));
            prop_assert!(next_us > now_us);
            prop_assert_eq!(live(&node, now_us), live(&node, next_us - 1));
            Ok(())
        })
    });
}
