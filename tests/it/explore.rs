//! The explorer against its oracle, the reference explorer, on the scenarios of `models/`: the same verdicts, the same
//! counterexamples step by step, the same numbers of states and transitions.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::explore::audit::audit;
use seatproof::engines::explore::{Explored, Options, Reductions, explore};
use seatproof::engines::reference;
use seatproof::engines::shuttle;
use seatproof::engines::verdict::{Bound, Exploration, Verdict};
use seatproof::models::{self, CATALOG};
use seatproof::process::{Ctx, Flow, Params};
use seatproof::system::given::Given;
use seatproof::system::mishap::Clocks;
use seatproof::system::model::{Journey, Model, Param, ParamValue};
use seatproof::system::pace::Pace;
use seatproof::system::{Service, Setting, setting};

use crate::support::built_in::scenario;

fn options(threads: usize, reduction: bool) -> Options {
    let threads = NonZeroUsize::new(threads).expect("at least one");
    Options {
        max_states: usize::MAX,
        max_bytes: None,
        threads,
        reductions: Reductions::all_if(reduction),
        exact: !reduction,
        final_states: !reduction,
    }
}

fn explored(setting: &Rc<Setting>, options: Options) -> Explored {
    explore(setting, options, &AtomicBool::new(false)).expect("explorable")
}

/// Every check of the catalogue with at most so many states, by its name.
fn checks(states_max: usize) -> Vec<(String, Rc<Setting>)> {
    let mut checks = Vec::new();
    for entry in CATALOG {
        let (judged, _) = scenario(entry.scenario).expect("it is valid");
        for check in &judged.checks {
            let name = format!("{} [check.{}]", entry.model.name, check.name);
            let setting = Rc::new(setting::of_check(&judged, check, entry.model));
            let bounded = Options { max_states: states_max, ..options(1, false) };
            if explored(&setting, bounded).exploration.states <= states_max {
                checks.push((name, setting));
            }
        }
    }
    checks
}

/// The model on which model checkers are compared: so many contenders for two seats, so many locks that expire early.
fn seatlock(check: &str, contenders: usize, expiries: u32) -> Rc<Setting> {
    let (judged, _) = scenario(models::find("seatlock").expect("it is built in").scenario).expect("it is valid");
    let check = judged.checks.iter().find(|it| it.name == check).expect("the check exists");
    let mut setting = setting::of_check(&judged, check, models::find("seatlock").expect("it is built in").model);
    setting.params = Params::new([("seats", ParamValue::one(2))]);
    setting.journeys = vec![setting.journeys[0]; contenders];
    setting.budgets.evict = expiries;
    Rc::new(setting)
}

#[test]
fn it_agrees_with_the_reference_explorer_to_the_step() {
    let checks = checks(1_000);
    assert!(checks.len() > 45, "only {} checks were compared", checks.len());
    for (name, setting) in checks {
        let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable");
        assert_eq!(explored(&setting, options(1, false)).exploration, oracle, "{name}");
        let hashed = explored(&setting, Options { exact: false, ..options(1, false) }).exploration;
        assert_eq!(Exploration { is_exact: true, ..hashed }, oracle, "{name}, by fingerprints");
    }
}

#[test]
fn it_stops_at_the_bound_where_the_reference_explorer_does() {
    let setting = seatlock("fenced", 3, 1);
    for max_states in [0, 1, 100, 1_000] {
        let oracle = reference::explore(&setting, max_states, &AtomicBool::new(false)).expect("explorable");
        let found = explored(&setting, Options { max_states, ..options(1, false) }).exploration;
        assert_eq!(found, oracle, "{max_states}");
        assert!(matches!(found.verdicts[0].1, Verdict::Unknown(Bound::States(_))));
    }
}

#[test]
fn every_look_up_is_what_the_real_system_says() {
    // What a prologue leaves to explore may be a few states.
    let states = checks(500).iter().map(|(_, setting)| audit(setting).expect("explorable")).sum::<usize>();
    assert!(states > 5_000, "only {states} states were compared");
}

/// Clean-up and a confirmation wait for each other, and the instance ends: the session of the crashed job is part of
/// the circle still, but nobody is there to be told that it is the victim.
#[test]
fn whoever_has_crashed_is_no_victim_of_a_deadlock() {
    let model = models::find("moviebooking").expect("it is built in").model;
    let mut setting = Setting::of(model, &["lock_confirm"]);
    let one = ["seats", "seats_per_request"];
    let value = |param: &Param| if one.contains(&param.name) { ParamValue::one(1) } else { param.default };
    setting.params = Params::new(model.params.iter().map(|param| (param.name, value(param))));
    setting.given = ["vu1 until C3", "wait 601s"].map(|text| Given::parse(text).expect("well formed")).to_vec();
    setting.jobs = vec![1, 0];
    setting.budgets.crash = 1;
    let setting = Rc::new(setting);
    let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable");
    let verdict = |name| oracle.verdicts.iter().find(|(property, _)| *property == name).map(|(_, verdict)| verdict);
    assert!(matches!(verdict("no-deadlock"), Some(Verdict::Violated(_))), "{:?}", verdict("no-deadlock"));
    assert_eq!(explored(&setting, options(1, false)).exploration, oracle);
}

/// Every fault, clocks that differ and bounds on slowness, each alone, where the scenario has none of them: the first
/// states of what may be a large space.
#[test]
fn every_fault_is_explored_as_the_reference_explorer_does() {
    const STATES_MAX: usize = 700;
    let mut settings = Vec::new();
    for (model, check) in [("set_nx_px_get_del", 0), ("watch_multi_exec", 0), ("moviebooking", 0), ("moviebooking", 1)]
    {
        let entry = models::find(model).expect("it is built in");
        let (judged, _) = scenario(entry.scenario).expect("it is valid");
        let mut plain = setting::of_check(&judged, &judged.checks[check], entry.model);
        plain.properties = entry.model.all_properties();
        for (fault, _) in plain.budgets.entries() {
            let mut faulty = plain.clone();
            *faulty.budgets.get_mut(fault) = 2;
            faulty.budgets.time_steps = 2;
            settings.push((format!("{model} {check} {fault}"), faulty));
        }
        let clocks = Clocks { clients: vec![0, 2_000_000], instances: vec![1_000_000] };
        let ahead = Setting { clocks, ..plain.clone() };
        let paces = [(0, 0), (1_000, 600_000_000)].map(|(max_delay_us, max_pause_us)| {
            let pace = Pace { max_delay_us: Some(max_delay_us), max_pause_us: Some(max_pause_us) };
            Setting { pace, ..plain.clone() }
        });
        for (number, mut timed) in paces.into_iter().chain([ahead]).enumerate() {
            (timed.budgets.time_steps, timed.budgets.late, timed.budgets.crash) = (3, 1, 1);
            settings.push((format!("{model} {check} time {number}"), timed));
        }
    }
    for (name, setting) in settings {
        let setting = Rc::new(setting);
        let oracle = reference::explore(&setting, STATES_MAX, &AtomicBool::new(false)).expect("explorable");
        let bounded = |reduction| Options { max_states: STATES_MAX, ..options(1, reduction) };
        assert_eq!(explored(&setting, bounded(false)).exploration, oracle, "{name}");
        let reduced = explored(&setting, bounded(true)).exploration;
        for ((property, found), (_, oracle)) in reduced.verdicts.iter().zip(&oracle.verdicts) {
            let length = |verdict: &Verdict| verdict.counterexample().map(|found| found.steps.len());
            // The same number of states reaches further where some of them are left out.
            assert!(length(oracle).is_none_or(|steps| length(found) == Some(steps)), "{name} {property}");
        }
    }
}

/// A step that touches nothing but its client may be put off too, and what follows it once more.
#[test]
fn bounded_slowness_is_explored_alike_with_and_without_reduction() {
    const STATES_MAX: usize = 4_000;
    let pace = Pace { max_delay_us: Some(1_000_000), max_pause_us: Some(1_000_000) };
    let mut compared = Vec::new();
    for entry in CATALOG {
        let (judged, _) = scenario(entry.scenario).expect("it is valid");
        let mut slow = Setting { pace, ..setting::of_check(&judged, &judged.checks[0], entry.model) };
        slow.budgets.time_steps = 2;
        let ttl = |(name, value)| (name, if name == "lock_ttl" { ParamValue::one(1_000_000) } else { value });
        slow.params = Params::new(slow.params.iter().map(ttl));
        let slow = Rc::new(slow);
        let full = explored(&slow, Options { max_states: STATES_MAX, ..options(2, false) }).exploration;
        if full.states <= STATES_MAX {
            let reduced = explored(&slow, options(2, true)).exploration;
            assert_eq!(lengths(&reduced), lengths(&full), "{}", entry.model.name);
            compared.push((entry.model.name, lengths(&full)));
        }
    }
    // A pause before the draw and one after it: longer than the TTL together.
    let found = compared.iter().find(|(model, _)| *model == "setnx_expire").expect("it is small");
    assert!(found.1.contains(&("one-booking-per-seat", Some(16))), "{found:?}");
    assert!(compared.len() > 5, "{compared:?}");
}

/// A pool of two workers and connections for three clients: handlers wait, and steps serve those who wait.
#[test]
fn a_service_that_runs_out_of_workers_is_explored_right() {
    let (judged, _) = scenario(models::find("moviebooking").expect("it is built in").scenario).expect("it is valid");
    let check = judged.checks.iter().find(|it| it.name == "lock-release").expect("the check exists");
    let model = models::find("moviebooking").expect("it is built in").model;
    let plenty = setting::of_check(&judged, check, model);
    for (workers, connections) in [(1, 1), (2, 1)] {
        let service = Service { instances: 1, workers, connections };
        let scarce = Rc::new(Setting { service, ..plenty.clone() });
        let oracle = reference::explore(&scarce, usize::MAX, &AtomicBool::new(false)).expect("explorable");
        assert_eq!(explored(&scarce, options(1, false)).exploration, oracle);
        audit(&scarce).expect("explorable");
        let reduced = explored(&scarce, options(1, true));
        assert_eq!(lengths(&reduced.exploration), lengths(&oracle));
    }
}

#[test]
fn reduction_changes_no_verdict_and_no_length() {
    let (mut with, mut without, mut symmetric) = (0, 0, 0);
    for (name, setting) in checks(2_000) {
        let full = explored(&setting, options(1, false)).exploration;
        let reduced = explored(&setting, options(1, true));
        assert_eq!(lengths(&reduced.exploration), lengths(&full), "{name}");
        assert_eq!(reduced.asymmetry, None, "{name}");
        if full.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds) {
            assert_eq!(reduced.exploration.exercised, full.exercised, "{name}");
        }
        for alone in [
            Reductions { joined_steps: true, ..Reductions::NONE },
            Reductions { clients: true, ..Reductions::NONE },
            Reductions { seats: true, ..Reductions::NONE },
        ] {
            let found = explored(&setting, Options { reductions: alone, ..options(1, true) }).exploration;
            assert_eq!(lengths(&found), lengths(&full), "{name}, {alone:?}");
            assert!(reduced.exploration.states <= found.states && found.states <= full.states, "{name}, {alone:?}");
        }
        (with, without) = (with + reduced.exploration.states, without + full.states);
        symmetric += usize::from(reduced.is_symmetric);
    }
    // Clients that a prologue has told apart are not interchangeable.
    assert!(with * 3 < without * 2, "{with} states instead of {without}");
    assert!(symmetric > 30, "only {symmetric} checks have interchangeable clients");
}

fn lengths(exploration: &Exploration) -> Vec<(&'static str, Option<usize>)> {
    let length = |verdict: &Verdict| match verdict {
        Verdict::Violated(found) => Some(found.steps.len()),
        Verdict::Holds => None,
        Verdict::Unknown(bound) => panic!("stopped at {bound:?}"),
    };
    exploration.verdicts.iter().map(|(property, verdict)| (*property, length(verdict))).collect()
}

/// Whoever sets the key a second time removes a value; with fewer steps one comes to the same state by setting it once.
#[test]
fn a_step_to_a_known_state_may_give_a_property_something_to_judge() {
    async fn sometimes(mut ctx: Ctx) -> Flow {
        if ctx.choose(2).await == 1 {
            let _ = ctx.redis(["SET", "seat:1", "x"]).await;
        }
        Flow::Again
    }
    const SOMETIMES: Model = Model {
        name: "sometimes",
        journeys: &[Journey { name: "set", about: "SET, or not.", run: |ctx| Box::pin(sometimes(ctx)) }],
        ..Model::BARE
    };
    let setting = Rc::new(Setting { rounds: Some(2), ..Setting::of(&SOMETIMES, &["set"]) });
    let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable");
    let dfs = shuttle::explore(&setting, usize::MAX, &Arc::default()).expect("explorable");
    let found = explored(&setting, options(1, false)).exploration;
    assert!(setting.properties.iter().any(|property| property.name == "release-own-only"));
    assert!(!oracle.vacuous.contains(&"release-own-only"), "{:?}", oracle.vacuous);
    assert_eq!((&dfs.vacuous, &found.vacuous), (&oracle.vacuous, &oracle.vacuous));
}

/// The whole space and the reduced one.
#[test]
fn the_sizes_of_the_compared_model_are_pinned() {
    let size = |check, contenders, expiries, reduction| {
        explored(&seatlock(check, contenders, expiries), options(2, reduction)).exploration.states
    };
    assert_eq!(size("fenced", 3, 1, false), 4_719);
    assert_eq!(size("fenced", 4, 1, false), 55_153);
    assert_eq!(size("fenced", 3, 1, true), 261);
    assert_eq!(size("fenced", 5, 1, true), 1_162);
    let broken = explored(&seatlock("unfenced", 4, 1), options(1, true)).exploration;
    assert_eq!(lengths(&broken), [("one-booking-per-seat", Some(9))]);
    assert_eq!(broken.states, 104);
}

/// The workers start at levels of 8,192 states, so only a large space tells.
#[test]
fn the_result_does_not_depend_on_the_number_of_threads() {
    let large = seatlock("fenced", 5, 1);
    for (setting, reduction, exact) in
        [(&large, false, false), (&large, false, true), (&seatlock("unfenced", 8, 2), true, false)]
    {
        let options = |threads| Options { exact, ..options(threads, reduction) };
        let one = explored(setting, options(1));
        for threads in [2, 3] {
            let several = explored(setting, options(threads));
            assert_eq!(several.exploration, one.exploration, "{threads} threads");
            assert_eq!(several.figures.firings, one.figures.firings, "{threads} threads");
        }
    }
}

#[test]
fn a_bound_on_memory_is_a_bound() {
    let found =
        explored(&seatlock("fenced", 4, 1), Options { max_bytes: Some(1 << 20), exact: false, ..options(1, false) });
    assert_eq!(found.exploration.verdicts[0].1, Verdict::Unknown(Bound::Memory(1 << 20)));
    let large = seatlock("fenced", 5, 1);
    for exact in [false, true] {
        let bounded = |threads| {
            let bounded = Options { max_bytes: Some(4 << 20), exact, final_states: false, ..options(threads, false) };
            explored(&large, bounded).exploration
        };
        let alone = bounded(1);
        assert_eq!(alone.verdicts[0].1, Verdict::Unknown(Bound::Memory(4 << 20)));
        assert!(alone.states > 40_000, "{}", alone.states);
        for threads in [2, 3] {
            assert_eq!(bounded(threads), alone, "{threads} threads");
        }
    }
    let stopped = explore(&seatlock("fenced", 4, 1), options(1, false), &AtomicBool::new(true)).expect("explorable");
    assert_eq!(stopped.exploration.verdicts[0].1, Verdict::Unknown(Bound::Interrupted));
}

/// A journey that looks at which seat it drew: the seats are alike in name only.
#[test]
fn seats_that_are_told_apart_are_not_taken_for_one() {
    async fn front_first(mut ctx: Ctx) -> Flow {
        let seat = ctx.draw_distinct("seats", 1, 2).await[0];
        if seat == 1 {
            let _ = ctx.redis(["SET", "front", "1"]).await;
        }
        let _ = ctx.redis(["DEL", "front"]).await;
        Flow::Done
    }
    const JOURNEYS: &[Journey] =
        &[Journey { name: "front-first", about: "One seat is another.", run: |ctx| Box::pin(front_first(ctx)) }];
    const FRONT: Model = Model { name: "front", journeys: JOURNEYS, ..models::get_then_set::MODEL };
    let setting = Rc::new(Setting { model: &FRONT, ..(*seatlock("fenced", 2, 0)).clone() });
    let found = explored(&setting, options(1, true));
    assert!(found.seats == 0 && found.is_symmetric && found.asymmetry.is_none(), "{found:?}");
    let without = Options { reductions: Reductions { seats: false, ..Reductions::ALL }, ..options(1, true) };
    assert_eq!(found.exploration, explored(&setting, without).exploration);
    assert_eq!(explored(&seatlock("fenced", 2, 0), options(1, true)).seats, 2);
}

/// A journey that looks at which client it is: the clients are alike in name only.
#[test]
fn clients_that_are_told_apart_are_not_taken_for_one() {
    async fn first_come(mut ctx: Ctx) -> Flow {
        let token = ctx.token();
        // The last digit of the client's number is the fourth byte.
        let is_odd = token[3] % 2 == 1;
        if is_odd {
            let _ = ctx.redis(["SET", "k", "1"]).await;
        }
        let _ = ctx.redis(["DEL", "k"]).await;
        Flow::Done
    }
    const JOURNEYS: &[Journey] =
        &[Journey { name: "first-come", about: "Odd clients write.", run: |ctx| Box::pin(first_come(ctx)) }];
    const PARTIAL: Model = Model { name: "partial", journeys: JOURNEYS, ..models::get_then_set::MODEL };
    let setting = Rc::new(Setting { model: &PARTIAL, ..(*seatlock("fenced", 2, 0)).clone() });
    let found = explored(&setting, options(1, true));
    assert!(found.asymmetry.is_some() && !found.is_symmetric, "{found:?}");
    let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable");
    assert_eq!(found.exploration.states, oracle.states);
}
