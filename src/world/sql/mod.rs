//! The SQL store: multi-version tables, transactions, row locks, unique indexes.
//!
//! It follows PostgreSQL 15 (chapters 13 "Concurrency Control" and VI "SQL Commands"); `tests/it/sql_conformance.rs`
//! runs the same scripts against both. A store is plain data: equal stores answer every statement alike, and what
//! no statement can tell apart is stored alike.

mod ddl;
mod describe;
mod error;
mod eval;
mod expr;
mod index;
mod insert;
mod key_map;
mod modify;
mod plan;
mod scan;
mod schema;
mod select;
mod slots;
mod storage;
mod table;
mod transaction;
mod wait;
mod writer;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use serde::Serialize;
use smallvec::SmallVec;

pub use self::describe::DescribedRow;
pub use self::error::{PlanError, SchemaError, SqlError, SqlState};
use self::plan::{Insert, Modify, Statement};
pub use self::plan::{Isolation, Plan};
use self::schema::Schema;
use self::select::Reader;
use self::storage::Storage;
use self::table::View;
use self::transaction::{Stop, Transaction, Waiting, Work};
use self::writer::Writer;
use super::identity::{ProcessId, SessionId};
use super::value::{Serial, Value};

/// One row of a result.
pub type Row = SmallVec<[Value; 4]>;

/// What a statement returns.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Rows {
    /// The rows of a SELECT or of RETURNING.
    pub rows: Vec<Row>,
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
    /// It waits for another transaction; see [`SqlStore::blockers`] and [`SqlStore::resume`].
    Waits,
}

/// Where the sequences of one process's inserts get their values.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct SerialSource {
    /// Who draws.
    pub process: ProcessId,
    /// How many values were drawn so far.
    pub count: u32,
}

impl SerialSource {
    /// The next value.
    pub fn next_serial(&mut self) -> Serial {
        self.count += 1;
        Serial { process: self.process, nth: self.count }
    }
}

/// The tables' definition. It never changes, so it takes no part in hashing and serialising.
#[derive(Clone, Debug, PartialEq, Eq)]
struct SharedSchema(Arc<Schema>);

impl Deref for SharedSchema {
    type Target = Schema;

    fn deref(&self) -> &Schema {
        &self.0
    }
}

impl Hash for SharedSchema {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// A database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct SqlStore {
    #[serde(skip)]
    schema: SharedSchema,
    storage: Storage,
    /// Sessions that are in a transaction or whose statement waits.
    sessions: BTreeMap<SessionId, Transaction>,
}

impl SqlStore {
    /// An empty database with the tables that a script of CREATE TABLE and CREATE INDEX statements defines.
    ///
    /// # Errors
    /// If the script cannot be parsed or uses what the store does not support.
    pub fn from_ddl(ddl: &str) -> Result<Self, SchemaError> {
        let schema = ddl::read(ddl)?;
        let storage = Storage::new(&schema);
        Ok(Self { schema: SharedSchema(Arc::new(schema)), storage, sessions: BTreeMap::new() })
    }

    /// Plans a statement; the plan serves every store with the same tables.
    ///
    /// # Errors
    /// If the text cannot be parsed, names what is not there, or uses what the store does not support.
    pub fn plan(&self, text: &'static str) -> Result<Plan, PlanError> {
        plan::plan(&self.schema, text)
    }

    /// Begins a statement and takes it to its end or to its first wait. Time is in virtual microseconds.
    ///
    /// # Panics
    /// If the session's last statement still waits: a session has one statement at a time.
    pub fn execute(
        &mut self,
        session: SessionId,
        plan: &Plan,
        params: &[Value],
        now_us: u64,
        serials: &mut SerialSource,
    ) -> Progress {
        let now_us = i64::try_from(now_us).unwrap_or(i64::MAX);
        let begun = self.sessions.get(&session);
        assert!(begun.is_none_or(|transaction| transaction.waiting.is_none()), "session {session} still waits");
        match plan.statement {
            Statement::Begin(isolation) => return self.begin(session, isolation, now_us),
            Statement::Commit => return self.end(session, true),
            Statement::Rollback => return self.end(session, false),
            _ => {}
        }
        if begun.is_none() {
            self.sessions.insert(session, Transaction::new(Isolation::default(), false, now_us));
        } else if begun.is_some_and(|transaction| transaction.is_aborted) {
            return Progress::Done(Err(SqlError::aborted()));
        }
        if params.len() != plan.params {
            self.give_up(session);
            let text = format!("{} parameters given, but the statement needs {}", params.len(), plan.params);
            return Progress::Done(Err(SqlError::new(SqlState::ProtocolViolation, text)));
        }
        self.advance(session, plan, params, Work::default(), serials)
    }

    /// Takes a waiting statement on. It may wait again, for the same transaction if that has not ended.
    ///
    /// # Panics
    /// If the session's statement does not wait.
    pub fn resume(&mut self, session: SessionId, plan: &Plan, serials: &mut SerialSource) -> Progress {
        let transaction = self.sessions.get_mut(&session);
        let waiting = transaction.and_then(|transaction| transaction.waiting.take());
        let Waiting { params, work, .. } = *waiting.expect("the session's statement waits");
        self.advance(session, plan, &params, work, serials)
    }

    /// Ends a session: its statement is given up and its transaction undone.
    pub fn close(&mut self, session: SessionId) {
        if let Some(mut transaction) = self.sessions.remove(&session) {
            self.undo(session, &mut transaction);
        }
    }

    /// True between BEGIN and COMMIT or ROLLBACK, also after an error.
    #[must_use]
    pub fn in_transaction(&self, session: SessionId) -> bool {
        self.sessions.get(&session).is_some_and(|transaction| transaction.is_explicit)
    }

    /// Number of a column, for rows of [`Self::committed_rows`].
    #[must_use]
    pub fn column(&self, table: &str, column: &str) -> Option<usize> {
        self.schema.tables[self.schema.table(table)?].column(column)
    }

    /// The committed rows of a table in the order of the primary key; none if there is no such table.
    pub fn committed_rows(&self, table: &str) -> impl Iterator<Item = &[Value]> {
        let table = self.schema.table(table).map(|number| &self.storage.tables[number]);
        table.into_iter().flat_map(|table| table.slots.iter()).filter_map(|(_, slot)| View::committed(slot))
    }

    /// Every committed row in words, table by table, each in the order of its primary key.
    pub fn described_rows(&self) -> impl Iterator<Item = DescribedRow> {
        let tables = self.schema.tables.iter().zip(&self.storage.tables);
        tables.flat_map(|(schema, table)| {
            let rows = table.slots.iter().filter_map(|(_, slot)| View::committed(slot));
            rows.map(|row| DescribedRow::of(schema, row))
        })
    }

    /// Calls `f` for each stored timestamp after `now_us`, in any version of any row: the instants at which a
    /// comparison with the present can change.
    pub fn timestamps_after(&self, now_us: u64, f: &mut impl FnMut(i64)) {
        let now_us = i64::try_from(now_us).unwrap_or(i64::MAX);
        let slots = self.storage.tables.iter().flat_map(|table| table.slots.iter());
        for value in slots.flat_map(|(_, slot)| &slot.versions).flat_map(|version| version.row.iter()) {
            if let Value::Timestamp(at) = value
                && *at > now_us
            {
                f(*at);
            }
        }
    }

    /// BEGIN. Inside a transaction PostgreSQL only warns, and changes the isolation level if it still can.
    fn begin(&mut self, session: SessionId, isolation: Option<Isolation>, now_us: i64) -> Progress {
        let Some(transaction) = self.sessions.get_mut(&session) else {
            self.sessions.insert(session, Transaction::new(isolation.unwrap_or_default(), true, now_us));
            return Progress::Done(Ok(Rows::default()));
        };
        if transaction.is_aborted {
            return Progress::Done(Err(SqlError::aborted()));
        }
        let isolation = isolation.unwrap_or(transaction.isolation);
        if isolation != transaction.isolation && transaction.has_run {
            self.give_up(session);
            let text = "SET TRANSACTION ISOLATION LEVEL must be called before any query";
            return Progress::Done(Err(SqlError::new(SqlState::ActiveTransaction, text)));
        }
        transaction.isolation = isolation;
        Progress::Done(Ok(Rows::default()))
    }

    /// COMMIT and ROLLBACK; outside a transaction PostgreSQL only warns.
    fn end(&mut self, session: SessionId, commits: bool) -> Progress {
        let mut is_rolled_back = false;
        if let Some(mut transaction) = self.sessions.remove(&session) {
            is_rolled_back = commits && transaction.is_aborted;
            if commits {
                self.commit(session, &transaction);
            } else {
                self.undo(session, &mut transaction);
            }
        }
        Progress::Done(Ok(Rows { is_rolled_back, ..Rows::default() }))
    }

    /// One step of a statement.
    fn advance(
        &mut self,
        session: SessionId,
        plan: &Plan,
        params: &[Value],
        mut work: Work,
        serials: &mut SerialSource,
    ) -> Progress {
        let transaction = self.sessions.get_mut(&session).expect("a statement runs in a transaction");
        transaction.has_run = true;
        if transaction.isolation == Isolation::RepeatableRead {
            self.storage.take_snapshot(session);
        }
        let (schema, storage) = (&*self.schema, &mut self.storage);
        let (outcome, table) = match &plan.statement {
            Statement::Select(select) => {
                let reader = Reader { schema, storage, view: storage.view(session) };
                let selected = reader.select(select, params, transaction.started_us);
                (selected.map(|rows| work.done = Rows::selected(rows)).map_err(Stop::from), 0)
            }
            Statement::Modify(Modify { table, .. }) | Statement::Insert(Insert { table, .. }) => {
                let mut writer = Writer {
                    schema: &schema.tables[*table],
                    table: *table,
                    storage,
                    transaction: &mut *transaction,
                    session,
                    params,
                    serials,
                };
                (writer.run(&plan.statement, &mut work), *table)
            }
            Statement::Begin(_) | Statement::Commit | Statement::Rollback => (Ok(()), 0),
        };
        match outcome {
            Ok(()) => {
                if !transaction.is_explicit {
                    self.end(session, true);
                }
                Progress::Done(Ok(work.done))
            }
            Err(Stop::Error(error)) => {
                self.give_up(session);
                Progress::Done(Err(error))
            }
            Err(Stop::Wait(on)) => {
                let waiting = Waiting { params: SmallVec::from(params), table, on, work };
                transaction.waiting = Some(Box::new(waiting));
                Progress::Waits
            }
        }
    }

    /// Undoes the session's transaction after an error. An explicit one stays, until its COMMIT or ROLLBACK; all
    /// such are alike.
    fn give_up(&mut self, session: SessionId) {
        let Some(mut transaction) = self.sessions.remove(&session) else { return };
        self.undo(session, &mut transaction);
        if transaction.is_explicit {
            let aborted = Transaction::new(Isolation::default(), true, 0);
            self.sessions.insert(session, Transaction { is_aborted: true, ..aborted });
        }
    }

    fn undo(&mut self, session: SessionId, transaction: &mut Transaction) {
        self.storage.drop_snapshot(&self.schema, session);
        self.storage.roll_back(&self.schema, session, &transaction.touched);
        transaction.touched.clear();
    }

    fn commit(&mut self, session: SessionId, transaction: &Transaction) {
        self.storage.drop_snapshot(&self.schema, session);
        let gone = self.storage.commit(&self.schema, session, &transaction.touched);
        for (table, key, moved) in gone {
            let read_committed = |other: &&mut Transaction| other.isolation == Isolation::ReadCommitted;
            for other in self.sessions.values_mut().filter(read_committed) {
                if let Some(waiting) = other.waiting.as_mut().filter(|waiting| waiting.table == table) {
                    waiting.follow(&key, moved.as_ref());
                }
            }
        }
    }
}

impl Rows {
    fn selected(rows: Vec<Row>) -> Self {
        let affected = rows.len() as u64;
        Self { rows, affected, is_rolled_back: false }
    }
}
