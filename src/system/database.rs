//! SQL statements of processes: planned once, executed on the session of their process, waiting where they must.

use xxhash_rust::xxh3::xxh3_64;

use crate::process::{Op, Outcome, Statement};
use crate::world::identity::{ProcessId, SessionId};
use crate::world::sql::{Plan, Progress, Rows, SerialSource, SqlError, SqlStore};

use super::exercised::{Came, What};
use super::property::Subject;
use super::state::{Phase, State, slot_of};
use super::{Halves, Happened, ModelError, Setting, System};

/// Plans of statements met so far. Statements are constants of the model, so equal places in memory are equal texts,
/// and a look-up compares numbers only.
#[derive(Debug)]
pub(super) struct Planner {
    statements: Vec<Planned>,
    /// Where a statement may be found, by its [`Place::slot`].
    likely: [u8; LIKELY],
}

/// Slots of [`Planner::likely`]: several times the statements of a model.
const LIKELY: usize = 256;

/// Where a statement's text lies.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Place {
    address: usize,
    length: usize,
}

/// A statement that was planned.
#[derive(Debug)]
pub(super) struct Planned {
    place: Place,
    plan: Plan,
    /// Stands for the text in digests.
    text_hash: u64,
}

impl Place {
    fn of(statement: &'static str) -> Self {
        Self { address: statement.as_ptr().addr(), length: statement.len() }
    }

    /// Texts lie side by side, so that the sum of address and length, the end, differs in its low bits.
    fn slot(self) -> usize {
        (self.address + self.length) % LIKELY
    }
}

impl Default for Planner {
    fn default() -> Self {
        Self { statements: Vec::new(), likely: [0; LIKELY] }
    }
}

impl Planner {
    /// A statement, planned now if it was not before.
    #[inline(always)]
    fn plan(&mut self, store: &SqlStore, statement: &'static str) -> Result<&Plan, String> {
        let place = Place::of(statement);
        let likely = usize::from(self.likely[place.slot()]);
        let is_there = self.statements.get(likely).is_some_and(|planned| planned.place == place);
        let at = if is_there { likely } else { self.find_or_plan(store, statement)? };
        Ok(&self.statements[at].plan)
    }

    #[inline(never)]
    fn find_or_plan(&mut self, store: &SqlStore, statement: &'static str) -> Result<usize, String> {
        let place = Place::of(statement);
        let at = match self.statements.iter().position(|planned| planned.place == place) {
            Some(at) => at,
            None => {
                let plan = store.plan(statement).map_err(|error| error.to_string())?;
                let text_hash = xxh3_64(statement.as_bytes());
                self.statements.push(Planned { place, plan, text_hash });
                self.statements.len() - 1
            }
        };
        self.likely[place.slot()] = u8::try_from(at).unwrap_or_default();
        Ok(at)
    }

    /// What stands for the text of a statement in digests.
    #[inline(always)]
    pub(super) fn text_hash(&self, statement: &'static str) -> u64 {
        let place = Place::of(statement);
        let known = self.statements.get(usize::from(self.likely[place.slot()]));
        known.filter(|planned| planned.place == place).map_or_else(|| xxh3_64(statement.as_bytes()), |it| it.text_hash)
    }
}

/// The database before the first step: the model's tables and rows.
pub(super) fn initial(setting: &Setting) -> Result<SqlStore, ModelError> {
    let process = ProcessId::SETUP;
    let wrong = |statement, reason: String| ModelError::operation(process, "initial data", statement, &reason);
    let schema = setting.model.schema;
    let mut store = SqlStore::from_ddl(schema).map_err(|error| wrong(schema, error.to_string()))?;
    let mut serials = SerialSource { process, count: 0 };
    let mut planner = Planner::default();
    for (statement, params) in (setting.model.rows)(&setting.params) {
        let plan = planner.plan(&store, statement).map_err(|reason| wrong(statement, reason))?;
        match store.execute(SessionId::Own(process), plan, &params, 0, &mut serials, &mut Rows::default()) {
            Progress::Done { .. } => {}
            Progress::Failed(error) => return Err(wrong(statement, error.to_string())),
            Progress::Waits => return Err(wrong(statement, "it waits for another transaction".to_owned())),
        }
    }
    Ok(store)
}

/// Where what a statement returns is made: in the slot of its process, to which it would have to be moved else.
#[inline(always)]
fn place_for_rows(outcome: &mut Option<Outcome>) -> &mut Rows {
    match outcome.insert(Outcome::Rows(Ok(Rows::default()))) {
        Outcome::Rows(Ok(rows)) => rows,
        other => unreachable!("{other:?} is not what was just put there"),
    }
}

impl System {
    /// The operation in flight takes effect: the first step of a statement, or anything rarer.
    #[inline(always)]
    pub(super) fn apply(&mut self, process: ProcessId) -> Result<(), ModelError> {
        let State { now_us, clients, world, .. } = &mut self.state;
        let slot = slot_of(clients, process);
        let (Phase::Issued, Some(Op::Sql(Statement(text), params))) = (slot.phase, &slot.op) else {
            return self.apply_other(process);
        };
        let mut planner = self.planner.borrow_mut();
        let plan =
            planner.plan(&world.sql, text).map_err(|why| ModelError::operation(process, slot.label, text, &why))?;
        let mut serials = SerialSource { process, count: slot.serials };
        let rows = place_for_rows(&mut slot.outcome);
        let progress = world.sql.execute(SessionId::Own(process), plan, params, *now_us, &mut serials, rows);
        drop(planner);
        slot.serials = serials.count;
        match progress {
            // A statement within a transaction changes nothing that others wait for.
            Progress::Done { in_transaction: true } if self.halves == Halves::Split => {
                slot.apply();
                self.happen(Happened::Applied { in_transaction: true }, process);
            }
            progress => self.progressed(process, progress),
        }
        Ok(())
    }

    /// The next step of a statement that waited.
    pub(super) fn resume_statement(&mut self, process: ProcessId) -> Result<(), ModelError> {
        let State { clients, world, waiting, .. } = &mut self.state;
        let slot = slot_of(clients, process);
        let Some(Op::Sql(Statement(text), _)) = &slot.op else { unreachable!("only SQL statements wait") };
        let mut planner = self.planner.borrow_mut();
        let plan =
            planner.plan(&world.sql, text).map_err(|why| ModelError::operation(process, slot.label, text, &why))?;
        let mut serials = SerialSource { process, count: slot.serials };
        let rows = place_for_rows(&mut slot.outcome);
        let progress = world.sql.resume(SessionId::Own(process), plan, &mut serials, rows);
        slot.serials = serials.count;
        drop(planner);
        waiting.remove(&process);
        self.progressed(process, progress);
        Ok(())
    }

    /// Plans a query that a property asks.
    pub(super) fn plan_query(&self, property: &'static str, statement: &'static str) -> Result<(), ModelError> {
        let mut planner = self.planner.borrow_mut();
        let plan = planner.plan(&self.state.world.sql, statement);
        plan.map(|_| ()).map_err(|why| ModelError::operation(ProcessId::SETUP, property, statement, &why))
    }

    /// The first row that a query over committed rows returns, in words.
    pub(super) fn first_row(&self, statement: &'static str) -> Option<String> {
        let mut planner = self.planner.borrow_mut();
        let plan = planner.plan(&self.state.world.sql, statement).ok()?;
        let mut store = self.state.world.sql.clone();
        let mut serials = SerialSource { process: ProcessId::SETUP, count: 0 };
        let mut rows = Rows::default();
        // A session of its own sees what is committed.
        match store.execute(SessionId::Shared, plan, &[], self.state.now_us, &mut serials, &mut rows) {
            Progress::Done { .. } if !rows.rows.is_empty() => Some(Outcome::Rows(Ok(rows)).to_string()),
            _ => None,
        }
    }

    /// What follows from how far a statement has come. If it has ended, what it returns is in its slot already.
    pub(super) fn progressed(&mut self, process: ProcessId, progress: Progress) {
        let in_transaction = match progress {
            Progress::Waits => {
                self.state.slot_mut(process).outcome = None;
                if let Some(Op::Sql(statement, _)) = self.state.slot(process).op {
                    self.exercise(process, What::Sql(statement.0, Came::Waited));
                }
                self.state.slot_mut(process).phase = Phase::Blocked;
                self.state.waiting.insert(process);
                if self.state.waiting.len() > 1 {
                    self.judgement.meet(Subject::Waiting);
                }
                return self.happen(Happened::Blocked, process);
            }
            Progress::Failed(error) => {
                self.state.slot_mut(process).outcome = Some(Outcome::Rows(Err(*error)));
                self.state.world.sql.in_transaction(SessionId::Own(process))
            }
            Progress::Done { in_transaction } => in_transaction,
        };
        if !in_transaction {
            self.transaction_ended(process);
        }
        self.took_effect(process);
    }

    /// A transaction is over: its connection goes back to the pool, and those who waited for its rows may go on.
    fn transaction_ended(&mut self, process: ProcessId) {
        // A rollback changes nothing that is committed.
        if !matches!(self.state.slot(process).op, Some(Op::Sql(Statement("ROLLBACK"), _))) {
            self.judgement.data_changed();
        }
        self.give_connection_back(process);
        self.wake_waiters();
    }

    /// Says which waiting statements wait for nobody any more.
    #[inline]
    pub(super) fn wake_waiters(&mut self) {
        if !self.state.waiting.is_empty() {
            self.wake_unblocked();
        }
    }

    fn wake_unblocked(&mut self) {
        let waiting = self.state.waiting.iter().copied();
        let free = waiting.filter(|waiter| self.is_unblocked(*waiter)).collect::<Vec<_>>();
        for waiter in free {
            self.happen(Happened::Unblocked, waiter);
        }
    }

    /// True when the statement of this process waits for nobody any more.
    pub(super) fn is_unblocked(&self, process: ProcessId) -> bool {
        self.state.world.sql.blockers(SessionId::Own(process)).is_empty()
    }

    /// Processes whose statements wait for each other in a circle. The session of a crashed process may be part of it,
    /// but is no victim: its end is [`Step::Reap`](super::Step::Reap).
    pub(super) fn deadlocked(&self) -> Vec<ProcessId> {
        if self.state.waiting.is_empty() {
            return Vec::new();
        }
        let sessions = self.state.world.sql.deadlocked();
        let own = sessions.into_iter().filter_map(SessionId::process);
        own.filter(|process| !self.state.unreaped.contains(process)).collect()
    }

    /// The database fails this statement to end a deadlock.
    pub(super) fn fail_deadlocked(&mut self, process: ProcessId) {
        self.state.world.ghost.deadlocked.insert(process);
        self.judgement.ghost_changed();
        let progress = self.state.world.sql.fail_waiting(SessionId::Own(process), SqlError::deadlock());
        self.state.waiting.remove(&process);
        let phase = self.state.slot(process).phase;
        assert!(matches!(phase, Phase::Blocked), "{process} does not wait for a row: {phase:?}");
        self.progressed(process, progress);
    }

    /// Gives the process, which has none, a connection of its instance's pool. Clients that speak SQL themselves have
    /// their own. False when it must wait for one.
    pub(super) fn take_connection(&mut self, process: ProcessId) -> bool {
        if self.is_of_service(process) {
            let instance = self.state.instance_of(process);
            let instance = &mut self.state.instances[instance];
            if instance.idle_connections == 0 {
                instance.connection_queue.push_back(process);
                return false;
            }
            instance.idle_connections -= 1;
        }
        self.state.slot_mut(process).has_connection = true;
        true
    }

    pub(super) fn give_connection_back(&mut self, process: ProcessId) {
        self.state.slot_mut(process).has_connection = false;
        if !self.is_of_service(process) {
            return;
        }
        let instance = self.state.instance_of(process);
        let instance = &mut self.state.instances[instance];
        match instance.connection_queue.pop_front() {
            Some(next) => {
                self.state.slot_mut(next).has_connection = true;
                self.happen(Happened::Unblocked, next);
            }
            None => instance.idle_connections += 1,
        }
    }
}
