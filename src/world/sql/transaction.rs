//! A session's transaction, and its statement if that waits.

use serde::Serialize;
use smallvec::SmallVec;

use super::super::value::Value;
use super::Rows;
use super::error::SqlError;
use super::plan::Isolation;
use super::schema::Key;
use super::storage::Place;

/// Primary keys of rows to work on.
pub(super) type RowKeys = SmallVec<[Key; 1]>;

/// What one session has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Transaction {
    pub(super) isolation: Isolation,
    /// False for a statement outside BEGIN ... COMMIT: it ends with its transaction.
    pub(super) is_explicit: bool,
    /// True once a statement has run: the isolation level stays.
    pub(super) has_run: bool,
    /// True after an error: everything is undone already, only its end is awaited.
    pub(super) is_aborted: bool,
    /// What `now()` gives, in virtual microseconds.
    pub(super) started_us: i64,
    /// Where the transaction has written or locked, in order.
    pub(super) touched: SmallVec<[Place; 2]>,
    pub(super) waiting: Option<Box<Waiting>>,
}

impl Transaction {
    pub(super) fn new(isolation: Isolation, is_explicit: bool, started_us: i64) -> Self {
        Self {
            isolation,
            is_explicit,
            has_run: false,
            is_aborted: false,
            started_us,
            touched: SmallVec::new(),
            waiting: None,
        }
    }

    /// Remembers a place, once.
    pub(super) fn touch(&mut self, table: usize, key: &Key) {
        if self.touched.last().is_none_or(|(last, last_key)| (last, last_key) < (&table, key)) {
            self.touched.push((table, key.clone()));
            return;
        }
        let found = self.touched.binary_search_by(|(known, known_key)| (known, known_key).cmp(&(&table, key)));
        if let Err(place) = found {
            self.touched.insert(place, (table, key.clone()));
        }
    }
}

/// A statement between two of its steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Waiting {
    pub(super) params: SmallVec<[Value; 4]>,
    /// The table that it writes.
    pub(super) table: usize,
    pub(super) on: WaitsOn,
    pub(super) work: Work,
}

/// What a statement waits for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) enum WaitsOn {
    /// The row lock on the version that the statement sees.
    Row(Key),
    /// The row lock on the latest version, seen or not: ON CONFLICT DO UPDATE locks what is in its way.
    Latest(Key),
    /// The end of whoever inserts or removes this key of a unique index (0: primary key, `n + 1`: secondary
    /// index `n`).
    Unique { unique: usize, key: Key },
    /// Nothing any more: the row is gone.
    Nothing,
}

/// Why a statement stops before its end.
#[derive(Clone, Debug)]
pub(super) enum Stop {
    Wait(WaitsOn),
    Error(SqlError),
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        Self::Error(error)
    }
}

/// What a statement has done so far and still has to do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Work {
    pub(super) done: Rows,
    /// UPDATE, DELETE, FOR UPDATE: rows that the statement's snapshot showed it, the next one last.
    pub(super) remaining: RowKeys,
    /// True once the statement has waited: a row may have changed since it was chosen, so it is judged anew.
    pub(super) has_waited: bool,
    /// A new version that is not in all indexes yet.
    pub(super) entering: Option<Entering>,
    /// INSERT: number of rows finished.
    pub(super) inserted: usize,
    /// ON CONFLICT DO UPDATE: the rows it has made or changed, which it may not meet again.
    pub(super) affected: Vec<Key>,
}

/// A row on its way into the table and its indexes, in the order in which PostgreSQL visits them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Entering {
    pub(super) key: Key,
    pub(super) row: std::sync::Arc<[Value]>,
    /// The version it replaces, whose places in the indexes need no check.
    pub(super) replaces: Option<std::sync::Arc<[Value]>>,
    /// Next index: 0 is the primary key, `n + 1` the secondary index `n`.
    pub(super) next_index: usize,
}

impl Waiting {
    /// A chosen row was deleted or moved by a transaction that has committed: drop it, or follow it.
    pub(super) fn follow(&mut self, key: &Key, moved: Option<&Key>) {
        match moved {
            Some(to) => self.work.remaining.iter_mut().filter(|chosen| *chosen == key).for_each(|c| c.clone_from(to)),
            None => self.work.remaining.retain(|chosen| chosen != key),
        }
        if matches!(&self.on, WaitsOn::Row(row) if row == key) {
            self.on = moved.map_or(WaitsOn::Nothing, |to| WaitsOn::Row(to.clone()));
        }
    }
}
