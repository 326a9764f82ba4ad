//! k6's threshold grammar: `aggregation operator number`, judged on one metric.
//!
//! Source: k6's documentation of thresholds, and the messages that k6 v2.2.0 prints for broken ones.

mod error;
mod known;
mod metric_name;
mod parse;
mod remedy;
mod tags;

pub use error::{MetricNameError, ThresholdError};
pub use known::{built_in_metrics, resolve};
pub use metric_name::MetricName;
pub use parse::{AggregationError, split};
pub use tags::{simulated_tags, tags_of_k6_alone};

use std::fmt;

use crate::system::model::MetricKind;

/// One condition on a metric: `p(95)<2000`.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    /// As written by the user; k6 prints it back verbatim.
    pub source: String,
    /// The figure that is compared.
    pub aggregation: Aggregation,
    /// How it is compared.
    pub operator: Operator,
    /// What it is compared with. Times are in milliseconds, rates are shares between 0 and 1.
    pub limit: f64,
    /// Stops the run at the first evaluation that fails.
    pub abort_on_fail: bool,
    /// Before this much of the run has passed, a failure does not stop it (`delayAbortEval`), in microseconds.
    pub delay_abort_eval_us: Option<u64>,
}

impl Threshold {
    /// Does the condition hold for this value of its aggregation?
    #[must_use]
    pub fn holds(&self, value: f64) -> bool {
        self.operator.holds(value, self.limit)
    }

    /// Can a metric of this type answer the aggregation?
    ///
    /// # Errors
    /// [`ThresholdError::Unsupported`], in k6's words.
    pub fn check(&self, metric: &MetricName, kind: MetricKind) -> Result<(), ThresholdError> {
        if Aggregation::supported_by(kind).contains(&self.aggregation.method()) {
            return Ok(());
        }
        Err(ThresholdError::Unsupported {
            span: parse::aggregation_span(&self.source),
            expression: self.source.clone(),
            metric: metric.raw.clone(),
            method: self.aggregation.method(),
            kind,
        })
    }
}

/// The figure of a metric that a threshold compares, or that a summary shows of a trend.
#[derive(Copy, Clone, Debug, PartialEq)]
pub enum Aggregation {
    /// Sum of a counter, or number of samples of a trend.
    Count,
    /// A counter's sum per second, or a rate's share.
    Rate,
    /// A gauge's last value.
    Value,
    /// Mean.
    Avg,
    /// Least sample.
    Min,
    /// Median.
    Med,
    /// Greatest sample.
    Max,
    /// `p(95)`, between 0 and 100.
    Percentile(f64),
}

impl Aggregation {
    /// What k6's summary shows of a trend unless `summaryTrendStats` says otherwise.
    pub const DEFAULT_TREND_STATS: [Self; 6] =
        [Self::Avg, Self::Min, Self::Med, Self::Max, Self::Percentile(90.0), Self::Percentile(95.0)];

    /// k6's name of the method; that of every percentile is `p`.
    #[must_use]
    pub const fn method(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Value => "value",
            Self::Avg => "avg",
            Self::Min => "min",
            Self::Med => "med",
            Self::Max => "max",
            Self::Percentile(_) => "p",
        }
    }

    /// The methods that thresholds on a metric of this type may use, in the order in which k6 lists them.
    #[must_use]
    pub const fn supported_by(kind: MetricKind) -> &'static [&'static str] {
        match kind {
            MetricKind::Counter => &["count", "rate"],
            MetricKind::Gauge => &["value"],
            MetricKind::Rate => &["rate"],
            MetricKind::Trend => &["avg", "min", "max", "med", "p"],
        }
    }
}

impl fmt::Display for Aggregation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Percentile(percent) => write!(f, "p({percent})"),
            other => f.write_str(other.method()),
        }
    }
}

/// How a threshold compares.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<=`
    LessOrEqual,
    /// `<`
    Less,
    /// `>=`
    GreaterOrEqual,
    /// `>`
    Greater,
    /// `===` and `==`
    Equal,
    /// `!=`
    NotEqual,
}

impl Operator {
    /// Does the comparison hold, the value on its left?
    #[must_use]
    pub fn holds<T: PartialOrd>(self, value: T, bound: T) -> bool {
        match self {
            Self::LessOrEqual => value <= bound,
            Self::Less => value < bound,
            Self::GreaterOrEqual => value >= bound,
            Self::Greater => value > bound,
            Self::Equal => value == bound,
            Self::NotEqual => value != bound,
        }
    }
}
