//! Tables as other people write them: counts beside rates, blanks in numbers, units in headers; and what of them is
//! told instead of read.

use seatproof::engines::distribution::{FigureSamples, Sweep, SweepFigures, Unit};
use seatproof::engines::measured::arithmetic::{Finding, arithmetic};
use seatproof::engines::measured::judge::{Comparison, Level, judge};
use seatproof::engines::measured::{Measured, read_text};
use seatproof::report::{Signs, compare};

/// A table with this header and these rows.
fn table(header: &str, rows: &[&str]) -> Measured {
    let columns = "|---".repeat(header.split('|').count());
    let rows = rows.iter().map(|row| format!("| {row} |\n")).collect::<String>();
    let text = format!("| {header} |\n{columns}|\n{rows}");
    read_text(&text, "t.md").unwrap_or_else(|error| panic!("{text}{error}"))
}

fn figures(measured: &Measured) -> Vec<String> {
    let shown = |name: String, value: String, unit: Unit| format!("{name} = {value}{}", unit.suffix());
    measured.figures.iter().map(|figure| shown(figure.name(), figure.value.to_string(), figure.unit)).collect()
}

fn contradictions(measured: &Measured) -> Vec<String> {
    let found = arithmetic(measured).into_iter().filter(|check| check.finding == Finding::Contradicts);
    found.map(|check| check.text).collect()
}

const LOCK_P95: &str = "http_req_duration{name:lock_seats} p(95)";

fn compared(header: &str, rows: &[&str]) -> Comparison {
    against_model(&table(header, rows))
}

fn against_model(measured: &Measured) -> Comparison {
    let figure = |name: &str, unit, sample| FigureSamples { name: name.to_owned(), unit, samples: vec![sample; 40] };
    let sweep: Sweep = SweepFigures {
        seeds: 0..40,
        figures: vec![
            figure("seat_lock_success", Unit::Count, 1_048),
            figure("http_req_failed", Unit::Percent, 45_520_000),
            figure("iterations", Unit::Count, 2_803),
            figure(LOCK_P95, Unit::Milliseconds, 26_760_000),
        ],
    }
    .distributions();
    judge(measured, &sweep, Level::Central99, &[LOCK_P95], &[]).expect("a figure in common")
}

#[test]
fn counts_beside_rates_contradict_nothing() {
    let failed = ["http_req_failed = 45.52%", "http_req_failed count = 1755", "checks = 100%", "checks count = 3851"];
    for (header, rows) in [
        ("Metric | Rate | Count", ["`http_req_failed` | 45.52% | 1,755", "checks_succeeded | 100% | 3,851"]),
        ("Metric | Count | Rate", ["`http_req_failed` | 1,755 | 45.52%", "checks_succeeded | 3,851 | 100%"]),
        ("Metric | Count | Rate (%)", ["`http_req_failed` | 1,755 | 45.52", "checks | 3,851 | 100"]),
        ("Metric | Count | Rate", ["`http_req_failed` | 1,755 | 0.4552", "checks | 3,851 | 1"]),
    ] {
        let measured = table(header, &rows);
        let mut found = figures(&measured);
        found.retain(|figure| !figure.starts_with("http_reqs"));
        found.sort_unstable();
        let mut expected = failed.map(str::to_owned);
        expected.sort_unstable();
        assert_eq!((found, contradictions(&measured)), (expected.to_vec(), Vec::new()), "{header}");
    }
    let counter = table("Metric | Rate | Count", &["`seat_lock_success` | 8.49 | 1,048", "seat_lock_error | 12% | 3"]);
    let expected = ["seat_lock_success rate = 8.49/s", "seat_lock_success = 1048", "seat_lock_error = 12%"];
    assert_eq!(figures(&counter), [&expected[..], &["seat_lock_error = 3"]].concat());
    assert_eq!((contradictions(&counter), counter.count("seat_lock_error")), (Vec::new(), Some(3)));
}

#[test]
fn the_same_number_twice_must_agree_as_far_as_it_is_printed() {
    let twice = |first: &str, second: &str| {
        let rows = [format!("x_time p(95) | {first}"), format!("x_time p(95) | {second}")];
        contradictions(&table("Metric | Value", &[&rows[0], &rows[1]])).len()
    };
    assert_eq!((twice("1.98 s", "1984 ms"), twice("1.98 s", "1984.9 ms"), twice("1.98 s", "1992 ms")), (0, 0, 1));
    assert_eq!(contradictions(&table("Metric | Value", &["checks | 0.5", "checks | 48.30 %"])).len(), 0);
    let disagreeing =
        table("Metric | Count | Rate", &["http_req_failed | 1755 | 45.52%", "http_req_failed | 1756 | 45.52%"]);
    assert_eq!(contradictions(&disagreeing)[0], "t.md:4 says http_req_failed count = 1756, but t.md:3 says 1755");
}

#[test]
fn a_mark_is_held_against_the_figure_that_its_limit_speaks_of() {
    let header = "Metric | Count | Rate | p(95) | p(99) | Threshold | Status";
    let rows = [
        "http_req_failed | 1,755 | 45.52% | | | < 50% | PASS",
        "seat_lock_success | 1,048 | 8.49/s | | | count > 50 | PASS",
        "http_req_duration | | | 26 ms | 31 ms | p(99) < 40 ms | PASS",
        "http_req_duration{name:a} | | | 26 ms | | p(99) < 20 ms | PASS",
        "seat_lock_conflict | 1 755 | | | | >= 1 000 | PASS",
    ];
    let measured = table(header, &rows);
    assert_eq!(contradictions(&measured), [""; 0]);
    let agreeing = arithmetic(&measured).into_iter().map(|check| check.text);
    assert!(agreeing.into_iter().any(|text| text == "4 threshold marks agree with their values"));
    let failed = table(header, &["http_req_failed | 1,755 | 45.52% | | | < 30% | PASS"]);
    let says = "t.md:3 says http_req_failed rate<0.3 passed, but the value is 45.52%";
    assert_eq!(contradictions(&failed), [says]);
}

#[test]
fn blanks_and_units_of_headers_are_read() {
    for blank in [" ", "\u{a0}", "\u{202f}", "\u{2009}"] {
        let row = format!("iterations | (2{blank}803){blank}17{blank}5 |");
        assert_eq!(figures(&table("Metric | Value", &[&row])), ["iterations = 2803"], "{blank:?}");
    }
    let durations = table("Metric | avg [s] | p(95) (ms) | max", &["http_req_duration | 0.0125 | 1 026.76 | 1.5 s"]);
    let expected = ["http_req_duration avg = 12.5ms", "http_req_duration p(95) = 1026.76ms"];
    assert_eq!(figures(&durations), [&expected[..], &["http_req_duration max = 1500ms"]].concat());
}

#[test]
fn what_cannot_be_read_is_told_and_is_not_missing() {
    let rows = ["seat_lock_success | 1,048", "http_req_failed | 99,9 % (5)", "iterations | 2.803", "other_thing | n/a"];
    let comparison = compared("Metric | Result", &rows);
    assert_eq!(
        comparison.notices,
        [
            "t.md:4 says http_req_failed = `99,9% (5)`, which is left out: commas and blanks part groups of three \
             digits, a point parts the decimals: 1,048.5",
            "t.md:5 says iterations = `2.803`, which is left out: a count has no decimals; if the point parts groups \
             of three digits, leave it out",
        ]
    );
    assert_eq!(comparison.unreadable, ["http_req_failed", "iterations"]);
    assert_eq!(comparison.not_measured, [LOCK_P95]);
    let text = compare::text(&comparison, Signs::ASCII);
    assert!(text.contains("\npredicted, but cannot be read: http_req_failed, iterations\n"), "{text}");
}

#[test]
fn a_line_that_k6_would_not_print_is_told_too() {
    let text = "     seat_lock_success...: 1048   8.5/s\n     iterations...: 2.803 times\n     note...: 5 apples\n";
    let notices = against_model(&read_text(text, "out.txt").expect("a figure")).notices;
    assert_eq!(notices, ["out.txt:2 says iterations = `2.803 times`, which is left out: k6 prints no such line"]);
}

#[test]
fn every_figure_that_is_left_out_has_its_reason() {
    for (header, row, why) in [
        ("Metric | Value", "iterations | -5", "a number of k6 has no sign"),
        ("Metric | Value", "iterations | n/a", "it has no number"),
        ("Metric | p(95)", "iterations | 2803", "the metric has no p(95); a column `Value` states the metric itself"),
        ("Metric | Value", "http_req_failed | 45.52", "a share has a % sign or lies between 0 and 1"),
        ("Metric | Value", "http_req_failed | 1", "1 is a count or a share; write 100 %, or name the column Count"),
        ("Metric | Value", "http_req_failed | 3 ms", "a rate is a share or a count"),
        (
            "Metric | p(95)",
            "http_req_duration{name:lock_seats} | 26.76",
            "it is compared in milliseconds; write the unit",
        ),
        (
            "Metric | Value",
            "http_req_duration{name:lock_seats} | 26.76 ms",
            "a duration needs its statistic, such as p(95), in the row or the header",
        ),
    ] {
        let notices = compared(header, &[row, "http_req_failed | 45.52%"]).notices;
        assert_eq!(notices.len(), 1, "{row}: {notices:?}");
        assert!(notices[0].ends_with(&format!("`, which is left out: {why}")), "{row}: {notices:?}");
    }
    for row in ["iterations | -", "iterations | |", "iterations | ✅ PASS", "Speed | see http_req_failed"] {
        assert_eq!(compared("Metric | Value", &[row, "seat_lock_success | 1048"]).notices, [""; 0], "{row}");
    }
    let remarks =
        compared("Metric | Value | Result", &["iterations | 2803 | as expected", "seat_lock_success | 1048 |"]);
    assert_eq!(remarks.notices, [""; 0]);
}

#[test]
fn a_report_of_inputs_alone_is_inconclusive() {
    let row = "`http_req_duration{name:lock_seats}` | 26760 µs";
    let comparison = compared("Metric | p(95)", &[row]);
    assert_eq!(comparison.exit_code(), 3);
    let text = compare::text(&comparison, Signs::ASCII);
    assert!(text.contains("\nINCONCLUSIVE  Nothing was compared: the report states no figure"), "{text}");
    let json = compare::json(&comparison);
    assert_eq!((json["verdict"].as_str(), json["consistent"].is_null()), (Some("inconclusive"), true));
    assert_eq!(compared("Metric | p(95)", &["`http_req_duration{name:lock_seats}` | 29 ms"]).exit_code(), 5);
    assert_eq!(compared("Metric | Value | p(95)", &["iterations | 2803 | ", row]).exit_code(), 0);
}

#[test]
fn an_unreadable_report_is_refused_with_its_reasons() {
    let measured = table("Metric | Value", &["iterations | 2.803", "http_req_failed | 99,9 %"]);
    let sweep = SweepFigures {
        seeds: 0..1,
        figures: vec![FigureSamples { name: "iterations".to_owned(), unit: Unit::Count, samples: vec![1] }],
    };
    let refused = judge(&measured, &sweep.distributions(), Level::Central99, &[], &[]).expect_err("nothing is read");
    let said = refused.to_string();
    assert!(said.contains("t.md:3 says iterations = `2.803`, which is left out: a count has no decimals"), "{said}");
}
