//! What the text reports of sweeps and comparisons share: numbers, short names, marks, lines of at most 80 columns.

use crate::engines::distribution::Unit;
use crate::engines::exact::Ratio;

/// Columns of a text report.
pub(super) const WIDTH: usize = 80;

/// Decimals of a JSON number: nanoseconds of a duration, millionths of a percent.
const JSON_DECIMALS: u32 = 6;

/// The signs of a text report. Each stands beside a word; without UTF-8 they are letters.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Signs {
    pub(super) holds: &'static str,
    pub(super) fails: &'static str,
    pub(super) notice: &'static str,
    pub(super) vacuous: &'static str,
    pub(super) bar: &'static str,
}

impl Signs {
    /// For terminals and files that take UTF-8.
    pub const UTF8: Self = Self { holds: "✓", fails: "✗", notice: "!", vacuous: "∅", bar: "█" };
    /// For `--ascii`.
    pub const ASCII: Self = Self { holds: "ok", fails: "FAIL", notice: "!", vacuous: "-", bar: "#" };
}

/// A number without its unit: whole for counts and bytes, two decimals else, with commas between thousands.
pub(super) fn number(value: Ratio, unit: Unit) -> String {
    grouped(&value.fixed(decimals(unit)))
}

/// A mean: one decimal more than a single count has.
pub(super) fn mean(value: Ratio, unit: Unit) -> String {
    grouped(&value.fixed(decimals(unit).max(1)))
}

fn decimals(unit: Unit) -> u32 {
    match unit {
        Unit::Count | Unit::Bytes => 0,
        Unit::Percent | Unit::Milliseconds | Unit::PerSecond | Unit::Plain => 2,
    }
}

/// A number for a JSON document: exact to six decimals. Up to 15 digits it is printed as it was computed, since the
/// shortest text of the nearest float is then the decimal itself.
pub(super) fn json_number(value: Ratio) -> serde_json::Value {
    let text = value.fixed(JSON_DECIMALS);
    match value.denominator() {
        1 => text.split('.').next().and_then(|whole| whole.parse::<i64>().ok()).into(),
        _ => text.parse::<f64>().ok().into(),
    }
}

/// The unit's word in a JSON document.
pub(super) fn json_unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Count => "count",
        Unit::Bytes => "bytes",
        Unit::Percent => "percent",
        Unit::Milliseconds => "milliseconds",
        Unit::PerSecond => "per_second",
        Unit::Plain => "number",
    }
}

fn grouped(text: &str) -> String {
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let (sign, digits) = whole.split_at(usize::from(whole.starts_with('-')));
    let mut with_commas = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index) % 3 == 0 {
            with_commas.push(',');
        }
        with_commas.push(digit);
    }
    format!("{sign}{with_commas}{fraction}")
}

/// A short name for a table: `http_req_duration{name:lock_seats} p(95)` is `p(95) lock_seats`.
pub(super) fn short_name(name: &str) -> String {
    let request = name.strip_prefix("http_req_duration{name:").and_then(|rest| rest.split_once("} "));
    request.map_or_else(|| name.to_owned(), |(request, statistic)| format!("{statistic} {request}"))
}

/// Rows of cells as lines: the first column to the left, the last as it is, those between to the right. A first cell
/// longer than `first_width` gets a line of its own, because no name is ever cut.
pub(super) fn aligned(rows: &[Vec<String>], first_width: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widest = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.filter(|width| column > 0 || *width <= first_width).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            if column == 0 && cell.chars().count() > width {
                text.push_str(cell);
                text.push('\n');
                line = " ".repeat(width);
            } else if column == 0 {
                line = format!("{cell:<width$}");
            } else if column + 1 == columns {
                line = format!("{line}  {cell}");
            } else {
                line = format!("{line}  {cell:>width$}");
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// `text` behind `first` on lines of at most [`WIDTH`] columns; further lines are indented as far.
pub(super) fn paragraph(first: &str, text: &str) -> String {
    hanging(first, first.chars().count(), text)
}

/// As [`paragraph`], with so many columns before the further lines.
pub(super) fn hanging(first: &str, indent: usize, text: &str) -> String {
    let indent = " ".repeat(indent);
    let options = textwrap::Options::new(WIDTH).initial_indent(first).subsequent_indent(&indent).break_words(false);
    textwrap::fill(text, options) + "\n"
}
