//! What can be wrong with a threshold, in k6's own words; the place and the remedy are ours.

use std::ops::Range;

use super::{Aggregation, remedy};
use crate::system::model::MetricKind;

/// A threshold that cannot be read, or that its metric cannot answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// None of k6's operators occurs.
    #[error("failed parsing threshold expression {expression:?}; reason: malformed threshold expression")]
    NoOperator {
        /// As written.
        expression: String,
    },
    /// The left side is none of k6's aggregation methods.
    #[error(
        "failed parsing threshold expression's {expression:?} left hand side; \
         reason: failed parsing method from expression"
    )]
    Aggregation {
        /// As written.
        expression: String,
        /// The left side, in bytes.
        span: Range<usize>,
    },
    /// `p(...)` around something that is no number between 0 and 100.
    #[error(
        "failed parsing threshold expression's {expression:?} left hand side; \
         reason: malformed percentile value; reason: {reason}"
    )]
    Percentile {
        /// As written.
        expression: String,
        /// The left side, in bytes.
        span: Range<usize>,
        /// The error of the number.
        reason: String,
    },
    /// The right side is no number. The misspelling is k6's.
    #[error("failed parsing threshold expresion's {expression:?} right hand side; reason: {reason}")]
    Limit {
        /// As written.
        expression: String,
        /// The right side, in bytes.
        span: Range<usize>,
        /// The error of the number.
        reason: String,
    },
    /// The metric is of a type that does not know this aggregation.
    #[error(
        "invalid threshold {expression:?} applied on metric {metric}; reason: unsupported aggregation method {method} \
         on metric of type {}. supported aggregation methods for this metric are: {}",
        kind.name(),
        Aggregation::supported_by(*kind).join(", ")
    )]
    Unsupported {
        /// As written.
        expression: String,
        /// The aggregation, in bytes.
        span: Range<usize>,
        /// The metric, tags included.
        metric: String,
        /// The aggregation's name.
        method: &'static str,
        /// The metric's type.
        kind: MetricKind,
    },
}

impl ThresholdError {
    /// Which bytes of the expression are wrong.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::NoOperator { expression } => 0..expression.len(),
            Self::Aggregation { span, .. }
            | Self::Percentile { span, .. }
            | Self::Limit { span, .. }
            | Self::Unsupported { span, .. } => span.clone(),
        }
    }

    /// How to mend it, without a full stop.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::NoOperator { expression } => remedy::for_missing_operator(expression),
            Self::Aggregation { expression, span } => remedy::for_aggregation(expression, span.clone()),
            Self::Percentile { .. } => "write a percentile between 0 and 100, such as `p(95)`".to_owned(),
            Self::Limit { expression, span, .. } => remedy::for_limit(expression, span.clone()),
            Self::Unsupported { kind, .. } => remedy::for_unsupported(*kind),
        }
    }
}

/// A key of `thresholds` that names no metric.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetricNameError {
    /// One brace without the other.
    #[error("parsing metric name failed, metric {metric:?} has unmatched opening/close curly brace")]
    Unmatched {
        /// As written.
        metric: String,
        /// The brace, in bytes.
        span: Range<usize>,
    },
    /// `}` before `{`.
    #[error("parsing metric name failed, metric {metric:?} closing curly brace appears before opening one")]
    Reversed {
        /// As written.
        metric: String,
        /// Both braces, in bytes.
        span: Range<usize>,
    },
    /// Something follows the last `}`.
    #[error("parsing metric name failed, metric {metric:?} lacks a closing curly brace in its last position")]
    Trailing {
        /// As written.
        metric: String,
        /// What follows, in bytes.
        span: Range<usize>,
    },
    /// A tag that is not `name:value`.
    #[error("parsing metric name failed, metric {tag:?} tag expression is malformed")]
    Tag {
        /// As written.
        metric: String,
        /// The tag alone; k6 calls it a metric.
        tag: String,
        /// The tag, in bytes.
        span: Range<usize>,
    },
    /// Neither k6 nor the model has such a metric.
    #[error("invalid threshold defined on {metric}; reason: no metric name {metric:?} found")]
    Unknown {
        /// As written.
        metric: String,
        /// The name without its tags, in bytes.
        span: Range<usize>,
        /// How to mend it.
        remedy: String,
    },
}

impl MetricNameError {
    /// Which bytes of the key are wrong.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        match self {
            Self::Unmatched { span, .. }
            | Self::Reversed { span, .. }
            | Self::Trailing { span, .. }
            | Self::Tag { span, .. }
            | Self::Unknown { span, .. } => span.clone(),
        }
    }

    /// How to mend it, without a full stop.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Unknown { remedy, .. } => remedy.clone(),
            _ => "write the metric alone or with tags in braces, such as `http_req_duration{name:lock_seats}`".into(),
        }
    }
}
