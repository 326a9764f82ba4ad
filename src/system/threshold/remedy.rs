//! How to mend a threshold: one sentence for each mistake that people make.

use std::ops::Range;

use super::Aggregation;
use crate::system::model::MetricKind;

const FORM: &str = "A threshold is `aggregation operator number`, such as `p(95)<2000`.";

pub(super) fn for_missing_operator(expression: &str) -> String {
    match expression.split_once('=') {
        Some((left, right)) => format!("Write `{}=={}`.", left.trim(), right.trim()),
        None => format!("{FORM} The operators are <=, <, >=, >, ===, == and !=."),
    }
}

pub(super) fn for_aggregation(expression: &str, span: Range<usize>) -> String {
    let written = &expression[span.clone()];
    if let Some(left) = written.strip_suffix(['=', '!']) {
        let rest = expression[span.end..].trim_start().trim_start_matches(['<', '>', '=']).trim_start();
        return format!("Operators are written <=, >= and !=, for example `{}<={rest}`.", left.trim_end());
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
        _ => nearest(written, ["count", "rate", "value", "avg", "min", "med", "max"]).map(str::to_owned),
    };
    match meant {
        Some(meant) => format!("Write `{}{meant}{}`.", &expression[..span.start], &expression[span.end..]),
        None => format!("{FORM} The aggregations are count, rate, value, avg, min, med, max and p(N)."),
    }
}

pub(super) fn for_limit(expression: &str, span: Range<usize>) -> String {
    let written = &expression[span.clone()];
    let before = &expression[..span.start];
    let number_ends = written.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(written.len());
    let (number, unit) = written.split_at(number_ends);
    match (number.parse::<f64>(), unit.trim()) {
        (Ok(_), "ms") => format!("Times are in milliseconds, without a unit: `{before}{number}`."),
        (Ok(seconds), "s") => format!("Times are in milliseconds, without a unit: `{before}{}`.", seconds * 1000.0),
        (Ok(percent), "%") => format!("Rates are shares between 0 and 1: `{before}{}`.", percent / 100.0),
        _ => match written.trim_start_matches(['<', '>', '=', '!']).trim_start() {
            bare if bare.len() < written.len() && bare.parse::<f64>().is_ok() => {
                format!("One operator is enough: `{}{bare}`.", before.trim_end_matches(' '))
            }
            _ => format!("{FORM} The number is written in digits, such as 0.3 or 2000."),
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
    format!("A {} answers {methods}, for example `{example}`.", kind.name())
}

/// The candidate that is fewest edits away, if these are at most three and less than half of its letters: a typing
/// error, not a guess.
pub(super) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let ranked = candidates.into_iter().map(|candidate| (edits(written, candidate), candidate));
    let (distance, candidate) = ranked.min_by_key(|&(distance, _)| distance)?;
    (distance <= 3 && distance * 2 < candidate.len()).then_some(candidate)
}

/// Levenshtein distance in characters, one row of the table at a time.
fn edits(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, from) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, &to) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(from != to);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}
