//! Numbers as k6 prints them: JavaScript's doubles, multiplied first, then truncated.

use crate::engines::metrics::summary::Contains;

/// k6's option `summaryTimeUnit`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    /// `s`
    Seconds,
    /// `ms`
    Milliseconds,
    /// `us`
    Microseconds,
}

/// A number in the unit of its metric.
pub(super) fn value(number: f64, contains: Contains, unit: Option<TimeUnit>) -> String {
    match contains {
        Contains::Default => plain(number),
        Contains::Time => duration(number, unit),
        Contains::Data => data(number),
    }
}

/// A share as a percentage, truncated to two decimals.
pub(super) fn percentage(share: f64) -> String {
    format!("{}%", fixed((share * 100.0 * 100.0).trunc() / 100.0, 2))
}

/// At most six decimals, without trailing zeros.
pub(super) fn plain(number: f64) -> String {
    without_zeros(number, 6)
}

/// Milliseconds in the unit asked for, rounded to two decimals; or truncated, in the unit that fits.
fn duration(ms: f64, unit: Option<TimeUnit>) -> String {
    match unit {
        Some(TimeUnit::Seconds) => format!("{}s", fixed(ms * 0.001, 2)),
        Some(TimeUnit::Milliseconds) => format!("{}ms", fixed(ms, 2)),
        Some(TimeUnit::Microseconds) => format!("{}µs", fixed(ms * 1000.0, 2)),
        None if ms == 0.0 => "0s".to_owned(),
        None if ms < 0.001 => format!("{}ns", (ms * 1_000_000.0).trunc()),
        None if ms < 1.0 => format!("{}µs", truncated(ms * 1000.0)),
        None if ms < 1000.0 => format!("{}ms", truncated(ms)),
        None if ms < 60_000.0 => format!("{}s", truncated(ms / 1000.0)),
        None => {
            let seconds = (ms % 60_000.0 / 1000.0).trunc();
            let minutes = (ms / 60_000.0).trunc();
            let hours = (minutes / 60.0).trunc();
            if hours < 1.0 { format!("{minutes}m{seconds}s") } else { format!("{hours}h{}m{seconds}s", minutes % 60.0) }
        }
    }
}

/// Bytes in decimal units.
fn data(bytes: f64) -> String {
    const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
    if bytes < 10.0 {
        return format!("{} B", javascript(bytes));
    }
    let magnitude = bytes.ln() / 1000_f64.ln();
    let power = (1..UNITS.len()).take_while(|&power| magnitude >= power as f64).count();
    let scaled = (bytes / 1000_f64.powf(power as f64) * 10.0 + 0.5).floor() / 10.0;
    format!("{} {}", fixed(scaled, usize::from(scaled < 10.0)), UNITS[power])
}

/// Two decimals, truncated, without trailing zeros.
fn truncated(number: f64) -> String {
    without_zeros((100.0 * number).trunc() / 100.0, 2)
}

fn without_zeros(number: f64, decimals: usize) -> String {
    if number.abs() >= 1e21 {
        return javascript(number);
    }
    let text = fixed(number, decimals);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// JavaScript's `toFixed`: of two equally near decimals the one further from zero, where Rust takes the even one.
fn fixed(number: f64, decimals: usize) -> String {
    // A double lies exactly half-way only if it is an odd multiple of 2^-(decimals + 1).
    let is_tie = (0..decimals).fold(number.abs(), |doubled, _| doubled * 2.0).fract() == 0.5;
    let number = match is_tie {
        true if number > 0.0 => number.next_up(),
        true => number.next_down(),
        false => number,
    };
    format!("{number:.decimals$}")
}

/// JavaScript's `String(number)`.
fn javascript(number: f64) -> String {
    if number.abs() >= 1e21 || (number != 0.0 && number.abs() < 1e-6) {
        format!("{number:e}").replace('e', if number.abs() < 1.0 { "e" } else { "e+" })
    } else {
        number.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every line of the table of numbers and what k6 printed for them.
    #[test]
    fn numbers_are_printed_as_by_k6() {
        let table = include_str!("../../../tests/fixtures/k6/number-formatting.tsv");
        let mut judged = 0;
        for line in table.lines().skip(1) {
            let cells: Vec<&str> = line.split('\t').collect();
            let number: f64 = cells[1].parse().expect("a number");
            let time = |unit| duration(number, unit);
            let (printed, expected) = match cells[0] {
                "rate" => (vec![percentage(number)], vec![cells[2].to_owned()]),
                "data" => (vec![data(number)], vec![cells[2].to_owned()]),
                "default" => (vec![plain(number)], vec![cells[2].to_owned()]),
                _ => (
                    vec![
                        time(None),
                        format!("(unit s) {}", time(Some(TimeUnit::Seconds))),
                        format!("(unit ms) {}", time(Some(TimeUnit::Milliseconds))),
                        format!("(unit us) {}", time(Some(TimeUnit::Microseconds))),
                    ],
                    cells[2..].iter().map(|&cell| cell.to_owned()).collect(),
                ),
            };
            assert_eq!(printed, expected, "{line}");
            judged += 1;
        }
        assert_eq!(judged, table.lines().count() - 1);
    }

    #[test]
    fn halves_are_rounded_away_from_zero_as_in_javascript() {
        assert_eq!(fixed(0.125, 2), "0.13");
        assert_eq!(fixed(-0.125, 2), "-0.13");
        assert_eq!(fixed(98.5, 0), "99");
        assert_eq!(plain(1.0 / 128.0), "0.007813");
        assert_eq!(fixed(1.005, 2), "1.00", "just below the half");
    }

    #[test]
    fn extreme_numbers_do_not_panic() {
        for number in [f64::MAX, f64::MIN, f64::NAN, f64::INFINITY, -1.0, -0.0, 1e30, f64::MIN_POSITIVE] {
            for contains in [Contains::Default, Contains::Time, Contains::Data] {
                assert!(!value(number, contains, None).is_empty());
            }
        }
        assert_eq!(data(1.5e-7), "1.5e-7 B");
    }
}
