//! A model that reads anything but the outcomes of its operations is caught, with the process and the step named.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use seatproof::engines::doublecheck::{DoublecheckError, Nondeterminism, walks};
use seatproof::models::CATALOG;
use seatproof::process::{Ctx, Flow, Mark};
use seatproof::system::model::{Journey, Model};
use seatproof::system::{Setting, setting};
use seatproof::testing::{Failure, Plan, check};

use super::support::built_in::scenario;

/// What no process may read: something that outlives it.
static VISITS: AtomicU32 = AtomicU32::new(0);

static WRONG: Model = Model {
    name: "wrong",
    journeys: &[
        Journey { name: "counts", about: "Reads a static counter.", run: |ctx| Box::pin(counts(ctx)) },
        Journey { name: "states", about: "States what a static says.", run: |ctx| Box::pin(states(ctx)) },
        Journey { name: "iterates", about: "Goes by a hash map's order.", run: |ctx| Box::pin(iterates(ctx)) },
    ],
    ..Model::BARE
};

async fn counts(mut ctx: Ctx) -> Flow {
    ctx.label("A1");
    let _ = ctx.redis(["GET", "lock"]).await;
    ctx.label("A2");
    let visit = VISITS.fetch_add(1, Ordering::Relaxed).to_string();
    let _ = ctx.redis(["SET", "lock", &visit]).await;
    Flow::Done
}

async fn states(mut ctx: Ctx) -> Flow {
    let _ = ctx.redis(["GET", "lock"]).await;
    if VISITS.fetch_add(1, Ordering::Relaxed).is_multiple_of(2) {
        ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
    }
    Flow::Done
}

/// Two maps differ in order whatever they hold, so a few rounds are enough.
async fn iterates(mut ctx: Ctx) -> Flow {
    let map = (0..64).map(|number| (number, ())).collect::<std::collections::HashMap<u32, ()>>();
    #[expect(clippy::iter_over_hash_type, reason = "that is the mistake")]
    for (number, ()) in &map {
        let _ = ctx.redis(["GET", &number.to_string()]).await;
    }
    Flow::Done
}

fn wrong(journey: &str) -> Setting {
    Setting::of(&WRONG, &[journey, journey])
}

fn caught(journey: &str) -> Nondeterminism {
    match walks(&Rc::new(wrong(journey)), 42, 4, &AtomicBool::new(false)) {
        Err(DoublecheckError::Differs(difference)) => *difference,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_static_counter_is_caught_at_the_step_after_which_it_was_read() {
    let difference = caught("counts");
    let process = difference.process.to_string();
    assert_eq!(difference.step, format!("A1 {process}: GET lock"), "{difference}");
    assert!(difference.number >= 1 && difference.first.starts_with(&format!("{process}: next: SET lock ")));
    assert_ne!(difference.first, difference.second);
    let text = difference.to_string();
    assert!(text.contains(&process) && text.contains("not an outcome") && text.contains("A1"), "{text}");
}

#[test]
fn a_statement_of_fact_that_comes_and_goes_is_caught() {
    let difference = caught("states");
    assert!(difference.first.starts_with("told seat 1: ") && difference.second.starts_with("told seat 1: "));
}

#[test]
fn the_order_of_a_hash_map_is_caught_before_the_first_step() {
    let difference = caught("iterates");
    assert_eq!((difference.number, difference.step.as_str()), (0, "the beginning"), "{difference}");
}

#[test]
fn a_test_of_such_a_model_fails_before_it_explores() {
    let directory = tempfile::tempdir().expect("a directory");
    let plan = Plan { regressions: directory.path().join("none"), ..Plan::default() };
    let failure = check("wrong", &wrong("counts"), &plan).expect_err("the model reads a static");
    assert!(matches!(failure, Failure::Nondeterminism(_)), "{failure}");
    assert!(failure.to_string().contains("no clock, no random numbers"), "{failure}");
}

#[test]
fn every_built_in_model_is_a_function_of_its_outcomes() {
    for entry in CATALOG {
        let loaded = scenario(entry.scenario).expect("the built-in scenario is right").0;
        for check in &loaded.checks {
            let setting = Rc::new(setting::of_check(&loaded, check, entry.model));
            walks(&setting, 7, 2, &AtomicBool::new(false)).unwrap_or_else(|error| panic!("{error}"));
        }
    }
}
