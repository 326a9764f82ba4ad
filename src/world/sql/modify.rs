//! UPDATE, DELETE and SELECT ... FOR UPDATE: choose rows, lock them one by one, act on each.
//!
//! The rows are chosen when the statement begins. Without waiting, choosing and acting are one moment, so rows are
//! only judged when they are met. Before a first wait the rows that are left are judged, and from then on each row
//! is judged again on its latest version (PostgreSQL, 13.2.1: "the search condition is re-evaluated").

use super::super::value::Value;
use super::condition::{Condition, all_hold};
use super::error::{SqlError, SqlState};
use super::plan::{Access, Action, LockWait, Modify, Sort};
use super::slot::{Change, Slot, Stamp, Values};
use super::slots::RowId;
use super::table::RowIds;
use super::transaction::{Stop, WaitsOn, Work};
use super::writer::Writer;
use super::{scan, select};

impl Writer<'_> {
    /// Runs the statement until its end or its next wait.
    pub(super) fn modify(&mut self, plan: &Modify, work: &mut Work) -> Result<(), Stop> {
        let limit = match &plan.action {
            Action::Lock { limit: Some(limit), .. } => select::count(&self.env(&[]), limit, "LIMIT")?,
            _ => None,
        };
        let mut remaining: RowIds = if work.has_waited {
            work.remaining.drain(..).filter_map(|key| self.stored().find(&key)).collect()
        } else {
            let mut chosen = self.choose(plan)?;
            // The next one is the last one.
            chosen.reverse();
            chosen
        };
        let outcome = self.work_off(plan, limit.unwrap_or(usize::MAX), &mut remaining, work);
        if let Err(Stop::Wait(_)) = &outcome {
            if !work.has_waited {
                work.has_waited = true;
                remaining = self.still_wanted(plan, &remaining)?;
            }
            let key = |id: &RowId| self.schema.key_of(self.stored().slot(*id).any_row());
            work.remaining = remaining.iter().map(key).collect();
        }
        outcome
    }

    fn work_off(&mut self, plan: &Modify, limit: usize, remaining: &mut RowIds, work: &mut Work) -> Result<(), Stop> {
        loop {
            if let Some(entering) = &mut work.entering {
                self.enter(entering)?;
                let row = entering.row.clone();
                work.entering = None;
                self.emit(plan.output.as_ref(), &row, work)?;
            }
            if work.done.rows.len() >= limit {
                return Ok(());
            }
            let Some(&id) = remaining.last() else { return Ok(()) };
            let met = self.meet(plan, id, work.has_waited)?;
            remaining.pop();
            if let Some(row) = met {
                self.act(plan, id, &row, work)?;
            }
        }
    }

    /// Makes sure that nobody else holds a row, which is then returned, or finds out that it is not wanted any more.
    fn meet(&mut self, plan: &Modify, id: RowId, has_waited: bool) -> Result<Option<Values>, Stop> {
        let view = self.view();
        let slot = self.stored().slot(id);
        if view.snapshot.is_some() {
            self.check_snapshot(plan, slot)?;
        }
        let Some((row, holder)) = view.latest_row(slot) else { return Ok(None) };
        // PostgreSQL waits for the row's latest version before it judges it, and keeps the lock either way.
        let judged_first = view.snapshot.is_some() || !has_waited;
        // After a wait the row may have left the place where it was found.
        let filter = if has_waited { plan.filter.all() } else { plan.filter.of_found() };
        if judged_first && !self.accepts(filter, row)? {
            return Ok(None);
        }
        if holder.is_some() {
            return self.held(plan, row);
        }
        if !judged_first && !self.accepts(filter, row)? {
            self.lock(id);
            return Ok(None);
        }
        Ok(Some(row.clone()))
    }

    /// True if the row fulfils the statement's conditions.
    #[inline(always)]
    fn accepts(&self, filter: &[Condition], row: &[Value]) -> Result<bool, SqlError> {
        all_hold(filter, &self.env(&[]), row)
    }

    /// REPEATABLE READ: a row that the snapshot shows and that was changed since cannot be changed again.
    fn check_snapshot(&self, plan: &Modify, slot: Slot<'_>) -> Result<(), SqlError> {
        let view = self.view();
        let Slot::Busy(busy) = slot else { return Ok(()) };
        for version in busy.versions.iter().filter(|version| view.shows(version)) {
            if let Some((Stamp::Committed(_), change)) = &version.ended
                && self.accepts(plan.filter.all(), &version.row)?
            {
                let is_lock = matches!(plan.action, Action::Lock { .. });
                let deleted = matches!(change, Change::Deleted) && !is_lock;
                return Err(SqlError::concurrent(if deleted { "delete" } else { "update" }));
            }
        }
        Ok(())
    }

    /// Another transaction holds the row.
    fn held(&self, plan: &Modify, row: &Values) -> Result<Option<Values>, Stop> {
        match plan.action {
            Action::Lock { wait: LockWait::SkipLocked, .. } => Ok(None),
            Action::Lock { wait: LockWait::NoWait, .. } => {
                let text = format!("could not obtain lock on row in relation \"{}\"", self.schema.name);
                Err(SqlError::new(SqlState::LockNotAvailable, text).into())
            }
            _ => Err(Stop::Wait(WaitsOn::Row(self.schema.key_of(row)))),
        }
    }

    fn act(&mut self, plan: &Modify, id: RowId, row: &Values, work: &mut Work) -> Result<(), SqlError> {
        match &plan.action {
            Action::Lock { .. } => self.lock(id),
            Action::Delete => self.end_version(id, Change::Deleted),
            Action::Update(new) => {
                let changed = self.new_row(new, &[row])?;
                work.entering = self.replace(id, row, &changed, new.moves);
                if work.entering.is_none() {
                    self.emit(plan.output.as_ref(), &changed, work)?;
                }
                return Ok(());
            }
        }
        self.emit(plan.output.as_ref(), row, work)
    }

    /// The rows to meet, in order. Those found by a key or an index are judged when they are met.
    fn choose(&self, plan: &Modify) -> Result<RowIds, SqlError> {
        let (table, env) = (self.stored(), self.env(&[]));
        let mut chosen: RowIds = match &plan.access {
            Access::Scan => table.in_order().map(|(id, _)| id).collect(),
            Access::Key(kind, probe) => scan::by_key(table, *kind, probe, &env)?.into(),
            Access::Index { index, probes } => {
                let mut found: RowIds = scan::by_index(table, *index, probes, &env)?.into();
                table.sort(&mut found);
                found
            }
        };
        let (order, moves): (&[Sort], bool) = match &plan.action {
            Action::Lock { order, .. } => (order, false),
            // A row may move to a key that the condition names too, but a statement meets it once.
            Action::Update(new) => (&[], new.moves),
            Action::Delete => (&[], false),
        };
        if order.is_empty() && !moves && !matches!(plan.access, Access::Scan) {
            return Ok(chosen);
        }
        let mut wanted = Vec::new();
        self.for_each_wanted(plan.filter.all(), &chosen, |id, row| {
            wanted.push((select::sort_keys(order, &self.env(&[row]))?, id));
            Ok(())
        })?;
        select::sort(order, &mut wanted);
        chosen.clear();
        chosen.extend(wanted.into_iter().map(|(_, id)| id));
        Ok(chosen)
    }

    /// Of the rows still to be met, those that the statement's snapshot shows and that fulfil its condition.
    fn still_wanted(&self, plan: &Modify, ids: &[RowId]) -> Result<RowIds, SqlError> {
        let mut wanted = RowIds::new();
        self.for_each_wanted(plan.filter.all(), ids, |id, _| {
            wanted.push(id);
            Ok(())
        })?;
        Ok(wanted)
    }

    /// Calls `f` for each row in sight that fulfils the conditions.
    fn for_each_wanted(
        &self,
        filter: &[Condition],
        ids: &[RowId],
        mut f: impl FnMut(RowId, &Values) -> Result<(), SqlError>,
    ) -> Result<(), SqlError> {
        let view = self.view();
        for &id in ids {
            for row in view.rows(self.stored().slot(id)) {
                if self.accepts(filter, row)? {
                    f(id, row)?;
                }
            }
        }
        Ok(())
    }
}
