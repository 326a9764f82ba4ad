//! What the tables are: columns, primary keys and indexes. Fixed for the life of a store.

use serde::Serialize;
use smallvec::SmallVec;

use super::super::value::Value;
use super::error::{SqlError, SqlState};
use super::eval::Env;
use super::expr::{Expr, Kind};
use super::hash::KeyHash;

/// The values of a primary key or of an index's columns. Only statements that wait keep any.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) struct Key(pub(super) SmallVec<[Value; 1]>);

impl Key {
    /// The values of these columns of a row.
    pub(super) fn of_columns(columns: &[usize], row: &[Value]) -> Self {
        Self(columns.iter().map(|&column| row[column].clone()).collect())
    }

    /// The hash of the row that has these values.
    pub(super) fn hashed(&self) -> KeyHash {
        self.0.iter().fold(KeyHash::default(), KeyHash::with)
    }

    /// True if these columns of the row have these values.
    pub(super) fn is_of(&self, columns: &[usize], row: &[Value]) -> bool {
        columns.iter().zip(&self.0).all(|(&column, value)| row[column] == *value)
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
    /// Columns of the primary key. Without one, rows are kept in the order of insertion: each has its number as a value
    /// behind its last column.
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

    /// True if rows are told apart by their number alone.
    pub(super) fn is_keyless(&self) -> bool {
        self.key == [self.columns.len()]
    }

    /// Number of values in a row.
    pub(super) fn width(&self) -> usize {
        self.columns.len() + usize::from(self.is_keyless())
    }

    /// The primary key of a row.
    pub(super) fn key_of(&self, row: &[Value]) -> Key {
        Key::of_columns(&self.key, row)
    }

    /// True if both rows have the same primary key.
    pub(super) fn same_key(&self, one: &[Value], other: &[Value]) -> bool {
        same(&self.key, one, other)
    }

    /// Columns of an index; 0 is the primary key, `n + 1` the secondary index `n`.
    pub(super) fn columns_of(&self, number: usize) -> &[usize] {
        number.checked_sub(1).map_or(&self.key, |number| &self.indexes[number].columns)
    }

    /// True if the index, so numbered, lists the row.
    pub(super) fn is_listed(&self, number: usize, row: &[Value]) -> bool {
        number.checked_sub(1).is_none_or(|number| self.indexes[number].covers(row))
    }

    /// True if a listed row and another one stand in the same place of an index, as far as `level` columns tell.
    pub(super) fn same_place(&self, (number, level): (usize, usize), row: &[Value], listed: &[Value]) -> bool {
        self.is_listed(number, row) && same(&self.columns_of(number)[..level], row, listed)
    }

    /// True if every index lists both rows in the same place, or neither.
    pub(super) fn stays_listed(&self, old: &[Value], new: &[Value]) -> bool {
        self.indexes.iter().all(|index| index.same_place(old, new))
    }

    /// Checks these columns of a row that was written, as PostgreSQL does: the first one at fault is named.
    #[inline]
    pub(super) fn check(&self, row: &[Value], columns: &[usize]) -> Result<(), SqlError> {
        let fits = |column: &usize| self.columns[*column].fits(&row[*column]);
        if columns.iter().all(fits) { Ok(()) } else { self.judge(row) }
    }

    #[cold]
    fn judge(&self, row: &[Value]) -> Result<(), SqlError> {
        let columns = || self.columns.iter().zip(row);
        columns().try_for_each(|(column, value)| column.check_type(value))?;
        match columns().find(|(column, value)| column.not_null && matches!(value, Value::Null)) {
            None => Ok(()),
            Some((column, _)) => {
                let text = format!(
                    "null value in column \"{}\" of relation \"{}\" violates not-null constraint",
                    column.name, self.name
                );
                Err(SqlError::new(SqlState::NotNullViolation, text))
            }
        }
    }
}

impl Column {
    /// True if the value may be stored, as far as a glance tells.
    #[inline]
    pub(super) fn fits(&self, value: &Value) -> bool {
        match value {
            Value::Null => !self.not_null,
            Value::Int(value) => match self.kind {
                Kind::Integer => i32::try_from(*value).is_ok(),
                kind => kind == Kind::Bigint,
            },
            // A text has at most as many characters as bytes.
            Value::Text(text) => self.kind == Kind::Text && self.length.is_none_or(|length| text.len() <= length),
            other => self.kind.admits(other),
        }
    }

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
    /// True if both rows have the same place in the index, or neither has one.
    pub(super) fn same_place(&self, one: &[Value], other: &[Value]) -> bool {
        match (self.covers(one), self.covers(other)) {
            (true, true) => same(&self.columns, one, other),
            (one, other) => one == other,
        }
    }

    /// True if the row, which the index lists, excludes another one of the same key. NULL equals nothing, so it
    /// excludes nothing.
    pub(super) fn excludes(&self, row: &[Value]) -> bool {
        self.unique && !self.columns.iter().any(|&column| row[column] == Value::Null)
    }

    /// A predicate was checked against the column types when the index was made, so an error means a value that
    /// the column would not have admitted.
    pub(super) fn covers(&self, row: &[Value]) -> bool {
        if self.predicate.is_empty() {
            return true;
        }
        let rows = [row];
        let env = Env::new(&[], 0).with(&rows);
        self.predicate.iter().all(|condition| matches!(env.truth(condition), Ok(Some(true))))
    }
}

/// True if two rows agree in these columns.
#[inline]
fn same(columns: &[usize], one: &[Value], other: &[Value]) -> bool {
    columns.iter().all(|&column| one[column] == other[column])
}
