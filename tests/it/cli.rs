//! The command line: exit codes, streams, files, and what bad input is answered.

use std::path::Path;

use crate::support::sandbox::Sandbox;

pub(crate) const MODEL: &str = include_str!("../../models/moviebooking.toml");

/// A load of a few seconds, so that tests are quick.
pub(crate) fn short_scenario() -> String {
    scenario_with_stages(r#"{ duration = "10s", target = 20 }, { duration = "2s", target = 0 }"#)
}

/// The bundled scenario under another load.
pub(crate) fn scenario_with_stages(stages: &str) -> String {
    let start = MODEL.find("stages = [").expect("it has stages");
    let end = start + MODEL[start..].find("\n]").expect("they end") + 2;
    format!("{}stages = [{stages}]{}", &MODEL[..start], &MODEL[end..])
}

#[test]
fn simulate_prints_k6s_summary_alone_on_stdout_and_ends_as_k6_does() {
    let sandbox = Sandbox::new();
    let (code, out, err) = sandbox.run(&["simulate"]);
    assert_eq!(code, 99, "{err}");
    assert!(out.starts_with("\n\n  █ THRESHOLDS \n\n    http_req_duration{name:lock_seats}\n"), "{out}");
    assert!(out.contains("✗ 'rate<0.3' rate="), "{out}");
    assert!(err.starts_with("seed 42; moviebooking, virtual time: 5 stages, 2m, up to 100 VUs\n"), "{err}");
    for words in ["digest of all events: ", "failed requests are expected conflicts (409/423)", "explain SP0204"] {
        assert!(err.contains(words), "{words}\n{err}");
    }
    assert!(err.lines().all(|line| line.chars().count() <= 80), "{err}");
    assert_eq!(sandbox.run(&["simulate", "--doublecheck", "-q"]).1, out, "the same bytes again");
}

#[test]
fn simulate_writes_k6s_files_and_one_json_document() {
    let sandbox = Sandbox::new();
    sandbox.file("short.toml", short_scenario());
    let (_, out, err) = sandbox.run(&["simulate", "short.toml", "--summary-export", "export.json"]);
    assert!(out.contains("http_reqs") && err.contains("wrote export.json"), "{err}");
    let export = std::fs::read_to_string(sandbox.0.path().join("export.json")).expect("the file is there");
    let export: serde_json::Value = serde_json::from_str(&export).expect("JSON");
    assert!(export["metrics"]["http_req_failed"]["thresholds"]["rate<0.3"].is_boolean());
    let (_, out, _) = sandbox.run(&["simulate", "short.toml", "--format", "handle-summary"]);
    let object: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(object["metrics"]["http_reqs"]["type"], "counter");
    let (_, out, _) = sandbox.run(&["simulate", "short.toml", "--format", "k6-legacy"]);
    assert!(out.contains("✗ seat_lock_success...") && !out.contains("THRESHOLDS"), "{out}");
    let (_, out, _) = sandbox.run(&["simulate", "short.toml", "--json", "--seed", "3"]);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    assert_eq!(document["seed"], 3);
    assert_eq!(document["thresholds"][0]["vacuous"], false);
    assert_eq!(document["k6"]["metrics"]["http_reqs"]["type"], "counter");
}

#[test]
fn a_threshold_that_saw_no_sample_is_named_vacuous_and_k6s_tick_stays() {
    let sandbox = Sandbox::new();
    let typo = "\"http_req_duration{name:lock_seat}\" = [\"p(95)<2000\"]\nseat_lock_success = ";
    sandbox.file("typo.toml", short_scenario().replace("seat_lock_success = ", typo));
    let (_, out, err) = sandbox.run(&["simulate", "typo.toml"]);
    assert!(out.contains("{name:lock_seat}\n    ✓ 'p(95)<2000' p(95)=0s"), "{out}");
    assert!(err.contains("SP0107") && err.contains("did you mean `lock_seats`?"), "{err}");
    assert!(err.contains("∅ vacuous: http_req_duration{name:lock_seat} saw no sample"), "{err}");
}

/// Of the tags that samples have no warning says that none has them, and the thresholds are judged on samples.
#[test]
fn thresholds_on_tags_that_samples_have_warn_of_nothing() {
    let sandbox = Sandbox::new();
    let tagged = "\"http_req_duration{expected_response:true}\" = [\"p(95)<2000\"]\n\"http_reqs{status:201}\" = \
                  [\"count>0\"]\n\"http_req_failed{name:lock_seats,status:409}\" = [\"rate==1\"]\n\
                  \"checks{check:lock object is valid}\" = [\"rate==1\"]\nseat_lock_success = ";
    sandbox.file("tagged.toml", short_scenario().replace("seat_lock_success = ", tagged));
    let (_, _, err) = sandbox.run(&["simulate", "tagged.toml"]);
    assert!(!err.contains("SP0107") && !err.contains("vacuous"), "{err}");
    // What k6 alone has is told apart, and what becomes of it.
    let method = "\"http_reqs{method:POST}\" = [\"count>100\"]\nseat_lock_success = ";
    sandbox.file("method.toml", short_scenario().replace("seat_lock_success = ", method));
    let (code, _, err) = sandbox.run(&["simulate", "method.toml"]);
    let said = err.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(said.contains("k6 gives its samples the tag `method` and would judge by them"), "{err}");
    assert!(code == 99 && said.contains("Without samples k6 compares 0: `count>100` fails."), "{err}");
}

#[test]
fn options_of_a_k6_script_replace_stages_and_thresholds() {
    let sandbox = Sandbox::new();
    sandbox.file(
        "options.json",
        r#"{ "stages": [{ "duration": "5s", "target": 4 }, { "duration": "1s", "target": 0 }],
             "thresholds": { "iterations": ["count>1", { "threshold": "count<1", "abortOnFail": true }] } }"#,
    );
    let (code, out, err) = sandbox.run(&["simulate", "--options", "options.json"]);
    assert_eq!(code, 99, "{err}");
    assert!(err.contains("2 stages, 6s, up to 4 VUs"), "{err}");
    assert!(out.contains("✓ 'count>1'") && out.contains("✗ 'count<1'") && !out.contains("rate<0.3"), "{out}");
    assert!(err.contains("aborted by threshold iterations: count<1"), "{err}");
}

#[test]
fn what_simulate_writes_compare_reads() {
    let sandbox = Sandbox::new();
    sandbox.file("short.toml", short_scenario());
    sandbox.run(&["simulate", "short.toml", "--seed", "11", "--summary-export", "export.json", "-q"]);
    let (_, out, _) = sandbox.run(&["simulate", "short.toml", "--seed", "11", "-q"]);
    sandbox.file("k6.txt", out);
    for report in ["export.json", "k6.txt"] {
        let (code, out, err) = sandbox.run(&["compare", report, "short.toml", "--seeds", "0..40"]);
        assert_eq!(code, 0, "{out}{err}");
        assert!(out.contains("CONSISTENT  ") && !out.contains("outside"), "{out}");
    }
}

#[test]
fn many_seeds_give_one_table_whatever_the_number_of_threads() {
    let sandbox = Sandbox::new();
    sandbox.file("short.toml", short_scenario());
    let table = |threads| sandbox.run(&["simulate", "short.toml", "--seeds", "0..20", "--threads", threads]);
    let (one, two) = (table("1"), table("2"));
    assert_eq!(one, two);
    assert_eq!(one.0, 0);
    assert!(one.1.contains("20 runs, seeds 0..20") && one.1.contains("central 99 %"), "{}", one.1);
    let (_, out, _) = sandbox.run(&["simulate", "short.toml", "--seeds", "0..20", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    for statistic in ["mean", "median", "p2_5", "p97_5", "p0_5", "p99_5", "min", "max"] {
        assert!(document["figures"]["seat_lock_success"][statistic].is_number(), "{statistic}: {out}");
    }
}

#[test]
fn find_names_the_least_seed_and_simulate_agrees() {
    let sandbox = Sandbox::new();
    sandbox.file("short.toml", short_scenario());
    let (_, all, _) = sandbox.run(&["simulate", "short.toml", "--seed", "5", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&all).expect("JSON");
    let successes = document["k6"]["metrics"]["seat_lock_success"]["values"]["count"].as_u64().expect("a count");
    let conditions = format!("seat_lock_success=={successes}");
    let (code, out, _) = sandbox.run(&["simulate", "short.toml", "--find", &conditions, "--seeds", "0..6"]);
    assert_eq!(code, 0);
    let seed = out.trim().to_owned();
    assert!(seed.parse::<u64>().expect("a seed") <= 5);
    let (_, found, _) = sandbox.run(&["simulate", "short.toml", "--seed", &seed]);
    assert!(found.contains(&format!("seat_lock_success..............: {successes} ")), "{found}");
    let none = sandbox.run(&["simulate", "short.toml", "--find", "seat_lock_success==0", "--seeds", "0..3"]);
    assert_eq!((none.0, none.1.as_str()), (3, ""));
}

#[test]
fn check_proves_finds_draws_and_replay_reproduces() {
    let sandbox = Sandbox::new();
    let (code, out, err) =
        sandbox.run(&["check", "--executions", "2", "--only", "lock-release", "--only", "double-confirm"]);
    assert_eq!(code, 1, "{err}");
    for words in ["✓ holds", "✗ violated", "one-booking-per-seat", "complete within bounds", "C3 vu1/3: COMMIT"] {
        assert!(out.contains(words), "{words}\n{out}");
    }
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let folder = sandbox.0.path().join("seatproof-regressions");
    let mut files =
        std::fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path());
    let file = files.next().expect("one schedule").display().to_string();
    let (code, out, _) = sandbox.run(&["replay", &file]);
    assert_eq!(code, 1);
    assert!(out.contains("REPRODUCED  one-booking-per-seat") && out.contains("equal"), "{out}");
    let text = std::fs::read_to_string(&file).expect("the schedule");
    let edited = text.lines().filter(|line| !line.contains("\"vu1/2: BEGIN\"")).collect::<Vec<_>>().join("\n");
    sandbox.file("edited.replay", edited);
    let (code, out, _) = sandbox.run(&["replay", "edited.replay"]);
    assert_eq!(code, 4);
    assert!(out.contains("DIVERGED at step 16: vu1/2: SELECT"), "{out}");
    assert!(out.contains("vu1/2 can do this instead: vu1/2: BEGIN"), "{out}");
    let (code, out, _) = sandbox.run(&["check", "--only", "lock-release", "--executions", "2"]);
    assert_eq!(code, 1, "what was found before is followed first");
    assert!(out.starts_with("regressions  1 replay(s): 1 still violate, 0 pass"), "{out}");
    let code = |args: &[&str]| {
        // What an earlier run found would be followed first.
        let _ = std::fs::remove_dir_all(sandbox.0.path().join("seatproof-regressions"));
        sandbox.run(&[&["check", "--executions", "2"], args].concat()).0
    };
    assert_eq!(code(&["--expect"]), 0, "the scenario expects just this");
    assert_eq!(code(&["--only", "lock-release"]), 0);
    assert_eq!(code(&["--only", "lock-release", "--engine", "explore", "--max-states", "100"]), 3);
    let starved = ["--only", "lock-release", "--engine", "explore", "--expect", "--max-memory", "1"];
    assert_eq!(code(&starved), 3, "what memory did not suffice for is neither as expected nor otherwise");
    assert_eq!(code(&["--only", "lock-release", "--engine", "shuttle"]), 3, "a sample proves nothing");
    assert_eq!(code(&["--only", "lock-release", "--engine", "loom"]), 3, "nor does a bound");
    let sampled = ["--only", "lock-release", "--engine", "shuttle", "--expect"];
    assert_eq!(code(&sampled), 3, "what nobody knows is neither as expected nor otherwise");
}

#[test]
fn a_time_budget_cuts_short_and_says_so_and_changes_nothing_where_it_suffices() {
    let sandbox = Sandbox::new();
    let only = |args: &[&str]| sandbox.run(&[&["check", "--only", "lock-release"], args].concat());
    // More than anybody explores in the time.
    let crowd = "title = \"Two clients lock and release the same seat\"";
    assert!(MODEL.contains(crowd));
    sandbox.file(
        "crowd.toml",
        MODEL.replacen("clients = 2\njourney = \"lock_release\"", "clients = 7\njourney = \"lock_release\"", 1),
    );
    let short = ["crowd.toml", "--timeout", "300ms", "--executions", "1000000"];
    let (code, out, err) = only(&short);
    assert_eq!(code, 3, "{out}{err}");
    for words in
        ["? inconclusive  one-booking-per-seat  stopped by the time budget: no proof", "(sampled, cut", " of 1000000 "]
    {
        assert!(out.contains(words), "{words}\n{out}");
    }
    assert_eq!(err.matches("would have been kept").count(), 1, "{err}");
    assert!(!out.contains("not as expected"), "what is not known is no difference: {out}");
    assert_eq!(only(&[&short[..], &["--expect"]].concat()).0, 3, "nor is it as expected");
    let (free, ample) = (only(&["--executions", "2"]), only(&["--executions", "2", "--timeout", "10h"]));
    assert_eq!(free, ample);
    assert_eq!(free.0, 0, "{}", free.1);
}

/// Of a check for which no time was left nobody says that it was stopped.
#[test]
fn checks_that_had_not_begun_when_the_time_was_up_say_so() {
    let sandbox = Sandbox::new();
    let args = ["check", "--only", "lock-release", "--only", "double-confirm", "--timeout", "1ns"];
    let (code, out, err) = sandbox.run(&args);
    assert_eq!(code, 3, "{out}{err}");
    assert_eq!(out.matches("? inconclusive  one-booking-per-seat  not begun: no proof\n").count(), 2, "{out}");
    for words in ["stopped", "interrupted", "execution(s)"] {
        assert!(!out.contains(words), "{words}: {out}");
    }
    assert!(err.contains("! stopped before these checks began: lock-release, double-confirm\n"), "{err}");
    assert!(!err.contains("would have been kept"), "nothing was searched: {err}");
    let (code, out, _) = sandbox.run(&[&args[..], &["--json"]].concat());
    let document: serde_json::Value = serde_json::from_str(&out).expect("JSON");
    let last = &document["checks"][1];
    assert_eq!((code, &last["begun"]), (3, &false.into()), "{out}");
    assert_eq!(last["verdicts"][0]["bound"], "not begun: no proof", "{out}");
}

/// Where schedules cannot be written, the checks still say what they found.
#[cfg(target_os = "linux")]
#[test]
fn a_regressions_directory_that_cannot_be_made_stops_no_check() {
    let sandbox = Sandbox::new();
    let args = ["check", "get_then_set", "--only", "none", "--only", "pause", "--engine", "explore"];
    let (code, out, err) = sandbox.run(&[&args[..], &["--regressions", "/proc/nothing"]].concat());
    assert_eq!(code, 1, "{err}");
    assert!(out.contains("check get_then_set / pause"), "{out}");
    assert!(err.contains("`/proc/nothing` cannot be made") && err.contains("--regressions"), "{err}");
    let (code, ..) = sandbox.run(&[&args[..], &["--expect", "--regressions", "/proc/nothing"]].concat());
    assert_eq!(code, 2, "as expected, but nothing was written");
}

/// Threads ask for one seed more than there are to run, and beyond the last one there is none.
#[test]
fn a_sweep_may_end_with_the_last_seed_of_all() {
    let sandbox = Sandbox::new();
    sandbox.file("short.toml", short_scenario());
    let seeds = "18446744073709551613..18446744073709551615";
    let (code, out, err) = sandbox.run(&["simulate", "short.toml", "--seeds", seeds, "--threads", "4"]);
    assert_eq!(code, 0, "{err}");
    assert!(out.starts_with(&format!("2 runs, seeds {seeds}\n")), "{out}");
}

#[test]
fn explain_and_list_name_what_there_is() {
    let sandbox = Sandbox::new();
    let (_, explained, _) = sandbox.run(&["explain", "SP0204"]);
    assert!(explained.contains("(1 - p) / (1 + p)"), "{explained}");
    let is_code = |line: &str| line.starts_with("    ");
    assert!(explained.lines().all(|line| is_code(line) || line.chars().count() <= 80), "{explained}");
    assert!(sandbox.run(&["explain", "one-holder-per-seat"]).1.contains("two clients"));
    let (_, list, _) = sandbox.run(&["list"]);
    assert!(list.contains("moviebooking") && list.contains("one-booking-per-seat"), "{list}");
    for words in ["\n  jobs\n    lock-cleanup\n", "\n  draws  seat_count, seats, hold"] {
        assert!(list.contains(words), "what a scenario may name is listed: {words}\n{list}");
    }
    assert!(list.lines().all(|line| line.chars().count() <= 80), "{list}");
    let schema = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/scenario.schema.json"));
    assert_eq!(sandbox.run(&["schema"]).1, schema.expect("the published schema"));
}
