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
use super::transaction::{Entering, Stop, WaitsOn};
use super::writer::Writer;
use super::{SerialSource, scan, select};

/// How far a statement has come.
#[derive(Default)]
struct Course {
    /// The rows that it met and those that it has to meet.
    chosen: RowIds,
    /// Place of the next one among them.
    next: usize,
    /// How many rows it may return.
    limit: usize,
    /// True once it has waited.
    has_waited: bool,
    /// A changed row that the indexes have not all taken in yet.
    entering: Option<Entering>,
}

/// What a statement does with a row that it has met.
enum Met<'t> {
    /// Nothing.
    Skip,
    /// Nothing, but keep the row lock.
    Hold,
    /// Act on it.
    Act(&'t Values),
}

impl Writer<'_> {
    /// Runs the statement until its end or its next wait.
    #[inline(never)]
    pub(super) fn modify(&mut self, plan: &Modify, serials: &mut SerialSource) -> Result<(), Stop> {
        let limit = match &plan.action {
            Action::Lock { limit: Some(limit), .. } => select::count(&self.env, limit, "LIMIT")?,
            _ => None,
        };
        let mut course = Course { limit: limit.unwrap_or(usize::MAX), ..Course::default() };
        if self.work.is_some() {
            self.take_up(&mut course);
        } else {
            self.choose(plan, &mut course.chosen)?;
        }
        let outcome = self.work_off(plan, &mut course, serials);
        if let Err(Stop::Wait(_)) = &outcome {
            self.put_off(plan, course)?;
        }
        outcome
    }

    /// Goes on where the statement waited.
    #[cold]
    fn take_up(&mut self, course: &mut Course) {
        let Some(work) = &mut self.work else { return };
        course.has_waited = true;
        course.entering = work.entering.take();
        course.chosen = work.remaining.drain(..).rev().filter_map(|key| self.table.find(&key)).collect();
    }

    /// Keeps what is left to do for the end of a wait.
    #[cold]
    fn put_off(&mut self, plan: &Modify, course: Course) -> Result<(), Stop> {
        let mut remaining: RowIds = course.chosen[course.next..].iter().rev().copied().collect();
        if !course.has_waited {
            remaining = self.still_wanted(plan, &remaining)?;
        }
        let key = |id: &RowId| self.schema.key_of(self.table.slot(*id).any_row());
        let remaining = remaining.iter().map(key).collect();
        let work = self.work.get_or_insert_default();
        work.has_waited = true;
        work.remaining = remaining;
        work.entering = course.entering;
        Ok(())
    }

    fn work_off(&mut self, plan: &Modify, course: &mut Course, serials: &mut SerialSource) -> Result<(), Stop> {
        loop {
            if course.entering.is_some() {
                self.enter_changed(plan, course)?;
            }
            if self.rows.rows.len() >= course.limit {
                return Ok(());
            }
            let Some(&id) = course.chosen.get(course.next) else { return Ok(()) };
            let met = self.meet(plan, id, course.has_waited)?;
            course.next += 1;
            match (met, &plan.action) {
                (Met::Skip, _) => {}
                (Met::Act(row), Action::Update(new)) => {
                    let changed = self.new_row(new, &[row], serials)?;
                    let has_moved = new.moves && !self.schema.same_key(row, &changed);
                    if !has_moved && self.schema.stays_listed(row, &changed) {
                        self.emit(plan.output.as_ref(), &changed)?;
                        self.replace(id, changed);
                    } else {
                        let old = row.clone();
                        course.entering = Some(self.relist(id, old, changed));
                    }
                }
                (Met::Act(row), _) => {
                    let row = row.clone();
                    self.act(plan, id, &row)?;
                }
                (Met::Hold, _) => self.lock(id),
            }
        }
    }

    /// Takes a changed row into the indexes.
    #[inline(never)]
    fn enter_changed(&mut self, plan: &Modify, course: &mut Course) -> Result<(), Stop> {
        if let Some(entering) = &mut course.entering {
            self.enter(entering)?;
        }
        let Some(Entering { row, .. }) = course.entering.take() else { return Ok(()) };
        Ok(self.emit(plan.output.as_ref(), &row)?)
    }

    /// Deletes or locks a row.
    #[inline(never)]
    fn act(&mut self, plan: &Modify, id: RowId, row: &Values) -> Result<(), SqlError> {
        if matches!(plan.action, Action::Delete) {
            self.end_version(id, Change::Deleted);
        } else {
            self.lock(id);
        }
        self.emit(plan.output.as_ref(), row)
    }

    /// Makes sure that nobody else holds a row, and finds out whether it is still wanted.
    #[inline]
    fn meet(&self, plan: &Modify, id: RowId, has_waited: bool) -> Result<Met<'_>, Stop> {
        match self.table.slot(id) {
            Slot::Settled(row) if !has_waited => {
                Ok(if self.accepts(plan.filter.of_found(), row)? { Met::Act(row) } else { Met::Skip })
            }
            slot => self.meet_busy(plan, slot, has_waited),
        }
    }

    /// The same for a row that others may be at work on, or after a wait.
    #[inline(never)]
    fn meet_busy<'t>(&self, plan: &Modify, slot: Slot<'t>, has_waited: bool) -> Result<Met<'t>, Stop> {
        let has_snapshot = self.view.snapshot.is_some();
        if has_snapshot {
            self.check_snapshot(plan, slot)?;
        }
        let Some((row, holder)) = self.view.latest_row(slot) else { return Ok(Met::Skip) };
        // PostgreSQL waits for the row's latest version before it judges it, and keeps the lock either way.
        let judged_first = has_snapshot || !has_waited;
        // After a wait the row may have left the place where it was found.
        let filter = if has_waited { plan.filter.all() } else { plan.filter.of_found() };
        if judged_first && !self.accepts(filter, row)? {
            return Ok(Met::Skip);
        }
        if holder.is_some() {
            return self.held(plan, row).map(|()| Met::Skip);
        }
        if !judged_first && !self.accepts(filter, row)? {
            return Ok(Met::Hold);
        }
        Ok(Met::Act(row))
    }

    /// True if the row fulfils the statement's conditions.
    #[inline(always)]
    fn accepts(&self, filter: &[Condition], row: &[Value]) -> Result<bool, SqlError> {
        all_hold(filter, &self.env, row)
    }

    /// REPEATABLE READ: a row that the snapshot shows and that was changed since cannot be changed again.
    fn check_snapshot(&self, plan: &Modify, slot: Slot<'_>) -> Result<(), SqlError> {
        let view = self.view;
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

    /// Another transaction holds the row: that is waited for, unless the statement says otherwise.
    #[cold]
    fn held(&self, plan: &Modify, row: &Values) -> Result<(), Stop> {
        match plan.action {
            Action::Lock { wait: LockWait::SkipLocked, .. } => Ok(()),
            Action::Lock { wait: LockWait::NoWait, .. } => {
                let text = format!("could not obtain lock on row in relation \"{}\"", self.schema.name);
                Err(SqlError::new(SqlState::LockNotAvailable, text).into())
            }
            _ => Err(Stop::Wait(Box::new(WaitsOn::Row(self.schema.key_of(row))))),
        }
    }

    /// The rows to meet, in order. Those found by a key or an index are judged when they are met.
    #[inline]
    fn choose(&self, plan: &Modify, chosen: &mut RowIds) -> Result<(), SqlError> {
        scan::collect(self.table, &plan.access, &self.env, chosen)?;
        let (order, moves): (&[Sort], bool) = match &plan.action {
            Action::Lock { order, .. } => (order, false),
            // A row may move to a key that the condition names too, but a statement meets it once.
            Action::Update(new) => (&[], new.moves),
            Action::Delete => (&[], false),
        };
        if order.is_empty() && !moves && matches!(plan.access, Access::Key(..)) {
            return Ok(());
        }
        self.put_in_order(plan, order, moves, chosen)
    }

    /// Puts the rows in the order in which they are to be met, and judges them if that has to come first.
    #[inline(never)]
    fn put_in_order(&self, plan: &Modify, order: &[Sort], moves: bool, chosen: &mut RowIds) -> Result<(), SqlError> {
        if let Access::Index { .. } = plan.access {
            self.table.sort(chosen);
            if order.is_empty() && !moves {
                return Ok(());
            }
        }
        let mut wanted = Vec::new();
        self.for_each_wanted(plan.filter.all(), chosen, |id, row| {
            wanted.push((select::sort_keys(order, &self.env.with(&[row]))?, id));
            Ok(())
        })?;
        select::sort(order, &mut wanted);
        chosen.clear();
        chosen.extend(wanted.into_iter().map(|(_, id)| id));
        Ok(())
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
        for &id in ids {
            for row in self.view.rows(self.table.slot(id)) {
                if self.accepts(filter, row)? {
                    f(id, row)?;
                }
            }
        }
        Ok(())
    }
}
