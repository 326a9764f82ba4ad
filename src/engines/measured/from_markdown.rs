//! The metric tables of a Markdown report. Which column means what is read from the header, which metric a row is about
//! from the names in its cells, so that reports of other people with other columns are read too.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::column::Column;
use super::document::MeasuredKind;
use super::row::Row;
use super::{Measured, cell};

/// The figures of a report; `None` when no table has one, or what was meant as one.
pub(super) fn read(text: &str) -> Option<Measured> {
    let mut measured = Measured::new(MeasuredKind::Markdown);
    let tags = cell::request_names(text);
    for table in tables(text) {
        let columns: Vec<Column> = table.header.iter().map(|header| Column::of(header)).collect();
        for row in &table.rows {
            Row { columns: &columns, cells: &row.cells, line: row.line, tags: &tags }.read(&mut measured);
        }
    }
    if measured.figures.is_empty() && measured.unread.is_empty() { None } else { Some(measured) }
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
