//! Checks inside `cargo test`: what fails, with which words, and what the environment changes.

use std::path::Path;
use std::process::Command;

use seatproof::engines::verdict::{Bound, Verdict};
use seatproof::models;
use seatproof::process::{Ctx, Flow};
use seatproof::system::Setting;
use seatproof::system::model::{Journey, Model};
use seatproof::system::setting;
use seatproof::testing::{Failure, Plan, check};

use super::support::built_in;

fn setting_of(model: &str, check: &str) -> Setting {
    let entry = models::find(model).expect("a built-in model");
    let scenario = built_in::scenario(entry.scenario).expect("the built-in scenario is right").0;
    let wanted = scenario.checks.iter().find(|it| it.name == check).expect("the check exists");
    setting::of_check(&scenario, wanted, entry.model)
}

fn plan(directory: &Path) -> Plan {
    Plan { executions: 20, regressions: directory.join("regressions"), ..Plan::default() }
}

fn message(failure: &Failure) -> String {
    failure.to_string()
}

#[test]
fn what_holds_is_proved_and_nothing_is_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let setting = setting_of("unique_index", "none");
    let exploration = check("unique", &setting, &plan(directory.path())).expect("a unique index sells once");
    assert!(exploration.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds), "{exploration:?}");
    assert!(!directory.path().join("regressions").exists());
}

/// There is no schedule of it that could be written.
#[test]
fn what_should_be_reachable_and_is_not_fails() {
    let directory = tempfile::tempdir().expect("a directory");
    let setting = setting_of("moviebooking", "sell-out");
    let sells = check("sells", &setting, &plan(directory.path()));
    assert!(sells.is_ok(), "every seat can be sold: {sells:?}");
    let journeys = Setting::of(setting.model, &["lock_release", "lock_release"]).journeys;
    let failure = check("never sells", &Setting { journeys, ..setting }, &plan(directory.path())).expect_err("none is");
    let why = "can-sell-out is violated in never sells\nwhy     no execution within the bounds comes to such a state";
    assert_eq!(message(&failure), why);
}

#[test]
fn a_broken_property_fails_with_seed_command_and_diagram() {
    let directory = tempfile::tempdir().expect("a directory");
    let setting = setting_of("get_then_set", "none");
    let failure = check("naive", &setting, &plan(directory.path())).expect_err("GET then SET sells twice");
    let Failure::Violated(violated) = &failure else { panic!("{failure}") };
    let text = message(&failure);
    let path = violated.path.display().to_string();
    for words in [
        "one-holder-per-seat is violated in naive",
        "found   by exploring every order; seed 42 was not needed",
        &format!("SEATPROOF_SCHEDULE={path} cargo test"),
        "│",
        "✗ one-holder-per-seat violated",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let again = check("naive", &setting, &plan(directory.path())).expect_err("what was found is followed first");
    let text = message(&again);
    for words in ["found   by an earlier run", &path, "✗ one-holder-per-seat violated"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let test = "testing::a_broken_property_fails_with_seed_command_and_diagram";
    assert!(text.contains(&format!("cargo test -- --exact {test}\n")), "{text}");
    let mut alone = setting.clone();
    alone.journeys.truncate(1);
    check("another", &alone, &plan(directory.path())).expect("what another test found is not followed");
}

#[test]
fn schedulers_find_what_is_too_large_to_explore_and_it_comes_out_small() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut setting = setting_of("get_then_set", "none");
    setting.journeys = vec![setting.journeys[0]; 12];
    let plan = Plan { max_states: 50, seed: 7, ..plan(directory.path()) };
    let failure = check("naive", &setting, &plan).expect_err("GET then SET sells twice");
    let Failure::Violated(violated) = &failure else { panic!("{failure}") };
    assert!(violated.found_by.contains("seed 7, execution "), "{failure}");
    assert_eq!(violated.schedule.setting.journeys.len(), 2, "{failure}");
}

#[test]
fn a_named_schedule_is_followed_instead_of_searching_and_only_by_tests_of_its_model() {
    let directory = tempfile::tempdir().expect("a directory");
    let broken = setting_of("get_then_set", "none");
    let Err(Failure::Violated(violated)) = check("naive", &broken, &plan(directory.path())) else {
        panic!("GET then SET sells twice")
    };
    let named = Plan { schedule: Some(violated.path.clone()), ..plan(&directory.path().join("other")) };
    let failure = check("naive", &broken, &named).expect_err("the schedule breaks it again");
    assert!(message(&failure).contains("which SEATPROOF_SCHEDULE names"), "{failure}");
    let other = check("unique", &setting_of("unique_index", "none"), &named).expect("another model is not concerned");
    assert!(other.states > 0);
    let text = std::fs::read_to_string(&violated.path).expect("it was written");
    std::fs::write(&violated.path, text.replacen("vu1: GET", "vu1: HGET", 1)).expect("writable");
    let diverged = message(&check("naive", &broken, &named).expect_err("the step is another"));
    assert!(
        diverged.contains(" DIVERGED at step 2: vu1: HGET ") && diverged.contains("why     vu1 can do this"),
        "{diverged}"
    );
    std::fs::write(&violated.path, "format = ").expect("writable");
    let damaged = check("naive", &broken, &named).expect_err("a damaged schedule");
    assert!(matches!(damaged, Failure::Schedule(_)), "{damaged}");
}

#[test]
fn what_was_not_exhausted_is_sampled_and_never_holds() {
    let directory = tempfile::tempdir().expect("a directory");
    let plan = Plan { max_states: 50, ..plan(directory.path()) };
    let exploration = check("unique", &setting_of("unique_index", "none"), &plan).expect("a unique index sells once");
    let is_open = |verdict: &Verdict| matches!(verdict, Verdict::Unknown(Bound::States(50) | Bound::Sampled));
    assert!(exploration.verdicts.iter().all(|(_, verdict)| is_open(verdict)), "{exploration:?}");
}

/// Else the client would take the error for a refusal, and whatever it does then would hold.
#[test]
fn what_the_simulated_redis_cannot_answer_fails_and_is_named() {
    const MODEL: Model = Model {
        name: "unsimulated",
        about: "Sends what is not simulated.",
        journeys: &[
            Journey { name: "hash", about: "HSET.", run: |ctx| Box::pin(send(ctx, &["HSET", "seats", "1", "me"])) },
            Journey { name: "json", about: "cjson.", run: |ctx| Box::pin(eval(ctx, "return cjson.encode({1})")) },
            Journey {
                name: "call",
                about: "HGET.",
                run: |ctx| Box::pin(eval(ctx, "return redis.call('HGET', 'a', 'b')")),
            },
            Journey { name: "line", about: "A #! line.", run: |ctx| Box::pin(eval(ctx, "#!lua name=lib\nreturn 1")) },
            Journey { name: "fault", about: "Its own.", run: |ctx| Box::pin(eval(ctx, "return nothing_of_this_name")) },
        ],
        ..Model::BARE
    };
    async fn send(mut ctx: Ctx, words: &'static [&'static str]) -> Flow {
        ctx.label("S1");
        let _ = ctx.redis(words).await;
        Flow::Done
    }
    async fn eval(mut ctx: Ctx, script: &'static str) -> Flow {
        let _ = ctx.eval::<&str, &str>(script, &[], &[]).await;
        Flow::Done
    }
    let directory = tempfile::tempdir().expect("a directory");
    let checked = |journey| check(journey, &Setting::of(&MODEL, &[journey]), &plan(directory.path()));
    for (journey, words) in [
        ("hash", &["vu1, step S1: this Redis command is not simulated", "HSET seats 1 me"][..]),
        ("json", &["library that is not simulated", "cjson"]),
        ("call", &["calls a Redis command that is not simulated", "HGET"]),
        ("line", &["cannot answer this", "#!lua"]),
    ] {
        let text = message(&checked(journey).expect_err("nothing is proved"));
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    // Redis would answer so too; but this client never says that it holds anything.
    let text = message(&checked("fault").expect_err("nothing is judged"));
    assert!(text.contains("nothing was judged in fault") && text.contains("one-holder-per-seat"), "{text}");
}

/// Run as it is, this shows nothing; its twin below looks at what it prints.
#[test]
fn a_failure_as_a_test_prints_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let failure =
        check("naive", &setting_of("get_then_set", "none"), &plan(directory.path())).expect_err("it is broken");
    std::panic::catch_unwind(|| panic!("{failure}")).expect_err("that was a panic");
}

#[test]
fn a_failing_test_prints_the_failure_and_nothing_of_shuttle() {
    let program = std::env::current_exe().expect("this program");
    let arguments = ["--exact", "testing::a_failure_as_a_test_prints_it", "--nocapture"];
    let output = Command::new(program).args(arguments).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("one-holder-per-seat is violated in naive"), "{said}");
    assert!(!said.contains("Task failed") && !said.contains("test panicked in task"), "{said}");
}

/// Run as it is, this shows the default; its twin below runs it with variables set.
#[test]
fn the_plan_of_the_environment() {
    let plan = Plan::from_env();
    if std::env::var_os("SEATPROOF_SEED").is_none() && std::env::var_os("SEATPROOF_SCHEDULE").is_none() {
        assert_eq!(plan, Plan::default());
    }
    println!("seed {} schedule {:?}", plan.seed, plan.schedule);
}

#[test]
fn the_environment_gives_seed_and_schedule_and_a_wrong_seed_is_refused() {
    let run = |seed: &str| {
        let program = std::env::current_exe().expect("this program");
        let arguments = ["--exact", "testing::the_plan_of_the_environment", "--nocapture"];
        let environment = [("SEATPROOF_SEED", seed), ("SEATPROOF_SCHEDULE", "a.replay")];
        let output = Command::new(program).args(arguments).envs(environment).output().expect("it runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).into_owned())
    };
    let (passes, text) = run("17");
    assert!(passes && text.contains("seed 17 schedule Some(\"a.replay\")"), "{text}");
    let (passes, text) = run("many");
    assert!(!passes && text.contains("SEATPROOF_SEED is `many`; a seed is a whole number"), "{text}");
}
