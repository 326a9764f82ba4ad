//! What can go wrong: errors that a statement returns (PostgreSQL's codes and texts) and errors of the model's author.

use std::fmt;
use std::ops::Deref;

use compact_str::{CompactString, format_compact};
use serde::Serialize;
use thiserror::Error;

/// An SQLSTATE code (PostgreSQL documentation, appendix A).
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum SqlState {
    /// `08006`: the connection broke.
    ConnectionFailure,
    /// `08P01`: the number of parameters is not what the statement needs.
    ProtocolViolation,
    /// `21000`: ON CONFLICT DO UPDATE met a row twice.
    CardinalityViolation,
    /// `22001`: a text longer than its column allows.
    StringTooLong,
    /// `22003`: an integer outside its type's range.
    OutOfRange,
    /// `2201W`: a negative LIMIT or OFFSET.
    InvalidRowCount,
    /// `23502`.
    NotNullViolation,
    /// `23505`.
    UniqueViolation,
    /// `25001`: too late to change the isolation level.
    ActiveTransaction,
    /// `25P02`: a statement in an aborted transaction.
    InFailedTransaction,
    /// `40001`.
    SerializationFailure,
    /// `40P01`.
    DeadlockDetected,
    /// `42804`: a value of the wrong type for its column.
    DatatypeMismatch,
    /// `42883`: a comparison between types that have none.
    UndefinedFunction,
    /// `55P03`: NOWAIT met a locked row.
    LockNotAvailable,
    /// `57014`: statement timeout or a cancel request.
    QueryCanceled,
}

impl SqlState {
    /// The five characters.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::ConnectionFailure => "08006",
            Self::ProtocolViolation => "08P01",
            Self::CardinalityViolation => "21000",
            Self::StringTooLong => "22001",
            Self::OutOfRange => "22003",
            Self::InvalidRowCount => "2201W",
            Self::NotNullViolation => "23502",
            Self::UniqueViolation => "23505",
            Self::ActiveTransaction => "25001",
            Self::InFailedTransaction => "25P02",
            Self::SerializationFailure => "40001",
            Self::DeadlockDetected => "40P01",
            Self::DatatypeMismatch => "42804",
            Self::UndefinedFunction => "42883",
            Self::LockNotAvailable => "55P03",
            Self::QueryCanceled => "57014",
        }
    }
}

/// The error that a statement ends with, as a client of PostgreSQL would see it. Boxed, because nearly every function
/// of the store may return one and nearly none does: so results stay small.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SqlError(Box<SqlFailure>);

/// What an [`SqlError`] says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SqlFailure {
    /// Its SQLSTATE.
    pub code: SqlState,
    /// PostgreSQL's primary message.
    pub message: CompactString,
}

impl Deref for SqlError {
    type Target = SqlFailure;

    fn deref(&self) -> &SqlFailure {
        &self.0
    }
}

impl SqlError {
    /// An error with this code and text.
    #[must_use]
    #[cold]
    pub fn new(code: SqlState, message: impl AsRef<str>) -> Self {
        Self(Box::new(SqlFailure { code, message: CompactString::new(message) }))
    }

    /// The victim's error when transactions wait for each other in a circle.
    #[must_use]
    pub fn deadlock() -> Self {
        Self::new(SqlState::DeadlockDetected, "deadlock detected")
    }

    /// `statement_timeout` has passed.
    #[must_use]
    pub fn statement_timeout() -> Self {
        Self::new(SqlState::QueryCanceled, "canceling statement due to statement timeout")
    }

    /// What a driver reports when the connection breaks under a statement.
    #[must_use]
    pub fn connection_lost() -> Self {
        Self::new(SqlState::ConnectionFailure, "connection to server was lost")
    }

    #[cold]
    pub(super) fn aborted() -> Self {
        let text = "current transaction is aborted, commands ignored until end of transaction block";
        Self::new(SqlState::InFailedTransaction, text)
    }

    #[cold]
    pub(super) fn duplicate_key(constraint: &str) -> Self {
        let text = format_compact!("duplicate key value violates unique constraint \"{constraint}\"");
        Self::new(SqlState::UniqueViolation, text)
    }

    #[cold]
    pub(super) fn concurrent(change: &str) -> Self {
        let text = format_compact!("could not serialize access due to concurrent {change}");
        Self::new(SqlState::SerializationFailure, text)
    }

    #[cold]
    pub(super) fn no_operator(left: &str, operator: &str, right: &str) -> Self {
        let text = format_compact!("operator does not exist: {left} {operator} {right}");
        Self::new(SqlState::UndefinedFunction, text)
    }

    #[cold]
    pub(super) fn out_of_range(type_name: &str) -> Self {
        Self::new(SqlState::OutOfRange, format_compact!("{type_name} out of range"))
    }
}

impl fmt::Display for SqlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ERROR {}: {}", self.code.code(), self.message)
    }
}

/// A table definition that the store cannot hold.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("schema: {message}\n  in: {statement}")]
pub struct SchemaError {
    /// What is wrong, and what to write instead where that is known.
    pub message: String,
    /// The statement, or empty when the text could not be parsed at all.
    pub statement: String,
}

/// A statement that the store does not understand.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("SQL: {message}\n  in: {statement}")]
pub struct PlanError {
    /// What is wrong, and what to write instead where that is known.
    pub message: String,
    /// The statement as given.
    pub statement: &'static str,
}
