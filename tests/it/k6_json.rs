//! k6's JSON files, read and written.

use crate::support::k6_seed::seed_summary;
use proptest::prelude::*;
use seatproof::engines::metrics::read::{Kind, read_summary_json};
use seatproof::engines::metrics::summary::{Check, Contains, Group, Values};
use seatproof::report::k6::{handle_summary, summary_export};
use seatproof::system::model::MetricKind;
use seatproof::system::threshold::Aggregation;
use serde_json::Value;

const EXPORTS: [&str; 3] = [
    include_str!("../fixtures/k6/real-pass.summary-export.json"),
    include_str!("../fixtures/k6/real-fail.summary-export.json"),
    include_str!("../fixtures/k6/real-seat-120s.summary-export.json"),
];
const HANDLE_SUMMARY: &str = include_str!("../fixtures/k6/real-handleSummary-data.json");
const MACHINE_READABLE: &str = include_str!("../fixtures/k6/real-machine-readable-summary.json");

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("valid JSON")
}

fn mistake(text: &str) -> (String, usize, usize) {
    let error = read_summary_json(text).expect_err("no summary");
    (error.what, error.line, error.column)
}

#[test]
fn an_export_that_is_read_is_written_again() {
    for export in EXPORTS {
        let (kind, run) = read_summary_json(export).expect("k6 wrote it");
        assert_eq!(kind, Kind::SummaryExport);
        let (written, original) = (json(&summary_export(&run)), json(export));
        assert_eq!(written["metrics"], original["metrics"]);
        assert_eq!(written["root_group"], original["root_group"], "ids, paths and counts");
    }
}

#[test]
fn handle_summary_data_that_is_read_is_written_again() {
    let (kind, run) = read_summary_json(HANDLE_SUMMARY).expect("k6 wrote it");
    assert_eq!(kind, Kind::HandleSummary);
    let (written, original) = (json(&handle_summary(&run)), json(HANDLE_SUMMARY));
    for part in ["metrics", "root_group", "options"] {
        assert_eq!(written[part], original[part], "{part}");
    }
    assert_eq!(written["state"]["testRunDurationMs"], original["state"]["testRunDurationMs"]);
}

/// k6 writes `4`, not `4.0`, and as many digits as the double needs.
#[test]
fn numbers_are_spelt_as_by_k6() {
    let (_, run) = read_summary_json(HANDLE_SUMMARY).expect("k6 wrote it");
    let tokens = |text: &str| -> Vec<String> {
        let numbers = text.split(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c)));
        let mut numbers: Vec<String> =
            numbers.filter(|token| token.parse::<f64>().is_ok()).map(str::to_owned).collect();
        numbers.sort();
        numbers
    };
    assert_eq!(tokens(&handle_summary(&run)), tokens(HANDLE_SUMMARY));
}

#[test]
fn written_files_have_stable_order() {
    let text = summary_export(&seed_summary());
    let place = |key: &str| text.find(&format!("\"{key}\"")).unwrap_or_else(|| panic!("{key} is missing"));
    assert!(place("checks") < place("data_received") && place("vus_max") < place("root_group"));
    assert!(place("avg") < place("min") && place("p(90)") < place("p(95)"));
    assert!(text.contains("\"rate<0.3\": true"), "true is failed");
    assert!(handle_summary(&seed_summary()).contains("\"testRunDurationMs\": 122400\n"));
    for text in [text, handle_summary(&seed_summary())] {
        let (_, again) = read_summary_json(&text).expect("our own file");
        assert_eq!(again.metrics, seed_summary().metrics);
        assert_eq!(again.checks, seed_summary().checks);
    }
}

#[test]
fn types_units_and_duration_of_an_export_are_inferred() {
    let (_, run) = read_summary_json(EXPORTS[2]).expect("k6 wrote it");
    assert!((run.duration_ms - 123_375.6).abs() < 0.1, "{}", run.duration_ms);
    for (name, kind, contains) in [
        ("http_reqs", MetricKind::Counter, Contains::Default),
        ("http_req_failed", MetricKind::Rate, Contains::Default),
        ("vus", MetricKind::Gauge, Contains::Default),
        ("http_req_duration{name:lock_seats}", MetricKind::Trend, Contains::Time),
        ("iteration_duration", MetricKind::Trend, Contains::Time),
        ("data_sent", MetricKind::Counter, Contains::Data),
    ] {
        let metric = run.metric(name).expect(name);
        assert_eq!((metric.values.kind(), metric.contains), (kind, contains), "{name}");
    }
    let failed = &run.metric("http_req_failed").expect("there").thresholds[0];
    assert_eq!((failed.ok, failed.value, failed.vacuous), (false, Some(0.456_144_890_038_809_8), false));
    let crossed: Vec<&str> = run.crossed().collect();
    assert_eq!(crossed, ["http_req_failed"]);
}

#[test]
fn figures_that_a_file_lacks_stay_unknown() {
    let (_, run) = read_summary_json(HANDLE_SUMMARY).expect("k6 wrote it");
    let judged: Vec<_> = run.metric("t_default").expect("there").thresholds.iter().map(|one| one.value).collect();
    assert_eq!(judged, [Some(946_059.891_85), None, Some(3_723_004.5)], "p(99.9) is not in the file");
}

#[test]
fn groups_are_kept_and_their_checks_counted_in_the_total() {
    let (_, run) = read_summary_json(HANDLE_SUMMARY).expect("k6 wrote it");
    let check = |name: &str, passes, fails| Check { name: name.to_owned(), passes, fails };
    assert_eq!(run.checks, [check("always", 4, 0), check("sometimes", 2, 2), check("deep", 4, 0)]);
    let inner = Group { name: "inner".to_owned(), checks: vec![check("deep", 4, 0)], groups: Vec::new() };
    assert_eq!(run.groups[0].groups, [inner]);
}

#[test]
fn the_machine_readable_form_is_completed() {
    let (kind, run) = read_summary_json(MACHINE_READABLE).expect("k6 wrote it");
    assert_eq!(kind, Kind::MachineReadable);
    assert_eq!(run.duration_ms, 0.000_525_562 * 1000.0);
    let values = |name: &str| &run.metric(name).expect("there").values;
    assert_eq!(values("cc_counter"), &Values::Counter { count: 4.0, rate: 4.0 / 0.000_525_562 });
    assert_eq!(values("rr_rate"), &Values::Rate { rate: 0.5, passes: 2, fails: 2 });
    assert_eq!(values("checks"), &Values::Rate { rate: 10.0 / 12.0, passes: 10, fails: 2 });
    assert_eq!(values("t_time").get(Aggregation::Percentile(90.0)), Some(2_624_473.520_100_001));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    assert_eq!(mistake(""), ("EOF while parsing a value".to_owned(), 1, 0));
    assert_eq!(mistake("[]").0, "invalid type: sequence, expected an object");
    assert!(mistake("{\"a\": 1}").0.starts_with("this JSON is no k6 summary"));
    let broken = HANDLE_SUMMARY.replacen("\"rate\": 0,", "\"rate\": \"x\",", 1);
    let line = 1 + broken[..broken.find("\"x\"").expect("replaced")].matches('\n').count();
    assert_eq!(mistake(&broken), ("invalid type: string \"x\", expected f64".to_owned(), line, 19));
    let broken = HANDLE_SUMMARY.replacen("\"type\": \"counter\"", "\"type\": \"timer\"", 1);
    assert!(mistake(&broken).0.starts_with("unknown variant `timer`, expected one of `counter`"));
    let broken = HANDLE_SUMMARY.replacen("\"passes\": 2", "\"passes\": 2.5", 1);
    assert_eq!(mistake(&broken).0, "2.5 is no count");
    let broken = HANDLE_SUMMARY.replacen("\"count\": 0", "\"cuont\": 0", 1);
    let line =
        1 + broken.lines().position(|line| line.trim() == "\"contains\": \"data\"").expect("in the first metric");
    assert_eq!(mistake(&broken), ("a counter without `count`".to_owned(), line + 1, 5), "the end of the first metric");
    let (what, line, _) = mistake("{\"metrics\": {\n\"a\": {}},\n\"root_group\": {}}");
    assert_eq!((what.as_str(), line), ("the figures fit no type of metric that k6 has", 2));
    let group = "{\"name\": \"\", \"checks\": [], \"groups\": [";
    let deep = format!("{{\"metrics\": {{}}, \"root_group\": {}{}}}", group.repeat(9_999), "]}".repeat(9_999));
    assert!(mistake(&deep).0.contains("recursion limit"));
}

proptest! {
    /// A file that ends early or has one wrong byte is an error with a place, or still a summary; never a panic.
    #[test]
    fn damaged_files_do_not_panic(which in 0..5_usize, cut in 0..5_000_usize, byte in 32..127_u8, truncate: bool) {
        let text = [EXPORTS[0], EXPORTS[1], EXPORTS[2], HANDLE_SUMMARY, MACHINE_READABLE][which];
        let cut = cut.min(text.len() - 1);
        let damaged = if truncate {
            text[..cut].to_owned()
        } else {
            format!("{}{}{}", &text[..cut], char::from(byte), &text[cut + 1..])
        };
        match read_summary_json(&damaged) {
            Ok((_, run)) => prop_assert!(!truncate && read_summary_json(&handle_summary(&run)).is_ok()),
            Err(error) => prop_assert!(error.line >= 1 && !error.what.contains(" at line ")),
        }
    }
}
