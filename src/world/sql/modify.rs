//! UPDATE, DELETE and SELECT ... FOR UPDATE: choose rows, lock them one by one, act on each.
//!
//! The rows are chosen when the statement begins. Without waiting, choosing and acting are one moment, so rows are
//! only judged when they are met. Before a first wait the rows that are left are judged, and from then on each row
//! is judged again on its latest version (PostgreSQL, 13.2.1: "the search condition is re-evaluated").

use std::sync::Arc;

use super::super::value::Value;
use super::error::{SqlError, SqlState};
use super::plan::{Access, Action, LockWait, Modify, Sort};
use super::schema::Key;
use super::table::{Change, Slot, Stamp};
use super::transaction::{RowKeys, Stop, WaitsOn, Work};
use super::writer::Writer;
use super::{scan, select};

/// What became of one chosen row.
enum Met {
    /// It is this transaction's now.
    Locked(Arc<[Value]>),
    /// It no longer fulfils the condition, or is skipped.
    Passed,
}

impl Writer<'_> {
    /// Runs the statement until its end or its next wait.
    pub(super) fn modify(&mut self, plan: &Modify, work: &mut Work) -> Result<(), Stop> {
        let limit = match &plan.action {
            Action::Lock { limit, .. } => select::count(&self.env(&[]), limit.as_ref(), "LIMIT")?,
            _ => None,
        };
        if !work.has_waited {
            work.remaining = self.choose(plan)?;
            work.remaining.reverse();
        }
        let outcome = self.work_off(plan, limit.unwrap_or(usize::MAX), work);
        if let Err(Stop::Wait(_)) = &outcome
            && !work.has_waited
        {
            work.has_waited = true;
            work.remaining = self.still_wanted(plan, std::mem::take(&mut work.remaining))?;
        }
        outcome
    }

    fn work_off(&mut self, plan: &Modify, limit: usize, work: &mut Work) -> Result<(), Stop> {
        loop {
            if let Some(entering) = &mut work.entering {
                self.enter(entering)?;
                let row = Arc::clone(&entering.row);
                work.entering = None;
                self.emit(plan.output.as_deref(), &row, work)?;
            }
            if work.done.rows.len() >= limit {
                return Ok(());
            }
            let Some(key) = work.remaining.last() else { return Ok(()) };
            let met = self.meet(plan, key, work.has_waited)?;
            let Some(key) = work.remaining.pop() else { return Ok(()) };
            if let Met::Locked(row) = met {
                self.act(plan, &key, row, work)?;
            }
        }
    }

    /// Locks a row, or finds out that it is not wanted any more.
    fn meet(&mut self, plan: &Modify, key: &Key, has_waited: bool) -> Result<Met, Stop> {
        let view = self.view();
        let Some(slot) = self.storage.tables[self.table].slots.get(key) else { return Ok(Met::Passed) };
        if view.snapshot.is_some() {
            self.check_snapshot(plan, slot)?;
        }
        let Some(position) = view.position(slot) else { return Ok(Met::Passed) };
        let row = &slot.versions[position].row;
        // PostgreSQL waits for the row's latest version before it judges it, and keeps the lock either way.
        let judged_first = view.snapshot.is_some() || !has_waited;
        // After a wait the row may have left the place where it was found.
        let filter = if has_waited { plan.filter.all.as_ref() } else { plan.filter.of_found(slot) };
        if judged_first && self.env(&[row]).rejects(filter)? {
            return Ok(Met::Passed);
        }
        if slot.holder(position, self.session).is_some() {
            return self.held(plan, key);
        }
        if !judged_first && self.env(&[row]).rejects(filter)? {
            self.lock(key);
            return Ok(Met::Passed);
        }
        Ok(Met::Locked(Arc::clone(row)))
    }

    /// REPEATABLE READ: a row that the snapshot shows and that was changed since cannot be changed again.
    fn check_snapshot(&self, plan: &Modify, slot: &Slot) -> Result<(), SqlError> {
        let view = self.view();
        for version in slot.versions.iter().filter(|version| view.shows(version)) {
            if let Some((Stamp::Committed(_), change)) = &version.ended
                && !self.env(&[&version.row]).rejects(plan.filter.all.as_ref())?
            {
                let is_lock = matches!(plan.action, Action::Lock { .. });
                let deleted = matches!(change, Change::Deleted) && !is_lock;
                return Err(SqlError::concurrent(if deleted { "delete" } else { "update" }));
            }
        }
        Ok(())
    }

    /// Another transaction holds the row.
    fn held(&self, plan: &Modify, key: &Key) -> Result<Met, Stop> {
        match plan.action {
            Action::Lock { wait: LockWait::SkipLocked, .. } => Ok(Met::Passed),
            Action::Lock { wait: LockWait::NoWait, .. } => {
                let text = format!("could not obtain lock on row in relation \"{}\"", self.schema.name);
                Err(SqlError::new(SqlState::LockNotAvailable, text).into())
            }
            _ => Err(Stop::Wait(WaitsOn::Row(key.clone()))),
        }
    }

    fn act(&mut self, plan: &Modify, key: &Key, row: Arc<[Value]>, work: &mut Work) -> Result<(), SqlError> {
        match &plan.action {
            Action::Lock { .. } => self.lock(key),
            Action::Delete => self.end_version(key, Change::Deleted),
            Action::Update(assignments) => {
                let changed = self.assign(assignments, &row, &[&row])?;
                work.entering = self.replace(key, &row, Arc::clone(&changed));
                if work.entering.is_none() {
                    self.emit(plan.output.as_deref(), &changed, work)?;
                }
                return Ok(());
            }
        }
        self.emit(plan.output.as_deref(), &row, work)
    }

    /// The rows to meet, in order. Those found by an index are judged when they are met.
    fn choose(&self, plan: &Modify) -> Result<RowKeys, SqlError> {
        let table = &self.storage.tables[self.table];
        let order: &[Sort] = match &plan.action {
            Action::Lock { order, .. } => order,
            _ => &[],
        };
        let env = self.env(&[]);
        // A row may move to a key that the condition names too, but a statement meets it once.
        let moves = match &plan.action {
            Action::Update(assignments) => assignments.iter().any(|item| self.schema.key.contains(&item.column)),
            _ => false,
        };
        if order.is_empty() && !moves && !matches!(plan.access, Access::Scan) {
            let found = scan::slots(table, self.schema, &plan.access, &env)?;
            return Ok(found.into_iter().map(|(key, _)| key.clone()).collect());
        }
        let view = self.view();
        let mut found = Vec::new();
        let mut judge = |key: &Key, slot: &Slot| -> Result<(), SqlError> {
            for row in view.rows(slot) {
                if !env.with_row(row).rejects(plan.filter.all.as_ref())? {
                    found.push((select::sort_keys(order, &env.with_row(row))?, key.clone()));
                }
            }
            Ok(())
        };
        let slots = scan::slots(table, self.schema, &plan.access, &env)?;
        slots.into_iter().try_for_each(|(key, slot)| judge(key, slot))?;
        select::sort(order, &mut found);
        Ok(found.into_iter().map(|(_, key)| key).collect())
    }

    /// Of the rows still to be met, those that the statement's snapshot shows and that fulfil its condition.
    fn still_wanted(&self, plan: &Modify, keys: RowKeys) -> Result<RowKeys, SqlError> {
        let view = self.view();
        let mut wanted = RowKeys::new();
        let env = self.env(&[]);
        for key in keys {
            let slot = self.storage.tables[self.table].slots.get(&key);
            for row in slot.into_iter().flat_map(|slot| view.rows(slot)) {
                if !env.with_row(row).rejects(plan.filter.all.as_ref())? {
                    wanted.push(key.clone());
                }
            }
        }
        Ok(wanted)
    }
}
