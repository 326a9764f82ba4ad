//! Every mistake that a scenario file can have, and the exact text that names it.
//!
//! Each case replaces one passage of a valid scenario; `tests/fixtures/scenario/errors.txt` holds what is printed.
//! `UPDATE_EXPECT=1 cargo test scenario_errors` writes it anew; read the difference before committing it.

use std::fmt::Write as _;

use crate::support::golden;
use crate::support::scenario::{FULL, read};
use seatproof::system::diagnostic::{Severity, code};

/// What is replaced, and by what.
const CASES: [(&str, &str); 81] = [
    // Syntax and keys.
    ("[links.http]", "[links.http"),
    ("[links.http]", "[links.http]\r\n\tx = = 3"),
    ("seats = 100", "seats = 100\nseats = 3"),
    ("startVUs", "startVus"),
    ("instances", "color"),
    ("title = \"The measured load test\"\n", ""),
    ("title = \"The measured load test\"", "title = \"\""),
    ("startVUs = 0", "startVUs = \"0\""),
    ("startVUs = 0", "startVUs = 1.5"),
    ("startVUs = 0", "startVUs = 1979-05-27"),
    ("startVUs = 0", "startVUs = 99999999999999999999"),
    ("[service]", "[[service]]"),
    // Names.
    ("\"moviebooking\"", "\"moviebokking\""),
    ("\"moviebooking\"", "\"cinema\""),
    ("\"contend\"", "\"contest\""),
    ("lock_ttl", "lock_tll"),
    // Parameters, durations and links.
    ("seats = 100", "seats = 0"),
    ("seats = 100", "seats = \"100\""),
    ("picks = [1, 3]", "picks = [3, 1]"),
    ("picks = [1, 3]", "picks = [1, 2, 3]"),
    ("\"600s\"", "600"),
    ("\"600s\"", "\"600 seconds\""),
    ("\"600s\"", "\"600.0000001s\""),
    ("\"600s\"", "\"31d\""),
    ("\"600s\"", "\"1000000000000h\""),
    ("\"600s\"", "\"-1s\""),
    ("\"600s\"", "\"1500us\""),
    ("\"600s\"", "\"0s\""),
    ("p95 = \"26.76ms\"", "p95 = \"1ms\""),
    ("p50 = \"2ms\"", "p50 = \"0s\""),
    ("instances = 2", "instances = 0"),
    // The load.
    ("\"ramping-vus\"", "\"constant-vus\""),
    ("startVUs = 0", "startVUs = -1"),
    ("startVUs = 0", "startVUs = 100001"),
    (", target = 30", ""),
    ("duration = \"20s\", ", ""),
    ("duration = \"20s\"", "duration = \"-20s\""),
    ("target = 30", "target = -30"),
    ("target = 30", "target = 1000000"),
    ("\"200-399\"", "\"399-200\""),
    // Thresholds.
    ("\"rate<0.3\"", "\"rate << 0.3\""),
    ("\"rate<0.3\"", "\"p(95)<3\""),
    ("\"p(95)<2000\"", "\"p95<2000\""),
    ("\"rate<0.3\"", "7"),
    ("http_req_failed", "http_req_faild"),
    ("abortOnFail", "abort_on_fail"),
    ("abortOnFail = true", "abortOnFail = 1"),
    ("{name:lock_seats}", "{name:lock_seat}"),
    ("{name:lock_seats}", "{method:POST}"),
    ("{name:lock_seats}", "{expected_response:yes}"),
    ("{name:lock_seats}", "{status:4xx}"),
    ("{name:lock_seats}", "{tier:gold}"),
    ("http_req_failed = ", "\"http_req_failed{name:lock_seats,scenario:default}\" = "),
    ("http_req_failed = ", "\"checks{check:lock object is vald}\" = "),
    ("seat_lock_success = ", "\"seat_lock_success{name:lock_seats}\" = "),
    // Checks.
    ("clients = 2\n", ""),
    ("journey = \"lock_release\"\n", ""),
    ("journey = \"lock_release\"\n", "journey = \"lock_release\"\njourneys = [\"book\"]\n"),
    ("journeys = [\"book\", \"contend\"]", "journeys = [\"book\", \"contend\"]\nclients = 3"),
    ("journeys = [\"book\", \"contend\"]", "journeys = []"),
    ("lose_reply", "lose_replies"),
    ("evict", "explode"),
    ("[[1], [1, 2]]", "[]"),
    ("draws = { seats", "draws = { seat"),
    ("properties = [\"one-holder-per-seat\", \"all-or-nothing\"]", "properties = [\"one-holder-per-seat\"]"),
    ("properties = [\"one-holder-per-seat\", \"all-or-nothing\"]", "properties = [\"one_holder_per_seat\"]"),
    ("properties = [\"one-holder-per-seat\", \"all-or-nothing\"]", "properties = []"),
    ("\"wait 601s\"", "\"sleep 601s\""),
    ("\"wait 601s\"", "\"wait 601\""),
    ("\"vu1 until POST /seat-locks\"", "\"vu3\""),
    ("\"job cleanup\"", "\"job clean\""),
    ("{ cleanup = 2 }", "{ clean = 2 }"),
    ("{ cleanup = 2 }", "{ cleanup = -2 }"),
    ("jobs = [\"cleanup\"]", "jobs = [\"clean\"]"),
    ("[\"0s\", \"2s\"]", "[\"0s\", \"2s\", \"0s\"]"),
    ("[\"5us\"]", "[5]"),
    (", max_pause = \"1s\"", ""),
    ("replicas = 2\n", ""),
    ("\"holds\"", "\"hold\""),
    ("\"holds\"", "{ verdict = \"holds\", ops = 3 }"),
    ("check.lock-release", "check.\"lock release\""),
];

/// All cases with what is printed for them.
fn transcript() -> String {
    let mut text = String::new();
    for (from, to) in CASES {
        assert!(FULL.contains(from), "no longer part of the scenario: {from}");
        let _ = writeln!(text, "### {from:?} becomes {to:?}");
        match read(&FULL.replace(from, to)) {
            Ok((_, warnings)) => {
                assert!(!warnings.is_empty(), "nothing is wrong with {to:?}");
                warnings.iter().for_each(|warning| text.push_str(&warning.to_string()));
            }
            Err(error) => {
                assert_eq!((error.severity, error.exit_code()), (Severity::Error, code::EXIT_CONFIG), "{to:?}");
                text.push_str(&error.to_string());
            }
        }
        text.push('\n');
    }
    text
}

#[test]
fn every_mistake_is_named_with_place_and_remedy() {
    golden::assert_file("tests/fixtures/scenario/errors.txt", &transcript());
}

#[test]
fn impossible_stages_are_refused_in_k6s_words() {
    let with_stages = |stages: &str| {
        let (head, rest) = FULL.split_once("stages = [").expect("the scenario has stages");
        let (_, tail) = rest.split_once("\n]").expect("the stages end");
        read(&format!("{head}stages = {stages}{tail}")).expect_err("impossible stages").message
    };
    for (stages, words) in [
        ("[]", "at least one stage has to be specified"),
        (
            "[{ duration = \"1s\", target = 0 }]",
            "either startVUs or one of the stages' target values must be greater than 0",
        ),
        ("[{ duration = \"0s\", target = 5 }]", "the stages last no time in total"),
        (
            "[{ duration = \"20d\", target = 5 }, { duration = \"20d\", target = 5 }]",
            "the stages last longer than 30 days in total",
        ),
        (
            &format!("[{}]", "{ duration = \"1s\", target = 100000 }, { duration = \"1s\", target = 0 }, ".repeat(51)),
            "the stages start and stop 10200000 virtual users, more than 10000000",
        ),
        ("3", "expected a list, found the number 3"),
    ] {
        assert_eq!(with_stages(stages), words);
    }
}

#[test]
fn every_scenario_code_is_provoked() {
    let options = include_str!("scenario_options.rs");
    let transcript = transcript();
    for code in code::ALL.iter().filter(|code| code.id.starts_with("SP01")) {
        assert!(transcript.contains(code.id) || options.contains(code.id), "no test provokes {}", code.id);
    }
}
