//! What the store answers.

use std::sync::Arc;

use serde::Serialize;
use smallvec::SmallVec;

use super::super::value::Value;
use super::error::SqlError;

/// One row of a result. A result of whole rows shares them with the table.
pub type Row = Arc<[Value]>;

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
    /// It has ended.
    Done(Result<Rows, SqlError>),
    /// It waits for another transaction; see [`super::SqlStore::blockers`] and [`super::SqlStore::resume`].
    Waits,
}

impl Progress {
    /// The end of a statement without rows.
    #[inline(always)]
    pub(super) const fn ended(is_rolled_back: bool) -> Self {
        Self::Done(Ok(Rows { rows: SmallVec::new_const(), affected: 0, is_rolled_back }))
    }
}
