//! The figures of a run as integers: what a sweep collects, compares and searches.

use super::distribution::{FigureSamples, SweepFigures, Unit, figure_name};
use super::metrics::summary::{Metric, Summary, Values};
use crate::system::model::{MetricKind, Model};
use crate::system::scenario::Scenario;

/// One figure: where its value stands in a summary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figure {
    /// See [`figure_name`].
    pub name: String,
    /// How its value is scaled to an integer.
    pub unit: Unit,
    metric: String,
    part: Part,
}

/// Which number of a metric.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
enum Part {
    /// A counter's sum.
    Count,
    /// A rate's share.
    Share,
    /// A rate's true samples.
    Passes,
    /// All of a rate's samples.
    Samples,
    /// A trend's 95th percentile.
    P95,
}

impl Part {
    fn value(self, metric: &Metric) -> i64 {
        match (self, &metric.values) {
            (Self::Count, Values::Counter { count, .. }) => rounded(*count),
            (Self::Passes, Values::Rate { passes, .. }) => whole(*passes),
            (Self::Samples, Values::Rate { passes, fails, .. }) => whole(passes + fails),
            (Self::Share, Values::Rate { passes, fails, .. }) => {
                let share = u128::from(*passes) * 100_000_000 / u128::from((passes + fails).max(1));
                i64::try_from(share).unwrap_or(i64::MAX)
            }
            (Self::P95, Values::Trend(stats)) => {
                let p95 = stats.iter().find(|(name, _)| name == "p(95)");
                p95.map_or(0, |(_, ms)| rounded(ms * 1_000_000.0))
            }
            _ => 0,
        }
    }
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// k6's numbers are floating point; those of interest are far below 2^53, so rounding only undoes representation.
#[expect(clippy::cast_possible_truncation, reason = "a saturating cast of a number far below 2^63")]
fn rounded(value: f64) -> i64 {
    value.round() as i64
}

/// The figures of a scenario, in the order in which they are shown: attempts, the model's own metrics, requests, then
/// the 95th percentile of every request duration that the scenario names.
#[must_use]
pub fn figures(scenario: &Scenario, model: &Model) -> Vec<Figure> {
    let figure = |metric: &str, statistic, unit, part| Figure {
        name: figure_name(metric, statistic),
        unit,
        metric: metric.to_owned(),
        part,
    };
    let mut figures = Vec::new();
    if let Some(rate) = model.attempts {
        figures.push(Figure { name: "attempts".to_owned(), ..figure(rate, None, Unit::Count, Part::Samples) });
    }
    for metric in model.metrics {
        match metric.kind {
            MetricKind::Counter => figures.push(figure(metric.name, None, Unit::Count, Part::Count)),
            MetricKind::Rate => figures.push(figure(metric.name, None, Unit::Percent, Part::Share)),
            MetricKind::Gauge | MetricKind::Trend => {}
        }
    }
    figures.push(figure("http_req_failed", None, Unit::Percent, Part::Share));
    figures.push(figure("http_req_failed", Some("count"), Unit::Count, Part::Passes));
    figures.push(figure("http_reqs", None, Unit::Count, Part::Count));
    figures.push(figure("iterations", None, Unit::Count, Part::Count));
    figures.push(figure("checks", None, Unit::Percent, Part::Share));
    let named = scenario.thresholds.iter().filter(|of| of.metric.name == "http_req_duration");
    figures.extend(named.map(|of| figure(&of.metric.raw, Some("p(95)"), Unit::Milliseconds, Part::P95)));
    figures
}

/// The values of these figures in a summary; 0 where a metric has no sample.
#[must_use]
pub fn values(figures: &[Figure], summary: &Summary) -> Vec<i64> {
    let value = |figure: &Figure| summary.metric(&figure.metric).map_or(0, |metric| figure.part.value(metric));
    figures.iter().map(value).collect()
}

/// Rows of values, one a run, as samples by figure. Counters that no run ever touched are left out.
#[must_use]
pub fn by_figure(figures: &[Figure], seeds: std::ops::Range<u64>, runs: &[Vec<i64>]) -> SweepFigures {
    let column = |index: usize| runs.iter().map(|run| run[index]).collect::<Vec<_>>();
    let samples = figures.iter().enumerate().map(|(index, figure)| FigureSamples {
        name: figure.name.clone(),
        unit: figure.unit,
        samples: column(index),
    });
    let is_silent = |of: &FigureSamples| of.unit == Unit::Count && of.samples.iter().all(|sample| *sample == 0);
    SweepFigures { seeds, figures: samples.filter(|of| !is_silent(of)).collect() }
}
