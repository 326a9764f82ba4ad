//! Rows in words.

use super::schema::TableSchema;
use crate::world::value::Value;

/// A row as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedRow {
    /// Table and primary key: `seats (7)`.
    pub name: String,
    /// The other columns: `status='LOCKED', show_id=1`.
    pub content: String,
}

impl DescribedRow {
    pub(super) fn of(schema: &TableSchema, row: &[Value]) -> Self {
        let key = schema.key.iter().filter(|_| !schema.is_keyless()).map(|column| row[*column].to_string());
        let name = format!("{} ({})", schema.name, key.collect::<Vec<_>>().join(", "));
        let others = schema.columns.iter().zip(row).enumerate().filter(|(number, _)| !schema.key.contains(number));
        let content = others.map(|(_, (column, value))| format!("{}={value}", column.name));
        Self { name, content: content.collect::<Vec<_>>().join(", ") }
    }
}
