//! Lines of `name...: figures` in aligned columns.

use unicode_normalization::UnicodeNormalization;

use super::paint::{CYAN, Paint};

/// One metric.
#[derive(Debug)]
pub(super) struct Row {
    /// Blanks before the name; they count towards its width.
    pub(super) indent: usize,
    pub(super) name: String,
    pub(super) data: Data,
}

/// The figures of one metric, in words.
#[derive(Debug)]
pub(super) enum Data {
    /// Counters, gauges and rates.
    Single { value: String, extras: Vec<String> },
    /// Trends: name and value of each statistic.
    Statistics(Vec<(String, String)>),
}

/// The colours in which the layouts of k6 differ.
#[derive(Copy, Clone, Debug)]
pub(super) struct Codes {
    pub(super) dots: &'static str,
    pub(super) extra: &'static str,
}

/// Column widths, taken over all lines that stand in one block.
#[derive(Debug, Default)]
pub(super) struct Columns {
    name: usize,
    value: usize,
    extras: Vec<usize>,
    statistics: Vec<usize>,
}

impl Columns {
    pub(super) fn of<'a>(rows: impl IntoIterator<Item = &'a Row>) -> Self {
        let mut columns = Self::default();
        for row in rows {
            columns.name = columns.name.max(row.indent + width(&row.name));
            match &row.data {
                Data::Single { value, extras } => {
                    columns.value = columns.value.max(width(value));
                    widen(&mut columns.extras, extras.iter().map(|extra| width(extra)));
                }
                Data::Statistics(statistics) => {
                    widen(&mut columns.statistics, statistics.iter().map(|(_, value)| width(value)));
                }
            }
        }
        columns
    }

    /// The line from the name on, without the indent.
    pub(super) fn line(&self, row: &Row, paint: Paint, codes: Codes) -> String {
        let dots = format!("{}:", ".".repeat(self.name + 3 - row.indent - width(&row.name)));
        format!("{}{} {}", row.name, paint.text(codes.dots, &dots), self.data(&row.data, paint, codes))
    }

    fn data(&self, data: &Data, paint: Paint, codes: Codes) -> String {
        match data {
            Data::Single { value, extras } => {
                let value = padded(&paint.text(CYAN, value), width(value), self.value);
                // A lone extra ends its line unpadded.
                let columns = if let [_] = extras.as_slice() { &[0][..] } else { &self.extras };
                let extras = extras.iter().zip(columns);
                let extras =
                    extras.map(|(extra, &column)| padded(&paint.text(codes.extra, extra), width(extra), column));
                std::iter::once(value).chain(extras).collect::<Vec<_>>().join(" ")
            }
            Data::Statistics(statistics) => {
                let statistics = statistics.iter().zip(&self.statistics).map(|((name, value), &column)| {
                    format!("{name}={}", padded(&paint.text(CYAN, value), width(value), column))
                });
                statistics.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// Colour codes take no room, so the width is that of the bare text.
fn padded(text: &str, width: usize, column: usize) -> String {
    format!("{text}{}", " ".repeat(column.saturating_sub(width)))
}

fn widen(columns: &mut Vec<usize>, widths: impl Iterator<Item = usize>) {
    for (at, width) in widths.enumerate() {
        match columns.get_mut(at) {
            Some(column) => *column = width.max(*column),
            None => columns.push(width),
        }
    }
}

/// In characters, after compatibility composition (NFKC) as in k6.
fn width(text: &str) -> usize {
    text.nfkc().count()
}
