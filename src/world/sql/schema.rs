//! What the tables are: columns, primary keys and indexes. Fixed for the life of a store.

use std::cmp::Ordering;

use serde::Serialize;
use smallvec::SmallVec;

use super::super::value::Value;
use super::error::{SqlError, SqlState};
use super::eval::Env;
use super::expr::{Expr, Kind};

/// The values of a primary key or of an index's columns.
#[derive(Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Key(pub(super) SmallVec<[Value; 1]>);

impl Key {
    /// The values of these columns of a row.
    fn of_columns(columns: &[usize], row: &[Value]) -> Self {
        match columns {
            [column] => Self::from(row[*column].clone()),
            _ => Self(columns.iter().map(|&column| row[column].clone()).collect()),
        }
    }
}

impl From<Value> for Key {
    #[inline]
    fn from(value: Value) -> Self {
        Self(SmallVec::from_buf([value]))
    }
}

impl Clone for Key {
    /// Nearly all keys are one value, which needs no loop.
    #[inline]
    fn clone(&self) -> Self {
        match self.0.as_slice() {
            [value] => Self::from(value.clone()),
            values => Self(values.iter().cloned().collect()),
        }
    }
}

impl Ord for Key {
    /// The order of the values. Nearly all keys are one value, and every look-up compares a dozen of them.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self.0.as_slice(), other.0.as_slice()) {
            ([one], [other]) => one.cmp(other),
            (one, other) => one.cmp(other),
        }
    }
}

impl PartialOrd for Key {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// All tables, in the order of their definition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schema {
    pub(super) tables: Vec<TableSchema>,
}

/// One table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableSchema {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Columns of the primary key; without one, rows are kept in the order of insertion.
    pub(super) key: Vec<usize>,
    /// Name of the primary key's constraint.
    pub(super) key_name: String,
    /// Secondary indexes in the order of creation, which is the order PostgreSQL checks them in.
    pub(super) indexes: Vec<Index>,
}

/// One column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Most characters, for `varchar(n)`.
    pub(super) length: Option<usize>,
    pub(super) not_null: bool,
    pub(super) default: DefaultValue,
}

/// The value of a column that an INSERT leaves out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DefaultValue {
    Expr(Expr),
    /// The next value of the column's sequence.
    Serial,
}

/// A secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Index {
    pub(super) name: String,
    pub(super) columns: Vec<usize>,
    pub(super) unique: bool,
    /// Conditions of a partial index, all of which a row must fulfil to be in it.
    pub(super) predicate: Vec<Expr>,
}

impl Schema {
    /// Number of the table with this name.
    pub(super) fn table(&self, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.name == name)
    }
}

impl TableSchema {
    /// Number of the column with this name.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// The primary key of a row.
    pub(super) fn key_of(&self, row: &[Value]) -> Key {
        Key::of_columns(&self.key, row)
    }

    /// Checks a row that is about to be stored, as PostgreSQL does: the first column at fault is named.
    pub(super) fn check(&self, row: &[Value]) -> Result<(), SqlError> {
        for (column, value) in self.columns.iter().zip(row) {
            column.check_type(value)?;
        }
        for (column, value) in self.columns.iter().zip(row) {
            if column.not_null && matches!(value, Value::Null) {
                let text = format!(
                    "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    column.name, self.name
                );
                return Err(SqlError::new(SqlState::NotNullViolation, text));
            }
        }
        Ok(())
    }
}

impl Column {
    #[inline]
    fn check_type(&self, value: &Value) -> Result<(), SqlError> {
        match value {
            Value::Int(value) if self.kind == Kind::Integer && i32::try_from(*value).is_err() => {
                Err(SqlError::out_of_range("integer"))
            }
            Value::Text(text) if self.length.is_some_and(|length| text.chars().count() > length) => {
                let length = self.length.unwrap_or_default();
                let text = format!("value too long for type character varying({length})");
                Err(SqlError::new(SqlState::StringTooLong, text))
            }
            value if self.kind.admits(value) => Ok(()),
            value => {
                let text = format!(
                    "column \"{}\" is of type {} but expression is of type {}",
                    self.name,
                    self.kind.name(),
                    Kind::of(value).name()
                );
                Err(SqlError::new(SqlState::DatatypeMismatch, text))
            }
        }
    }
}

impl Index {
    /// The row's place in the index, or `None` if the row is not in it.
    pub(super) fn key_of(&self, row: &[Value]) -> Option<Key> {
        self.covers(row).then(|| Key::of_columns(&self.columns, row))
    }

    /// True if both rows have the same place in the index, or neither has one.
    pub(super) fn same_place(&self, one: &[Value], other: &[Value]) -> bool {
        match (self.covers(one), self.covers(other)) {
            (true, true) => self.columns.iter().all(|&column| one[column] == other[column]),
            (one, other) => one == other,
        }
    }

    /// True if a row with this key excludes another one. NULL equals nothing, so it excludes nothing.
    pub(super) fn excludes(&self, key: &Key) -> bool {
        self.unique && !key.0.contains(&Value::Null)
    }

    /// A predicate was checked against the column types when the index was made, so an error means a value that
    /// the column would not have admitted.
    fn covers(&self, row: &[Value]) -> bool {
        if self.predicate.is_empty() {
            return true;
        }
        let env = Env::of_row(&[], 0, row);
        self.predicate.iter().all(|condition| matches!(env.truth(condition), Ok(Some(true))))
    }
}
