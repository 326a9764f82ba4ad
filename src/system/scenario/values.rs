//! Reading single values: bounded numbers, durations, lines of text.

use super::duration::{DurationError, parse_ns};
use super::fault::Fault;
use super::tree::{At, Kind, Node};
use crate::system::diagnostic::code;

/// The longest duration that a scenario may have: 30 days, in nanoseconds. Sums and products of such
/// durations stay far inside 64 bits of microseconds.
pub(super) const LONGEST_NS: u64 = 30 * 86_400_000_000_000;

/// What a bare number means where a duration stands.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum BareNumber {
    /// A mistake: in a scenario every duration has a unit.
    Refused,
    /// Milliseconds, as in k6's options.
    Milliseconds,
}

/// A number within bounds, both included.
pub(super) fn number<T: TryFrom<i64>>(at: &At<i64>, key: &str, min: i64, max: i64) -> Result<T, Fault> {
    let inside = Some(at.value).filter(|value| (min..=max).contains(value));
    inside.and_then(|value| T::try_from(value).ok()).ok_or_else(|| {
        let bounds = if max == i64::MAX { format!("at least {min}") } else { format!("from {min} to {max}") };
        Fault::new(&code::OUT_OF_BOUNDS, &at.span, format!("`{key}` must be {bounds}, not {}", at.value))
    })
}

/// [`number`] for a key that may be left out.
pub(super) fn number_or<T: TryFrom<i64>>(
    at: Option<&At<i64>>,
    default: T,
    key: &str,
    min: i64,
    max: i64,
) -> Result<T, Fault> {
    at.map_or(Ok(default), |at| number(at, key, min, max))
}

/// A duration in nanoseconds, of at most [`LONGEST_NS`].
pub(super) fn duration_ns(node: &Node, bare: BareNumber) -> Result<u64, Fault> {
    let spelled = match (&node.kind, bare) {
        (Kind::Text(text), _) => text.clone(),
        (Kind::Integer(value), BareNumber::Milliseconds) => format!("{value}ms"),
        (Kind::Float(value), BareNumber::Milliseconds) => format!("{value}ms"),
        (Kind::Integer(value), BareNumber::Refused) => value.to_string(),
        (Kind::Float(value), BareNumber::Refused) => value.to_string(),
        _ => {
            let message = "expected a duration, a string such as \"20s\"";
            return Err(Fault::new(&code::WRONG_TYPE, &node.span, message));
        }
    };
    let fault = |error| duration_fault(node, &spelled, error);
    let ns = match parse_ns(&spelled) {
        Ok(ns) if ns <= LONGEST_NS => ns,
        Ok(_) | Err(DurationError::TooLong) => {
            let message = format!("`{spelled}` is longer than 30 days");
            return Err(Fault::new(&code::DURATION, &node.span, message));
        }
        Err(error) => return Err(fault(error)),
    };
    // A bare zero is a duration to Go, but only as a string.
    if ns == 0 && bare == BareNumber::Refused && !matches!(node.kind, Kind::Text(_)) {
        return Err(fault(DurationError::NoUnit));
    }
    Ok(ns)
}

/// A duration in microseconds, which must be whole.
pub(super) fn duration_us(node: &Node, bare: BareNumber) -> Result<u64, Fault> {
    let ns = duration_ns(node, bare)?;
    if ns % 1000 == 0 {
        Ok(ns / 1000)
    } else {
        Err(Fault::new(&code::DURATION, &node.span, DurationError::TooFine("1us").to_string())
            .help("virtual time counts whole microseconds"))
    }
}

/// A text that is not a duration.
fn duration_fault(node: &Node, spelled: &str, error: DurationError) -> Fault {
    let help = match error {
        DurationError::NoUnit if spelled.bytes().all(|byte| byte.is_ascii_digit()) && !spelled.is_empty() => {
            format!("write `\"{spelled}s\"` or `\"{spelled}ms\"`")
        }
        _ => "durations are written as in k6: `20s`, `1m30s`, `1.5s`, `500ms`, `250us`".to_owned(),
    };
    Fault::new(&code::DURATION, &node.span, error.to_string()).help(help)
}

/// A title: one line that says something.
pub(super) fn title(at: &At<String>) -> Result<String, Fault> {
    if at.value.trim().is_empty() || at.value.contains(char::is_control) {
        return Err(Fault::new(&code::OUT_OF_BOUNDS, &at.span, "a title is one line of text"));
    }
    Ok(at.value.clone())
}
