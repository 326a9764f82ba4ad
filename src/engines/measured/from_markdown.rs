//! The metric tables of a Markdown report. Which column means what is read from the header, which metric a row is about
//! from the names in its cells, so that reports of other people with other columns are read too.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::document::MeasuredKind;
use super::quantity::{Quantity, duration_ms, quantity};
use super::{Figure, Measured, Stage, Threshold, cell};
use crate::engines::distribution::Unit;

/// The figures of a report; `None` when no table has one.
pub(super) fn read(text: &str) -> Option<Measured> {
    let mut measured = Measured::new(MeasuredKind::Markdown);
    let tags = cell::request_names(text);
    for table in tables(text) {
        let columns: Vec<Column> = table.header.iter().map(|header| Column::of(header)).collect();
        for row in &table.rows {
            let row = Row { columns: &columns, row, tags: &tags };
            if let Some(stage) = row.stage() {
                measured.stages.push(stage);
            }
            row.figures(&mut measured);
        }
    }
    if measured.figures.is_empty() { None } else { Some(measured) }
}

/// A table of plain text.
#[derive(Debug, Default)]
struct Table {
    header: Vec<String>,
    rows: Vec<TextRow>,
}

#[derive(Debug, Default)]
struct TextRow {
    line: usize,
    cells: Vec<String>,
}

fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut row = TextRow::default();
    let mut cell: Option<String> = None;
    let (mut line, mut counted) = (1, 0);
    for (event, span) in Parser::new_ext(text, Options::ENABLE_TABLES).into_offset_iter() {
        match event {
            Event::Start(Tag::Table(_)) => tables.push(Table::default()),
            Event::Start(Tag::TableHead | Tag::TableRow) => {
                line += text[counted..span.start].matches('\n').count();
                counted = span.start;
                row = TextRow { line, cells: Vec::new() };
            }
            Event::Start(Tag::TableCell) => cell = Some(String::new()),
            Event::Text(part) | Event::Code(part) => {
                if let Some(cell) = &mut cell {
                    cell.push_str(&part);
                }
            }
            Event::End(TagEnd::TableCell) => row.cells.extend(cell.take()),
            Event::End(TagEnd::TableHead) => {
                if let Some(table) = tables.last_mut() {
                    table.header = std::mem::take(&mut row.cells);
                }
            }
            Event::End(TagEnd::TableRow) => {
                if let Some(table) = tables.last_mut() {
                    table.rows.push(std::mem::take(&mut row));
                }
            }
            _ => {}
        }
    }
    tables
}

/// What a column holds.
#[derive(Debug, PartialEq, Eq)]
enum Column {
    Metric,
    /// Measured values; the header may name their statistic.
    Value(Option<String>),
    Limit,
    Mark,
    Duration,
    Target,
    Other,
}

impl Column {
    fn of(header: &str) -> Self {
        let header = header.to_lowercase();
        let has =
            |words: &[&str]| words.iter().any(|word| header.split(|c: char| !c.is_alphanumeric()).any(|w| w == *word));
        let statistic = cell::statistic(&header);
        if has(&["metric", "metrics", "figure"]) {
            Self::Metric
        } else if has(&["meaning", "insight", "code", "goal", "comment", "notes"]) {
            Self::Other
        } else if has(&["threshold", "thresholds", "limit"]) {
            Self::Limit
        } else if has(&["result", "value", "actual", "measured", "count", "rate"]) || statistic.is_some() {
            Self::Value(statistic)
        } else if has(&["status", "verdict", "outcome"]) {
            Self::Mark
        } else if has(&["duration"]) {
            Self::Duration
        } else if has(&["target", "vus"]) {
            Self::Target
        } else {
            Self::Other
        }
    }
}

/// One row with what is known of its columns.
#[derive(Debug)]
struct Row<'a> {
    columns: &'a [Column],
    row: &'a TextRow,
    /// The request names of the document, see [`cell::request_names`].
    tags: &'a [String],
}

impl Row<'_> {
    fn cell(&self, wanted: &Column) -> Option<&str> {
        let index = self.columns.iter().position(|column| column == wanted)?;
        self.row.cells.get(index).map(String::as_str)
    }

    fn stage(&self) -> Option<Stage> {
        let raw = self.cell(&Column::Duration)?.trim();
        let duration_ms = duration_ms(raw)?.as_count()?;
        let target = quantity(self.cell(&Column::Target)?)?.value.as_count()?;
        Some(Stage { duration_ms, target, raw: raw.to_owned(), line: self.row.line })
    }

    /// Records the figures of the row's value cells, and its threshold.
    fn figures(&self, measured: &mut Measured) {
        let label = self.cell(&Column::Metric).unwrap_or_default();
        for (column, text) in self.columns.iter().zip(&self.row.cells) {
            let Column::Value(header_statistic) = column else { continue };
            // "Latency during spike | `lock_seats` p(95) = 26.76 ms": the value cell names the metric.
            let Some((name, values)) = cell::metric(label).map(|name| (name, text.as_str())).or_else(|| {
                let name = cell::metric(text)?;
                Some((name, text.split_once(name).map_or("", |(_, after)| after)))
            }) else {
                continue;
            };
            let statistic =
                cell::statistic(label).or_else(|| cell::statistic(text)).or_else(|| header_statistic.clone());
            let figures = self.named(name, statistic, &cell::quantities(values));
            self.threshold(figures.first(), measured);
            figures.into_iter().for_each(|figure| measured.record(figure));
        }
    }

    /// The figures that a cell's quantities are: a share with the counts beside it, or one number.
    fn named(&self, name: &str, statistic: Option<String>, quantities: &[(Quantity, String)]) -> Vec<Figure> {
        let Some((first, _)) = quantities.first() else { return Vec::new() };
        let names: Vec<Option<String>> = match first.unit {
            Unit::Percent => vec![None, Some("count".to_owned()), Some("total".to_owned())],
            Unit::Count if statistic.is_none() => vec![None],
            Unit::PerSecond => vec![Some("rate".to_owned())],
            // A duration without a statistic names nothing that could be compared.
            Unit::Milliseconds if statistic.is_none() => Vec::new(),
            _ => vec![statistic],
        };
        let metric = self.full_name(name, names.first().cloned().flatten().as_deref());
        let counted = |index: usize, unit: Unit| index == 0 || unit == Unit::Count;
        let numbers = names.into_iter().zip(quantities).enumerate();
        let kept = numbers.filter(|(index, (_, (quantity, _)))| counted(*index, quantity.unit));
        let figure = |(statistic, (quantity, raw)): (Option<String>, &(Quantity, String))| Figure {
            metric: metric.clone(),
            statistic,
            value: quantity.value,
            unit: quantity.unit,
            raw: raw.clone(),
            line: Some(self.row.line),
            derived: None,
        };
        kept.map(|(_, named)| figure(named)).collect()
    }

    /// k6's name of a metric that people shorten: a request's name with a statistic means the request's duration.
    fn full_name(&self, name: &str, statistic: Option<&str>) -> String {
        match name {
            "checks_succeeded" => "checks".to_owned(),
            _ if statistic.is_some() && self.tags.iter().any(|tag| tag == name) => {
                format!("http_req_duration{{name:{name}}}")
            }
            _ => name.to_owned(),
        }
    }

    fn threshold(&self, figure: Option<&Figure>, measured: &mut Measured) {
        let (Some(figure), Some(limit)) = (figure, self.cell(&Column::Limit)) else { return };
        let aggregation = match figure.unit {
            Unit::Percent => "rate",
            _ => figure.statistic.as_deref().unwrap_or("count"),
        };
        measured.thresholds.push(Threshold {
            metric: figure.metric.clone(),
            limit: cell::limit(limit, aggregation),
            actual: Some((figure.value, figure.unit)),
            passed: self.cell(&Column::Mark).and_then(cell::mark),
            line: Some(self.row.line),
        });
    }
}
