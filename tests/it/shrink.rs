//! What schedulers find among many contenders becomes as small as what the explorer finds among two.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::support::built_in::scenario;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seatproof::engines::exact::Ratio;
use seatproof::engines::portfolio::SCHEDULERS;
use seatproof::engines::reference::explore;
use seatproof::engines::replay::replay;
use seatproof::engines::shrink::{Minimality, ShrinkError, ShrinkOptions, Shrunk, shrink, shrink_timed};
use seatproof::engines::shuttle::{Options, Scheduler, sample};
use seatproof::engines::verdict::{Finding, Verdict};
use seatproof::models::{self, CATALOG, Entry};
use seatproof::process::{Ctx, Drawn, Flow, Mark, ParamValue, Params};
use seatproof::system::model::{Journey, Model};
use seatproof::system::pace::Pace;
use seatproof::system::scenario::{Expectation, ExpectedVerdict};
use seatproof::system::schedule::{Recorder, of_steps};
use seatproof::system::setting;
use seatproof::system::{Halves, Setting, Step, System};
use seatproof::world::identity::ProcessId;
use seatproof::world::reply::Reply;

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

/// Schedulers, one after the other, until one breaks a property.
fn find_by_any(setting: &Setting) -> Option<Finding> {
    SCHEDULERS.into_iter().find_map(|scheduler| {
        let threads = std::thread::available_parallelism().expect("a number of cores");
        let options = Options { scheduler, seed: 42, executions: 200, max_steps: 100_000, threads };
        sample(setting, options, &Arc::new(AtomicBool::new(false))).expect("the model is right").found
    })
}

/// What the first check of a model that is found broken by a hundred contenders is shrunk to: its name, the steps
/// found, the steps left, and those of the explorer's shortest way among two.
fn compared(entry: &Entry) -> Option<(String, [usize; 3])> {
    let (judged, _) = scenario(entry.scenario).expect("it is valid");
    let is_violated = |it: &Expectation| matches!(it.verdict, ExpectedVerdict::Violated { .. });
    let broken = judged.checks.iter().filter(|check| check.expect.iter().any(is_violated));
    let (check, large, found) = broken.into_iter().find_map(|check| {
        let large = with_clients(&setting::of_check(&judged, check, entry.model), 100, 2);
        let found = find_by_any(&large)?;
        Some((check, large, found))
    })?;
    let result = shrunk(&large, &found);
    assert_replays(&found, &result);
    let mut small = setting::of_check(&judged, check, entry.model);
    small.properties.retain(|property| property.name == found.property);
    let oracle = explore(&Rc::new(small), 200_000, &AtomicBool::new(false)).expect("explorable");
    let Some((_, Verdict::Violated(shortest))) = oracle.verdicts.first() else { panic!("two clients are enough") };
    let name = format!("{}, {}, {}", entry.model.name, check.name, found.property);
    Some((name, [found.counterexample.steps.len(), result.steps.len(), shortest.steps.len()]))
}

/// Over all models: a violation among a hundred contenders beside the shortest one that exhausting two of them knows.
#[test]
fn the_result_is_about_as_short_as_the_explorers() {
    let rows = CATALOG.iter().filter_map(compared).collect::<Vec<_>>();
    let mut table = "found -> shrunk, shortest, ratio\n".to_owned();
    let mut sum = Ratio::new(0, 1);
    for (name, [found, result, shortest]) in &rows {
        let ratio = Ratio::of_counts(*result as u64, *shortest as u64);
        sum = Ratio::new(
            sum.numerator() * ratio.denominator() + ratio.numerator() * sum.denominator(),
            sum.denominator() * ratio.denominator(),
        );
        table.push_str(&format!("{found:6} -> {result:3}, {shortest:3}, {}  {name}\n", ratio.fixed(2)));
    }
    let count = i128::try_from(rows.len()).expect("a few models");
    let mean = sum.over(count.max(1));
    println!("{table}mean ratio over {count} models: {}", mean.fixed(3));
    assert!(rows.len() + 2 >= CATALOG.len(), "only {} models were compared\n{table}", rows.len());
    assert!(mean <= Ratio::new(13, 10), "{table}");
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

/// What breaks however many take part, as a check that demands replicas where there are none: it is not shrunk to a
/// setting in which nobody takes part, which no schedule file can name.
#[test]
fn somebody_always_takes_part() {
    let whole = check_of("set_nx_px_wait", "none");
    let properties = whole.model.properties.iter().copied().filter(|it| it.name == "no-seat-stuck-for-ever").collect();
    let wanted = |(name, value)| (name, if name == "wait_for" { ParamValue::one(1) } else { value });
    let params = Params::new(whole.params.iter().map(wanted).collect::<Vec<_>>());
    let setting = Setting { params, properties, ..with_clients(&whole, 5, 1) };
    let found = find(&setting, 42).expect("no replica ever has the lock");
    for max_states in [0, 4_000] {
        let options = ShrinkOptions { max_steps: 400_000, max_states };
        let steps = &found.counterexample.steps;
        let small = shrink(&setting, steps, found.property, &options, &AtomicBool::new(false)).expect("it breaks");
        assert_eq!((small.to.contenders, small.steps.is_empty()), (1, false), "{max_states}");
        assert_replays(&found, &small);
    }
}

/// The customer who counts on a seat is paused until somebody else has it: a bound on pauses forbids just that.
#[test]
fn what_takes_longer_than_anything_may_is_no_schedule() {
    let bounded = check_of("watchdog", "long-work");
    let free = Setting { pace: Pace::default(), ..bounded.clone() };
    let found = find(&free, 42).expect("the watchdog is paused");
    let never = AtomicBool::new(false);
    let refused = shrink(&bounded, &found.counterexample.steps, found.property, &ShrinkOptions::default(), &never);
    assert_eq!(refused.map(|_| ()), Err(ShrinkError::NotBroken(found.property)));
}

/// A client that counts on its seat until the release is answered, not until it is sent.
const LATE: Model = Model {
    name: "late",
    journeys: &[Journey { name: "contend", about: "", run: |ctx| Box::pin(contend_and_give_up_late(ctx)) }],
    ..Model::BARE
};

async fn contend_and_give_up_late(mut ctx: Ctx) -> Flow {
    let seats: Drawn = [1].as_slice().into();
    if ctx.redis(["SET", "seat:1", "taken", "NX"]).await == Ok(Reply::OK) {
        ctx.mark(Mark::Holds { seats: seats.clone(), until_us: u64::MAX });
        let _ = ctx.redis(["DEL", "seat:1"]).await;
        ctx.mark(Mark::GivesUp { seats });
    }
    Flow::Done
}

/// With fused halves an outcome arrives with its effect, so nobody comes between.
#[test]
fn what_needs_time_between_effect_and_arrival_is_not_shrunk() {
    let setting = Rc::new(Setting::of(&LATE, &["contend", "contend"]));
    let [one, two] = [1, 2].map(ProcessId::client);
    let begins = [one, two].map(Step::Begin);
    let rest = [Step::Apply(one), Step::Deliver(one), Step::Apply(one), Step::Apply(two), Step::Deliver(two)];
    let mut system = System::new(Rc::clone(&setting), Halves::Split, true).expect("the model is right");
    let mut recorder = Recorder::default();
    for step in begins.into_iter().chain(rest) {
        recorder.note(&system, &step, true);
        system.fire(&step).expect("the model is right");
    }
    let schedule = recorder.finish(&system, "simulate", None, "test", None);
    let violations = replay(&setting, &schedule).expect("the model is right").violations;
    assert_eq!(violations.last().map(|(number, it)| (*number, it.property)), Some((7, "one-holder-per-seat")));
    let never = AtomicBool::new(false);
    let refused = shrink_timed(&setting, &schedule, "one-holder-per-seat", &ShrinkOptions::default(), &never);
    assert_eq!(refused.map(|_| ()), Err(ShrinkError::NotBroken("one-holder-per-seat")));
    let stopped = AtomicBool::new(true);
    let refused = shrink_timed(&setting, &schedule, "one-holder-per-seat", &ShrinkOptions::default(), &stopped);
    assert_eq!(refused.map(|_| ()), Err(ShrinkError::Stopped), "nobody waits until it has been told again");
}

#[test]
fn what_is_stopped_before_a_step_is_left_out_stays_as_it_was_found() {
    let setting = with_clients(&check_of("get_then_set", "none"), 4, 1);
    let found = find(&setting, 1).expect("the first execution breaks it");
    let stopped = AtomicBool::new(true);
    let refused =
        shrink(&setting, &found.counterexample.steps, found.property, &ShrinkOptions::default(), &stopped).map(|_| ());
    assert_eq!(refused, Err(ShrinkError::Stopped), "not that the steps break nothing");
}
