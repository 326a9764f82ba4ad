//! The figures of one finished run, as k6 hands them to its end-of-test summary.

use crate::system::model::MetricKind;
use crate::system::threshold::Aggregation;

/// Everything that k6's end-of-test summary shows. Metrics are sorted by name (byte order); sub-metrics such as
/// `http_req_duration{name:lock_seats}` are metrics of their own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Whole run, set-up and graceful tail included, in milliseconds.
    pub duration_ms: f64,
    /// All metrics that have a sample or a threshold.
    pub metrics: Vec<Metric>,
    /// Checks in order of first appearance.
    pub checks: Vec<Check>,
    /// Groups of checks, only ever filled from a foreign summary file.
    pub groups: Vec<Group>,
}

impl Summary {
    /// The metric of this name, tags included.
    #[must_use]
    pub fn metric(&self, name: &str) -> Option<&Metric> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// Names of the metrics with a failed threshold, in name order: k6 then exits with 99.
    pub fn crossed(&self) -> impl Iterator<Item = &str> {
        let failed = |metric: &&Metric| metric.thresholds.iter().any(|threshold| !threshold.ok);
        self.metrics.iter().filter(failed).map(|metric| metric.name.as_str())
    }
}

/// One metric and the verdicts of its thresholds.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Name with tags, as in k6: `http_req_duration{name:lock_seats}`.
    pub name: String,
    /// Unit of the values.
    pub contains: Contains,
    /// The figures.
    pub values: Values,
    /// In the order of the source.
    pub thresholds: Vec<ThresholdResult>,
}

/// What a metric's numbers are.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Contains {
    /// Plain numbers.
    Default,
    /// Milliseconds.
    Time,
    /// Bytes.
    Data,
}

/// The figures of one metric, by type.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// A sum.
    Counter {
        /// The sum.
        count: f64,
        /// Per second of the whole run.
        rate: f64,
    },
    /// A level.
    Gauge {
        /// Last value.
        value: f64,
        /// Least value.
        min: f64,
        /// Greatest value.
        max: f64,
    },
    /// A share.
    Rate {
        /// `passes / (passes + fails)`, 0 without samples.
        rate: f64,
        /// Samples that were true. For `http_req_failed` these are the failed requests.
        passes: u64,
        /// Samples that were false.
        fails: u64,
    },
    /// A distribution: statistics in k6's order (`avg`, `min`, `med`, `max`, `p(90)`, `p(95)`, ...).
    Trend(Vec<(String, f64)>),
}

impl Values {
    /// The figure that a threshold's aggregation means, if there is one.
    #[must_use]
    pub fn get(&self, aggregation: Aggregation) -> Option<f64> {
        match (self, aggregation) {
            (Self::Counter { count, .. }, Aggregation::Count) => Some(*count),
            (Self::Counter { rate, .. } | Self::Rate { rate, .. }, Aggregation::Rate) => Some(*rate),
            (Self::Gauge { value, .. }, Aggregation::Value) => Some(*value),
            (Self::Trend(statistics), _) => {
                let name = aggregation.to_string();
                statistics.iter().find(|(statistic, _)| *statistic == name).map(|(_, value)| *value)
            }
            _ => None,
        }
    }

    /// The metric's type.
    #[must_use]
    pub fn kind(&self) -> MetricKind {
        match self {
            Self::Counter { .. } => MetricKind::Counter,
            Self::Gauge { .. } => MetricKind::Gauge,
            Self::Rate { .. } => MetricKind::Rate,
            Self::Trend(_) => MetricKind::Trend,
        }
    }
}

/// One threshold, judged.
#[derive(Clone, Debug, PartialEq)]
pub struct ThresholdResult {
    /// As written: `p(95)<2000`.
    pub source: String,
    /// k6's verdict.
    pub ok: bool,
    /// The value it was judged on. `None` if a foreign file gives the verdict but not this figure.
    pub value: Option<f64>,
    /// True when the metric never had a sample: k6's verdict then says nothing.
    pub vacuous: bool,
}

/// A named check and its counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Times it held.
    pub passes: u64,
    /// Times it failed.
    pub fails: u64,
}

/// A k6 group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Checks directly inside.
    pub checks: Vec<Check>,
    /// Groups directly inside.
    pub groups: Vec<Group>,
}
