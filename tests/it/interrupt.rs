//! Ctrl-C: what is finished is kept, and labelled.
#![cfg(unix)]

use std::time::Duration;

use crate::cli::{scenario_with_stages, short_scenario};
use crate::support::sandbox::Sandbox;

#[test]
fn an_interrupted_run_shows_the_figures_until_then_and_says_so() {
    let sandbox = Sandbox::new();
    sandbox.file("long.toml", scenario_with_stages(r#"{ duration = "700h", target = 100 }"#));
    let interrupted = |args: &[&str]| sandbox.interrupted(args, Duration::from_secs(2));
    let (code, out, err) = interrupted(&["simulate", "long.toml", "--doublecheck"]);
    assert_eq!(code, 130, "{err}");
    assert!(out.contains("█ THRESHOLDS") && out.contains("iterations"), "{out}");
    assert!(err.contains("! interrupted at ") && err.contains("all figures are those until then"), "{err}");
    assert!(!err.contains("doublecheck"), "half a run is not run twice: {err}");
    let (code, out, err) = interrupted(&["simulate", "long.toml", "--json"]);
    assert_eq!(code, 130, "{err}");
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert!(document["interrupted_at_us"].as_u64().is_some_and(|at_us| at_us > 0), "{out}");
}

/// Ctrl-C ends a sweep after the runs in progress; what is finished is shown and labelled.
#[test]
fn an_interrupted_sweep_keeps_and_labels_what_is_finished() {
    let sandbox = Sandbox::new();
    sandbox.file("short.toml", short_scenario());
    let args = &["simulate", "short.toml", "--seeds", "0..10000000"];
    let (code, out, err) = sandbox.interrupted(args, Duration::from_secs(3));
    assert_eq!(code, 130, "{err}");
    assert!(out.contains("of 10000000 runs (interrupted)"), "{out}");
    assert!(err.contains("are finished and shown"), "{err}");
}

/// Ctrl-C during a check: every check is named with what is known of it.
#[test]
fn an_interrupted_check_keeps_and_labels_what_is_finished() {
    let sandbox = Sandbox::new();
    let args = &["check", "--executions", "1000000", "--threads", "1"];
    let (code, out, err) = sandbox.interrupted(args, Duration::from_secs(3));
    assert_eq!(code, 130, "{err}");
    assert!(out.contains("cut short"), "{out}");
    let (_, last) = out.split_once("check moviebooking / redis-restart").expect("those after it are named too");
    assert!(last.contains("not begun: no proof") && !last.contains("interrupted"), "{last}");
    assert!(err.contains("stopped before these checks began: ") && err.contains("redis-restart"), "{err}");
}

/// Of a check that never began nothing is known, also not that it had nothing to judge.
#[test]
fn a_check_that_never_began_says_so_and_calls_nothing_vacuous() {
    let sandbox = Sandbox::new();
    let args = &["check", "--executions", "1000000", "--threads", "1", "--json"];
    let (code, out, err) = sandbox.interrupted(args, Duration::from_secs(2));
    assert_eq!(code, 130, "{err}");
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let checks = document["checks"].as_array().expect("a list");
    let last = checks.last().expect("a check");
    assert_eq!((&checks[0]["begun"], &last["begun"]), (&true.into(), &false.into()), "{out}");
    for verdict in last["verdicts"].as_array().expect("a list") {
        assert_eq!((&verdict["verdict"], &verdict["vacuous"]), (&"inconclusive".into(), &false.into()), "{out}");
    }
}
