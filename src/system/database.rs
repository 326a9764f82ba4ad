//! SQL statements of processes: planned once, executed on the session of their process, waiting where they must.

use std::rc::Rc;

use crate::process::{Op, Outcome, Statement};
use crate::world::identity::{ProcessId, SessionId};
use crate::world::sql::{Plan, Progress, SerialSource, SqlError, SqlStore};

use super::property::Subject;
use super::state::{Phase, State, slot_of};
use super::{Happening, ModelError, Setting, System};

/// Plans by the address and length of their statement: a model has a few dozen, which a scan finds sooner than a tree.
#[derive(Debug, Default)]
pub(super) struct Planner(Vec<((usize, usize), Rc<Plan>)>);

impl Planner {
    /// The plan of a statement. Statements are constants of the model, so equal addresses are equal texts.
    fn plan(&mut self, store: &SqlStore, statement: &'static str) -> Result<Rc<Plan>, String> {
        let key = (statement.as_ptr().addr(), statement.len());
        if let Some((_, plan)) = self.0.iter().find(|(known, _)| *known == key) {
            return Ok(Rc::clone(plan));
        }
        let plan = Rc::new(store.plan(statement).map_err(|error| error.to_string())?);
        self.0.push((key, Rc::clone(&plan)));
        Ok(plan)
    }
}

/// The database before the first step: the model's tables and rows.
pub(super) fn initial(setting: &Setting) -> Result<SqlStore, ModelError> {
    let process = ProcessId::SETUP;
    let wrong = |statement, reason| ModelError::Statement { process, label: "initial data", statement, reason };
    let schema = setting.model.schema;
    let mut store = SqlStore::from_ddl(schema).map_err(|error| wrong(schema, error.to_string()))?;
    let mut serials = SerialSource { process, count: 0 };
    let mut planner = Planner::default();
    for (statement, params) in (setting.model.rows)(&setting.params) {
        let plan = planner.plan(&store, statement).map_err(|reason| wrong(statement, reason))?;
        match store.execute(SessionId::Own(process), &plan, &params, 0, &mut serials) {
            Progress::Done(Ok(_)) => {}
            Progress::Done(Err(error)) => return Err(wrong(statement, error.to_string())),
            Progress::Waits => return Err(wrong(statement, "it waits for another transaction".to_owned())),
        }
    }
    Ok(store)
}

impl System {
    /// The first step of a statement.
    pub(super) fn begin_statement(&mut self, process: ProcessId) -> Result<(), ModelError> {
        let plan = self.plan(process)?;
        let State { now_us, clients, world, .. } = &mut self.state;
        let slot = slot_of(clients, process);
        let Some(Op::Sql(_, params)) = &slot.op else { unreachable!("only SQL statements have a plan") };
        let mut serials = SerialSource { process, count: slot.serials };
        let progress = world.sql.execute(SessionId::Own(process), &plan, params, *now_us, &mut serials);
        slot.serials = serials.count;
        self.progressed(process, progress);
        Ok(())
    }

    /// The next step of a statement that waited.
    pub(super) fn resume_statement(&mut self, process: ProcessId) -> Result<(), ModelError> {
        let plan = self.plan(process)?;
        let State { clients, world, waiting, .. } = &mut self.state;
        let slot = slot_of(clients, process);
        let mut serials = SerialSource { process, count: slot.serials };
        let progress = world.sql.resume(SessionId::Own(process), &plan, &mut serials);
        slot.serials = serials.count;
        waiting.remove(&process);
        self.progressed(process, progress);
        Ok(())
    }

    /// The plan of the statement that this process has issued.
    fn plan(&self, process: ProcessId) -> Result<Rc<Plan>, ModelError> {
        let slot = self.state.slot(process);
        let Some(Op::Sql(Statement(statement), _)) = slot.op else { unreachable!("{process} issued no SQL statement") };
        let plan = self.planner.borrow_mut().plan(&self.state.world.sql, statement);
        plan.map_err(|reason| ModelError::Statement { process, label: slot.label, statement, reason })
    }

    /// Plans a query that a property asks.
    pub(super) fn plan_query(&self, property: &'static str, statement: &'static str) -> Result<(), ModelError> {
        let plan = self.planner.borrow_mut().plan(&self.state.world.sql, statement);
        let wrong = |reason| ModelError::Statement { process: ProcessId::SETUP, label: property, statement, reason };
        plan.map(|_| ()).map_err(wrong)
    }

    /// The first row that a query over committed rows returns, in words.
    pub(super) fn first_row(&self, statement: &'static str) -> Option<String> {
        let plan = self.planner.borrow_mut().plan(&self.state.world.sql, statement).ok()?;
        let mut store = self.state.world.sql.clone();
        let mut serials = SerialSource { process: ProcessId::SETUP, count: 0 };
        // A session of its own sees what is committed.
        match store.execute(SessionId::Shared, &plan, &[], self.state.now_us, &mut serials) {
            Progress::Done(Ok(rows)) if !rows.rows.is_empty() => Some(Outcome::Rows(Ok(rows)).to_string()),
            _ => None,
        }
    }

    pub(super) fn progressed(&mut self, process: ProcessId, progress: Progress) {
        match progress {
            Progress::Waits => {
                self.state.slot_mut(process).phase = Phase::Blocked;
                self.state.waiting.insert(process);
                if self.state.waiting.len() > 1 {
                    self.judgement.meet(Subject::Waiting);
                }
                self.happen(Happening::Blocked(process));
            }
            Progress::Done(result) => {
                if !self.state.world.sql.in_transaction(SessionId::Own(process)) {
                    self.transaction_ended(process);
                }
                self.applied(process, Outcome::Rows(result));
            }
        }
    }

    /// A transaction is over: its connection goes back to the pool, and those who waited for its rows may go on.
    fn transaction_ended(&mut self, process: ProcessId) {
        self.judgement.data_changed();
        self.give_connection_back(process);
        self.wake_waiters();
    }

    /// Says which waiting statements wait for nobody any more.
    pub(super) fn wake_waiters(&mut self) {
        let waiting = self.state.waiting.iter().copied();
        let free = waiting.filter(|waiter| self.is_unblocked(*waiter)).collect::<Vec<_>>();
        for waiter in free {
            self.happen(Happening::Unblocked(waiter));
        }
    }

    /// True when the statement of this process waits for nobody any more.
    pub(super) fn is_unblocked(&self, process: ProcessId) -> bool {
        self.state.world.sql.blockers(SessionId::Own(process)).is_empty()
    }

    /// Processes whose statements wait for each other in a circle.
    pub(super) fn deadlocked(&self) -> Vec<ProcessId> {
        if self.state.waiting.len() < 2 {
            return Vec::new();
        }
        let sessions = self.state.world.sql.deadlocked();
        sessions
            .into_iter()
            .filter_map(|session| if let SessionId::Own(it) = session { Some(it) } else { None })
            .collect()
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
        if process.call > 0 {
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
        if process.call == 0 {
            return;
        }
        let instance = self.state.instance_of(process);
        let instance = &mut self.state.instances[instance];
        match instance.connection_queue.pop_front() {
            Some(next) => {
                self.state.slot_mut(next).has_connection = true;
                self.happen(Happening::Unblocked(next));
            }
            None => instance.idle_connections += 1,
        }
    }
}
