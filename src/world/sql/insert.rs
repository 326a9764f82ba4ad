//! INSERT, with ON CONFLICT.

use std::sync::Arc;

use super::super::value::Value;
use super::error::{SqlError, SqlState};
use super::expr::Expr;
use super::plan::{Conflict, ConflictUpdate, Insert};
use super::schema::Key;
use super::table::{Taken, View};
use super::transaction::{Entering, Stop, WaitsOn, Work};
use super::writer::Writer;

/// What ON CONFLICT decides about a proposed row.
enum Verdict {
    /// No row is in its way.
    Insert,
    /// Nothing happens.
    Skip,
    /// The row in its way was changed; its indexes may be left to do.
    Changed(Arc<[Value]>, Key, Option<Entering>),
}

impl Writer<'_> {
    /// Runs the statement until its end or its next wait.
    pub(super) fn insert(&mut self, plan: &Insert, work: &mut Work) -> Result<(), Stop> {
        while let Some(values) = plan.rows.get(work.inserted) {
            let entering = match work.entering.take() {
                Some(entering) => entering,
                None => self.propose(values)?,
            };
            let entering = work.entering.insert(entering);
            let is_proposed = entering.next_index == 0;
            if let Some(conflict) = plan.conflict.as_ref().filter(|_| is_proposed) {
                let proposed = Arc::clone(&entering.row);
                match self.arbitrate(conflict, &proposed, &work.affected)? {
                    Verdict::Insert => {}
                    Verdict::Skip => {
                        work.entering = None;
                        work.inserted += 1;
                        continue;
                    }
                    Verdict::Changed(row, key, entering) => {
                        let done = Entering { key, row, replaces: None, next_index: self.schema.indexes.len() + 1 };
                        work.entering = Some(entering.unwrap_or(done));
                    }
                }
            }
            let Some(entering) = &mut work.entering else { continue };
            self.enter(entering)?;
            let Some(Entering { key, row, .. }) = work.entering.take() else { continue };
            if plan.conflict.is_some() {
                work.affected.push(key);
            }
            work.inserted += 1;
            self.emit(plan.returning.as_deref(), &row, work)?;
        }
        Ok(())
    }

    /// Evaluates one row of VALUES.
    fn propose(&mut self, values: &[Option<Expr>]) -> Result<Entering, SqlError> {
        let mut row = Vec::with_capacity(values.len());
        for (column, value) in values.iter().enumerate() {
            row.push(match value {
                Some(expr) => self.env(&[]).value(expr)?.into_owned(),
                None => self.default(column)?,
            });
        }
        self.schema.check(&row)?;
        Ok(Entering { key: self.schema.key_of(&row), row: Arc::from(row), replaces: None, next_index: 0 })
    }

    /// Looks for a row that excludes the proposed one, and deals with it.
    fn arbitrate(&mut self, conflict: &Conflict, proposed: &Arc<[Value]>, met: &[Key]) -> Result<Verdict, Stop> {
        for &unique in &conflict.arbiters {
            let key = match unique.checked_sub(1) {
                None => Some(self.schema.key_of(proposed)),
                Some(index) => {
                    let index = &self.schema.indexes[index];
                    index.key_of(proposed).filter(|key| index.excludes(key))
                }
            };
            let Some(key) = key else { continue };
            match self.storage.tables[self.table].taken(self.schema, (unique, &key), None, self.session) {
                Taken::Free => {}
                Taken::Undecided(_) => return Err(Stop::Wait(WaitsOn::Unique { unique, key })),
                Taken::By(row_key) => return self.settle(conflict.update.as_ref(), proposed, row_key, met),
            }
        }
        Ok(Verdict::Insert)
    }

    /// The row under `key` is in the way.
    fn settle(
        &mut self,
        update: Option<&ConflictUpdate>,
        proposed: &Arc<[Value]>,
        key: Key,
        met: &[Key],
    ) -> Result<Verdict, Stop> {
        let view = self.view();
        let slot = self.storage.tables[self.table].slots.get(&key);
        let latest = slot.and_then(|slot| Some((slot, View::latest(self.session).position(slot)?)));
        let Some((slot, position)) = latest else { return Ok(Verdict::Insert) };
        if update.is_some() && slot.holder(position, self.session).is_some() {
            return Err(Stop::Wait(WaitsOn::Latest(key)));
        }
        if !view.shows(&slot.versions[position]) {
            return Err(SqlError::concurrent("update").into());
        }
        let Some(update) = update else { return Ok(Verdict::Skip) };
        let row = Arc::clone(&slot.versions[position].row);
        if met.contains(&key) {
            let text = "ON CONFLICT DO UPDATE command cannot affect row a second time";
            return Err(SqlError::new(SqlState::CardinalityViolation, text).into());
        }
        if self.env(&[&row, proposed]).rejects(update.filter.as_ref())? {
            self.lock(&key);
            return Ok(Verdict::Skip);
        }
        let changed = self.assign(&update.assignments, &row, &[&row, proposed])?;
        let entering = self.replace(&key, &row, Arc::clone(&changed));
        Ok(Verdict::Changed(changed, key, entering))
    }
}
