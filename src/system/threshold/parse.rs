//! Reading `aggregation operator number`.

use std::ops::Range;
use std::str::FromStr;

use super::{Aggregation, Operator, Threshold, ThresholdError};

/// In k6's order: the first that occurs anywhere splits the text. So `rate << 0.3` fails on its number, not on its
/// operator, and `p(95)=<200` on its aggregation.
const OPERATORS: [(&str, Operator); 7] = [
    ("<=", Operator::LessOrEqual),
    ("<", Operator::Less),
    (">=", Operator::GreaterOrEqual),
    (">", Operator::Greater),
    ("===", Operator::Equal),
    ("==", Operator::Equal),
    ("!=", Operator::NotEqual),
];

impl FromStr for Threshold {
    type Err = ThresholdError;

    /// Reads a threshold that does not abort the run.
    ///
    /// Numbers are decimal; of what Go's `ParseFloat` takes, hexadecimal floats are refused.
    fn from_str(source: &str) -> Result<Self, ThresholdError> {
        let expression = || source.to_owned();
        let Some((left, operator, right)) = split(source) else {
            return Err(ThresholdError::NoOperator { expression: expression() });
        };
        let aggregation = source[left.clone()].parse().map_err(|reason| match reason {
            AggregationError::Unknown => ThresholdError::Aggregation { expression: expression(), span: left.clone() },
            AggregationError::Percentile(reason) => {
                ThresholdError::Percentile { expression: expression(), span: left.clone(), reason }
            }
        })?;
        let limit = go_float(&source[right.clone()]).map_err(|reason| ThresholdError::Limit {
            expression: expression(),
            span: right,
            reason,
        })?;
        Ok(Self { source: expression(), aggregation, operator, limit, abort_on_fail: false, delay_abort_eval_us: None })
    }
}

/// Where the aggregation stands in a threshold's text.
pub(super) fn aggregation_span(source: &str) -> Range<usize> {
    split(source).map_or(0..source.len(), |(left, _, _)| left)
}

/// Byte ranges of the trimmed left and right sides, and the operator between them; `None` without an operator.
#[must_use]
pub fn split(source: &str) -> Option<(Range<usize>, Operator, Range<usize>)> {
    OPERATORS.iter().find_map(|&(token, operator)| {
        let at = source.find(token)?;
        Some((trimmed(source, 0..at), operator, trimmed(source, at + token.len()..source.len())))
    })
}

fn trimmed(source: &str, range: Range<usize>) -> Range<usize> {
    let text = &source[range.clone()];
    let start = range.start + (text.len() - text.trim_start().len());
    start..start + text.trim().len()
}

/// Why a text is no aggregation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AggregationError {
    /// None of k6's methods.
    #[error("failed parsing method from expression")]
    Unknown,
    /// `p(...)` around something that is no number between 0 and 100.
    #[error("malformed percentile value; reason: {0}")]
    Percentile(String),
}

impl FromStr for Aggregation {
    type Err = AggregationError;

    fn from_str(text: &str) -> Result<Self, AggregationError> {
        Ok(match text {
            "count" => Self::Count,
            "rate" => Self::Rate,
            "value" => Self::Value,
            "avg" => Self::Avg,
            "min" => Self::Min,
            "med" => Self::Med,
            "max" => Self::Max,
            _ => {
                let inside = text.strip_prefix("p(").and_then(|rest| rest.strip_suffix(')'));
                let percent = go_float(inside.ok_or(AggregationError::Unknown)?);
                let percent = percent.map_err(AggregationError::Percentile)?;
                if !(0.0..=100.0).contains(&percent) {
                    let reason = format!("{percent} is not between 0 and 100");
                    return Err(AggregationError::Percentile(reason));
                }
                Self::Percentile(percent)
            }
        })
    }
}

/// A 64-bit float, or the error of Go's `strconv.ParseFloat`, which k6 prints.
fn go_float(text: &str) -> Result<f64, String> {
    let reason = match text.parse::<f64>() {
        Ok(number) if number.is_infinite() && text.bytes().any(|byte| byte.is_ascii_digit()) => "value out of range",
        Ok(number) => return Ok(number),
        Err(_) => "invalid syntax",
    };
    Err(format!("strconv.ParseFloat: parsing {text:?}: {reason}"))
}
