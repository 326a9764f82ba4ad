//! Every kind of measured run, read back to the figures it prints.

use crate::support::measured::{assert_golden, fixture, read};
use proptest::prelude::*;
use seatproof::engines::measured::arithmetic::arithmetic;
use seatproof::engines::measured::{Measured, MeasuredKind, ReadError, read_text};

fn listing(measured: &Measured) -> String {
    let line = |line: Option<usize>| line.map_or_else(|| "-".to_owned(), |line| line.to_string());
    let mut text = format!("{}\n", measured.kind.name());
    for figure in &measured.figures {
        let how = figure.derived.map(|how| format!("  ({how})")).unwrap_or_default();
        let (name, unit) = (figure.name(), figure.unit.suffix());
        text += &format!("{:>4} {name} = {}{unit}  [{}]{how}\n", line(figure.line), figure.value, figure.raw);
    }
    for threshold in &measured.thresholds {
        let limit = threshold.limit.as_ref().map_or_else(|| "-".to_owned(), |limit| limit.source.clone());
        let mark = threshold.passed.map_or("?", |passed| if passed { "pass" } else { "fail" });
        let actual =
            threshold.actual.map_or_else(|| "-".to_owned(), |(value, unit)| format!("{value}{}", unit.suffix()));
        text += &format!("{:>4} threshold {} {limit}: {actual} {mark}\n", line(threshold.line), threshold.metric);
    }
    for stage in &measured.stages {
        text += &format!("{:>4} stage {} ms -> {}\n", stage.line, stage.duration_ms, stage.target);
    }
    for unread in &measured.unread {
        text += &format!("{:>4} unread {}: {}  [{}]\n", unread.line, unread.name(), unread.why, unread.raw);
    }
    for notice in &measured.notices {
        text += &format!("note {notice}\n");
    }
    text
}

#[test]
fn each_kind_is_read_to_the_figures_it_prints() {
    for name in [
        "report.md",
        "seed-summary-v1.2-v2.2-plain.txt",
        "seed-summary-legacy-plain.txt",
        "real-fail-progress.stdout",
        "real-edge-values-full.stdout",
        "real-edge-values-unit-ms.stdout",
        "real-tty-with-colour-and-bars.ansi",
        "real-thresholds-without-samples.txt",
        "real-fail.summary-export.json",
        "real-handleSummary-data.json",
        "real-machine-readable-summary.json",
    ] {
        assert_golden(&format!("{name}.figures"), &listing(&read(name)));
    }
}

#[test]
fn colours_and_wider_dots_change_nothing() {
    for (plain, other) in [
        ("seed-summary-v1.2-v2.2-plain.txt", "seed-summary-v1.2-v2.2-ansi.txt"),
        ("seed-summary-v1.2-v2.2-plain.txt", "seed-summary-v1.0-v1.1-plain.txt"),
        ("seed-summary-legacy-plain.txt", "seed-summary-legacy-ansi.txt"),
    ] {
        let (plain, other) = (read(plain), read(other));
        assert_eq!((plain.figures, plain.thresholds), (other.figures, other.thresholds));
    }
}

#[test]
fn both_layouts_and_the_report_state_the_same_figures() {
    let report = read("report.md");
    for name in ["seed-summary-v1.2-v2.2-plain.txt", "seed-summary-legacy-plain.txt"] {
        let output = read(name);
        for figure in &report.figures {
            let same =
                output.figure(&figure.name(), figure.unit).unwrap_or_else(|| panic!("{name} has {}", figure.name()));
            assert_eq!(same.value, figure.value, "{}", figure.name());
        }
    }
}

#[test]
fn mojibake_is_repaired_with_a_notice() {
    let (damaged, intact) = (read("report-mojibake.md"), read("report.md"));
    assert_eq!((&damaged.figures, &damaged.thresholds), (&intact.figures, &intact.thresholds));
    assert_eq!(damaged.notices, ["report-mojibake.md is UTF-8 that was read as Mac Roman; decoded again"]);
    assert!(intact.notices.is_empty());
}

#[test]
fn of_several_summaries_the_last_counts() {
    let (current, legacy) = (fixture("seed-summary-v1.2-v2.2-plain.txt"), fixture("seed-summary-legacy-plain.txt"));
    let newer = current.replace("1048", "2048");
    let count = |text: &str| read_text(text, "out.txt").map(|measured| measured.count("seat_lock_success"));
    assert_eq!(count(&[&*current, &newer].concat()), Ok(Some(2048)));
    assert_eq!(count(&[&*newer, &current].concat()), Ok(Some(1048)));
    assert_eq!(count(&[&*newer, &legacy].concat()), Ok(Some(1048)));
    assert_eq!(count(&[&*legacy, &newer].concat()), Ok(Some(2048)));
    assert_eq!(count(&[&*legacy, &legacy.replace("1048", "3048")].concat()), Ok(Some(3048)));
}

#[test]
fn old_releases_mark_the_samples_of_a_rate() {
    let text = "     █ a group\n\n       ✓ a check\n\n     seat_lock_success_rate...: 37.38% ✓ 1048       ✗ 1755\n";
    let measured = read_text(text, "old.txt").expect("a legacy line");
    assert_eq!(measured.kind, MeasuredKind::StdoutLegacy);
    assert_eq!(measured.count("seat_lock_success_rate count"), Some(1048));
}

#[test]
fn tables_with_other_columns_are_read_too() {
    let text = "| Metric | avg | p95 | Result |\n|---|---|---|---|\n| http_req_duration | 1.5 ms | 2s | |\n\
                | `http_reqs` | | | 3,855 |\n| lock attempts | | | 2803 |\n| http_req_failed | | | 1755 of 3855 |\n";
    let measured = read_text(text, "t.md").expect("a metric table");
    let shown: Vec<_> = measured.figures.iter().map(|f| format!("{} {}", f.name(), f.value)).collect();
    let expected = [
        "http_req_duration avg 1.5",
        "http_req_duration p(95) 2000",
        "http_reqs 3855",
        "attempts 2803",
        "http_req_failed count 1755",
        "http_req_failed total 3855",
    ];
    assert_eq!(shown, expected);
}

#[test]
fn what_is_no_measured_run_is_refused_with_place_reason_and_remedy() {
    let error = |text: &str| read_text(text, "in").expect_err(text);
    let truncated = fixture("real-fail.summary-export.json")[..700].to_owned();
    let mut shown = String::new();
    let samples = "{\"metric\":\"vus\",\"type\":\"Point\",\"data\":{\"value\":1}}\n".repeat(2);
    for text in [&*truncated, "{ \"metrics\": nope }", "{}", "{\n  \"metrics\": {}\n}", &samples, "hello"] {
        let error = error(text);
        shown += &format!("{} {:?} {error}\n    {}\n", error.code(), error.place(), error.help());
    }
    assert_golden("errors.txt", &shown);
    for text in ["", "[1, 2]", "note...: 5 apples\n", "note...: 5\n", "| a | b |\n|---|---|\n| 1 | 2 |\n"] {
        assert!(matches!(error(text), ReadError::NoFigures { .. }), "{text}");
    }
}

const PIECES: &[&str] =
    &["|", "$", "%", "...:", "✗", "█ ", "\u{1b}[", "9999999999999999999", "-", "e9", "{", "}", "\n", "0"];

/// One edit of a text: what is cut at which position, and what stands there instead.
fn edit() -> impl Strategy<Value = (usize, usize, String)> {
    (any::<usize>(), 0..20_usize, prop_oneof![".{0,3}", prop::sample::select(PIECES).prop_map(str::to_owned)])
}

proptest! {
    #[test]
    fn no_edit_of_a_file_makes_the_reader_panic(
        name in prop::sample::select(&[
            "report.md", "seed-summary-v1.2-v2.2-ansi.txt", "seed-summary-legacy-plain.txt",
            "real-fail.summary-export.json", "real-handleSummary-data.json", "real-machine-readable-summary.json",
        ][..]),
        edits in prop::collection::vec(edit(), 1..6),
    ) {
        let mut text = fixture(name);
        for (position, length, instead) in edits {
            let start = text.floor_char_boundary(position % (text.len() + 1));
            let end = text.floor_char_boundary((start + length).min(text.len()));
            text.replace_range(start..end.max(start), &instead);
        }
        match read_text(&text, name) {
            Ok(measured) => drop(arithmetic(&measured)),
            Err(error) => prop_assert!(!error.to_string().is_empty() && !error.help().is_empty()),
        }
    }
}
