//! What the store answers.

use serde::Serialize;
use smallvec::SmallVec;

use super::error::SqlError;
use super::row::Row;

/// The rows of a result; nearly every one has one or none.
pub(super) type ResultRows = SmallVec<[Row; 1]>;

/// What a statement returns.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Rows {
    /// The rows of a SELECT or of RETURNING.
    pub rows: SmallVec<[Row; 1]>,
    /// Number of rows selected, inserted, updated or deleted.
    pub affected: u64,
    /// True for a COMMIT of an aborted transaction: PostgreSQL answers it with `ROLLBACK` and no error.
    pub is_rolled_back: bool,
}

/// How far a statement has come.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Progress {
    /// It has ended, and what it returns is in the place that was given for it.
    Done {
        /// True between BEGIN and COMMIT or ROLLBACK, as the server tells after each statement.
        in_transaction: bool,
    },
    /// It has failed, and that place has to be forgotten. Boxed, because few statements fail: so how far a statement
    /// has come is told in registers.
    Failed(Box<SqlError>),
    /// It waits for another transaction; see [`super::SqlStore::blockers`] and [`super::SqlStore::resume`].
    Waits,
}

impl From<SqlError> for Progress {
    #[cold]
    fn from(error: SqlError) -> Self {
        Self::Failed(Box::new(error))
    }
}
