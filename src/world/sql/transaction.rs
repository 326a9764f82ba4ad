//! A session's transaction, and its statement if that waits.

use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::Rows;
use super::derived::Derived;
use super::error::SqlError;
use super::plan::Isolation;
use super::schema::Key;
use super::slot::Values;
use super::storage::Place;

/// What one session has begun and not ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Transaction {
    pub(super) session: SessionId,
    pub(super) isolation: Isolation,
    /// False for a statement outside BEGIN ... COMMIT: it ends with its transaction.
    pub(super) is_explicit: bool,
    /// True once a statement has run: the isolation level stays.
    pub(super) has_run: bool,
    /// True after an error: everything is undone already, only its end is awaited.
    pub(super) is_aborted: bool,
    /// What `now()` gives, in virtual microseconds.
    pub(super) started_us: i64,
    /// Where the transaction has left a mark, each place once.
    #[serde(skip)]
    pub(super) touched: Derived<Vec<Place>>,
    pub(super) waiting: Option<Box<Waiting>>,
}

/// The transactions, by their sessions in order. Few are open at a time, so a vector finds one sooner than a tree, and
/// the next one takes the place of one that has ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    /// Where the open ones are, by the ranks of their sessions.
    open: Vec<(u64, u32)>,
    free: Vec<u32>,
    all: Vec<Transaction>,
}

/// Place of a session in the order of all sessions.
#[inline]
fn rank(session: SessionId) -> u64 {
    match session {
        SessionId::Own(process) => u64::from(process.client) << 32 | u64::from(process.call),
        SessionId::Pooled(number) => 1 << 48 | u64::from(number),
        SessionId::Shared => 2 << 48,
    }
}

impl Transaction {
    /// One that has done nothing yet.
    const fn new(session: SessionId) -> Self {
        Self {
            session,
            isolation: Isolation::ReadCommitted,
            is_explicit: false,
            has_run: false,
            is_aborted: false,
            started_us: 0,
            touched: Derived(Vec::new()),
            waiting: None,
        }
    }
}

impl Transactions {
    /// The number of the session's transaction, or else its place among the open ones.
    #[inline]
    pub(super) fn find(&self, session: SessionId) -> Result<usize, usize> {
        self.search(session).map(|(_, number)| number)
    }

    /// The session's place among the open ones, with the number of its transaction if it has one.
    #[inline]
    fn search(&self, session: SessionId) -> Result<(usize, usize), usize> {
        let rank = rank(session);
        let place = self.open.partition_point(|(other, _)| *other < rank);
        match self.open.get(place) {
            Some((other, number)) if *other == rank => Ok((place, *number as usize)),
            _ => Err(place),
        }
    }

    /// The open transaction with this number.
    #[inline]
    pub(super) fn at(&mut self, number: usize) -> &mut Transaction {
        &mut self.all[number]
    }

    /// The session's transaction.
    #[inline]
    pub(super) fn get(&self, session: SessionId) -> Option<&Transaction> {
        self.find(session).ok().map(|number| &self.all[number])
    }

    /// Begins a transaction of a session that has none and would have it at this place. Returns its number.
    pub(super) fn begin(
        &mut self,
        place: usize,
        session: SessionId,
        isolation: Isolation,
        is_explicit: bool,
        started_us: i64,
    ) -> usize {
        let number = self.free.pop().unwrap_or_else(|| {
            self.all.push(Transaction::new(session));
            u32::try_from(self.all.len() - 1).expect("there are fewer sessions than 2^32")
        });
        self.open.insert(place, (rank(session), number));
        let transaction = self.at(number as usize);
        transaction.session = session;
        transaction.isolation = isolation;
        transaction.is_explicit = is_explicit;
        transaction.started_us = started_us;
        number as usize
    }

    /// Forgets the transaction with this number; the next one takes its place.
    pub(super) fn end(&mut self, number: usize) {
        let Ok((place, _)) = self.search(self.all[number].session) else { return };
        self.free.push(self.open.remove(place).1);
        let transaction = self.at(number);
        transaction.has_run = false;
        transaction.is_aborted = false;
        transaction.touched.0.clear();
        transaction.waiting = None;
    }

    /// Number of open transactions.
    pub(super) fn len(&self) -> usize {
        self.open.len()
    }

    /// The open transactions in the order of their sessions.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Transaction> {
        self.open.iter().map(|(_, number)| &self.all[*number as usize])
    }

    /// The statements that wait, in no order.
    pub(super) fn waiting_mut(&mut self) -> impl Iterator<Item = (Isolation, &mut Waiting)> {
        self.all.iter_mut().filter_map(|it| Some((it.isolation, it.waiting.as_deref_mut()?)))
    }
}

impl PartialEq for Transactions {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Transactions {}

impl Hash for Transactions {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        self.iter().for_each(|transaction| transaction.hash(state));
    }
}

impl Serialize for Transactions {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
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
    /// Boxed, because nearly no statement waits: so results stay small.
    Wait(Box<WaitsOn>),
    Error(SqlError),
}

impl From<SqlError> for Stop {
    fn from(error: SqlError) -> Self {
        Self::Error(error)
    }
}

/// What a statement that waits has done so far and still has to do. One that never waits keeps all of this in its
/// variables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Work {
    pub(super) done: Rows,
    /// UPDATE, DELETE, FOR UPDATE: rows that the statement's snapshot showed it, the next one last.
    pub(super) remaining: Vec<Key>,
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
    pub(super) row: Values,
    /// The version it replaces, whose places in the indexes need no check.
    pub(super) replaces: Option<Values>,
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
