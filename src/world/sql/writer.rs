//! One step of a statement that writes or locks: what UPDATE, DELETE, FOR UPDATE and INSERT have in common.

use std::sync::Arc;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::SerialSource;
use super::error::SqlError;
use super::eval::{Env, fresh};
use super::hash::KeyHash;
use super::plan::modify::constraint_name;
use super::plan::{NewRow, Projection, Statement};
use super::schema::{Key, TableSchema};
use super::slot::{Busy, Change, Slot, Stamp, Values, Version, View};
use super::slots::RowId;
use super::storage::Storage;
use super::table::{Table, Taken};
use super::transaction::{Entering, Stop, Transaction, WaitsOn, Work};

/// What a writing statement works with.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) schema: &'a TableSchema,
    /// Number of the table.
    pub(super) table: usize,
    pub(super) storage: &'a mut Storage,
    pub(super) transaction: &'a mut Transaction,
    pub(super) session: SessionId,
    pub(super) params: &'a [Value],
    pub(super) serials: &'a mut SerialSource,
}

impl Writer<'_> {
    /// Runs a statement until its end or its next wait.
    pub(super) fn run(&mut self, statement: &Statement, work: &mut Work) -> Result<(), Stop> {
        match statement {
            Statement::Modify(modify) => self.modify(modify, work),
            Statement::Insert(insert) => self.insert(insert, work),
            _ => Ok(()),
        }
    }

    #[inline]
    pub(super) fn view(&self) -> View {
        self.storage.view(self.session)
    }

    #[inline]
    pub(super) fn stored(&self) -> &Table {
        &self.storage.tables[self.table]
    }

    /// An environment of these rows.
    #[inline]
    pub(super) fn env<'e>(&'e self, rows: &'e [&'e [Value]]) -> Env<'e> {
        Env { params: self.params, now_us: self.transaction.started_us, rows }
    }

    /// Counts a row and adds it to the result.
    pub(super) fn emit(&self, output: Option<&Projection>, row: &Values, work: &mut Work) -> Result<(), SqlError> {
        work.done.affected += 1;
        if let Some(output) = output {
            work.done.rows.push(self.env(&[row]).project(output, Some(row))?);
        }
        Ok(())
    }

    /// Changes the history of a slot, in which the change leaves a mark of the transaction.
    #[inline]
    fn mark(&mut self, id: RowId, change: impl FnOnce(&mut Busy)) {
        let (busy, is_new) = self.storage.table_mut(self.table).make_busy(id);
        if is_new || !busy.is_marked_by(self.session) {
            self.transaction.touched.0.push((self.table, id));
        }
        change(busy);
    }

    /// Takes the row lock. What the transaction has written itself is locked already.
    pub(super) fn lock(&mut self, id: RowId) {
        let (view, session) = (self.view(), self.session);
        let is_held = match self.stored().slot(id) {
            Slot::Busy(busy) => {
                let mine = |at: usize| busy.versions[at].created == Stamp::By(session);
                busy.locked_by == Some(session) || view.position(busy).is_some_and(mine)
            }
            _ => false,
        };
        if !is_held {
            self.mark(id, |busy| busy.locked_by = Some(session));
        }
    }

    /// Ends the version that the transaction sees in the slot; this takes the place of a row lock.
    pub(super) fn end_version(&mut self, id: RowId, change: Change) {
        let (view, session) = (self.view(), self.session);
        self.mark(id, |busy| {
            if let Some(position) = view.position(busy) {
                busy.versions[position].ended = Some((Stamp::By(session), change));
                busy.unlock(session);
            }
        });
    }

    /// A row to write, judged against its columns; `rows` are what its values may read.
    pub(super) fn new_row(&mut self, plan: &NewRow, rows: &[&[Value]]) -> Result<Values, SqlError> {
        let mut row = self.env(rows).project(&plan.values, None);
        for &column in &plan.serials {
            // A sequence moves on whatever becomes of the row.
            let serial = self.serials.next_serial();
            if let Ok(row) = &mut row {
                fresh(row)[column] = Value::Serial(serial);
            }
        }
        let row = row?;
        self.schema.check(&row, &plan.checked)?;
        Ok(row)
    }

    /// Puts the changed row in the old one's place, or in another one if it `moves` after all. Returns what is left to
    /// do for the indexes.
    pub(super) fn replace(&mut self, id: RowId, old: &Values, new: &Values, moves: bool) -> Option<Entering> {
        if moves && !self.schema.same_key(old, new) {
            self.end_version(id, Change::Moved(Box::new(self.schema.key_of(new))));
            return Some(Entering { row: new.clone(), replaces: Some(old.clone()), next_index: 0 });
        }
        let stays_listed = self.schema.stays_listed(old, new);
        let (view, session) = (self.view(), self.session);
        let mine = Stamp::By(session);
        self.mark(id, |busy| {
            let Some(position) = view.position(busy) else { return };
            let version = &mut busy.versions[position];
            if version.created == mine && stays_listed {
                // Nobody else can have seen it, and no index tells it from the new one.
                version.row = new.clone();
                return;
            }
            version.ended = Some((mine, Change::Replaced));
            busy.unlock(session);
            busy.versions.push(Version::by(session, new.clone()));
        });
        let entering = || Entering { row: new.clone(), replaces: Some(old.clone()), next_index: 1 };
        (!stays_listed).then(entering)
    }

    /// Takes a row into the primary key and the indexes that it is not in yet. When it has to wait, what was done
    /// stays done, as in PostgreSQL.
    pub(super) fn enter(&mut self, entering: &mut Entering) -> Result<RowId, Stop> {
        let id = if entering.next_index == 0 {
            let id = self.enter_table(entering)?;
            entering.next_index = 1;
            id
        } else {
            let hash = KeyHash::of_columns(&self.schema.key, &entering.row).bits();
            self.stored().find_like(&entering.row, hash).expect("the row has its slot until its transaction ends")
        };
        while entering.next_index <= self.schema.indexes.len() {
            self.enter_index(entering, id)?;
            entering.next_index += 1;
        }
        Ok(id)
    }

    fn enter_table(&mut self, entering: &mut Entering) -> Result<RowId, Stop> {
        if self.schema.is_keyless() {
            let number = self.storage.table_mut(self.table).next_key();
            if let Some(last) = Arc::make_mut(&mut entering.row).last_mut() {
                *last = number;
            }
        }
        let hash = KeyHash::of_columns(&self.schema.key, &entering.row);
        let (row, session) = (entering.row.clone(), self.session);
        let Some(id) = self.stored().find_like(&row, hash.bits()) else {
            let id = self.storage.table_mut(self.table).insert(Version::by(session, row), hash.bits());
            self.transaction.touched.0.push((self.table, id));
            return Ok(id);
        };
        self.claim(0, hash, &row, None)?;
        self.mark(id, |busy| busy.versions.push(Version::by(session, row)));
        Ok(id)
    }

    fn enter_index(&mut self, entering: &Entering, id: RowId) -> Result<(), Stop> {
        let (number, row) = (entering.next_index, &entering.row);
        let index = &self.schema.indexes[number - 1];
        if !index.covers(row) {
            return Ok(());
        }
        let old = entering.replaces.as_ref();
        let stays = old.is_some_and(|old| index.same_place(old, row));
        if !stays && index.excludes(row) {
            self.claim(number, KeyHash::of_columns(&index.columns, row), row, Some(id))?;
        }
        if !stays || old.is_some_and(|old| !self.schema.same_key(old, row)) {
            self.storage.table_mut(self.table).list(self.schema, number, row, id);
        }
        Ok(())
    }

    /// Makes sure that no other row has the row's key in a unique index.
    fn claim(&self, unique: usize, hash: KeyHash, row: &[Value], except: Option<RowId>) -> Result<(), Stop> {
        let columns = self.schema.columns_of(unique);
        let has_key = |other: &[Value]| columns.iter().all(|&column| other[column] == row[column]);
        match self.stored().taken(self.schema, unique, (hash, has_key), except, self.session) {
            Taken::Free => Ok(()),
            Taken::By(_) => Err(SqlError::duplicate_key(constraint_name(self.schema, unique)).into()),
            Taken::Undecided(_) => Err(Stop::Wait(WaitsOn::Unique { unique, key: Key::of_columns(columns, row) })),
        }
    }
}
