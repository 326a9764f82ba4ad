//! INSERT, with ON CONFLICT.

use std::sync::Arc;

use super::super::value::Value;
use super::SerialSource;
use super::condition::all_hold;
use super::error::{SqlError, SqlState};
use super::hash::KeyHash;
use super::plan::{Conflict, ConflictUpdate, Insert};
use super::schema::Key;
use super::slot::{Values, View};
use super::slots::RowId;
use super::table::Taken;
use super::transaction::{Entering, Stop, WaitsOn};
use super::writer::Writer;

/// What ON CONFLICT decides about a proposed row.
enum Verdict {
    /// No row is in its way.
    Insert,
    /// Nothing happens.
    Skip,
    /// The row in its way was changed; its indexes may be left to do.
    Changed(Values, Option<Entering>),
}

impl Writer<'_> {
    /// Runs the statement until its end or its next wait.
    #[inline(never)]
    pub(super) fn insert(&mut self, plan: &Insert, serials: &mut SerialSource) -> Result<(), Stop> {
        let (mut inserted, mut next) = match &mut self.work {
            Some(work) => (work.inserted, work.entering.take()),
            None => (0, None),
        };
        while let Some(values) = plan.rows.get(inserted) {
            let mut entering = match next.take() {
                Some(entering) => entering,
                None => Entering { row: self.new_row(values, &[], serials)?, replaces: None, next_index: 0 },
            };
            match self.insert_one(plan.conflict.as_ref(), &mut entering, serials) {
                Ok(true) => self.emit(plan.returning.as_ref(), &entering.row)?,
                Ok(false) => {}
                Err(stop) => {
                    let work = self.work.get_or_insert_default();
                    work.inserted = inserted;
                    work.entering = Some(entering);
                    return Err(stop);
                }
            }
            inserted += 1;
        }
        Ok(())
    }

    /// Inserts the row, or does what ON CONFLICT says; false if that is nothing.
    #[inline]
    fn insert_one(
        &mut self,
        conflict: Option<&Conflict>,
        entering: &mut Entering,
        serials: &mut SerialSource,
    ) -> Result<bool, Stop> {
        let Some(conflict) = conflict else {
            self.enter(entering)?;
            return Ok(true);
        };
        if entering.next_index == 0 {
            match self.arbitrate(conflict, &entering.row, serials)? {
                Verdict::Insert => {}
                Verdict::Skip => return Ok(false),
                Verdict::Changed(row, left) => {
                    let done = Entering { row, replaces: None, next_index: self.schema.indexes.len() + 1 };
                    *entering = left.unwrap_or(done);
                }
            }
        }
        self.enter(entering)?;
        let key = self.schema.key_of(&entering.row);
        self.work.get_or_insert_default().affected.push(key);
        Ok(true)
    }

    /// Looks for a row that excludes the proposed one, and deals with it.
    fn arbitrate(
        &mut self,
        conflict: &Conflict,
        proposed: &Values,
        serials: &mut SerialSource,
    ) -> Result<Verdict, Stop> {
        for &unique in &conflict.arbiters {
            let index = unique.checked_sub(1).map(|number| &self.schema.indexes[number]);
            if index.is_some_and(|index| !index.covers(proposed) || !index.excludes(proposed)) {
                continue;
            }
            let columns = self.schema.columns_of(unique);
            let has_key = |row: &[Value]| columns.iter().all(|&column| row[column] == proposed[column]);
            let hash = KeyHash::of_columns(columns, proposed);
            match self.table.taken(self.schema, unique, (hash, has_key), None, self.view.session) {
                Taken::Free => {}
                Taken::Undecided(_) => {
                    let on = WaitsOn::Unique { unique, key: Key::of_columns(columns, proposed) };
                    return Err(Stop::Wait(Box::new(on)));
                }
                Taken::By(id) => return self.settle(conflict.update.as_ref(), proposed, id, serials),
            }
        }
        Ok(Verdict::Insert)
    }

    /// The row in this slot is in the way.
    fn settle(
        &mut self,
        update: Option<&ConflictUpdate>,
        proposed: &Values,
        id: RowId,
        serials: &mut SerialSource,
    ) -> Result<Verdict, Stop> {
        let slot = self.table.slot(id);
        let Some((row, holder)) = View::latest(self.view.session).latest_row(slot) else { return Ok(Verdict::Insert) };
        if update.is_some() && holder.is_some() {
            return Err(Stop::Wait(Box::new(WaitsOn::Latest(self.schema.key_of(row)))));
        }
        if !self.view.rows(slot).any(|seen| Arc::ptr_eq(seen, row)) {
            return Err(SqlError::concurrent("update").into());
        }
        let Some(update) = update else { return Ok(Verdict::Skip) };
        let row = row.clone();
        let met = self.work.as_ref().map_or(&[][..], |work| &work.affected);
        if met.iter().any(|key| key.is_of(&self.schema.key, &row)) {
            let text = "ON CONFLICT DO UPDATE command cannot affect row a second time";
            return Err(SqlError::new(SqlState::CardinalityViolation, text).into());
        }
        if !all_hold(&update.filter, &self.env.with(&[&row, proposed]), &row)? {
            self.lock(id);
            return Ok(Verdict::Skip);
        }
        let changed = self.new_row(&update.row, &[&row, proposed], serials)?;
        if self.schema.stays_listed(&row, &changed) {
            self.replace(id, changed.clone());
            return Ok(Verdict::Changed(changed, None));
        }
        let left = self.relist(id, row, changed.clone());
        Ok(Verdict::Changed(changed, Some(left)))
    }
}
