//! The end-of-test summary, byte for byte as k6 printed it.

use crate::support::k6_seed::seed_summary;
use seatproof::engines::metrics::read::read_summary_json;
use seatproof::engines::metrics::summary::{Metric, Summary, ThresholdResult, Values};
use seatproof::report::k6::{Options, TimeUnit, legacy, summary};
use seatproof::system::threshold::Threshold;

const PLAIN: Options = Options { is_coloured: false, is_full: false, time_unit: None };
const COLOURED: Options = Options { is_coloured: true, ..PLAIN };

fn read(json: &str) -> Summary {
    read_summary_json(json).expect("a summary that k6 wrote").1
}

#[test]
fn measured_figures_in_the_current_layout() {
    assert_eq!(summary(&seed_summary(), &PLAIN), include_str!("../fixtures/k6/seed-summary-v1.2-v2.2-plain.txt"));
    assert_eq!(summary(&seed_summary(), &COLOURED), include_str!("../fixtures/k6/seed-summary-v1.2-v2.2-ansi.txt"));
}

#[test]
fn measured_figures_in_the_old_layout() {
    assert_eq!(legacy(&seed_summary(), &PLAIN), include_str!("../fixtures/k6/seed-summary-legacy-plain.txt"));
    assert_eq!(legacy(&seed_summary(), &COLOURED), include_str!("../fixtures/k6/seed-summary-legacy-ansi.txt"));
}

#[test]
fn whole_stdout_of_a_quiet_run() {
    let run = with_check_order(read(include_str!("../fixtures/k6/real-pass.summary-export.json")));
    assert_eq!(summary(&run, &PLAIN), include_str!("../fixtures/k6/real-pass-quiet.stdout"));
}

#[test]
fn summary_part_of_runs_with_progress() {
    for (export, stdout) in [
        (
            include_str!("../fixtures/k6/real-seat-120s.summary-export.json"),
            include_str!("../fixtures/k6/real-seat-120s.stdout"),
        ),
        (
            include_str!("../fixtures/k6/real-fail.summary-export.json"),
            include_str!("../fixtures/k6/real-fail-progress.stdout"),
        ),
    ] {
        let text = summary(&with_check_order(read(export)), &PLAIN);
        assert!(stdout.contains(&text), "not in k6's stdout:\n{text}");
    }
}

/// k6's own runs of this script begin with these checks in this order; the export need not keep it.
fn with_check_order(mut run: Summary) -> Summary {
    let order = ["lock has id", "lock has the asked seats", "conflict is 409 or 423"];
    run.checks.sort_by_key(|check| order.iter().position(|&name| name == check.name));
    run
}

/// The script of the edge values ran several times; the files differ in the run's duration and in one metric.
fn edge_values(duration_ms: f64, iteration_duration: [f64; 7]) -> Summary {
    let mut run = read(include_str!("../fixtures/k6/real-handleSummary-data.json"));
    run.duration_ms = duration_ms;
    for Metric { name, values, thresholds, .. } in &mut run.metrics {
        match values {
            Values::Counter { count, rate } => *rate = *count / (duration_ms / 1000.0),
            Values::Trend(statistics) if name == "iteration_duration" => {
                statistics.iter_mut().zip(iteration_duration).for_each(|((_, old), new)| *old = new);
            }
            _ => {}
        }
        for threshold in thresholds {
            threshold.value = judged_on(threshold, values);
        }
    }
    run
}

/// The object lacks the one percentile that only a threshold asks for; k6 computed it from the samples.
fn judged_on(threshold: &ThresholdResult, values: &Values) -> Option<f64> {
    let parsed: Threshold = threshold.source.parse().expect("a threshold that k6 took");
    values.get(parsed.aggregation).or(Some(3_712_019.190_201))
}

#[test]
fn edge_values_in_compact_mode() {
    let run =
        edge_values(0.525_562, [0.092_975_75, 0.035_833, 0.067_435_5, 0.201_199, 0.166_155_1, 0.183_677, 0.197_694]);
    assert_eq!(summary(&run, &PLAIN), include_str!("../fixtures/k6/real-edge-values-compact.stdout"));
}

#[test]
fn edge_values_in_full_mode_with_groups() {
    let run = edge_values(
        4.0 / 795.297_880_8 * 1000.0,
        [0.189_455, 0.078_475, 0.216_065, 0.247_205, 0.239_295, 0.243_245, 0.246_415],
    );
    let full = Options { is_full: true, ..PLAIN };
    assert_eq!(summary(&run, &full), include_str!("../fixtures/k6/real-edge-values-full.stdout"));
}

#[test]
fn edge_values_in_one_unit() {
    let run = edge_values(4.0 / 7_879.056_483 * 1000.0, [0.08, 0.04, 0.05, 0.2, 0.15, 0.18, 0.19]);
    let in_ms = Options { time_unit: Some(TimeUnit::Milliseconds), ..PLAIN };
    let stdout = include_str!("../fixtures/k6/real-edge-values-unit-ms.stdout");
    let (stdout, _log) = stdout.split_once("time=").expect("k6's error follows the summary");
    assert_eq!(summary(&run, &in_ms), stdout);
}

#[test]
fn the_machine_readable_form_gives_the_same_figures() {
    let run = read(include_str!("../fixtures/k6/real-machine-readable-summary.json"));
    let text = summary(&run, &PLAIN);
    for line in ["cc_counter...........: 4      7610.900331/s", "checks_failed......: 16.66% 2 out of 12"] {
        assert!(text.contains(line), "{line} not in\n{text}");
    }
    assert!(text.contains("p(95)=183.67µs"), "p95 is p(95):\n{text}");
}

#[test]
fn failed_checks_show_the_share_that_held() {
    let mut run = seed_summary();
    run.checks[0].fails = 524;
    let old = "     ✗ lock object is valid\n      ↳  66% — ✓ 1048 / ✗ 524";
    assert!(legacy(&run, &PLAIN).starts_with(&format!("\n{old}\n")));
    assert!(legacy(&run, &COLOURED).starts_with(&format!("\n\u{1b}[31m{old}\u{1b}[0m\n")), "one colour for both lines");
    let new = "    \u{1b}[31m✗ lock object is valid\u{1b}[0m\n      \u{1b}[31m↳  66% — ✓ 1048 / ✗ 524\u{1b}[0m\n";
    assert!(summary(&run, &COLOURED).contains(new));
}

#[test]
fn nested_groups_indent_the_share_twice() {
    let mut run = read(include_str!("../fixtures/k6/real-handleSummary-data.json"));
    run.groups[0].groups[0].checks[0].fails = 4;
    let text = summary(&run, &Options { is_full: true, ..PLAIN });
    assert!(text.ends_with("\n      ✗ deep\n          ↳  50% — ✓ 4 / ✗ 4\n\n\n\n"), "{text}");
}

#[test]
fn figures_that_nobody_knows_are_left_out() {
    let run = read(include_str!("../fixtures/k6/real-handleSummary-data.json"));
    assert!(summary(&run, &PLAIN).contains("    ✗ 'p(99.9)<1000'\n"));
    let empty = summary(&Summary::default(), &PLAIN);
    assert_eq!(empty, "\n\n  █ TOTAL RESULTS \n\n\n\n");
}
