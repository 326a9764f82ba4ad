//! The explorer against its oracle, the reference explorer, on the scenarios of `models/`: the same verdicts, the same
//! counterexamples step by step, the same numbers of states and transitions.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::explore::audit::audit;
use seatproof::engines::explore::{Explored, Options, explore};
use seatproof::engines::reference;
use seatproof::engines::verdict::{Exploration, Verdict};
use seatproof::models::CATALOG;
use seatproof::system::Setting;
use seatproof::system::setting;

use crate::support::built_in::scenario;

fn options(threads: usize) -> Options {
    let threads = NonZeroUsize::new(threads).expect("at least one");
    Options { max_states: usize::MAX, max_bytes: None, threads, reduction: false, final_states: true }
}

fn explored(setting: &Rc<Setting>, options: Options) -> Explored {
    explore(setting, options, &AtomicBool::new(false)).expect("explorable")
}

/// Every check of the catalogue with at most so many states, by its name.
fn small_checks(states_max: u64) -> Vec<(String, Rc<Setting>)> {
    let mut checks = Vec::new();
    for entry in CATALOG {
        let (judged, _) = scenario(entry.scenario).expect("it is valid");
        for check in judged.checks.iter().filter(|check| check.expect_states.is_none_or(|it| it <= states_max)) {
            let name = format!("{} [check.{}]", entry.model.name, check.name);
            checks.push((name, Rc::new(setting::of_check(&judged, check, entry.model))));
        }
    }
    checks
}

#[test]
fn it_agrees_with_the_reference_explorer_to_the_step() {
    let checks = small_checks(3_000);
    assert!(checks.len() > 30, "only {} checks were compared", checks.len());
    for (name, setting) in checks {
        let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable");
        assert_eq!(explored(&setting, options(1)).exploration, oracle, "{name}");
    }
}

#[test]
fn every_look_up_is_what_the_real_system_says() {
    for (name, setting) in small_checks(1_500) {
        let states = audit(&setting).expect("explorable");
        assert!(states > 10, "{name}: {states}");
    }
}

#[test]
fn reduction_changes_no_verdict_and_no_length() {
    let (mut with, mut without) = (0, 0);
    for (name, setting) in small_checks(3_000) {
        let full = explored(&setting, options(1)).exploration;
        let reduced = explored(&setting, Options { reduction: true, final_states: false, ..options(1) }).exploration;
        assert_eq!(lengths(&reduced), lengths(&full), "{name}");
        (with, without) = (with + reduced.states, without + full.states);
    }
    assert!(with * 2 < without, "{with} states instead of {without}");
}

fn lengths(exploration: &Exploration) -> Vec<(&'static str, Option<usize>)> {
    let length = |verdict: &Verdict| match verdict {
        Verdict::Violated(found) => Some(found.steps.len()),
        Verdict::Holds => None,
        Verdict::Unknown(bound) => panic!("stopped at {bound:?}"),
    };
    exploration.verdicts.iter().map(|(property, verdict)| (*property, length(verdict))).collect()
}
