//! shuttle's schedulers over the models of the catalogue.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::support::built_in::scenario;
use seatproof::engines::portfolio;
use seatproof::engines::reference;
use seatproof::engines::replay::replay;
use seatproof::engines::shrink::ShrinkOptions;
use seatproof::engines::shuttle::{self, Options, Sampled, Scheduler, sample};
use seatproof::engines::verdict::{Bound, Exploration, Verdict};
use seatproof::models;
use seatproof::process::{Ctx, Flow, ParamValue, Params};
use seatproof::system::Setting;
use seatproof::system::model::Model;
use seatproof::system::property::GENERAL;
use seatproof::system::scenario::{Check, Scenario};
use seatproof::system::schedule::of_steps;
use seatproof::system::setting;
use seatproof::system::state::Budgets;

const SCHEDULERS: [Scheduler; 3] = [Scheduler::Random, Scheduler::Pct { depth: 3 }, Scheduler::Urw];

fn options(scheduler: Scheduler, threads: usize) -> Options {
    let threads = NonZeroUsize::new(threads).expect("at least one");
    Options { scheduler, seed: 1, executions: 300, max_steps: 100_000, threads }
}

/// The scenario of a built-in model and its model.
fn built_in(name: &str) -> (Scenario, &'static Model) {
    let entry = models::find(name).expect("the model is built in");
    (scenario(entry.scenario).expect("it is valid").0, entry.model)
}

fn check_of(name: &str, check: &str) -> Setting {
    let (judged, model) = built_in(name);
    let check = judged.checks.iter().find(|it| it.name == check).expect("the check exists");
    setting::of_check(&judged, check, model)
}

/// The same check with this many clients, seats and rounds.
fn enlarged(name: &str, check: &str, clients: usize, rounds: u32) -> Setting {
    let setting = check_of(name, check);
    let journeys = setting.journeys.iter().copied().cycle().take(clients).collect();
    Setting { journeys, rounds: Some(rounds), ..setting }
}

fn sampled(setting: &Setting, options: Options) -> Sampled {
    sample(setting, options, &Arc::new(AtomicBool::new(false))).expect("the model is right")
}

#[test]
fn every_scheduler_finds_the_race_and_it_replays_everywhere() {
    let setting = enlarged("get_then_set", "none", 100, 2);
    for scheduler in SCHEDULERS {
        let found = sampled(&setting, options(scheduler, 1)).found.expect("GET then SET is broken");
        let violation = Some((found.property.to_owned(), found.counterexample.reason.clone()));
        let shared = Rc::new(setting.clone());
        let schedule =
            of_steps(&shared, &found.counterexample.steps, "shuttle", "test", violation).expect("the model is right");
        let again = replay(&shared, &schedule).expect("the model is right");
        assert_eq!(again.divergence, None, "{scheduler}");
        let broken = again.violations.iter().map(|(number, violation)| (*number, violation.property));
        let last = found.counterexample.steps.len();
        assert_eq!(broken.collect::<Vec<_>>().first(), Some(&(last, found.property)), "{scheduler}");
        assert_eq!(again.fingerprint.to_string(), schedule.fingerprint, "{scheduler}");
        let native = found.native.expect("shuttle has a notation of its own");
        let steps = shuttle::replay(&setting, &native).expect("the model is right");
        assert_eq!(steps, found.counterexample.steps, "{scheduler}");
    }
}

#[test]
fn a_sample_does_not_depend_on_the_number_of_threads() {
    let broken = enlarged("set_nx_px_blind_del", "pause", 20, 2);
    let sound = enlarged("set_nx_px_blind_del", "none", 20, 2);
    for scheduler in SCHEDULERS {
        for setting in [&broken, &sound] {
            let one = sampled(setting, options(scheduler, 1));
            assert_eq!(one, sampled(setting, options(scheduler, 2)), "{scheduler}");
            assert!(one.found.is_some() || one.executions == 300);
        }
    }
}

#[test]
fn what_holds_is_sampled_without_a_finding() {
    let setting = enlarged("set_nx_px_lua_release", "none", 100, 3);
    for scheduler in SCHEDULERS {
        let sampled = sampled(&setting, options(scheduler, 2));
        assert_eq!((sampled.found, sampled.executions), (None, 300), "{scheduler}");
        assert!(sampled.distinct_schedules > 290, "{scheduler}: {}", sampled.distinct_schedules);
        assert!(sampled.steps > 300 * 600, "{scheduler}: {}", sampled.steps);
    }
}

#[test]
fn depth_first_search_agrees_with_the_reference_explorer() {
    let mut compared = 0;
    for entry in models::CATALOG {
        let (judged, model) = built_in(entry.model.name);
        for check in judged.checks.iter().filter(|check| is_small(check)) {
            let setting = setting::of_check(&judged, check, model);
            let never = Arc::new(AtomicBool::new(false));
            let oracle = reference::explore(&Rc::new(setting.clone()), usize::MAX, &never).expect("explorable");
            let dfs = shuttle::explore(&setting, usize::MAX, &never).expect("explorable");
            let what = format!("{} [check.{}]", model.name, check.name);
            assert_eq!(words(&dfs), words(&oracle), "{what}");
            // The oracle stops once all is decided; where something holds, both saw everything.
            if oracle.verdicts.iter().any(|(_, verdict)| *verdict == Verdict::Holds) {
                assert_eq!(dfs.final_states, oracle.final_states, "{what}");
                assert_eq!((dfs.states, dfs.transitions), (oracle.states, oracle.transitions), "{what}");
                compared += 1;
            }
        }
    }
    assert!(compared >= 8, "only {compared} checks were compared");
}

/// Checks that both searches finish soon.
fn is_small(check: &Check) -> bool {
    check.expect_states.is_some_and(|states| states <= 1_200)
}

fn words(exploration: &Exploration) -> Vec<(&'static str, &'static str)> {
    let word = |verdict: &Verdict| match verdict {
        Verdict::Holds => "holds",
        Verdict::Violated(_) => "violated",
        Verdict::Unknown(_) => "unknown",
    };
    exploration.verdicts.iter().map(|(property, verdict)| (*property, word(verdict))).collect()
}

/// Time may not pass to an instant while somebody would be left standing for longer than the bound; it may again once
/// he has gone on.
#[test]
fn every_scheduler_keeps_to_bounds_on_slowness() {
    let never = Arc::new(AtomicBool::new(false));
    for name in ["long-work", "long-work-without"] {
        let setting = check_of("watchdog", name);
        let oracle = reference::explore(&Rc::new(setting.clone()), usize::MAX, &never).expect("explorable");
        let broken = oracle.verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Violated(_)));
        let broken = broken.map(|(property, _)| *property).collect::<Vec<_>>();
        for scheduler in SCHEDULERS {
            let sampled = sampled(&setting, options(scheduler, 2));
            assert_eq!(sampled.found.as_ref().map(|found| found.property), broken.first().copied(), "{scheduler}");
            assert!(sampled.exercised.faults.contains("time_steps"), "{scheduler}");
            let Some(found) = sampled.found else { continue };
            let shared = Rc::new(setting.clone());
            let schedule = of_steps(&shared, &found.counterexample.steps, "shuttle", "test", None);
            let again = replay(&shared, &schedule.expect("the model is right")).expect("the model is right");
            assert_eq!(again.divergence, None, "{scheduler}");
        }
    }
}

/// The handler of a call that was made once more goes on with nobody who waits for it, in its client's thread. The
/// client meanwhile draws seats, of which there are too many to enumerate.
#[test]
fn a_client_draws_while_a_handler_of_his_is_still_at_work() {
    let whole = check_of("moviebooking", "lock-release");
    let journey = whole.model.journeys.iter().position(|journey| journey.name == "lock_release").expect("it has it");
    let journey = u16::try_from(journey).expect("a few journeys");
    let wanted = |(name, value)| match name {
        "seats" => (name, ParamValue::one(100)),
        "seats_per_request" => (name, ParamValue::one(4)),
        _ => (name, value),
    };
    let params = Params::new(whole.params.iter().map(wanted).collect::<Vec<_>>());
    let budgets = Budgets { client_retry: 3, ..Budgets::default() };
    let properties = GENERAL.iter().copied().filter(|property| property.name == "no-panic").collect();
    let draws = BTreeMap::new();
    let journeys = vec![journey; 6];
    let setting = Setting { params, budgets, properties, draws, journeys, rounds: Some(3), ..whole };
    for scheduler in SCHEDULERS {
        let sampled = sampled(&setting, options(scheduler, 2));
        assert_eq!((sampled.found, sampled.executions), (None, 300), "{scheduler}");
        assert!(sampled.exercised.faults.contains("client_retry"), "{scheduler}");
    }
}

/// The client gives up and ends; what it asked for lands later, and a handler begins in its thread.
#[test]
fn a_call_that_lands_after_its_client_has_ended_is_handled_in_its_thread() {
    let whole = check_of("moviebooking", "lock-release");
    let journey = whole.model.journeys.iter().position(|journey| journey.name == "lock_confirm").expect("it has it");
    let journeys = vec![u16::try_from(journey).expect("a few journeys")];
    let budgets = Budgets { late: 1, ..Budgets::default() };
    let setting = Setting { journeys, budgets, properties: Vec::new(), rounds: Some(1), ..whole };
    let oracle =
        reference::explore(&Rc::new(setting.clone()), usize::MAX, &AtomicBool::new(false)).expect("explorable");
    let dfs = shuttle::explore(&setting, usize::MAX, &Arc::new(AtomicBool::new(false))).expect("explorable");
    assert_eq!((dfs.states, &dfs.final_states), (oracle.states, &oracle.final_states));
    for scheduler in SCHEDULERS {
        assert_eq!(sampled(&setting, options(scheduler, 1)).executions, 300, "{scheduler}");
    }
}

#[test]
fn depth_first_search_says_when_it_stops_early() {
    let setting = check_of("moviebooking", "lock-release");
    let dfs = shuttle::explore(&setting, 100, &Arc::new(AtomicBool::new(false))).expect("explorable");
    assert!(dfs.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Unknown(Bound::States(100))));
}

#[test]
fn a_wrong_statement_is_an_error_and_no_panic() {
    async fn ask(mut ctx: Ctx) -> Flow {
        let _ = ctx.sql("SELECT nothing FROM nowhere", []).await;
        Flow::Done
    }
    const JOURNEYS: &[seatproof::system::model::Journey] =
        &[seatproof::system::model::Journey { name: "ask", about: "Asks.", run: |ctx| Box::pin(ask(ctx)) }];
    const WRONG: Model = Model { name: "wrong", journeys: JOURNEYS, ..seatproof::models::get_then_set::MODEL };
    let setting = Setting { model: &WRONG, ..check_of("get_then_set", "none") };
    let error = sample(&setting, options(Scheduler::Random, 2), &Arc::new(AtomicBool::new(false)));
    assert!(error.expect_err("the table does not exist").to_string().contains("nowhere"));
}

#[test]
fn what_holds_small_and_breaks_large_is_said_to_do_both() {
    let small = check_of("get_then_set", "none");
    let alone = Setting { journeys: small.journeys[..1].to_vec(), ..small.clone() };
    let never = Arc::new(AtomicBool::new(false));
    let mut explored = reference::explore(&Rc::new(alone), 10_000, &never).expect("explorable");
    assert!(explored.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds), "one client has no rival");
    let mut samples =
        portfolio::sample(&small, options(Scheduler::Random, 1), &mut explored, &never).expect("the model is right");
    let first = samples.first_mut().expect("a scheduler ran");
    let shrinking = ShrinkOptions { max_steps: 100_000, max_states: 2_000 };
    portfolio::shrink_sample(first, &shrinking, &mut explored, &never).expect("the model is right");
    assert!(first.holds_smaller && first.sampled.found.is_some());
    assert!(explored.verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Violated(_))));
    let (setting, counterexample) = first.smallest().expect("it was found");
    assert!(setting.journeys.len() == 2 && counterexample.steps.len() <= 12, "{}", counterexample.steps.len());
}
