//! How to mend a threshold: one for each mistake that people make.

use std::ops::Range;

use super::Aggregation;
use crate::system::diagnostic::suggest::nearest;
use crate::system::model::MetricKind;

const FORM: &str = "a threshold is `aggregation operator number`, such as `p(95)<2000`";

pub(super) fn for_missing_operator(expression: &str) -> String {
    match expression.split_once('=') {
        Some((left, right)) => format!("write `{}=={}`", left.trim(), right.trim()),
        None => format!("{FORM}; the operators are <=, <, >=, >, ===, == and !="),
    }
}

pub(super) fn for_aggregation(expression: &str, span: Range<usize>) -> String {
    let written = &expression[span.clone()];
    if let Some(left) = written.strip_suffix(['=', '!']) {
        let rest = expression[span.end..].trim_start().trim_start_matches(['<', '>', '=']).trim_start();
        return format!("operators are written <=, >= and !=, for example `{}<={rest}`", left.trim_end());
    }
    let number = written.trim_start_matches(['p', 'P', '(']).trim_end_matches(')');
    let meant = match written {
        "average" | "mean" => Some("avg".to_owned()),
        "median" => Some("med".to_owned()),
        "minimum" => Some("min".to_owned()),
        "maximum" => Some("max".to_owned()),
        _ if number.parse::<f64>().is_ok_and(|percent| (0.0..=100.0).contains(&percent)) => {
            Some(format!("p({number})"))
        }
        _ => nearest(written, &["count", "rate", "value", "avg", "min", "med", "max"]).map(str::to_owned),
    };
    match meant {
        Some(meant) => format!("write `{}{meant}{}`", &expression[..span.start], &expression[span.end..]),
        None => format!("{FORM}; the aggregations are count, rate, value, avg, min, med, max and p(N)"),
    }
}

pub(super) fn for_limit(expression: &str, span: Range<usize>) -> String {
    let written = &expression[span.clone()];
    let before = &expression[..span.start];
    let number_ends = written.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(written.len());
    let (number, unit) = written.split_at(number_ends);
    match (number.parse::<f64>(), unit.trim()) {
        (Ok(_), "ms") => format!("times are in milliseconds, without a unit: `{before}{number}`"),
        (Ok(seconds), "s") => format!("times are in milliseconds, without a unit: `{before}{}`", seconds * 1000.0),
        (Ok(percent), "%") => format!("rates are shares between 0 and 1: `{before}{}`", percent / 100.0),
        _ => match written.trim_start_matches(['<', '>', '=', '!']).trim_start() {
            bare if bare.len() < written.len() && bare.parse::<f64>().is_ok() => {
                format!("one operator is enough: `{}{bare}`", before.trim_end_matches(' '))
            }
            _ => format!("{FORM}; the number is written in digits, such as 0.3 or 2000"),
        },
    }
}

pub(super) fn for_unsupported(kind: MetricKind) -> String {
    let example = match kind {
        MetricKind::Counter => "count>50` or `rate>1",
        MetricKind::Gauge => "value<100",
        MetricKind::Rate => "rate<0.3",
        MetricKind::Trend => "p(95)<2000` or `avg<500",
    };
    let methods = Aggregation::supported_by(kind).join(", ");
    format!("a {} answers {methods}, for example `{example}`", kind.name())
}
