//! Durations as Go and k6 write them, in exact integer arithmetic.

use std::fmt::Write as _;

/// Units with their length in nanoseconds; a unit that begins like another stands before it.
const UNITS: [(&str, u64); 9] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

/// The longest duration, in nanoseconds: what Go's `time.Duration` holds, about 292 years.
pub const MAX_NS: u64 = i64::MAX.unsigned_abs();

/// Why a text is not a duration.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// A number without unit.
    #[error("a duration needs a unit: ns, us, ms, s, m, h or d")]
    NoUnit,
    /// A unit that does not exist.
    #[error("the units of a duration are ns, us, ms, s, m, h and d")]
    UnknownUnit,
    /// No number where one must stand.
    #[error("a duration is a number with a unit, such as `20s` or `1m30s`")]
    NoNumber,
    /// A minus sign.
    #[error("a duration cannot be negative")]
    Negative,
    /// A fraction of the smallest unit that is kept.
    #[error("a duration finer than {0} cannot be kept exactly")]
    TooFine(&'static str),
    /// More than [`MAX_NS`].
    #[error("a duration cannot be longer than 292 years")]
    TooLong,
}

/// The duration in nanoseconds.
///
/// # Errors
/// The text is not a duration, or not a whole number of nanoseconds.
pub fn parse_ns(text: &str) -> Result<u64, DurationError> {
    let unsigned = text.strip_prefix('+').unwrap_or(text);
    if unsigned.starts_with('-') {
        return Err(DurationError::Negative);
    }
    // Go takes a bare zero without unit.
    if unsigned == "0" {
        return Ok(0);
    }
    let (mut total, mut rest) = parse_part(unsigned)?;
    while !rest.is_empty() {
        let (part, after) = parse_part(rest)?;
        total = total.checked_add(part).ok_or(DurationError::TooLong)?;
        rest = after;
    }
    if total <= MAX_NS { Ok(total) } else { Err(DurationError::TooLong) }
}

/// The duration in microseconds.
///
/// # Errors
/// The text is not a duration, or not a whole number of microseconds.
pub fn parse_us(text: &str) -> Result<u64, DurationError> {
    let ns = parse_ns(text)?;
    if ns % 1_000 == 0 { Ok(ns / 1_000) } else { Err(DurationError::TooFine("1us")) }
}

/// One number with its unit, in nanoseconds, and what follows it.
fn parse_part(text: &str) -> Result<(u64, &str), DurationError> {
    let (whole, rest) = split_digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if whole.is_empty() && fraction.is_empty() {
        return Err(DurationError::NoNumber);
    }
    let unit_length = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_length);
    let unit_ns = match unit {
        "" => return Err(DurationError::NoUnit),
        _ => UNITS.iter().find(|(name, _)| *name == unit).ok_or(DurationError::UnknownUnit)?.1,
    };
    let fraction = fraction.trim_end_matches('0');
    let whole_ns = decimal(whole)?.checked_mul(unit_ns).ok_or(DurationError::TooLong)?;
    Ok((whole_ns.checked_add(fraction_ns(fraction, unit_ns)?).ok_or(DurationError::TooLong)?, rest))
}

/// `0.fraction` of a unit, exactly.
fn fraction_ns(fraction: &str, unit_ns: u64) -> Result<u64, DurationError> {
    let too_fine = DurationError::TooFine("1ns");
    // The longest unit, a day, has 16 factors of two: a 17th place is always finer than a nanosecond.
    let places = u32::try_from(fraction.len()).ok().filter(|places| *places <= 16).ok_or(too_fine)?;
    let scaled = u128::from(decimal(fraction)?) * u128::from(unit_ns);
    let scale = 10_u128.pow(places);
    if scaled % scale == 0 { u64::try_from(scaled / scale).map_err(|_| too_fine) } else { Err(too_fine) }
}

/// Leading decimal digits and what follows them.
fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

/// The value of decimal digits, 0 for none.
fn decimal(digits: &str) -> Result<u64, DurationError> {
    if digits.is_empty() { Ok(0) } else { digits.parse().map_err(|_| DurationError::TooLong) }
}

/// The duration as people write it: `1m30s`, `26.76ms`, `0s`.
#[must_use]
pub fn print_ns(ns: u64) -> String {
    let mut text = String::new();
    let (minutes, seconds_ns) = (ns / 60_000_000_000, ns % 60_000_000_000);
    if minutes >= 60 {
        let _ = write!(text, "{}h", minutes / 60);
    }
    if minutes % 60 > 0 {
        let _ = write!(text, "{}m", minutes % 60);
    }
    if seconds_ns > 0 || text.is_empty() {
        // A part below one second prints in the largest unit that it fills, as in Go.
        let (unit, unit_ns, places) = match seconds_ns {
            1..1_000 => ("ns", 1, 0),
            1_000..1_000_000 => ("us", 1_000, 3),
            1_000_000..1_000_000_000 => ("ms", 1_000_000, 6),
            _ => ("s", 1_000_000_000, 9),
        };
        let fraction = format!("{:0places$}", seconds_ns % unit_ns);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        let _ = write!(text, "{}{point}{fraction}{unit}", seconds_ns / unit_ns);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        for (text, ns) in [
            ("0", 0),
            ("0s", 0),
            ("20s", 20_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("26.76ms", 26_760_000),
            ("1d2h", 93_600_000_000_000),
            ("0.1000000000000000000000000000m", 6_000_000_000),
            ("0.00000000025m", 15),
            ("250µs", 250_000),
            ("+3ms", 3_000_000),
            ("9223372036854775807ns", MAX_NS),
        ] {
            assert_eq!(parse_ns(text), Ok(ns), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_named() {
        for (text, error) in [
            ("", DurationError::NoNumber),
            (".", DurationError::NoNumber),
            ("s", DurationError::NoNumber),
            ("20", DurationError::NoUnit),
            ("1m30", DurationError::NoUnit),
            ("1m0", DurationError::NoUnit),
            ("20 s", DurationError::UnknownUnit),
            ("20sec", DurationError::UnknownUnit),
            ("-20s", DurationError::Negative),
            ("1.5ns", DurationError::TooFine("1ns")),
            ("0.0000000001s", DurationError::TooFine("1ns")),
            ("9223372036854775808ns", DurationError::TooLong),
            ("99999999999999999999h", DurationError::TooLong),
            ("106752d", DurationError::TooLong),
        ] {
            assert_eq!(parse_ns(text), Err(error), "{text}");
        }
        assert_eq!(parse_us("1.5us"), Err(DurationError::TooFine("1us")));
    }
}
