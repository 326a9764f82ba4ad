//! What a person sees of a schedule that is followed: what each step changed, the diagram, the exports.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::recording::{Frame, Held, Recording};
use seatproof::engines::reference::explore;
use seatproof::engines::replay::record;
use seatproof::engines::verdict::Verdict;
use seatproof::models;
use seatproof::process::Statement;
use seatproof::report::replay::{StateDetail, step};
use seatproof::report::{Signs, counterexample, diagram, export};
use seatproof::system::schedule::{Schedule, of_steps};
use seatproof::system::setting;
use serde_json::Value;

use super::support::built_in;
use super::support::golden::assert_file;

/// The first counterexample of a built-in check.
fn found(model: &str, check: &str) -> (Schedule, Recording) {
    let entry = models::find(model).expect("a built-in model");
    let scenario = built_in::scenario(entry.scenario).expect("the built-in scenario is right").0;
    let wanted = scenario.checks.iter().find(|it| it.name == check).expect("the check exists");
    let setting = Rc::new(setting::of_check(&scenario, wanted, entry.model));
    let explored = explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("the model is right");
    let found = explored.verdicts.into_iter().find_map(|(property, verdict)| match verdict {
        Verdict::Violated(found) => Some((property, found)),
        _ => None,
    });
    let (property, found) = found.expect("the check is violated");
    let violation = Some((property.to_owned(), found.reason));
    let schedule = of_steps(&setting, &found.steps, "reference", check, violation).expect("the model is right");
    let recording = record(&setting, &schedule, None).expect("the model is right");
    (schedule, recording)
}

/// A lock that expires before the booking is written.
fn expired_lock() -> (Schedule, Recording) {
    found("set_nx_px_blind_del", "pause")
}

#[test]
fn the_diagram_shows_who_did_what_to_whom() {
    let (_, recording) = expired_lock();
    assert_file("tests/fixtures/replay/diagram.txt", &diagram::diagram(&recording.frames, Signs::UTF8));
    let ascii = diagram::diagram(&recording.frames, Signs::ASCII);
    assert!(ascii.is_ascii(), "{ascii}");
    assert_eq!(ascii.lines().count(), diagram::diagram(&recording.frames, Signs::UTF8).lines().count());
}

#[test]
fn a_counterexample_is_drawn_told_step_by_step_and_explained() {
    let (schedule, recording) = expired_lock();
    let text = counterexample::counterexample(&schedule, &recording, Signs::UTF8);
    assert_file("tests/fixtures/replay/counterexample.txt", &text);
    let (schedule, recording) = found("moviebooking", "confirm-and-release");
    let text = counterexample::counterexample(&schedule, &recording, Signs::UTF8);
    assert_file("tests/fixtures/replay/counterexample-long.txt", &text);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    let ascii = counterexample::counterexample(&schedule, &recording, Signs::ASCII);
    assert!(ascii.is_ascii(), "{ascii}");
}

/// Where PostgreSQL answers with a command tag alone, that is what a process hears.
#[test]
fn the_end_of_a_transaction_is_told_by_its_command_tag() {
    let (_, recording) = found("moviebooking", "confirm-and-release");
    let heard = |statement: &str| {
        let frames = recording.frames.iter().filter(|frame| frame.line.text.ends_with(statement));
        frames.map(|frame| frame.heard[0].1.as_str()).collect::<BTreeSet<_>>()
    };
    assert_eq!((heard(": BEGIN"), heard(": COMMIT")), (BTreeSet::from(["BEGIN"]), BTreeSet::from(["COMMIT"])));
    let text = export::mermaid(&recording);
    assert!(text.contains(" hears BEGIN\n") && text.contains(" hears COMMIT\n"), "{text}");
    let tag = |text| Statement(text).transaction_tag();
    assert_eq!(tag("start transaction isolation level repeatable read"), Some("START TRANSACTION"));
    assert_eq!((tag("COMMIT;"), tag("ROLLBACK"), tag("BEGINNING")), (Some("COMMIT"), Some("ROLLBACK"), None));
}

/// A client that counts on a seat whose lock is gone stands out, and so does the step that takes the lock.
#[test]
fn a_client_that_holds_a_seat_without_its_lock_is_told_from_one_with_it() {
    let (_, recording) = expired_lock();
    let held = |number: usize| recording.frames[number - 1].held.clone();
    let taken = recording.frames.iter().find(|frame| frame.broken.contains(&"release-own-only")).expect("it is taken");
    assert_eq!(held(taken.number - 1), [Held { client: 2, seat: 1, is_locked: true }]);
    assert_eq!(held(taken.number), [Held { client: 2, seat: 1, is_locked: false }]);
    let (_, recording) = found("moviebooking", "confirm-and-release");
    assert_eq!(recording.held, [Held { client: 1, seat: 1, is_locked: true }], "what was given left it with the seat");
}

#[test]
fn of_a_long_schedule_the_first_and_the_last_steps_are_shown_and_the_others_counted() {
    let (schedule, mut recording) = expired_lock();
    let frame = recording.frames[0].clone();
    recording.frames = (1..=60).map(|number| Frame { number, ..frame.clone() }).collect();
    let text = counterexample::counterexample(&schedule, &recording, Signs::UTF8);
    assert_eq!(text.matches("      ... 10 steps left out; the file has them all\n").count(), 2, "{text}");
    for (number, times) in [(40, 2), (41, 0), (50, 0), (51, 2), (60, 2)] {
        let shown = text.lines().filter(|line| line.starts_with(&format!("{number:4} ")));
        assert_eq!(shown.count(), times, "step {number}: {text}");
    }
}

#[test]
fn diagrams_fit_the_page_also_with_handlers_and_a_database() {
    let (_, recording) = found("moviebooking", "double-confirm");
    let text = diagram::diagram(&recording.frames, Signs::UTF8);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for words in ["one-booking-per-seat violated", "hears 201", "lose_reply"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn clients_beyond_those_that_act_last_share_a_lane() {
    let (_, recording) = expired_lock();
    let mut frames = Vec::new();
    for client in 1..=9 {
        let mut frame = recording.frames[2].clone();
        frame.lane = seatproof::engines::recording::Lane::Client(client);
        frames.push(frame);
    }
    let text = diagram::diagram(&frames, Signs::UTF8);
    let heading = text.lines().next().expect("a heading");
    let lanes = heading.split_whitespace().collect::<Vec<_>>();
    assert_eq!(lanes, ["vu6", "vu7", "vu8", "vu9", "others", "redis"]);
    let cells = |line: &str| line.chars().skip(5).take(6 * 7).collect::<String>();
    let first = cells(text.lines().nth(1).expect("a step"));
    assert_eq!(first.chars().position(|cell| cell == '●'), Some(4 * 7 + 3), "vu1 is among the others: {first}");
}

#[test]
fn each_step_says_what_it_changed_and_the_changes_add_up_to_the_state() {
    let (_, recording) = expired_lock();
    let mut text = String::new();
    for (frame, facts) in recording.states() {
        text.push_str(&step(frame, &facts, StateDetail::Diff, Signs::UTF8));
    }
    assert_file("tests/fixtures/replay/diff.txt", &text);
    let (schedule, _) = expired_lock();
    let json = export::json(&schedule, &recording);
    let mut facts: BTreeMap<String, String> =
        serde_json::from_value(json["start"].clone()).expect("facts are texts by name");
    for change in
        json["trace"].as_array().expect("steps").iter().flat_map(|it| it["changed"].as_array().expect("a list"))
    {
        let name = change["fact"].as_str().expect("a name").to_owned();
        match &change["is"] {
            Value::String(is) => facts.insert(name, is.clone()),
            _ => facts.remove(&name),
        };
    }
    let last = recording.states().last().expect("a step").1;
    assert_eq!(facts, last.into_iter().map(|(thing, what)| (thing.name, what)).collect());
}

#[test]
fn a_recording_stops_where_it_is_told() {
    let (schedule, whole) = expired_lock();
    let entry = models::find(&schedule.setting.model).expect("a built-in model");
    let setting = Rc::new(schedule.setting.resolve(entry.model).expect("the setting is right"));
    let part = record(&setting, &schedule, Some(3)).expect("the model is right");
    assert_eq!(part.frames, whole.frames[..3]);
    assert!(part.replay.violations.is_empty() && part.replay.divergence.is_none());
}

#[test]
fn exports_are_as_they_were() {
    let (schedule, recording) = expired_lock();
    let pretty = |value: Value| format!("{value:#}\n");
    assert_file("tests/fixtures/replay/itf.json", &pretty(export::itf(&schedule, &recording)));
    assert_file("tests/fixtures/replay/trace.json", &pretty(export::json(&schedule, &recording)));
    assert_file("tests/fixtures/replay/mermaid.txt", &export::mermaid(&recording));
    assert_file("tests/fixtures/replay/shiviz.txt", &export::shiviz(&recording));
}

#[test]
fn the_itf_has_every_state_with_every_variable() {
    let (schedule, recording) = expired_lock();
    let itf = export::itf(&schedule, &recording);
    let states = itf["states"].as_array().expect("a list of states");
    assert_eq!(states.len(), schedule.steps.len() + 1);
    for (index, state) in states.iter().enumerate() {
        assert_eq!(state["#meta"]["index"], index);
        for name in itf["vars"].as_array().expect("a list of names") {
            assert!(state.get(name.as_str().expect("a name")).is_some(), "{name} in state {index}");
        }
    }
}

/// Vector clocks (Fidge 1988, Mattern 1989): a host's own component counts its events, and no component ever falls.
#[test]
fn vector_clocks_count_each_hosts_events_and_never_run_back() {
    let (_, recording) = expired_lock();
    let log = export::shiviz(&recording);
    let mut latest: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    let lines = log.lines().skip(2).collect::<Vec<_>>();
    for event in lines.chunks(2) {
        let (host, clock) = event[0].split_once(' ').expect("host and clock");
        let clock: BTreeMap<String, u64> = serde_json::from_str(clock).expect("the clock is JSON");
        let before = latest.entry(host.to_owned()).or_default();
        assert_eq!(clock[host], before.get(host).copied().unwrap_or(0) + 1, "{event:?}");
        for (other, count) in before.iter() {
            assert!(clock[other] >= *count, "{event:?}");
        }
        *before = clock;
    }
    assert!(latest["vu2"].get("redis").is_some_and(|seen| *seen > 1), "vu2 heard from Redis after vu1 had been there");
}

/// Mermaid ends a message at a line break, `;` or `#`; an entity code stands for those signs.
#[test]
fn every_line_of_the_sequence_diagram_is_a_participant_a_note_or_a_message() {
    for (model, check) in [("set_nx_px_blind_del", "pause"), ("moviebooking", "double-confirm")] {
        let (_, recording) = found(model, check);
        let text = export::mermaid(&recording);
        let mut lines = text.lines().map(str::trim_start);
        assert_eq!(lines.next(), Some("sequenceDiagram"));
        let mut participants = Vec::new();
        for line in lines {
            if let Some(name) = line.strip_prefix("participant ") {
                participants.push(name);
                continue;
            }
            let (who, what) = line.split_once(": ").unwrap_or_else(|| panic!("no message: {line}"));
            let who = who.strip_prefix("Note over ").map_or_else(|| who.split("->>").collect(), |name| vec![name]);
            let names = who.iter().flat_map(|name| name.trim_end_matches('-').split("-x"));
            for name in names {
                assert!(participants.contains(&name), "{name} in {line}");
            }
            for piece in what.split('#').skip(1) {
                let (code, _) = piece.split_once(';').unwrap_or_else(|| panic!("no entity code: {line}"));
                assert!(code.bytes().all(|byte| byte.is_ascii_digit()), "{line}");
            }
            assert_eq!(what.matches(';').count(), what.matches('#').count(), "{line}");
        }
        let log = export::shiviz(&recording);
        let events = log.lines().skip(2).collect::<Vec<_>>();
        assert!(events.len().is_multiple_of(2) && events.iter().step_by(2).all(|line| line.ends_with('}')), "{log}");
    }
}
