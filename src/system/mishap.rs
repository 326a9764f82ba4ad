//! What goes wrong with one operation: it lands late, the driver or the client sends it again, the database cancels it,
//! nobody learns how a COMMIT came out; and clocks that jump or run ahead.

use serde::{Deserialize, Serialize};

use super::property::Subject;
use super::state::{Phase, Slot};
use super::{Step, System};
use crate::process::{Op, Outcome, Statement};
use crate::world::identity::{ProcessId, SessionId};
use crate::world::sql::SqlError;

/// What goes wrong with the operation that a process has in flight.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mishap {
    /// The sender stops waiting and closes its connection; what it sent takes effect some time later.
    Late,
    /// The command takes effect, its reply is lost, and the driver sends the same bytes again.
    DriverRepeat,
    /// The client stops waiting for an answer and makes the same call again; the first is still handled.
    ClientRetry,
    /// The database cancels the statement: its transaction can only be rolled back.
    SqlAbort,
    /// The connection breaks during COMMIT, which was done.
    CommitDone,
    /// The connection breaks during COMMIT, which was not done.
    CommitUndone,
}

impl Mishap {
    /// Every one, in the order of steps.
    pub const ALL: [Self; 6] =
        [Self::Late, Self::DriverRepeat, Self::ClientRetry, Self::SqlAbort, Self::CommitDone, Self::CommitUndone];

    /// The budget that pays for it.
    #[must_use]
    pub const fn budget(self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::DriverRepeat => "driver_repeat",
            Self::ClientRetry => "client_retry",
            Self::SqlAbort => "sql_abort",
            Self::CommitDone | Self::CommitUndone => "commit_unknown",
        }
    }

    /// The name of the step.
    pub(super) fn describe(self, process: ProcessId, op: &str) -> String {
        let how = match self {
            Self::CommitDone => " (done)",
            Self::CommitUndone => " (undone)",
            _ => "",
        };
        format!("{} {process}: {op}{how}", self.budget())
    }

    /// True when it can happen to this operation in this phase.
    fn befalls(self, slot: &Slot) -> bool {
        let is_end = matches!(slot.op, Some(Op::Sql(Statement("BEGIN" | "COMMIT" | "ROLLBACK"), _)));
        match (self, slot.phase, &slot.op) {
            (Self::Late, Phase::Issued, Some(Op::Redis(..) | Op::Call(_))) => true,
            (Self::DriverRepeat, Phase::Issued, Some(Op::Redis(..))) => true,
            (Self::ClientRetry, Phase::Calling(_), _) => true,
            (Self::SqlAbort, Phase::Issued | Phase::Blocked, Some(Op::Sql(..))) => !is_end,
            (Self::Late | Self::CommitDone | Self::CommitUndone, Phase::Issued, Some(Op::Sql(statement, _))) => {
                *statement == Statement("COMMIT")
            }
            _ => false,
        }
    }
}

/// An operation whose sender waits no longer, and which has not taken effect yet.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct LateOp {
    /// Tells it from the others; also names the connection that it is under way on.
    pub number: u16,
    /// Who sent it.
    pub process: ProcessId,
    /// What it sent.
    pub op: Op,
}

/// By how much clocks run ahead of those of Redis and the database, in microseconds; those left out do not.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clocks {
    /// By client, from the first.
    pub clients: Vec<u64>,
    /// By instance of the service, from the first.
    pub instances: Vec<u64>,
}

impl Clocks {
    /// True when all clocks agree.
    #[must_use]
    pub fn agree(&self) -> bool {
        self.clients.iter().chain(&self.instances).all(|ahead_us| *ahead_us == 0)
    }
}

impl System {
    /// What may go wrong with the operation of this process.
    pub(super) fn mishaps_of(&self, process: ProcessId, steps: &mut Vec<Step>) {
        let slot = self.state.slot(process);
        let may = |mishap: &Mishap| {
            let budgets = &self.state.budgets;
            budgets.get(mishap.budget()) > 0 && mishap.befalls(slot)
        };
        let can_be_sent = slot.phase != Phase::Issued || self.can_apply(process);
        steps.extend(Mishap::ALL.into_iter().filter(|_| can_be_sent).filter(may).map(|it| Step::Mishap(it, process)));
    }

    /// What may land now, and which clocks may jump.
    pub(super) fn other_mishaps(&self, steps: &mut Vec<Step>) {
        steps.extend(self.state.late.iter().map(|late| Step::Land(late.number)));
        if self.state.budgets.clock_jump > 0 {
            let numbers = (0_u8..).zip(&self.state.world.redis).map(|(number, _)| number);
            steps.extend(numbers.filter(|number| self.can_jump(*number)).map(Step::ClockJump));
        }
    }

    /// True when this node's clock has a deadline to jump to.
    #[must_use]
    pub fn can_jump(&self, node: u8) -> bool {
        self.next_deadline_of(&self.state.world.redis[usize::from(node)]).is_some()
    }

    pub(super) fn go_wrong(&mut self, mishap: Mishap, process: ProcessId) {
        self.state.budgets.pay(mishap.budget());
        match mishap {
            Mishap::Late => self.put_off(process),
            Mishap::DriverRepeat => {
                self.effect(process);
                // The driver has a new connection.
                self.close_redis(process);
                self.state.slot_mut(process).is_cut_off = false;
            }
            Mishap::ClientRetry => self.call_again(process),
            Mishap::SqlAbort => {
                self.state.waiting.remove(&process);
                let error = SqlError::statement_timeout();
                let progress = self.state.world.sql.cancel(SessionId::Own(process), error);
                self.progressed(process, progress);
            }
            Mishap::CommitDone | Mishap::CommitUndone => {
                let session = SessionId::Own(process);
                self.state.world.sql.conclude(session, mishap == Mishap::CommitDone);
                self.progressed(process, SqlError::connection_lost().into());
            }
        }
    }

    /// The sender goes on without what it sent.
    fn put_off(&mut self, process: ProcessId) {
        let outcome = self.leave_behind(process);
        self.applied(process, outcome);
    }

    /// True when what this process has in flight can take effect without it.
    pub(super) fn can_be_late(slot: &Slot) -> bool {
        Mishap::Late.befalls(slot)
    }

    /// What the process has in flight takes effect later; what its sender sees.
    pub(super) fn leave_behind(&mut self, process: ProcessId) -> Outcome {
        let taken = |number: &u16| self.state.late.iter().any(|late| late.number == *number);
        let number = (0..u16::MAX).find(|number| !taken(number)).expect("budgets are far below 65,535");
        let slot = self.state.slot(process);
        let op = slot.op.clone().expect("an operation in flight");
        let outcome = match &op {
            Op::Sql(..) => {
                self.give_connection_back(process);
                Outcome::Rows(Err(SqlError::connection_lost()))
            }
            Op::Redis(node, _) => {
                let node = &mut self.state.world.redis[usize::from(*node)];
                node.rename(SessionId::Own(process), SessionId::Pooled(number));
                Outcome::Lost
            }
            _ => Outcome::Lost,
        };
        let place = self.state.late.iter().position(|late| late.number > number).unwrap_or(self.state.late.len());
        self.state.late.insert(place, LateOp { number, process, op });
        outcome
    }

    /// What was sent takes effect; nobody hears of it.
    pub(super) fn land(&mut self, number: u16) {
        let place = self.state.late.iter().position(|late| late.number == number);
        let LateOp { process, op, .. } = self.state.late.remove(place.expect("only what is under way lands"));
        match op {
            Op::Redis(node, argv) => {
                let session = SessionId::Pooled(number);
                let now_us = self.state.now_us;
                let node = &mut self.state.world.redis[usize::from(node)];
                node.execute(session, &argv, now_us, &mut self.removed);
                node.close(session);
                self.judge_removals(process);
                self.judgement.redis_changed();
            }
            Op::Call(request) => self.admit(process, false, |_| request),
            Op::Sql(..) => {
                self.state.world.sql.conclude(SessionId::Own(process), true);
                self.judgement.data_changed();
                self.wake_waiters();
            }
            other => unreachable!("{other:?} is not put off"),
        }
    }

    /// What this process has sent and does not wait for, by its number.
    #[must_use]
    pub fn late_of(&self, process: ProcessId) -> Option<u16> {
        self.state.late.iter().find(|late| late.process == process).map(|late| late.number)
    }

    /// True while a COMMIT of this process is under way that it does not wait for.
    pub(super) fn has_late_commit(&self, process: ProcessId) -> bool {
        self.state.late.iter().any(|late| late.process == process && matches!(late.op, Op::Sql(..)))
    }

    /// The same call once more; nobody waits for the first.
    fn call_again(&mut self, process: ProcessId) {
        let client = &mut self.state.clients[usize::from(process.client)];
        let Phase::Calling(call) = client.slot.phase else { panic!("{process} has no call to repeat") };
        for handler in client.handlers.iter_mut().filter(|handler| handler.call == call) {
            handler.is_awaited = false;
        }
        client.slot.phase = Phase::Issued;
        self.happen(super::Happened::Issued(super::Carrier::Http), process);
    }

    /// The node's clock jumps forwards, just past the next deadline of its keys.
    pub(super) fn jump_clock(&mut self, number: u8) {
        self.state.budgets.pay("clock_jump");
        let now_us = self.state.now_us;
        let Some(deadline_us) = self.next_deadline_of(&self.state.world.redis[usize::from(number)]) else { return };
        let node = &mut self.state.world.redis[usize::from(number)];
        node.jump_ms((deadline_us - now_us).div_ceil(1_000) + 1);
        node.purge_expired(now_us);
        self.judgement.redis_changed();
        self.judgement.meet(Subject::Removal);
    }

    /// The earliest deadline of a live key.
    fn next_deadline_of(&self, node: &crate::world::redis::Redis) -> Option<u64> {
        let now_us = self.state.now_us;
        let live = node.live_keys(now_us);
        let deadlines =
            live.filter_map(|(_, _, deadline_ms)| deadline_ms.map(|ms| ms.saturating_mul(1_000).max(now_us)));
        deadlines.min()
    }

    /// By how much the clock that this process reads is ahead.
    #[inline]
    pub(super) fn ahead_us(&self, process: ProcessId) -> u64 {
        let clocks = &self.setting.clocks;
        if self.is_of_service(process) {
            return clocks.instances.get(self.state.instance_of(process)).copied().unwrap_or(0);
        }
        let place = usize::from(process.client).checked_sub(1);
        place.and_then(|place| clocks.clients.get(place)).copied().unwrap_or(0)
    }
}
