//! No text makes the reader panic, and durations survive being printed and read.

use std::path::Path;

use crate::support::scenario::{FULL, MODEL, read};
use proptest::prelude::*;
use seatproof::system::diagnostic::{Diagnostic, Source, code};
use seatproof::system::scenario::apply_k6_options;
use seatproof::system::scenario::duration::{MAX_NS, parse_ns, parse_us, print_ns};

/// k6 options to start from.
const OPTIONS: &str = r#"{ "scenarios": { "a": { "executor": "ramping-vus", "startVUs": 0, "gracefulStop": "1s",
    "stages": [{ "duration": "20s", "target": 30 }, { "duration": 1500.5, "target": 0 }] } },
    "thresholds": { "http_req_failed": ["rate<0.3", { "threshold": "rate<0.5", "abortOnFail": true }] } }"#;

/// `text` with some bytes replaced, inserted or cut, still UTF-8 (the only thing the reader is given).
fn mutated(text: &'static str) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[\\[\\]{}=\",.:#\\-\n\\\\]",
        "-?[0-9]{1,20}(\\.[0-9]{1,12})?(ns|us|ms|s|m|h|d)?",
        "\\PC{0,3}",
        Just("\u{0}\t\r\u{7f}\u{feff}\u{200d}座".to_owned()),
        Just("null".to_owned()),
    ];
    prop::collection::vec((any::<prop::sample::Index>(), 0..9_usize, piece), 1..4).prop_map(move |edits| {
        edits.into_iter().fold(text.to_owned(), |text, (index, cut, piece)| {
            let start = text.floor_char_boundary(index.index(text.len() + 1));
            let end = text.ceil_char_boundary((start + cut).min(text.len()));
            format!("{}{piece}{}", &text[..start], &text[end..])
        })
    })
}

/// Durations of all sizes, whole seconds among them.
fn any_duration_ns() -> impl Strategy<Value = u64> {
    prop_oneof![0..=MAX_NS, 0..10_000_000_000_u64, (0..100_000_u64).prop_map(|seconds| seconds * 1_000_000_000)]
}

/// Printing a diagnostic must work and say something for every place.
fn printed(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let text = diagnostic.render(false);
        assert!(text.contains(diagnostic.code.id) && text.ends_with('\n'), "{text}");
        assert!(diagnostic.help.is_some() && diagnostic.place.is_some(), "{text}");
        assert!(!text.contains('\u{1b}'), "no colour unless asked for");
        assert!(diagnostic.render(true).contains('\u{1b}'));
    }
}

/// Reads `text` as a scenario and prints what is wrong.
fn read_scenario(text: &str) {
    match read(text) {
        Ok((_, warnings)) => printed(&warnings),
        Err(error) => printed(&[error]),
    }
}

/// Reads `text` as k6 options and prints what is wrong.
fn read_options(text: &str) {
    let (mut scenario, _) = read(FULL).unwrap_or_else(|error| panic!("{error}"));
    match apply_k6_options(&mut scenario, Path::new("options.json"), text, &MODEL) {
        Ok(warnings) => printed(&warnings),
        Err(error) => printed(&[error]),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn no_scenario_panics(text in mutated(FULL)) {
        read_scenario(&text);
    }

    #[test]
    fn no_options_panic(text in mutated(OPTIONS)) {
        read_options(&text);
    }

    #[test]
    fn no_text_panics(text in "\\PC*") {
        read_scenario(&text);
        read_options(&text);
    }

    #[test]
    fn durations_survive_printing(ns in any_duration_ns()) {
        prop_assert_eq!(parse_ns(&print_ns(ns)), Ok(ns));
        if ns % 1000 == 0 {
            prop_assert_eq!(parse_us(&print_ns(ns)), Ok(ns / 1000));
        }
    }

    #[test]
    fn no_duration_panics(text in "[+-]?[0-9.]{0,25}(ns|us|µs|ms|s|m|h|d|x| )?[0-9.]{0,5}(s|m)?") {
        let _ = parse_ns(&text);
    }

    #[test]
    fn no_place_panics(text in "(\\PC|\n|\r|\t|\u{0}){0,60}", start in 0..300_usize, length in 0..300_usize) {
        let source = Source { file: "x.toml", text: &text };
        let diagnostic = Diagnostic::error(&code::SYNTAX, "wrong").at(source, start..start + length).label("here");
        prop_assert!(diagnostic.render(false).contains("wrong"));
    }
}

#[test]
fn durations_print_as_people_write_them() {
    for (ns, text) in [
        (0, "0s"),
        (1, "1ns"),
        (26_760_000, "26.76ms"),
        (1_500, "1.5us"),
        (90_000_000_000, "1m30s"),
        (60_000_000_000, "1m"),
        (3_600_000_000_001, "1h1ns"),
        (20_500_000_000, "20.5s"),
    ] {
        assert_eq!(print_ns(ns), text);
    }
}

#[test]
fn deep_nesting_is_refused() {
    read_scenario(&format!("x = {}", "[".repeat(100_000)));
    read_scenario(&format!("x = {}{}", "[".repeat(10_000), "]".repeat(10_000)));
    read_scenario(&format!("[{}x]", "a.".repeat(100_000)));
    read_options(&"{\"a\":".repeat(100_000));
}
