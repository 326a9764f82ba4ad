//! The SQL store: multi-version tables, transactions, row locks, unique indexes.
//!
//! It follows PostgreSQL 15 (chapters 13 "Concurrency Control" and VI "SQL Commands"); `tests/it/sql_conformance.rs`
//! runs the same scripts against both. A store is plain data: equal stores answer every statement alike, and what
//! no statement can tell apart is stored alike.

mod condition;
mod ddl;
mod derived;
mod describe;
mod error;
mod eval;
mod expr;
mod hash;
mod index;
mod insert;
mod modify;
mod outcome;
mod plan;
mod row;
mod scan;
mod schema;
mod select;
mod slot;
mod slots;
mod storage;
mod table;
mod transaction;
mod wait;
mod writer;

use std::sync::Arc;

use serde::Serialize;
use smallvec::SmallVec;

use self::derived::Derived;
pub use self::describe::DescribedRow;
pub use self::error::{PlanError, SchemaError, SqlError, SqlFailure, SqlState};
use self::eval::Env;
pub use self::outcome::{Progress, Rows};
use self::plan::{Insert, Modify, Select, Statement};
pub use self::plan::{Isolation, Plan};
pub use self::row::Row;
use self::schema::Schema;
use self::select::Reader;
use self::slot::View;
use self::storage::Storage;
use self::transaction::{Stop, Transaction, Transactions, Waiting, Work};
use self::writer::Writer;
use super::identity::{ProcessId, SessionId};
use super::value::{Serial, Value};

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

/// A database.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct SqlStore {
    /// The tables' definition, which never changes.
    #[serde(skip)]
    schema: Derived<Arc<Schema>>,
    storage: Storage,
    /// Of the sessions that are in a transaction or whose statement waits.
    transactions: Transactions,
}

impl SqlStore {
    /// An empty database with the tables that a script of CREATE TABLE and CREATE INDEX statements defines.
    ///
    /// # Errors
    /// If the script cannot be parsed or uses what the store does not support.
    pub fn from_ddl(ddl: &str) -> Result<Self, SchemaError> {
        let schema = ddl::read(ddl)?;
        let storage = Storage::new(&schema);
        Ok(Self { schema: Derived(Arc::new(schema)), storage, transactions: Transactions::default() })
    }

    /// Plans a statement; the plan serves every store with the same tables.
    ///
    /// # Errors
    /// If the text cannot be parsed, names what is not there, or uses what the store does not support.
    pub fn plan(&self, text: &'static str) -> Result<Plan, PlanError> {
        plan::plan(&self.schema.0, text)
    }

    /// Begins a statement and takes it to its end or to its first wait. Time is in virtual microseconds. What it
    /// returns is made in `rows`, where it is to stay; they have to be empty before.
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
        rows: &mut Rows,
    ) -> Progress {
        let now_us = i64::try_from(now_us).unwrap_or(i64::MAX);
        let found = self.transactions.find(session);
        if let Ok(number) = found {
            assert!(self.transactions.at(number).waiting.is_none(), "session {session} still waits");
        }
        match plan.statement {
            Statement::Begin(isolation) => return self.begin(found, session, isolation, now_us),
            Statement::Commit => {
                rows.is_rolled_back = self.end(found, true);
                return Progress::Done { in_transaction: false };
            }
            Statement::Rollback => {
                self.end(found, false);
                return Progress::Done { in_transaction: false };
            }
            _ => {}
        }
        let begin = |place| self.transactions.begin(place, session, Isolation::default(), false, now_us);
        let number = found.unwrap_or_else(begin);
        if self.transactions.at(number).is_aborted {
            return SqlError::aborted().into();
        }
        if params.len() != plan.params {
            return self.wrong_params(number, plan, params);
        }
        self.prepare(number, plan);
        match &plan.statement {
            Statement::Select(select) => self.select(number, select, params, rows),
            _ => self.write(number, plan, params, None, serials, rows),
        }
    }

    #[cold]
    fn wrong_params(&mut self, number: usize, plan: &Plan, params: &[Value]) -> Progress {
        self.give_up(number);
        let text = format!("{} parameters given, but the statement needs {}", params.len(), plan.params);
        SqlError::new(SqlState::ProtocolViolation, text).into()
    }

    /// Takes a waiting statement on. It may wait again, for the same transaction if that has not ended. What it returns
    /// is made in `rows`.
    ///
    /// # Panics
    /// If the session's statement does not wait.
    pub fn resume(&mut self, session: SessionId, plan: &Plan, serials: &mut SerialSource, rows: &mut Rows) -> Progress {
        let found = self.transactions.find(session).ok();
        let waiting = found.and_then(|number| Some((number, self.transactions.at(number).waiting.take()?)));
        let (number, waiting) = waiting.expect("the session's statement waits");
        let Waiting { params, mut work, .. } = *waiting;
        *rows = std::mem::take(&mut work.done);
        self.prepare(number, plan);
        self.write(number, plan, &params, Some(Box::new(work)), serials, rows)
    }

    /// Ends a session: its statement is given up and its transaction undone.
    pub fn close(&mut self, session: SessionId) {
        if let Ok(number) = self.transactions.find(session) {
            self.undo(number);
            self.transactions.end(number);
        }
    }

    /// True between BEGIN and COMMIT or ROLLBACK, also after an error.
    #[must_use]
    pub fn in_transaction(&self, session: SessionId) -> bool {
        self.transactions.get(session).is_some_and(|transaction| transaction.is_explicit)
    }

    /// Number of a column, for rows of [`Self::committed_rows`].
    #[must_use]
    pub fn column(&self, table: &str, column: &str) -> Option<usize> {
        self.schema.0.tables[self.schema.0.table(table)?].column(column)
    }

    /// The committed rows of a table in the order of the primary key; none if there is no such table.
    pub fn committed_rows(&self, table: &str) -> impl Iterator<Item = &[Value]> {
        let number = self.schema.0.table(table);
        let table = number.map(|number| (&self.storage.tables[number], self.schema.0.tables[number].columns.len()));
        table.into_iter().flat_map(|(table, columns)| {
            table.in_order().filter_map(move |(_, slot)| Some(&View::committed(slot)?[..columns]))
        })
    }

    /// Every committed row in words, table by table, each in the order of its primary key.
    pub fn described_rows(&self) -> impl Iterator<Item = DescribedRow> {
        let tables = self.schema.0.tables.iter().zip(&self.storage.tables);
        tables.flat_map(|(schema, table)| {
            let rows = table.in_order().filter_map(|(_, slot)| View::committed(slot));
            rows.map(|row| DescribedRow::of(schema, row))
        })
    }

    /// Calls `f` for each stored timestamp after `now_us`, in any version of any row: the instants at which a
    /// comparison with the present can change.
    pub fn timestamps_after(&self, now_us: u64, f: &mut impl FnMut(i64)) {
        let now_us = i64::try_from(now_us).unwrap_or(i64::MAX);
        let rows = self.storage.tables.iter().flat_map(|table| table.rows());
        for value in rows.flat_map(|row| row.iter()) {
            if let Value::Timestamp(at) = value
                && *at > now_us
            {
                f(*at);
            }
        }
    }

    /// True if a row has a timestamp, in any version, or a transaction is open, which knows when it began.
    #[must_use]
    pub fn remembers_instants(&self) -> bool {
        let mut rows = self.storage.tables.iter().flat_map(|table| table.rows());
        let is_timestamp = |value: &Value| matches!(value, Value::Timestamp(_));
        self.transactions.len() > 0 || rows.any(|row| row.iter().any(is_timestamp))
    }

    /// BEGIN. Inside a transaction PostgreSQL only warns, and changes the isolation level if it still can.
    fn begin(
        &mut self,
        found: Result<usize, usize>,
        session: SessionId,
        isolation: Option<Isolation>,
        now_us: i64,
    ) -> Progress {
        let number = match found {
            Ok(number) => number,
            Err(place) => {
                self.transactions.begin(place, session, isolation.unwrap_or_default(), true, now_us);
                return Progress::Done { in_transaction: true };
            }
        };
        let transaction = self.transactions.at(number);
        if transaction.is_aborted {
            return SqlError::aborted().into();
        }
        let isolation = isolation.unwrap_or(transaction.isolation);
        if isolation != transaction.isolation && transaction.has_run {
            self.give_up(number);
            let text = "SET TRANSACTION ISOLATION LEVEL must be called before any query";
            return SqlError::new(SqlState::ActiveTransaction, text).into();
        }
        transaction.isolation = isolation;
        Progress::Done { in_transaction: transaction.is_explicit }
    }

    /// COMMIT and ROLLBACK; outside a transaction PostgreSQL only warns. True for a COMMIT that rolls back.
    fn end(&mut self, found: Result<usize, usize>, commits: bool) -> bool {
        let mut is_rolled_back = false;
        if let Ok(number) = found {
            if commits {
                is_rolled_back = self.transactions.at(number).is_aborted;
                self.commit(number);
            } else {
                self.undo(number);
            }
            self.transactions.end(number);
        }
        is_rolled_back
    }

    /// What comes before each step of a statement.
    #[inline(always)]
    fn prepare(&mut self, number: usize, plan: &Plan) {
        let transaction = self.transactions.at(number);
        transaction.has_run = true;
        if transaction.isolation == Isolation::RepeatableRead {
            self.storage.take_snapshot(transaction.session);
        }
        for need in &plan.needs {
            self.storage.provide(&self.schema.0, need);
        }
    }

    /// A query.
    #[inline(never)]
    fn select(&mut self, number: usize, select: &Select, params: &[Value], rows: &mut Rows) -> Progress {
        let transaction = self.transactions.at(number);
        let view = self.storage.view(transaction.session);
        let reader = Reader { storage: &self.storage, view, params, now_us: transaction.started_us };
        let outcome = reader.select(select, &mut rows.rows);
        rows.affected = rows.rows.len() as u64;
        self.over(number, outcome)
    }

    /// One step of a statement that writes or locks rows of a table. `rows` and `work` are what it has done before it
    /// waited.
    fn write(
        &mut self,
        number: usize,
        plan: &Plan,
        params: &[Value],
        work: Option<Box<Work>>,
        serials: &mut SerialSource,
        rows: &mut Rows,
    ) -> Progress {
        let (Statement::Modify(Modify { table: at, .. }) | Statement::Insert(Insert { table: at, .. })) =
            plan.statement
        else {
            unreachable!("what neither writes nor locks is over in one step")
        };
        let transaction = self.transactions.at(number);
        let view = self.storage.view(transaction.session);
        let (schema, table) = (&self.schema.0.tables[at], &mut self.storage.tables[at]);
        let env = Env::new(params, transaction.started_us);
        let mut writer = Writer { schema, number: at, table, transaction, view, env, rows, work };
        let outcome = match &plan.statement {
            Statement::Modify(modify) => writer.modify(modify, serials),
            Statement::Insert(insert) => writer.insert(insert, serials),
            _ => Ok(()),
        };
        let Writer { rows, work, .. } = writer;
        let outcome = match outcome {
            Ok(()) => Ok(()),
            Err(Stop::Error(error)) => Err(error),
            Err(Stop::Wait(on)) => {
                let work = Work { done: std::mem::take(rows), ..*work.unwrap_or_default() };
                let waiting = Waiting { params: SmallVec::from(params), table: at, on: *on, work };
                transaction.waiting = Some(Box::new(waiting));
                return Progress::Waits;
            }
        };
        self.over(number, outcome)
    }

    /// A statement has ended: with it a transaction that it began itself, or that it broke.
    #[inline(always)]
    fn over(&mut self, number: usize, outcome: Result<(), SqlError>) -> Progress {
        if let Err(error) = outcome {
            self.give_up(number);
            return error.into();
        }
        let in_transaction = self.transactions.at(number).is_explicit;
        if !in_transaction {
            self.end(Ok(number), true);
        }
        Progress::Done { in_transaction }
    }

    /// Undoes a transaction after an error. An explicit one stays, until its COMMIT or ROLLBACK; all such are alike.
    fn give_up(&mut self, number: usize) {
        self.undo(number);
        let Transaction { session, is_explicit, .. } = *self.transactions.at(number);
        self.transactions.end(number);
        if is_explicit && let Err(place) = self.transactions.find(session) {
            let number = self.transactions.begin(place, session, Isolation::default(), true, 0);
            self.transactions.at(number).is_aborted = true;
        }
    }

    fn undo(&mut self, number: usize) {
        let transaction = self.transactions.at(number);
        self.storage.drop_snapshot(&self.schema.0, transaction.session);
        self.storage.roll_back(&self.schema.0, transaction.session, &transaction.touched.0);
    }

    fn commit(&mut self, number: usize) {
        let transaction = self.transactions.at(number);
        self.storage.drop_snapshot(&self.schema.0, transaction.session);
        let gone = self.storage.commit(&self.schema.0, transaction.session, &transaction.touched.0);
        for (table, key, moved) in gone {
            for (isolation, waiting) in self.transactions.waiting_mut() {
                if isolation == Isolation::ReadCommitted && waiting.table == table {
                    waiting.follow(&key, moved.as_ref());
                }
            }
        }
    }
}
