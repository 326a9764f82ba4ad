//! Transactions, watches and Lua scripts of several sessions against a real redis-server, raw replies compared.

use proptest::prelude::ProptestConfig;
use proptest::test_runner::{RngAlgorithm, TestCaseError, TestRng, TestRunner};
use seatproof::world::argv::Argv;
use seatproof::world::identity::{ProcessId, SessionId};
use seatproof::world::redis::Redis;

use crate::support::golden;
use crate::support::redis_scripts::{Step, resolve, session_script};
use crate::support::redis_server::{RedisServer, encode};

const START_US: u64 = 1_700_000_000_123_456;
const CASES: u32 = 1_500;
/// The connection that looks at the keyspace; the scripts use those below.
const OBSERVER: usize = 3;

fn session(number: usize) -> SessionId {
    SessionId::Own(ProcessId::client(u16::try_from(number).expect("few sessions")))
}

struct Pair<'a> {
    server: &'a mut RedisServer,
    node: Redis,
    now_us: u64,
    transcript: String,
}

impl<'a> Pair<'a> {
    fn new(server: &'a mut RedisServer) -> Self {
        server.set_clock(START_US);
        (0..OBSERVER).for_each(|connection| drop(server.ask_on(connection, &Argv::new(["RESET"]))));
        server.ask_on(OBSERVER, &Argv::new(["FLUSHALL"]));
        server.ask_on(OBSERVER, &Argv::new(["SCRIPT", "FLUSH"]));
        Self { server, node: Redis::new(), now_us: START_US, transcript: String::new() }
    }

    fn run(mut self, steps: &[(usize, Step)]) -> Result<(), String> {
        for (number, step) in steps {
            match step {
                Step::Advance(pause_us) => {
                    self.now_us += pause_us;
                    self.server.set_clock(self.now_us);
                }
                Step::Command(words) => {
                    let argv = resolve(words, self.now_us);
                    // Within EXEC's reply their order cannot be told from other arrays.
                    if !argv.words().any(|word| word.eq_ignore_ascii_case(b"KEYS")) {
                        self.ask_both(*number, &argv)?;
                    }
                }
            }
        }
        for key in ["a", "b", ""] {
            self.ask_both(OBSERVER, &Argv::new(["PEXPIRETIME", key]))?;
            self.ask_both(OBSERVER, &Argv::new(["GET", key]))?;
        }
        // What is still queued or watched shows in the end.
        (0..OBSERVER).try_for_each(|number| self.ask_both(number, &Argv::new(["EXEC"])))
    }

    fn ask_both(&mut self, number: usize, argv: &Argv) -> Result<(), String> {
        let real = self.server.ask_on(number, argv);
        let simulated = encode(&self.node.execute(session(number), argv, self.now_us, &mut Vec::new()), argv);
        let pause_us = self.now_us - START_US;
        self.transcript.push_str(&format!("+{pause_us}us {number}: {argv} => {}\n", real.escape_ascii()));
        if real == simulated {
            return Ok(());
        }
        Err(format!("{}simulated: {}", self.transcript, simulated.escape_ascii()))
    }
}

#[test]
fn sessions_are_answered_as_redis_does() {
    let Some(mut server) = RedisServer::start(START_US) else { return };
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let server = std::cell::RefCell::new(&mut server);
    TestRunner::new_with_rng(config, rng)
        .run(&session_script(), |steps| Pair::new(&mut server.borrow_mut()).run(&steps).map_err(TestCaseError::fail))
        .unwrap_or_else(|difference| panic!("{difference}"));
}

/// One command a line, words between tabs; `@n` in front names another session than 0.
const COMMANDS: &str = include_str!("../fixtures/redis/lua.tsv");
/// The commands and what a real server answers.
const RECORDING: &str = "tests/fixtures/redis/lua_replies.txt";

fn record(mut ask: impl FnMut(usize, &Argv) -> Vec<u8>) -> String {
    let lines = COMMANDS.lines().map(|line| {
        let (number, words) = match line.strip_prefix('@') {
            Some(rest) => (usize::from(rest.as_bytes()[0] - b'0'), &rest[2..]),
            None => (0, line),
        };
        let argv = Argv::new(words.split('\t'));
        format!("{line}\n    => {}\n", ask(number, &argv).escape_ascii())
    });
    lines.collect()
}

#[test]
fn scripts_are_answered_as_recorded() {
    let mut node = Redis::new();
    let simulated =
        record(|number, argv| encode(&node.execute(session(number), argv, START_US, &mut Vec::new()), argv));
    golden::assert_same(RECORDING, &simulated);
}

#[test]
fn the_recorded_scripts_are_answered_so_by_redis() {
    let Some(mut server) = RedisServer::start(START_US) else { return };
    let answered = record(|number, argv| server.ask_on(number, argv));
    golden::assert_file(RECORDING, &answered);
}

fn ask(node: &mut Redis, words: &[&str]) -> String {
    node.execute(session(1), &Argv::new(words), START_US, &mut Vec::new()).to_string()
}

#[test]
fn a_script_that_never_ends_is_stopped_whatever_it_catches() {
    let mut node = Redis::new();
    for script in [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "while true do xpcall(function() while true do end end, function() return 1 end) end",
    ] {
        let reply = ask(&mut node, &["EVAL", script, "0"]);
        assert_eq!(reply, "-ERR the script was stopped after 50000000 instructions; it may loop for ever");
        assert_eq!(ask(&mut node, &["EVAL", "return redis.call('PING')", "0"]), "PONG", "the next script runs");
    }
}

#[test]
fn no_script_leaves_a_trace_in_the_next() {
    for (leave, look) in [
        ("rawset(redis, 'x', 1)", "return redis.x"),
        ("getmetatable('').__index = nil", "return ('x'):upper()"),
        ("getmetatable(redis).__newindex = nil", "return rawget(redis, 'x')"),
        ("KEYS.x = 1", "return KEYS.x"),
        ("for _, t in pairs(_G) do if type(t) == 'table' then t.x = 1 end end", "return table.x"),
        ("setmetatable(string, {})", "return string.x"),
        ("setmetatable(_G, {})", "return type(string)"),
    ] {
        let fresh = ask(&mut Redis::new(), &["EVAL", look, "0"]);
        let mut node = Redis::new();
        ask(&mut node, &["EVAL", leave, "0"]);
        assert_eq!(ask(&mut node, &["EVAL", look, "0"]), fresh, "after {leave}");
    }
}

#[test]
fn sessions_that_carry_nothing_are_not_part_of_the_state() {
    let used = |ends: &[&[&str]]| {
        let mut node = Redis::new();
        ends.iter().for_each(|words| drop(ask(&mut node, words)));
        node
    };
    assert_eq!(used(&[&["MULTI"], &["PING"], &["EXEC"]]), Redis::new());
    assert_eq!(used(&[&["MULTI"], &["DISCARD"]]), Redis::new());
    assert_eq!(used(&[&["WATCH", "a"], &["UNWATCH"]]), Redis::new());
    let mut closed = used(&[&["WATCH", "a"], &["MULTI"], &["PING"]]);
    assert_ne!(closed, Redis::new());
    closed.close(session(1));
    assert_eq!(closed, Redis::new());
    // Once dirty, what was watched and queued matters no more.
    let dirty = [&["WATCH", "a", "b"][..], &["SET", "a", "1"], &["MULTI"], &["PING"]];
    let otherwise = [&["WATCH", "a"][..], &["MULTI"], &["ECHO", "x"]];
    let mut other = used(&otherwise);
    other.execute(session(2), &Argv::new(["SET", "a", "1"]), START_US, &mut Vec::new());
    assert_eq!(used(&dirty), other);
}

#[test]
fn what_scripts_and_transactions_remove_is_reported() {
    let mut node = Redis::new();
    let mut removed = Vec::new();
    let mut tell = |words: &[&str]| {
        node.execute(session(1), &Argv::new(words), START_US, &mut removed);
        std::mem::take(&mut removed).iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    tell(&["MSET", "a", "1", "b", "2"]);
    assert_eq!(tell(&["EVAL", "redis.call('DEL', KEYS[1]) error('late')", "1", "a"]), ["a=1"]);
    tell(&["MULTI"]);
    assert!(tell(&["DEL", "b"]).is_empty());
    assert_eq!(tell(&["EXEC"]), ["b=2"]);
}
