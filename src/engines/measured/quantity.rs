//! Numbers with units, as k6 and people print them: `1048`, `8.5/s`, `37.38%`, `26.76ms`, `1m1s`, `1.2 MB`.

use crate::engines::distribution::Unit;
use crate::engines::exact::Decimal;

/// A printed number and what it is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) struct Quantity {
    /// In the unit's own scale; durations in milliseconds.
    pub(super) value: Decimal,
    /// A number without any unit is a count when it is whole, else plain.
    pub(super) unit: Unit,
}

impl Quantity {
    /// True for a number without any unit.
    pub(super) fn is_bare(self) -> bool {
        matches!(self.unit, Unit::Count | Unit::Plain)
    }
}

/// k6's byte units and their powers of ten.
const DATA_UNITS: [(&str, i32); 6] = [("B", 0), ("kB", 3), ("MB", 6), ("GB", 9), ("TB", 12), ("PB", 15)];

/// Reads one quantity; blanks between number and unit do not matter.
pub(super) fn quantity(text: &str) -> Option<Quantity> {
    let text = text.trim();
    let some = |value, unit| Some(Quantity { value, unit });
    if let Some(number) = text.strip_suffix('%') {
        return some(number_of(number)?, Unit::Percent);
    }
    if let Some(rate) = text.strip_suffix("/s") {
        return some(data(rate).or_else(|| number_of(rate))?, Unit::PerSecond);
    }
    if let Some(value) = number_of(text) {
        return some(value, if value.scale() <= 0 { Unit::Count } else { Unit::Plain });
    }
    match data(text) {
        Some(bytes) => some(bytes, Unit::Bytes),
        None => some(duration_ms(text)?, Unit::Milliseconds),
    }
}

/// A duration in Go's form (`1h2m3s`, `59.99s`, `26.76ms`), in milliseconds with the precision it was printed in.
pub(super) fn duration_ms(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let unit_at = text.find(char::is_alphabetic)?;
    let (number, unit) = text.split_at(unit_at);
    match unit.trim() {
        "ns" => return number_of(number)?.shifted(-6),
        "µs" | "μs" | "us" => return number_of(number)?.shifted(-3),
        "ms" => return number_of(number),
        "s" => return number_of(number)?.shifted(3),
        _ => {}
    }
    let mut seconds = 0_u64;
    let mut rest = text;
    for (unit, unit_s) in [('h', 3600), ('m', 60), ('s', 1)] {
        if let Some((number, after)) = rest.split_once(unit) {
            let part = number.parse::<u64>().ok()?.checked_mul(unit_s)?;
            (seconds, rest) = (seconds.checked_add(part)?, after);
        }
    }
    if rest.is_empty() { Decimal::whole(seconds)?.shifted(3) } else { None }
}

fn data(text: &str) -> Option<Decimal> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit_at);
    let (_, power) = DATA_UNITS.iter().find(|(name, _)| *name == unit.trim())?;
    number_of(number)?.shifted(*power)
}

/// True for the unit that k6 prints behind a blank: `1.2 MB`, `9.4 kB/s`.
pub(super) fn is_data_unit(word: &str) -> bool {
    let unit = word.strip_suffix("/s").unwrap_or(word);
    DATA_UNITS.iter().any(|(name, _)| *name == unit)
}

/// What people write between groups of three digits: a comma, and a blank of any width.
const SEPARATORS: [char; 5] = [',', ' ', '\u{a0}', '\u{202f}', '\u{2009}'];

/// A decimal, with or without one kind of separator between groups of three digits before its point.
fn number_of(text: &str) -> Option<Decimal> {
    let text = text.trim();
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let Some(separator) = whole.chars().find(|c| SEPARATORS.contains(c)) else { return Decimal::parse(text) };
    let groups: Vec<&str> = whole.split(separator).collect();
    let is_grouped = groups[0].len() <= 3 && groups[1..].iter().all(|group| group.len() == 3);
    if is_grouped { Decimal::parse(&(groups.concat() + fraction)) } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Unit, quantity};

    #[test]
    fn printed_forms_are_read_back() {
        for (text, value, unit) in [
            ("1048", "1048", Unit::Count),
            ("2,803", "2803", Unit::Count),
            ("8.562092/s", "8.562092", Unit::PerSecond),
            ("37.38%", "37.38", Unit::Percent),
            ("26.76ms", "26.76", Unit::Milliseconds),
            ("26.76 ms", "26.76", Unit::Milliseconds),
            ("31.41µs", "0.03141", Unit::Milliseconds),
            ("400ns", "0.000400", Unit::Milliseconds),
            ("1.98s", "1980", Unit::Milliseconds),
            ("1h2m3s", "3723000", Unit::Milliseconds),
            ("2m", "120000", Unit::Milliseconds),
            ("1,048 ms", "1048", Unit::Milliseconds),
            ("1 048", "1048", Unit::Count),
            ("1\u{202f}048\u{202f}576", "1048576", Unit::Count),
            ("12\u{2009}048.5%", "12048.5", Unit::Percent),
            ("0s", "0", Unit::Milliseconds),
            ("1.2 MB", "1200000", Unit::Bytes),
            ("9.4 kB/s", "9400", Unit::PerSecond),
            ("946059.89185", "946059.89185", Unit::Plain),
        ] {
            let read = quantity(text).map(|quantity| (quantity.value.to_string(), quantity.unit));
            assert_eq!(read, Some((value.to_owned(), unit)), "{text}");
        }
        let groups = ["1,04", "1048,000", "1.048,5", "1 048,576", "1 04", "1 0480"];
        for text in ["", "%", "ms", "5 apples", "1m1", "1s1m", "--", "1.5m"].into_iter().chain(groups) {
            assert_eq!(quantity(text), None, "{text}");
        }
    }
}
