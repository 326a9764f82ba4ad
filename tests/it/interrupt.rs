//! Ctrl-C: what is finished is kept, and labelled.
#![cfg(unix)]

use std::time::Duration;

use crate::cli::scenario_with_stages;
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
