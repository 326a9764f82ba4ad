//! The simulated Redis node against a real redis-server: the same scripts, lock-step, raw replies compared.
//!
//! The server's clock is the test's, so deadlines are met to the microsecond. Where there is no server, a recording
//! of its replies stands in; `UPDATE_EXPECT=1 cargo test redis_conformance` makes a new one.

use proptest::prelude::ProptestConfig;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};
use seatproof::world::argv::Argv;
use seatproof::world::identity::{ProcessId, SessionId};
use seatproof::world::redis::Redis;
use seatproof::world::reply::Reply;

use crate::support::golden;
use crate::support::redis_scripts::{Step, resolve, script};
use crate::support::redis_server::{RedisServer, encode};

const START_US: u64 = 1_700_000_000_123_456;
const CASES: u32 = 1_000;
/// How many commands pass between two looks at the whole keyspace.
const DIGEST_EVERY: usize = 8;

/// How the simulated side executes a command; the seeded bugs are other ones.
type Arm = fn(&mut Redis, &Argv, u64) -> Reply;

fn faithful(node: &mut Redis, argv: &Argv, now_us: u64) -> Reply {
    node.execute(SessionId::Own(ProcessId::client(1)), argv, now_us, &mut Vec::new())
}

/// Runs scripts on both sides until they differ.
fn compare(server: &mut RedisServer, arm: Arm, shrink_steps: u32) -> Result<(), String> {
    let config = ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        max_shrink_iters: shrink_steps,
        ..ProptestConfig::default()
    };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let server = std::cell::RefCell::new(server);
    let outcome = TestRunner::new_with_rng(config, rng)
        .run(&script(), |steps| Pair::new(&mut server.borrow_mut(), arm).run(&steps).map_err(TestCaseError::fail));
    outcome.map_err(|error| error.to_string())
}

/// A real and a simulated node, both empty at first.
struct Pair<'a> {
    server: &'a mut RedisServer,
    node: Redis,
    arm: Arm,
    now_us: u64,
    transcript: String,
}

impl<'a> Pair<'a> {
    fn new(server: &'a mut RedisServer, arm: Arm) -> Self {
        server.set_clock(START_US);
        server.ask(&Argv::new(["FLUSHALL"]));
        Self { server, node: Redis::new(), arm, now_us: START_US, transcript: String::new() }
    }

    fn run(mut self, steps: &[Step]) -> Result<(), String> {
        for (index, step) in steps.iter().enumerate() {
            match step {
                Step::Advance(pause_us) => {
                    self.now_us += pause_us;
                    self.server.set_clock(self.now_us);
                }
                Step::Command(words) => self.ask_both(&resolve(words, self.now_us))?,
            }
            if index % DIGEST_EVERY == DIGEST_EVERY - 1 {
                self.compare_keyspaces()?;
            }
        }
        self.compare_keyspaces()
    }

    /// DBSIZE first: what follows drops the dead keys that it counts.
    fn compare_keyspaces(&mut self) -> Result<(), String> {
        self.ask_both(&Argv::new(["DBSIZE"]))?;
        for key in ["a", "b", ""] {
            self.ask_both(&Argv::new(["PEXPIRETIME", key]))?;
            self.ask_both(&Argv::new(["GET", key]))?;
        }
        self.ask_both(&Argv::new(["KEYS", "*"]))
    }

    fn ask_both(&mut self, argv: &Argv) -> Result<(), String> {
        let real = self.server.ask(argv);
        let simulated = encode(&(self.arm)(&mut self.node, argv, self.now_us), argv);
        let pause_us = self.now_us - START_US;
        self.transcript.push_str(&format!("+{pause_us}us {argv} => {}\n", real.escape_ascii()));
        if real == simulated {
            return Ok(());
        }
        Err(format!("{}simulated: {}", self.transcript, simulated.escape_ascii()))
    }
}

#[test]
fn the_simulated_node_answers_as_redis_does() {
    let Some(mut server) = RedisServer::start(START_US) else { return };
    compare(&mut server, faithful, 2_000).unwrap_or_else(|difference| panic!("{difference}"));
}

/// The recorded scripts and what a real server answered.
const RECORDING: &str = "tests/fixtures/redis/replies.txt";
const RECORDED_SCRIPTS: usize = 60;

/// Runs the recorded scripts, which the generator gives again and again, and writes down what `ask` answers.
fn record(mut ask: impl FnMut(&Argv, u64) -> Vec<u8>) -> String {
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(ProptestConfig::default(), rng);
    let mut recording = String::new();
    for number in 1..=RECORDED_SCRIPTS {
        let mut now_us = START_US;
        recording.push_str(&format!("script {number}\n"));
        ask(&Argv::new(["FLUSHALL"]), now_us);
        for step in script().new_tree(&mut runner).expect("the generator gives a script").current() {
            match step {
                Step::Advance(pause_us) => now_us += pause_us,
                Step::Command(words) => {
                    let argv = resolve(&words, now_us);
                    let reply = ask(&argv, now_us);
                    let line = format!("+{}us {argv} => {}\n", now_us - START_US, reply.escape_ascii());
                    recording.push_str(&line);
                }
            }
        }
    }
    recording
}

#[test]
fn the_simulated_node_answers_as_recorded() {
    let mut node = Redis::new();
    let simulated = record(|argv, now_us| encode(&faithful(&mut node, argv, now_us), argv));
    golden::assert_same(RECORDING, &simulated);
}

#[test]
fn the_recording_is_what_redis_answers() {
    let Some(mut server) = RedisServer::start(START_US) else { return };
    let answered = record(|argv, now_us| {
        server.set_clock(now_us);
        server.ask(argv)
    });
    golden::assert_file(RECORDING, &answered);
}

/// The name of a command in upper case, and its words.
fn upper(argv: &Argv) -> (Vec<u8>, Vec<Vec<u8>>) {
    (argv.get(0).unwrap_or_default().to_ascii_uppercase(), argv.words().map(<[u8]>::to_vec).collect())
}

/// Executes `argv` without its last word if that is its one option, `option`.
fn without(node: &mut Redis, argv: &Argv, now_us: u64, option: &[u8]) -> Reply {
    let words = if argv.len() == 4 && argv.get(3) == Some(option) { 3 } else { argv.len() };
    faithful(node, &Argv::new(argv.words().take(words)), now_us)
}

/// Known ways to get Redis wrong, each as a detour around the faithful node.
const SEEDED_BUGS: [(&str, Arm); 12] = [
    ("dead already at the deadline", |node, argv, now_us| {
        let early = matches!(&*upper(argv).0, b"GET" | b"EXISTS" | b"TYPE" | b"STRLEN");
        faithful(node, argv, if early { now_us + 1000 } else { now_us })
    }),
    ("alive in the millisecond after the deadline", |node, argv, now_us| {
        let late = matches!(&*upper(argv).0, b"GET" | b"EXISTS" | b"TYPE" | b"STRLEN");
        faithful(node, argv, if late { now_us - 1000 } else { now_us })
    }),
    ("TTL rounds down", |node, argv, now_us| {
        if argv.len() != 2 || upper(argv).0 != b"TTL" {
            return faithful(node, argv, now_us);
        }
        match faithful(node, &Argv::new([b"PTTL", argv.get(1).unwrap_or_default()]), now_us) {
            Reply::Int(ms) if ms > 0 => Reply::Int(ms / 1000),
            other => other,
        }
    }),
    ("KEEPTTL is lost", |node, argv, now_us| without(node, argv, now_us, b"KEEPTTL")),
    ("GT is ignored", |node, argv, now_us| without(node, argv, now_us, b"GT")),
    ("a plain SET keeps the TTL", |node, argv, now_us| {
        let (name, mut words) = upper(argv);
        if name == b"SET" && words.len() == 3 {
            words.push(b"KEEPTTL".to_vec());
        }
        faithful(node, &Argv::new(words), now_us)
    }),
    ("SET NX GET answers OK when it sets", |node, argv, now_us| {
        let (name, words) = upper(argv);
        let both = name == b"SET" && words.contains(&b"NX".to_vec()) && words.contains(&b"GET".to_vec());
        match faithful(node, argv, now_us) {
            Reply::Nil if both => Reply::OK,
            other => other,
        }
    }),
    ("a deadline of now does not delete at once", |node, argv, now_us| {
        let (name, mut words) = upper(argv);
        if name == b"PEXPIREAT" && words.get(2).is_some_and(|at| *at == (now_us / 1000).to_string().into_bytes()) {
            words[2] = (now_us / 1000 + 1).to_string().into_bytes();
        }
        faithful(node, &Argv::new(words), now_us)
    }),
    ("dead keys leave at once", |node, argv, now_us| {
        node.purge_expired(now_us);
        faithful(node, argv, now_us)
    }),
    ("INCR drops the TTL", |node, argv, now_us| {
        let reply = faithful(node, argv, now_us);
        if let (b"INCR", Some(key), Reply::Int(_)) = (&*upper(argv).0, argv.get(1), &reply) {
            faithful(node, &Argv::new([b"PERSIST", key]), now_us);
        }
        reply
    }),
    ("MSETNX sets although a key exists", |node, argv, now_us| {
        let (name, mut words) = upper(argv);
        if name == b"MSETNX" {
            words[0] = b"MSET".to_vec();
        }
        match faithful(node, &Argv::new(words), now_us) {
            Reply::Status(_) if name == b"MSETNX" => Reply::Int(1),
            other => other,
        }
    }),
    ("option words in lower case are unknown", |node, argv, now_us| {
        if argv.words().skip(1).any(|word| word == b"replace") {
            return Reply::error("ERR syntax error");
        }
        faithful(node, argv, now_us)
    }),
];

#[test]
fn every_seeded_bug_is_caught() {
    let Some(mut server) = RedisServer::start(START_US) else { return };
    for (name, arm) in SEEDED_BUGS {
        let difference = compare(&mut server, arm, 0);
        assert!(difference.is_err(), "the comparison did not notice: {name}");
    }
}
