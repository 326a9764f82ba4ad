//! No file makes the replayer panic or hang: real schedules, damaged in every way, end in a diagnostic, a divergence,
//! or a replay. `PROPTEST_CASES=100000 cargo test schedule_fuzz` looks for longer.

use std::path::Path;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use seatproof::engines::replay::{record, replay};
use seatproof::engines::simulate::LoadTest;
use seatproof::models::{self, CATALOG};
use seatproof::report::replay::{StateDetail, heading, result, step};
use seatproof::report::{Signs, diagram, export};
use seatproof::system::schedule::{self, Recorder, Schedule};
use seatproof::system::state::Budgets;
use seatproof::system::{Halves, Setting, System, setting};

use crate::support::built_in::scenario;

/// Numbers at the edges of what is stored.
const NUMBERS: [&str; 14] = [
    "0",
    "1",
    "2",
    "255",
    "256",
    "65534",
    "65536",
    "1000000000",
    "4294967295",
    "4294967296",
    "9223372036854775",
    "9223372036854775807",
    "-1",
    "-9223372036854775808",
];
/// Pieces of other schedules, and what is no schedule at all.
const PIECES: [&str; 16] = [
    "vu1",
    "vu2/1",
    "vu65535/4294967295",
    "setup",
    "lose_reply ",
    "lose_request ",
    "crash ",
    "crash instance 0",
    "redis_restart 7",
    "evict 0 lock:seat:1",
    "reap vu1",
    "deadlock vu1: ",
    "time ",
    " = ",
    "\"",
    "\u{0}座\u{feff}",
];

/// A damage to a text; positions are relative, so that one description fits every file.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index, Index),
    Truncate(Index),
    Insert(Index, usize),
    DropLine(Index),
    RepeatLine(Index, Index),
    SwapLines(Index, Index),
    Number(Index, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, with)| Damage::Flip(at, with)),
        (at(), at()).prop_map(|(from, to)| Damage::Cut(from, to)),
        at().prop_map(Damage::Truncate),
        (at(), 0..PIECES.len()).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        at().prop_map(Damage::DropLine),
        (at(), at()).prop_map(|(from, to)| Damage::RepeatLine(from, to)),
        (at(), at()).prop_map(|(one, other)| Damage::SwapLines(one, other)),
        // What leaves a schedule that can be read goes farther.
        (at(), at()).prop_map(|(one, other)| Damage::SwapLines(one, other)),
        (at(), at()).prop_map(|(from, to)| Damage::RepeatLine(from, to)),
        at().prop_map(Damage::DropLine),
        (at(), 0..NUMBERS.len()).prop_map(|(at, number)| Damage::Number(at, number)),
        (at(), 0..NUMBERS.len()).prop_map(|(at, number)| Damage::Number(at, number)),
        (at(), 0..NUMBERS.len()).prop_map(|(at, number)| Damage::Number(at, number)),
    ]
}

impl Damage {
    fn done_to(&self, bytes: Vec<u8>) -> Vec<u8> {
        if bytes.is_empty() {
            return bytes;
        }
        let mut bytes = bytes;
        match self {
            Self::Flip(at, with) => {
                let at = at.index(bytes.len());
                bytes[at] ^= with;
            }
            Self::Cut(from, to) => {
                let from = from.index(bytes.len());
                let to = from + to.index(40).min(bytes.len() - from);
                bytes.drain(from..to);
            }
            Self::Truncate(at) => bytes.truncate(at.index(bytes.len())),
            Self::Insert(at, piece) => {
                let at = at.index(bytes.len());
                bytes.splice(at..at, PIECES[*piece].bytes());
            }
            Self::Number(at, number) => return with_number(&bytes, at, NUMBERS[*number]),
            Self::DropLine(_) | Self::RepeatLine(..) | Self::SwapLines(..) => return self.done_to_lines(&bytes),
        }
        bytes
    }

    fn done_to_lines(&self, bytes: &[u8]) -> Vec<u8> {
        let mut lines = bytes.split_inclusive(|byte| *byte == b'\n').collect::<Vec<_>>();
        let count = lines.len();
        match self {
            Self::DropLine(at) => drop(lines.remove(at.index(count))),
            Self::RepeatLine(from, to) => lines.insert(to.index(count), lines[from.index(count)]),
            Self::SwapLines(one, other) => lines.swap(one.index(count), other.index(count)),
            _ => {}
        }
        lines.concat()
    }
}

/// Another number in the place of one of those that stand in the text.
fn with_number(bytes: &[u8], at: &Index, number: &str) -> Vec<u8> {
    let is_start = |index: &usize| bytes[*index].is_ascii_digit() && !bytes[index.saturating_sub(1)].is_ascii_digit();
    let starts = (1..bytes.len()).filter(is_start).collect::<Vec<_>>();
    let Some(start) = (!starts.is_empty()).then(|| starts[at.index(starts.len())]) else { return bytes.to_vec() };
    let end = start + bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    [&bytes[..start], number.as_bytes(), &bytes[end..]].concat()
}

/// All that a user can do with a file; how it ended, in a word.
fn followed(bytes: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(bytes);
    let schedule = match schedule::parse(Path::new("fuzzed.replay"), &text) {
        Ok(schedule) => schedule,
        Err(diagnostic) => {
            assert!(diagnostic.code.id.starts_with("SP04") && diagnostic.help.is_some(), "{diagnostic}");
            assert!(diagnostic.render(false).contains(diagnostic.code.id));
            return "refused";
        }
    };
    let Some(entry) = models::find(&schedule.setting.model) else { return "unknown model" };
    let setting = match schedule.resolve(entry.model) {
        Ok(setting) => Rc::new(setting),
        Err(reason) => {
            assert!(!reason.is_empty());
            return "not of this model";
        }
    };
    let replayed = replay(&setting, &schedule).expect("the built-in models are right");
    // What a user can be shown is for people: of a few clients.
    if schedule.setting.journeys.len() <= 100 {
        shown(&setting, &schedule);
    }
    match replayed.divergence {
        Some(divergence) => {
            // Number 0 is what is given before the first step.
            assert!(!divergence.reason.is_empty() && [0, replayed.steps.len() + 1].contains(&divergence.number));
            "diverged"
        }
        None => "replayed",
    }
}

fn shown(setting: &Rc<Setting>, schedule: &Schedule) {
    let recording = record(setting, schedule, None).expect("the built-in models are right");
    let mut text = heading(schedule);
    for (frame, facts) in recording.states() {
        text.push_str(&step(frame, &facts, StateDetail::Full, Signs::UTF8));
    }
    text.push_str(&result(schedule, &recording.replay, Signs::ASCII));
    text.push_str(&diagram::diagram(&recording.frames, Signs::ASCII));
    text.push_str(&export::mermaid(&recording));
    text.push_str(&export::shiviz(&recording));
    text.push_str(&export::itf(schedule, &recording).to_string());
    text.push_str(&export::json(schedule, &recording).to_string());
    assert!(!text.is_empty());
}

/// A walk that takes the enabled step which each number picks.
fn walk(setting: &Setting, mut pick: impl FnMut(usize) -> usize) -> Schedule {
    let mut system = System::new(Rc::new(setting.clone()), Halves::Fused, true).expect("the model is right");
    let mut recorder = Recorder::default();
    for _ in 0..60 {
        let enabled = system.enabled();
        if enabled.is_empty() {
            break;
        }
        let step = &enabled[pick(enabled.len())];
        recorder.note(&system, step, false);
        system.fire(step).expect("the model is right");
    }
    let violation = Some(("one-booking-per-seat".to_owned(), "as the file says".to_owned()));
    recorder.finish(&system, "walk", Some(7), "test", violation)
}

/// One schedule of each model with every fault allowed, and one of a load test, with times and both halves.
fn corpus() -> Vec<String> {
    let mut stream = seatproof::engines::prng::Stream::new(1, 0, seatproof::engines::prng::Purpose::Scheduler);
    let mut files = Vec::new();
    for entry in CATALOG {
        let loaded = scenario(entry.scenario).expect("the built-in scenario is right").0;
        let check = loaded.checks.last().expect("it has checks");
        let mut setting = setting::of_check(&loaded, check, entry.model);
        setting.budgets = Budgets {
            lose_request: 2,
            lose_reply: 2,
            crash: 2,
            redis_restart: 1,
            evict: 2,
            time_steps: 9,
            ..Budgets::default()
        };
        let pick = |n: usize| usize::try_from(stream.below(n as u64)).expect("below a length");
        files.push(walk(&setting, pick).to_string());
    }
    let text = include_str!("../../models/moviebooking.toml");
    let stages = text.find("stages = [").expect("it has stages");
    let end = stages + text[stages..].find("\n]").expect("they end") + 2;
    let mut text = text.to_owned();
    text.replace_range(stages..end, "stages = [{ duration = \"2s\", target = 3 }, { duration = \"1s\", target = 0 }]");
    let loaded = scenario(&text).expect("a scenario").0;
    let model = models::find("moviebooking").expect("a built-in model").model;
    let test = LoadTest::new(&loaded, loaded.load.as_ref().expect("a load"), model).expect("thresholds fit");
    files.push(test.record(5).expect("the model is right").1.to_string());
    files
}

#[test]
fn no_damage_makes_the_replayer_panic_or_hang() {
    let corpus = corpus();
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_500);
    // The same cases on every machine and day.
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let ends = std::cell::RefCell::new(std::collections::BTreeMap::new());
    let strategy = (0..corpus.len(), prop::collection::vec(damage(), 1..4));
    let outcome = runner.run(&strategy, |(file, damages)| {
        let damaged = damages.iter().fold(corpus[file].clone().into_bytes(), |bytes, damage| damage.done_to(bytes));
        *ends.borrow_mut().entry(followed(&damaged)).or_insert(0_u32) += 1;
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    let ends = ends.into_inner();
    println!("{ends:?}");
    for end in ["refused", "diverged", "replayed", "not of this model", "unknown model"] {
        assert!(ends.contains_key(end), "no case ended as {end}: {ends:?}");
    }
}

/// Whatever a schedule's setting allows is bounded, or refused with a reason.
#[test]
fn absurd_settings_are_refused_or_harmless() {
    let corpus = corpus();
    let file = corpus.iter().find(|file| file.contains("\nlock_ttl = ")).expect("a protocol with a TTL");
    assert_eq!(followed(file.as_bytes()), "replayed");
    let journeys = |count: usize| {
        let (before, rest) = file.split_once("journeys = [").expect("it has journeys");
        let (_, after) = rest.split_once("]\n").expect("they end");
        format!("{before}journeys = [{}]\n{after}", vec!["\"contend\""; count].join(", "))
    };
    assert_eq!(followed(journeys(65_535).as_bytes()), "refused");
    assert_eq!(followed(journeys(0).as_bytes()), "refused");
    assert_ne!(followed(journeys(65_534).as_bytes()), "refused");
    let with = |key: &str, value: &str| {
        let start = format!("{key} = ");
        let is_meant = |line: &&str| line.starts_with(&start);
        assert_eq!(file.lines().filter(is_meant).count(), usize::from(key != "given"), "{key}: {file}");
        if key == "given" {
            return file.replacen("\n[setting]\n", &format!("\n[setting]\ngiven = {value}\n"), 1);
        }
        let lines = file.lines().map(|line| if is_meant(&line) { format!("{key} = {value}") } else { line.to_owned() });
        lines.collect::<Vec<_>>().join("\n")
    };
    let cases = [
        ("rounds", "1000000000", "replayed"),
        ("rounds", "4294967296", "refused"),
        ("rounds", "0", "refused"),
        (
            "budgets",
            "{ lose_request = 4294967295, lose_reply = 4294967295, time_steps = 4294967295, crash = 9, \
                      redis_restart = 4294967295, evict = 4294967295 }",
            "replayed",
        ),
        ("given", "[\"vu3 until C2\"]", "not of this model"),
        ("given", "[\"job no-such-job\"]", "not of this model"),
        ("given", "[\"vu1 until no-such-label\"]", "diverged"),
        ("given", "[\"wait 106751d\", \"wait 106751d\"]", "replayed"),
        ("given", &format!("[{}]", vec!["\"wait 1s\""; 1_001].join(", ")), "refused"),
        ("service", "{ instances = 65536, workers = 1, connections = 1 }", "refused"),
        ("service", "{ instances = 1, workers = 0, connections = 1 }", "refused"),
        ("service", "{ instances = 65535, workers = 65535, connections = 65535 }", "replayed"),
        ("seats", "[1, 9223372036854775807]", "not of this model"),
        ("lock_ttl", "[9223372036854775807, 9223372036854775807]", "not of this model"),
        ("property", "\"no-such-property\"", "not of this model"),
    ];
    for (key, value, end) in cases.iter().copied() {
        assert_eq!(followed(with(key, value).as_bytes()), end, "{key} = {value}");
    }
    for at in ["18446744073709551615", "9223372036854776"] {
        let late = file.replacen("{ do = ", &format!("{{ at = {at}, do = "), 1);
        assert_eq!(followed(late.as_bytes()), "refused", "{at}");
    }
}
