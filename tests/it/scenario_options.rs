//! k6 options in JSON, laid over a scenario: what they change, what they leave, and what they cannot ask for.

use std::path::Path;

use crate::support::scenario::{FULL, MODEL, read};
use seatproof::system::diagnostic::Diagnostic;
use seatproof::system::scenario::{Scenario, Stage, apply_k6_options};

/// The full scenario with `options` laid over it.
fn apply(options: &str) -> Result<(Scenario, Vec<Diagnostic>), Diagnostic> {
    apply_to(FULL, options)
}

/// `scenario` with `options` laid over it.
fn apply_to(scenario: &str, options: &str) -> Result<(Scenario, Vec<Diagnostic>), Diagnostic> {
    let (mut scenario, _) = read(scenario)?;
    let warnings = apply_k6_options(&mut scenario, Path::new("options.json"), options, &MODEL)?;
    Ok((scenario, warnings))
}

/// What is printed for options that are refused.
fn refusal(options: &str) -> String {
    apply(options).expect_err("the options are refused").to_string()
}

#[test]
fn top_level_stages_replace_the_load() {
    let options = r#"{ "stages": [{ "duration": "5s", "target": 7 }, { "duration": 1500, "target": 0 }], "vus": 3,
                       "thresholds": { "http_reqs": ["count>10"] }, "noConnectionReuse": null }"#;
    let (scenario, warnings) = apply(options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(warnings, []);
    let load = scenario.load.expect("a load");
    let stage = |duration_ms: u64, target| Stage { duration_ns: duration_ms * 1_000_000, target };
    assert_eq!(load.stages, [stage(5000, 7), stage(1500, 0)]);
    assert_eq!((load.journey, load.start_vus, load.measured_seed), (0, 3, None));
    assert_eq!((load.graceful_ramp_down_ns, load.graceful_stop_ns), (30_000_000_000, 30_000_000_000));
    assert_eq!(load.expected_statuses.len(), 3);
    let metrics: Vec<&str> = scenario.thresholds.iter().map(|metric| metric.metric.raw.as_str()).collect();
    assert_eq!(metrics, ["http_reqs"]);
}

#[test]
fn the_only_scenario_replaces_the_load() {
    let options = r#"{ "scenarios": { "seats": { "executor": "ramping-vus", "startVUs": 0, "exec": "book",
        "stages": [{ "duration": "1m", "target": 9 }], "gracefulRampDown": "5s", "gracefulStop": 250.5 } } }"#;
    let (scenario, warnings) = apply(options).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(warnings, []);
    let load = scenario.load.expect("a load");
    assert_eq!((load.journey, load.start_vus), (2, 0));
    assert_eq!(load.stages, [Stage { duration_ns: 60_000_000_000, target: 9 }]);
    assert_eq!((load.graceful_ramp_down_ns, load.graceful_stop_ns), (5_000_000_000, 250_500_000));
    assert_eq!(scenario.thresholds.len(), 4);
}

#[test]
fn thresholds_alone_leave_the_load() {
    let (scenario, _) = apply(r#"{ "thresholds": {} }"#).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.load, read(FULL).unwrap_or_else(|error| panic!("{error}")).0.load);
    assert_eq!(scenario.thresholds, []);
}

#[test]
fn what_has_no_effect_is_named() {
    let options = r#"{ "treshold": {}, "summaryTrendStats": ["avg"],
        "scenarios": { "a": { "executor": "ramping-vus", "exec": "main", "tags": {},
        "stages": [{ "duration": "1s", "target": 1 }] } } }"#;
    let (_, warnings) = apply(options).unwrap_or_else(|error| panic!("{error}"));
    let text: String = warnings.iter().map(ToString::to_string).collect();
    let golden = "\
warning[SP0116]: the option `treshold` has no effect here
  ╭▸ options.json:1:3
  │
1 │ { \"treshold\": {}, \"summaryTrendStats\": [\"avg\"],
  │   ━━━━━━━━━━
  │
  ╰ help: did you mean `thresholds`?
";
    assert!(text.starts_with(golden), "{text}");
    let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "the option `treshold` has no effect here",
            "the option `summaryTrendStats` has no effect here",
            "the option `tags` has no effect here",
            "`main` is no journey of the model; the virtual users run `contend`",
        ]
    );
}

#[test]
fn broken_json_is_shown_where_it_breaks() {
    let golden = "\
error[SP0101]: not JSON: EOF while parsing a value
  ╭▸ options.json:2:26
  │
2 │ \"stages\": [{\"duration\":1},
  │                          ━
  │
  ╰ help: `seatproof explain SP0101` says more
";
    assert_eq!(refusal("{\n\"stages\": [{\"duration\":1},"), golden);
    let golden = "\
error[SP0103]: expected a whole number, found the string \"a\"
  ╭▸ options.json:1:47
  │
1 │ {\"stages\": [ { \"duration\": \"1s\", \"target\" :   \"a\" } ]}
  │                                               ━━━
  │
  ╰ help: `seatproof explain SP0103` says more
";
    assert_eq!(refusal(r#"{"stages": [ { "duration": "1s", "target" :   "a" } ]}"#), golden);
}

#[test]
fn a_threshold_that_is_no_list_is_refused_as_by_k6() {
    for bare in [r#""rate<0.3""#, r#"{ "threshold": "rate<0.3" }"#] {
        let refused = refusal(&format!(r#"{{ "thresholds": {{ "http_req_failed": {bare} }} }}"#));
        assert!(refused.contains("k6 takes a list of thresholds for `http_req_failed`"), "{refused}");
        assert!(refused.contains("write it in brackets"), "{refused}");
    }
}

#[test]
fn what_cannot_be_simulated_is_refused() {
    let stages = r#""stages": [{ "duration": "1s", "target": 1 }]"#;
    for (options, message) in [
        (
            r#"{ "duration": "10s", "vus": 5 }"#.to_owned(),
            "`duration` selects the executor `constant-vus`, which cannot be simulated",
        ),
        (
            r#"{ "iterations": 10 }"#.to_owned(),
            "`iterations` selects the executor `shared-iterations`, which cannot be simulated",
        ),
        (r#"{ "vus": 10 }"#.to_owned(), "`vus` selects the executor `per-vu-iterations`, which cannot be simulated"),
        (format!(r#"{{ {stages}, "scenarios": {{}} }}"#), "k6 takes either `stages` or `scenarios`, not both"),
        (r#"{ "scenarios": {} }"#.to_owned(), "0 scenarios, but exactly one can be simulated"),
        (r#"{ "scenarios": { "a": { "stages": [] } } }"#.to_owned(), "the key `executor` is missing"),
        (r#"{ "scenarios": { "a": { "executor": "ramping-vus" } } }"#.to_owned(), "the key `stages` is missing"),
        (
            r#"{ "scenarios": { "a": { "executor": "externally-controlled" } } }"#.to_owned(),
            "the executor `externally-controlled` cannot be simulated",
        ),
        (r#"{ "stages": [{ "duration": -1, "target": 1 }] }"#.to_owned(), "the duration for stage 1 can't be negative"),
        (r#"{ "stages": [{ "duration": 1 }] }"#.to_owned(), "stage 1 doesn't have a target"),
        ("[]".to_owned(), "expected an object with k6 options"),
        (r#"{ "vus": 1, "vus": 2 }"#.to_owned(), "not JSON: the key \"vus\" stands here twice"),
        ("[".repeat(100_000), "not JSON: EOF while parsing a list"),
        ("[".repeat(10_000) + &"]".repeat(10_000), "nested too deeply"),
    ] {
        let error = apply(&options).expect_err("the options are refused");
        assert_eq!((error.message.as_str(), error.exit_code()), (message, 104), "{options:.80}");
        assert!(error.place.is_some_and(|place| place.file == "options.json"), "{options:.80}");
    }
}

#[test]
fn without_a_load_the_journey_must_be_named() {
    let bare = "model = 'moviebooking'\ntitle = 'Bare'\n";
    let stages = r#""stages": [{ "duration": "1s", "target": 1 }]"#;
    let error = apply_to(bare, &format!("{{ {stages} }}")).expect_err("no journey");
    assert_eq!(error.message, "neither the scenario nor the options say which journey the virtual users run");
    let named = format!(r#"{{ "scenarios": {{ "a": {{ "executor": "ramping-vus", "exec": "book", {stages} }} }} }}"#);
    let (scenario, _) = apply_to(bare, &named).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(scenario.load.map(|load| load.journey), Some(2));
}
