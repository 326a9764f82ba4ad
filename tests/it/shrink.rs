//! What schedulers find among many contenders becomes as small as what the explorer finds among two.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::support::built_in::scenario;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seatproof::engines::reference::explore;
use seatproof::engines::replay::replay;
use seatproof::engines::shrink::{Minimality, ShrinkError, ShrinkOptions, Shrunk, shrink};
use seatproof::engines::shuttle::{Options, Scheduler, sample};
use seatproof::engines::verdict::{Finding, Verdict};
use seatproof::models;
use seatproof::system::Setting;
use seatproof::system::schedule::of_steps;
use seatproof::system::setting;

/// The setting of a model's check.
fn check_of(model: &str, check: &str) -> Setting {
    let entry = models::find(model).expect("the model is built in");
    let (judged, _) = scenario(entry.scenario).expect("it is valid");
    let check = judged.checks.iter().find(|it| it.name == check).expect("the check exists");
    setting::of_check(&judged, check, entry.model)
}

fn with_clients(setting: &Setting, clients: usize, rounds: u32) -> Setting {
    let journeys = setting.journeys.iter().copied().cycle().take(clients).collect();
    Setting { journeys, rounds: Some(rounds), ..setting.clone() }
}

fn find(setting: &Setting, seed: u64) -> Option<Finding> {
    let threads = NonZeroUsize::new(1).expect("one");
    let options = Options { scheduler: Scheduler::Random, seed, executions: 400, max_steps: 100_000, threads };
    sample(setting, options, &Arc::new(AtomicBool::new(false))).expect("the model is right").found
}

fn shrunk(setting: &Setting, found: &Finding) -> Shrunk {
    let options = ShrinkOptions { max_steps: 400_000, max_states: 4_000 };
    let never = AtomicBool::new(false);
    shrink(setting, &found.counterexample.steps, found.property, &options, &never).expect("the steps break it")
}

/// The result replays strictly and breaks the property with its last step.
fn assert_replays(found: &Finding, small: &Shrunk) {
    let setting = Rc::new(small.setting.clone());
    let violation = Some((found.property.to_owned(), small.reason.clone()));
    let schedule = of_steps(&setting, &small.steps, "shuttle", "test", violation).expect("the model is right");
    let again = replay(&setting, &schedule).expect("the model is right");
    assert_eq!(again.divergence, None);
    assert_eq!(again.fingerprint.to_string(), schedule.fingerprint);
    let broken = again.violations.iter().map(|(number, violation)| (*number, violation.property));
    assert!(broken.clone().any(|it| it == (small.steps.len(), found.property)), "{:?}", broken.collect::<Vec<_>>());
}

#[test]
fn a_hundred_contenders_become_two() {
    let setting = with_clients(&check_of("get_then_set", "none"), 100, 3);
    let found = find(&setting, 5).expect("GET then SET is broken");
    let small = shrunk(&setting, &found);
    assert_replays(&found, &small);
    assert_eq!((small.to.contenders, small.to.seats, small.to.rounds, small.to.faults), (2, Some(1), 1, 0));
    assert_eq!(small.minimality, Minimality::Shortest);
    assert!(small.from.contenders == 100 && small.from.steps > small.to.steps);
}

/// One check with a violation of each model: the ratio to the explorer's shortest, over all of them.
#[test]
fn the_result_is_about_as_short_as_the_explorers() {
    let (mut ratios, mut lines) = (Vec::new(), Vec::new());
    for entry in models::CATALOG {
        for check in ["none", "pause", "lose-reply"] {
            let (judged, _) = scenario(entry.scenario).expect("it is valid");
            if judged.checks.iter().all(|it| it.name != check) {
                continue;
            }
            let small = check_of(entry.model.name, check);
            let large = with_clients(&small, 6, 2);
            let Some(found) = find(&large, 1) else { continue };
            let result = shrunk(&large, &found);
            assert_replays(&found, &result);
            let oracle = explore(&Rc::new(small), 50_000, &AtomicBool::new(false)).expect("explorable");
            let shortest = oracle.verdicts.iter().find(|(property, _)| *property == found.property);
            let Some((_, Verdict::Violated(shortest))) = shortest else { panic!("two clients are enough") };
            ratios.push((result.steps.len(), shortest.steps.len()));
            let model = entry.model.name;
            lines.push(format!("{model} {check}: {} steps, shortest {}", result.steps.len(), shortest.steps.len()));
            break;
        }
    }
    println!("{}", lines.join("\n"));
    assert!(ratios.len() >= 6, "only {} models were compared", ratios.len());
    // The mean of the ratios is at most 1.3: sum of r/s <= 1.3 n, in integers.
    let sum_millis = ratios.iter().map(|(result, shortest)| 1_000 * result / shortest).sum::<usize>();
    assert!(sum_millis <= 1_300 * ratios.len(), "{}", lines.join("\n"));
}

#[test]
fn shrinking_keeps_the_violation_and_is_repeatable() {
    let setting = with_clients(&check_of("set_nx_px_blind_del", "pause"), 5, 2);
    let mut runner = TestRunner::new_with_rng(
        Config { cases: 12, failure_persistence: None, ..Config::default() },
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha),
    );
    let holds = runner.run(&any::<u64>(), |seed| {
        let Some(found) = find(&setting, seed) else { return Ok(()) };
        let small = shrunk(&setting, &found);
        assert_replays(&found, &small);
        prop_assert!(small.to <= small.from);
        prop_assert_eq!(&small.steps, &shrunk(&setting, &found).steps);
        Ok(())
    });
    holds.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn steps_that_break_nothing_are_refused() {
    let setting = check_of("set_nx_px_lua_release", "none");
    let never = AtomicBool::new(false);
    let error = shrink(&setting, &[], "one-booking-per-seat", &ShrinkOptions::default(), &never);
    assert_eq!(error.map(|_| ()), Err(ShrinkError::NotBroken("one-booking-per-seat")));
}
