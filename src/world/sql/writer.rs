//! One step of a statement that writes or locks: what UPDATE, DELETE, FOR UPDATE and INSERT have in common.

use std::sync::Arc;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::error::SqlError;
use super::eval::{Env, fresh};
use super::hash::KeyHash;
use super::plan::modify::constraint_name;
use super::plan::{NewRow, Projection};
use super::schema::{Key, TableSchema};
use super::slot::{Busy, Change, Slot, Stamp, Values, View};
use super::slots::RowId;
use super::table::{Table, Taken};
use super::transaction::{Entering, Stop, Transaction, WaitsOn, Work};
use super::{Rows, SerialSource};

/// What a writing statement works with.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) schema: &'a TableSchema,
    /// Number of the table.
    pub(super) number: usize,
    /// Shared with copies of the store, maybe, until the statement changes it.
    pub(super) table: &'a mut Arc<Table>,
    pub(super) transaction: &'a mut Transaction,
    /// What the statement sees, and whose it is.
    pub(super) view: View,
    /// The statement's environment, in which no table is bound.
    pub(super) env: Env<'a>,
    /// What it returns, as far as it has come.
    pub(super) rows: &'a mut Rows,
    /// What else it keeps where it waits; none before it first does.
    pub(super) work: Option<Box<Work>>,
}

impl Writer<'_> {
    /// Counts a row and adds it to the result.
    #[inline]
    pub(super) fn emit(&mut self, output: Option<&Projection>, row: &Values) -> Result<(), SqlError> {
        self.rows.affected += 1;
        if let Some(output) = output {
            let row = self.env.with(&[row]).project(output, Some(row))?;
            self.rows.rows.push(row);
        }
        Ok(())
    }

    /// The history of a slot, in which the caller leaves a mark of the transaction.
    pub(super) fn mark(&mut self, id: RowId) -> &mut Busy {
        let (busy, is_new) = Arc::make_mut(self.table).make_busy(id);
        if is_new || !busy.is_marked_by(self.view.session) {
            self.transaction.touched.0.push((self.number, id));
        }
        busy
    }

    /// Takes the row lock. What the transaction has written itself is locked already.
    pub(super) fn lock(&mut self, id: RowId) {
        let (view, session) = (self.view, self.view.session);
        let is_held = match self.table.slot(id) {
            Slot::Busy(busy) => {
                let mine = |at: usize| busy.versions[at].created == Stamp::By(session);
                busy.locked_by == Some(session) || view.position(busy).is_some_and(mine)
            }
            _ => false,
        };
        if !is_held {
            self.mark(id).locked_by = Some(session);
        }
    }

    /// Ends the version that the transaction sees in the slot; this takes the place of a row lock.
    pub(super) fn end_version(&mut self, id: RowId, change: Change) {
        let view = self.view;
        self.mark(id).end_version(view, change);
    }

    /// A row to write, judged against its columns; `rows` are what its values may read.
    pub(super) fn new_row(
        &self,
        plan: &NewRow,
        rows: &[&[Value]],
        serials: &mut SerialSource,
    ) -> Result<Values, SqlError> {
        let mut row = self.env.with(rows).made(&plan.values);
        for &column in &plan.serials {
            // A sequence moves on whatever becomes of the row.
            let serial = serials.next_serial();
            if let Ok(row) = &mut row {
                fresh(row)[column].overwrite(&Value::Serial(serial));
            }
        }
        let row = row?;
        self.schema.check(&row, &plan.checked)?;
        Ok(row)
    }

    /// Puts the changed row in the place of the one that the transaction sees in the slot. Both stand in the same
    /// places of all indexes.
    #[inline]
    pub(super) fn replace(&mut self, id: RowId, new: Values) {
        let view = self.view;
        match Arc::make_mut(self.table).replace_settled(id, view.session, new) {
            None => self.transaction.touched.0.push((self.number, id)),
            Some(new) => self.mark(id).replace(view, new),
        }
    }

    /// The same where the indexes tell the two apart: what is left to do for them is returned. A row with another key
    /// moves to another slot.
    #[inline(never)]
    pub(super) fn relist(&mut self, id: RowId, old: Values, new: Values) -> Entering {
        if !self.schema.same_key(&old, &new) {
            self.end_version(id, Change::Moved(Box::new(self.schema.key_of(&new))));
            return Entering { row: new, replaces: Some(old), next_index: 0 };
        }
        let view = self.view;
        let busy = self.mark(id);
        busy.end_version(view, Change::Replaced);
        busy.relist(view.session, new.clone());
        Entering { row: new, replaces: Some(old), next_index: 1 }
    }

    /// Takes a row into the primary key and the indexes that it is not in yet. When it has to wait, what was done
    /// stays done, as in PostgreSQL.
    pub(super) fn enter(&mut self, entering: &mut Entering) -> Result<(), Stop> {
        let id = if entering.next_index == 0 {
            let id = self.enter_table(entering)?;
            entering.next_index = 1;
            id
        } else {
            let hash = KeyHash::of_columns(&self.schema.key, &entering.row).bits();
            self.table.find_like(&entering.row, hash).expect("the row has its slot until its transaction ends")
        };
        if entering.next_index <= self.schema.indexes.len() {
            self.enter_indexes(entering, id)?;
        }
        Ok(())
    }

    #[inline]
    fn enter_table(&mut self, entering: &mut Entering) -> Result<RowId, Stop> {
        if self.schema.is_keyless() {
            let number = Arc::make_mut(self.table).next_key();
            if let Some(last) = Arc::make_mut(&mut entering.row).last_mut() {
                *last = number;
            }
        }
        let hash = KeyHash::of_columns(&self.schema.key, &entering.row);
        let (row, session) = (entering.row.clone(), self.view.session);
        if let Some(id) = self.table.find_like(&row, hash.bits()) {
            claim(self.table, self.schema, (0, hash), &row, None, session)?;
            self.mark(id).relist(session, row);
            return Ok(id);
        }
        let id = Arc::make_mut(self.table).insert(session, row, hash);
        self.transaction.touched.0.push((self.number, id));
        Ok(id)
    }

    fn enter_indexes(&mut self, entering: &mut Entering, id: RowId) -> Result<(), Stop> {
        let (schema, table) = (self.schema, Arc::make_mut(self.table));
        let (row, old) = (&entering.row, entering.replaces.as_ref());
        while let Some(index) = schema.indexes.get(entering.next_index - 1) {
            if index.covers(row) {
                let number = entering.next_index;
                let hash = KeyHash::of_columns(&index.columns, row);
                let stays = old.is_some_and(|old| index.same_place(old, row));
                if !stays && index.excludes(row) {
                    claim(table, schema, (number, hash), row, Some(id), self.view.session)?;
                }
                if !stays || old.is_some_and(|old| !schema.same_key(old, row)) {
                    table.list(schema, (number, hash), row, id);
                }
            }
            entering.next_index += 1;
        }
        Ok(())
    }
}

/// Makes sure that no other row has the row's key, of this hash, in a unique index.
fn claim(
    table: &Table,
    schema: &TableSchema,
    (unique, hash): (usize, KeyHash),
    row: &[Value],
    except: Option<RowId>,
    session: SessionId,
) -> Result<(), Stop> {
    let columns = schema.columns_of(unique);
    let has_key = |other: &[Value]| columns.iter().all(|&column| other[column] == row[column]);
    match table.taken(schema, unique, (hash, has_key), except, session) {
        Taken::Free => Ok(()),
        Taken::By(_) => Err(SqlError::duplicate_key(constraint_name(schema, unique)).into()),
        Taken::Undecided(_) => {
            Err(Stop::Wait(Box::new(WaitsOn::Unique { unique, key: Key::of_columns(columns, row) })))
        }
    }
}
