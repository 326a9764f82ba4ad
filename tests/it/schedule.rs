//! Schedules: what an engine recorded replays, what was edited diverges with a reason, and no text makes the replayer
//! panic.

use std::path::Path;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use seatproof::engines::replay::{Replay, replay};
use seatproof::engines::simulate::LoadTest;
use seatproof::models;
use seatproof::system::schedule::{self, Schedule, of_steps};
use seatproof::system::{Halves, Setting, Step, System, setting};

use crate::support::built_in::scenario;

fn check_setting(name: &str) -> Rc<Setting> {
    let entry = models::find("moviebooking").expect("a built-in model");
    let loaded = scenario(entry.scenario).expect("the built-in scenario is right").0;
    let check = loaded.checks.iter().find(|check| check.name == name).expect("the check exists");
    Rc::new(setting::of_check(&loaded, check, entry.model))
}

/// A walk that takes the enabled step which each number picks.
fn walk(setting: &Rc<Setting>, picks: &[usize]) -> (System, Vec<Step>) {
    let mut system = System::new(Rc::clone(setting), Halves::Fused, true).expect("the model is right");
    let mut steps = Vec::new();
    for pick in picks {
        let enabled = system.enabled();
        if enabled.is_empty() {
            break;
        }
        let step = enabled[pick % enabled.len()].clone();
        system.fire(&step).expect("the model is right");
        steps.push(step);
    }
    (system, steps)
}

fn recorded(setting: &Rc<Setting>, picks: &[usize]) -> Schedule {
    let (_, steps) = walk(setting, picks);
    of_steps(setting, &steps, "walk", "test", None).expect("the model is right")
}

fn replayed(text: &str) -> Result<Replay, String> {
    let schedule = schedule::parse(Path::new("test.replay"), text).map_err(|error| error.to_string())?;
    let entry = models::find(&schedule.setting.model).ok_or("unknown model")?;
    let setting = Rc::new(schedule.setting.resolve(entry.model)?);
    replay(&setting, &schedule).map_err(|error| error.to_string())
}

/// The same numbers on every machine and day.
fn runner(cases: u32) -> TestRunner {
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

#[test]
fn a_process_that_runs_and_one_re_created_from_its_history_do_the_same() {
    let settings = [check_setting("lock-release"), check_setting("double-confirm")];
    let strategy = (0..settings.len(), proptest::collection::vec(0_usize..16, 1..80));
    runner(60)
        .run(&strategy, |(which, picks)| {
            let mut live = System::new(Rc::clone(&settings[which]), Halves::Fused, true).expect("the model is right");
            for pick in picks {
                let enabled = live.enabled();
                let Some(step) = enabled.get(pick % enabled.len().max(1)) else { break };
                // A clone has no running process: it replays the history first.
                let mut re_created = live.clone();
                re_created.fire(step).expect("the model is right");
                live.fire(step).expect("the model is right");
                prop_assert_eq!(live.state(), re_created.state());
            }
            Ok(())
        })
        .expect("a process is a function of its history");
}

#[test]
fn every_walk_replays_to_the_same_state_through_its_text() {
    let setting = check_setting("double-confirm");
    runner(80)
        .run(&proptest::collection::vec(0_usize..16, 0..60), |picks| {
            let schedule = recorded(&setting, &picks);
            let replayed = replayed(&schedule.to_string()).map_err(TestCaseError::fail)?;
            prop_assert_eq!(&replayed.divergence, &None);
            prop_assert_eq!(replayed.fingerprint.to_string(), schedule.fingerprint);
            Ok(())
        })
        .expect("what was recorded replays");
}

#[test]
fn names_of_enabled_steps_are_unique() {
    let setting = check_setting("double-confirm");
    runner(60)
        .run(&proptest::collection::vec(0_usize..16, 0..60), |picks| {
            let (system, _) = walk(&setting, &picks);
            let names = system.enabled().iter().map(|step| system.name(step)).collect::<Vec<_>>();
            let distinct = names.iter().collect::<std::collections::BTreeSet<_>>();
            prop_assert_eq!(distinct.len(), names.len(), "{:?}", names);
            Ok(())
        })
        .expect("a name says which step is meant");
}

#[test]
fn damaged_schedules_give_errors_and_never_panics() {
    let setting = check_setting("double-confirm");
    let text = recorded(&setting, &[0; 40]).to_string();
    let garbage = prop_oneof![Just(""), Just("\""), Just("]"), Just("vu9"), Just("at = 99"), Just("\u{0}")];
    let strategy = (0..text.len(), 0..text.len(), garbage);
    runner(400)
        .run(&strategy, |(from, length, garbage)| {
            let from = text.floor_char_boundary(from);
            let to = text.ceil_char_boundary((from + length % 60).min(text.len()));
            let damaged = format!("{}{garbage}{}", &text[..from], &text[to..]);
            // An error or a result, as long as it comes back.
            let _ = replayed(&damaged);
            Ok(())
        })
        .expect("no text makes the replayer panic");
}

#[test]
fn lines_that_are_swapped_removed_or_doubled_replay_or_diverge() {
    let setting = check_setting("double-confirm");
    let original = recorded(&setting, &[0; 40]);
    let strategy = (0..original.steps.len(), 0..original.steps.len(), 0_u8..3);
    runner(200)
        .run(&strategy, |(one, other, how)| {
            let mut edited = original.clone();
            match how {
                0 => edited.steps.swap(one, other),
                1 => drop(edited.steps.remove(one)),
                _ => edited.steps.insert(other, original.steps[one].clone()),
            }
            let replayed = replayed(&edited.to_string()).map_err(TestCaseError::fail)?;
            if let Some(divergence) = replayed.divergence {
                prop_assert!(!divergence.reason.is_empty());
                prop_assert_eq!(divergence.number, replayed.steps.len() + 1);
            }
            Ok(())
        })
        .expect("an edited schedule never panics");
}

#[test]
fn a_foreign_format_and_a_cut_file_are_told_apart() {
    let text = recorded(&check_setting("double-confirm"), &[0; 10]).to_string();
    let foreign = replayed(&text.replace("format = 1", "format = 9")).expect_err("another format");
    assert!(foreign.contains("SP0402") && foreign.contains("format 9"), "{foreign}");
    let cut = replayed(&text[..text.len() / 2]).expect_err("half a file");
    assert!(cut.contains("SP0401"), "{cut}");
    let unknown = replayed(&text.replace("\"lock_confirm\"", "\"lock_sell\"")).expect_err("no such journey");
    assert!(unknown.contains("lock_sell"), "{unknown}");
}

/// Both halves of every operation, with times, as the load test recorded them.
#[test]
fn a_recorded_load_test_replays_to_the_same_state() {
    let entry = models::find("moviebooking").expect("a built-in model");
    let stages = entry.scenario.find("stages = [").expect("it has stages");
    let end = stages + entry.scenario[stages..].find("\n]").expect("they end") + 2;
    let mut text = entry.scenario.to_owned();
    text.replace_range(stages..end, "stages = [{ duration = \"5s\", target = 5 }, { duration = \"1s\", target = 0 }]");
    let loaded = scenario(&text).expect("a scenario").0;
    let test = LoadTest::new(&loaded, loaded.load.as_ref().expect("a load"), entry.model).expect("thresholds fit");
    let (run, schedule) = test.record(5).expect("the model is right");
    assert_eq!(test.run(5), Ok(run), "recording changes nothing");
    assert!(schedule.steps.len() > 300, "{}", schedule.steps.len());
    let replayed = replayed(&schedule.to_string()).expect("it fits");
    assert_eq!(replayed.divergence, None);
    assert_eq!(replayed.fingerprint.to_string(), schedule.fingerprint);
}
