//! Sweep and comparison as users see them: golden files, verdicts, exit codes, the report's own arithmetic.

use crate::support::measured::{assert_golden, fixture, read};
use seatproof::engines::distribution::{FigureSamples, Sweep, SweepFigures, Unit};
use seatproof::engines::measured::arithmetic::{Finding, arithmetic};
use seatproof::engines::measured::judge::{Comparison, Level, judge};
use seatproof::engines::measured::read_text;
use seatproof::report::{Signs, compare, sweep};

/// The load profile that the report sums up.
const STAGES: [(u64, u64); 5] = [(20_000, 30), (30_000, 50), (30_000, 100), (20_000, 100), (20_000, 0)];
const LOCK_P95: &str = "http_req_duration{name:lock_seats} p(95)";
const RELEASE_P95: &str = "http_req_duration{name:release_seats} p(95)";

/// 400 samples around a centre, bell-shaped, the same on every machine.
fn samples(centre: i64, spread: i64) -> Vec<i64> {
    let mut state = 12_345_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((state >> 33) % 2001).expect("below 2001") - 1000
    };
    (0..400).map(|_| centre + (next() + next() + next()) * spread / 1500).collect()
}

fn figures() -> SweepFigures {
    let figure = |name: &str, unit, centre, spread| FigureSamples {
        name: name.to_owned(),
        unit,
        samples: samples(centre, spread),
    };
    SweepFigures {
        seeds: 0..400,
        figures: vec![
            figure("attempts", Unit::Count, 2_836, 35),
            figure("seat_lock_success", Unit::Count, 1_035, 20),
            figure("seat_lock_conflict", Unit::Count, 1_801, 45),
            figure("seat_lock_success_rate", Unit::Percent, 36_500_000, 1_000_000),
            figure("http_req_failed", Unit::Percent, 46_500_000, 1_000_000),
            figure(LOCK_P95, Unit::Milliseconds, 26_760_000, 300_000),
            figure(RELEASE_P95, Unit::Milliseconds, 21_980_000, 300_000),
        ],
    }
}

fn distributions() -> Sweep {
    figures().distributions()
}

fn compared(name: &str, text: &str) -> Comparison {
    let measured = read_text(text, name).expect("a measured run");
    judge(&measured, &distributions(), Level::Central99, &[LOCK_P95, RELEASE_P95], &STAGES).expect("comparable")
}

fn assert_narrow(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn a_sweep_is_shown_in_80_columns_and_as_json() {
    let sweep = distributions();
    let (unicode, ascii) = (sweep::text(&sweep, Signs::UTF8), sweep::text(&sweep, Signs::ASCII));
    assert_narrow(&unicode);
    assert!(ascii.is_ascii());
    assert_golden("sweep.txt", &unicode);
    assert_golden("sweep-ascii.txt", &ascii);
    let json = serde_json::to_string_pretty(&sweep::json(&sweep)).expect("JSON");
    assert_golden("sweep.json", &format!("{json}\n"));
}

#[test]
fn an_interrupted_sweep_is_labelled() {
    let mut figures = figures();
    figures.figures.truncate(1);
    figures.figures[0].samples.truncate(133);
    let text = sweep::text(&figures.distributions(), Signs::UTF8);
    assert!(text.starts_with("133 of 400 runs (interrupted), seeds 0..400\n"), "{text}");
    figures.figures[0].samples.clear();
    assert_eq!(figures.distributions().figures, []);
}

#[test]
fn the_report_is_consistent_with_the_sweep() {
    let comparison = compared("report.md", &fixture("report.md"));
    let text = compare::text(&comparison, Signs::UTF8);
    assert_narrow(&text);
    assert_golden("compare.txt", &text);
    assert_golden("compare.md", &compare::markdown(&comparison));
    let json = serde_json::to_string_pretty(&compare::json(&comparison)).expect("JSON");
    assert_golden("compare.json", &format!("{json}\n"));
    assert_eq!(comparison.exit_code(), 0);
}

#[test]
fn a_figure_outside_makes_the_run_not_consistent() {
    let better = fixture("seed-summary-v1.2-v2.2-plain.txt").replace("1048", "1448").replace("3855", "4255");
    let better = better.replace("2803", "3203").replace("37.38%", "45.20%").replace("45.52%", "41.24%");
    let comparison = compared("better.txt", &better);
    assert_eq!((comparison.exit_code(), comparison.contradictions()), (5, 0), "{:?}", comparison.arithmetic);
    let text = compare::text(&comparison, Signs::ASCII);
    assert_narrow(&text);
    assert_golden("compare-outside.txt", &text);
}

#[test]
fn the_level_chooses_the_interval() {
    assert_eq!(Level::parse("0.95").map(Level::percent), Some(95));
    assert_eq!((Level::parse("0.99"), Level::parse("0.9")), (Some(Level::default()), None));
    let measured = read("report.md");
    let wide = judge(&measured, &distributions(), Level::Central99, &[], &[]).expect("comparable");
    let narrow = judge(&measured, &distributions(), Level::Central95, &[], &[]).expect("comparable");
    for (wide, narrow) in wide.rows.iter().zip(&narrow.rows) {
        assert!(wide.low <= narrow.low && narrow.high <= wide.high, "{}", wide.name);
    }
}

/// There is no verdict on a report of something else: it says what it has and what was looked for.
#[test]
fn nothing_to_compare_is_an_error() {
    let refused = |text: &str| {
        let measured = read_text(text, "other.txt").expect("a measured run");
        judge(&measured, &distributions(), Level::Central99, &[], &STAGES).expect_err("nothing is predicted")
    };
    let error = refused("     other_total...: 5   1/s\n");
    assert_eq!(error.code(), "SP0506");
    let said = error.to_string();
    for words in ["other.txt states no figure", "it has other_total, other_total rate in /s;", " seat_lock_success, "] {
        assert!(said.contains(words), "{words}: {said}");
    }
    let unit = refused("     http_req_failed...: 5   1/s\n").to_string();
    assert!(unit.contains("it has http_req_failed, http_req_failed rate in /s;"), "{unit}");
    assert!(unit.contains(" http_req_failed in %"), "{unit}");
    let many = (0..20).map(|number| format!("     other_{number:02}...: {number}   1/s\n")).collect::<String>();
    assert!(refused(&many).to_string().contains("other_05 rate in /s and 28 more;"), "{}", refused(&many));
}

/// The contradictions that arithmetic finds in the report after one replacement.
fn contradictions(from: &str, to: &str) -> Vec<String> {
    let text = fixture("report.md");
    assert!(text.contains(from), "{from}");
    let measured = read_text(&text.replacen(from, to, 1), "report.md").expect("a report");
    let checks = arithmetic(&measured).into_iter().filter(|check| check.finding == Finding::Contradicts);
    checks.map(|check| check.text).collect()
}

#[test]
fn a_report_that_contradicts_itself_is_told_where() {
    assert_eq!(contradictions("1048", "1048"), [""; 0]);
    assert_eq!(
        contradictions("| $37.38\\%$", "| $38.37\\%$"),
        [
            "report.md:35 says seat_lock_success_rate = 38.37 %, but 1048/2803 = 37.38 %",
            "report.md:51 says seat_lock_success_rate = 37.38%, but report.md:35 says 38.37%",
        ]
    );
    assert_eq!(
        contradictions("Count $> 50$", "Count $> 5000$"),
        ["report.md:36 says seat_lock_success count>5000 passed, but the value is 1048"]
    );
    let row = "| **`seat_lock_conflict`**";
    assert_eq!(
        contradictions(row, &format!("| Lock attempts | 2,830 | |\n{row}")),
        ["report.md:50 says 2830 attempts, but 1048 + 1755 = 2803"]
    );
    assert_eq!(
        contradictions("(1755 failures)", "(1055 failures)"),
        ["report.md:34 says http_req_failed = 45.52 %, but 1055 is that share of no number"]
    );
}

/// The shares of a JSON file are floats of 17 digits, which nobody truncated.
#[test]
fn only_what_k6_prints_is_said_to_be_truncated() {
    let notes = |name: &str| {
        let shares = arithmetic(&read(name)).into_iter().filter(|check| check.text.ends_with(" %"));
        shares.map(|check| check.note).collect::<Vec<_>>()
    };
    let printed = notes("seed-summary-v1.2-v2.2-plain.txt");
    assert!(printed.contains(&Some("k6 truncates".to_owned())), "{printed:?}");
    let exact = notes("real-handleSummary-data.json");
    assert!(!exact.is_empty() && exact.iter().all(Option::is_none), "{exact:?}");
}

#[test]
fn the_load_table_is_laid_beside_the_scenario() {
    let shown = |stages: &[(u64, u64)]| {
        let checks = seatproof::engines::measured::arithmetic::stages_against(&read("report.md"), stages);
        checks.into_iter().map(|check| check.text).collect::<Vec<_>>()
    };
    assert_eq!(shown(&STAGES), ["report.md:21 has 50s -> 50, the scenario 20 s -> 30, 30 s -> 50"]);
    assert_eq!(shown(&STAGES[1..]), ["report.md:21 has 50s -> 50, which is no sum of the scenario's next stages"]);
    let longer = [&STAGES[..], &[(5_000, 0)]].concat();
    assert_eq!(shown(&longer).last().map(String::as_str), Some("the load table ends 1 stages before the scenario"));
}
