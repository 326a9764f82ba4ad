//! One step of a statement that writes or locks: what UPDATE, DELETE, FOR UPDATE and INSERT have in common.

use std::sync::Arc;

use smallvec::SmallVec;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::SerialSource;
use super::error::SqlError;
use super::eval::Env;
use super::expr::Expr;
use super::plan::modify::constraint_name;
use super::plan::{Assignment, Statement};
use super::schema::{DefaultValue, Key, TableSchema};
use super::storage::Storage;
use super::table::{Change, Stamp, Taken, Version, View};
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

    pub(super) fn view(&self) -> View {
        self.storage.view(self.session)
    }

    /// An environment of these rows.
    pub(super) fn env<'e>(&'e self, rows: &[&'e [Value]]) -> Env<'e> {
        Env { params: self.params, now_us: self.transaction.started_us, rows: SmallVec::from_slice(rows) }
    }

    /// Counts a row and adds it to the result.
    pub(super) fn emit(&self, output: Option<&[Expr]>, row: &[Value], work: &mut Work) -> Result<(), SqlError> {
        work.done.affected += 1;
        if let Some(output) = output {
            work.done.rows.push(self.env(&[row]).project(output)?);
        }
        Ok(())
    }

    /// Takes the row lock. What the transaction has written itself is locked already.
    pub(super) fn lock(&mut self, key: &Key) {
        let position = self.view();
        let Some(slot) = self.storage.tables[self.table].slots.get_mut(key) else { return };
        let is_mine = position.position(slot).is_some_and(|at| slot.versions[at].created == Stamp::By(self.session));
        if !is_mine && slot.locked_by != Some(self.session) {
            slot.locked_by = Some(self.session);
            self.transaction.touch(self.table, key);
        }
    }

    /// Ends the version that the transaction sees in the slot; this takes the place of a row lock.
    pub(super) fn end_version(&mut self, key: &Key, change: Change) {
        let view = self.view();
        let Some(slot) = self.storage.tables[self.table].slots.get_mut(key) else { return };
        let Some(position) = view.position(slot) else { return };
        slot.versions[position].ended = Some((Stamp::By(self.session), change));
        slot.locked_by = slot.locked_by.filter(|holder| *holder != self.session);
        self.transaction.touch(self.table, key);
    }

    /// The row after SET, judged against its columns; `rows` are the row itself and what else SET may read.
    pub(super) fn assign(
        &mut self,
        assignments: &[Assignment],
        row: &Arc<[Value]>,
        rows: &[&[Value]],
    ) -> Result<Arc<[Value]>, SqlError> {
        let mut changed = Arc::clone(row);
        let values = Arc::make_mut(&mut changed);
        for assignment in assignments {
            values[assignment.column] = match &assignment.value {
                Some(expr) => self.env(rows).value(expr)?.into_owned(),
                None => self.default(assignment.column)?,
            };
        }
        self.schema.check(values)?;
        Ok(changed)
    }

    /// A column's default.
    pub(super) fn default(&mut self, column: usize) -> Result<Value, SqlError> {
        match &self.schema.columns[column].default {
            DefaultValue::Expr(expr) => Ok(self.env(&[]).value(expr)?.into_owned()),
            DefaultValue::Serial => Ok(Value::Serial(self.serials.next_serial())),
        }
    }

    /// Puts the changed row in the old one's place. Returns what is left to do for the indexes.
    pub(super) fn replace(&mut self, key: &Key, old: &Arc<[Value]>, new: Arc<[Value]>) -> Option<Entering> {
        let new_key =
            self.schema.key.iter().any(|&column| old[column] != new[column]).then(|| self.schema.key_of(&new));
        if let Some(new_key) = new_key {
            self.end_version(key, Change::Moved(Box::new(new_key.clone())));
            return Some(Entering { key: new_key, row: new, replaces: Some(Arc::clone(old)), next_index: 0 });
        }
        let stays_listed = self.schema.indexes.iter().all(|index| index.same_place(old, &new));
        let (view, mine) = (self.view(), Stamp::By(self.session));
        let slot = self.storage.tables[self.table].slots.get_mut(key)?;
        let position = view.position(slot)?;
        let version = &mut slot.versions[position];
        if version.created == mine && stays_listed {
            // Nobody else can have seen it, and no index tells it from the new one.
            version.row = new;
            return None;
        }
        version.ended = Some((mine, Change::Replaced));
        slot.locked_by = slot.locked_by.filter(|holder| *holder != self.session);
        slot.versions.push(Version { row: Arc::clone(&new), created: mine, ended: None });
        self.transaction.touch(self.table, key);
        let entering = Entering { key: key.clone(), row: new, replaces: Some(Arc::clone(old)), next_index: 1 };
        (!stays_listed).then_some(entering)
    }

    /// Takes a row into the primary key and the indexes that it is not in yet. When it has to wait, what was done
    /// stays done, as in PostgreSQL.
    pub(super) fn enter(&mut self, entering: &mut Entering) -> Result<(), Stop> {
        while entering.next_index <= self.schema.indexes.len() {
            match entering.next_index.checked_sub(1) {
                None => self.enter_table(entering)?,
                Some(index) => self.enter_index(entering, index)?,
            }
            entering.next_index += 1;
        }
        Ok(())
    }

    fn enter_table(&mut self, entering: &mut Entering) -> Result<(), Stop> {
        if self.schema.key.is_empty() {
            entering.key = self.storage.tables[self.table].next_key();
        } else {
            self.claim(0, &entering.key, None)?;
        }
        self.storage.add_version(self.table, &entering.key, Arc::clone(&entering.row), self.session);
        self.transaction.touch(self.table, &entering.key);
        Ok(())
    }

    fn enter_index(&mut self, entering: &Entering, number: usize) -> Result<(), Stop> {
        let index = &self.schema.indexes[number];
        let (old, row) = (entering.replaces.as_ref(), &entering.row);
        let moves = old.is_some_and(|old| self.schema.key.iter().any(|&column| old[column] != row[column]));
        let stays = old.is_some_and(|old| index.same_place(old, row));
        let Some(key) = index.key_of(row) else { return Ok(()) };
        if !stays && index.excludes(&key) {
            self.claim(number + 1, &key, Some(&entering.key))?;
        }
        if !stays || moves {
            self.storage.tables[self.table].list(number, key, &entering.key);
        }
        Ok(())
    }

    /// Makes sure that no other row has the key.
    fn claim(&self, unique: usize, key: &Key, except: Option<&Key>) -> Result<(), Stop> {
        match self.storage.tables[self.table].taken(self.schema, (unique, key), except, self.session) {
            Taken::Free => Ok(()),
            Taken::By(_) => Err(SqlError::duplicate_key(constraint_name(self.schema, unique)).into()),
            Taken::Undecided(_) => Err(Stop::Wait(WaitsOn::Unique { unique, key: key.clone() })),
        }
    }
}
