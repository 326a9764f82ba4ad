//! Steps: everything that can happen next.

use crate::process::{Drawn, Op};
use crate::world::argv::ByteString;
use crate::world::identity::ProcessId;

use super::mishap::Mishap;
use super::state::{Budgets, Instance, Phase, Slot, Whereabouts};
use super::{Halves, System};

/// One thing that happens. A schedule is a list of steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// A client begins a round (split halves only).
    Begin(ProcessId),
    /// The operation in flight takes effect. With fused halves its outcome is delivered at once.
    Apply(ProcessId),
    /// The outcome arrives (split halves only).
    Deliver(ProcessId),
    /// A sleep is over.
    Wake(ProcessId),
    /// A choice comes out so.
    Choose(ProcessId, u32),
    /// A draw comes out so.
    Draw(ProcessId, Drawn),
    /// A client is stopped in the middle of a round, as k6 does when the graceful period is over.
    Cut(ProcessId),
    /// Fault: the request never arrives.
    LoseRequest(ProcessId),
    /// Fault: the request takes effect or goes on, but the sender gives up waiting.
    LoseReply(ProcessId),
    /// Fault: the client ends at once.
    CrashClient(ProcessId),
    /// Fault: the instance's handlers end at once and it starts anew.
    CrashInstance(u32),
    /// The database notices that the connection of a crashed process is gone.
    Reap(ProcessId),
    /// The database ends a deadlock by failing this statement.
    Deadlock(ProcessId),
    /// Time moves on to this instant.
    Time(u64),
    /// Fault: the Redis node restarts with nothing.
    RedisRestart(u8),
    /// What the Redis node has done and its replica of this number has not: the replica does the next of it.
    Replicate(u8, u8),
    /// Fault: the Redis node is gone, and its replica of this number takes its place.
    Failover(u8, u8),
    /// The connection on which the operation in flight was under way broke in a failover, before it arrived.
    Disconnect(ProcessId),
    /// Fault: the Redis node drops this live key.
    Evict(u8, ByteString),
    /// Fault: something goes wrong with the operation in flight.
    Mishap(Mishap, ProcessId),
    /// What the operation of this number, which nobody waits for, was sent for happens now.
    Land(u16),
    /// Fault: the clock of the Redis node jumps forwards.
    ClockJump(u8),
}

impl Step {
    /// The process that takes or suffers this step, if it is about one.
    #[must_use]
    pub fn process(&self) -> Option<ProcessId> {
        match self {
            Self::Cut(process)
            | Self::LoseRequest(process)
            | Self::LoseReply(process)
            | Self::CrashClient(process)
            | Self::Reap(process)
            | Self::Deadlock(process)
            | Self::Disconnect(process)
            | Self::Mishap(_, process) => Some(*process),
            other => other.actor(),
        }
    }

    /// The same step of another process, which the given one tells; steps of nobody stay as they are.
    #[must_use]
    pub fn of_other(&self, other: impl Fn(ProcessId) -> ProcessId) -> Self {
        match self {
            Self::Begin(it) => Self::Begin(other(*it)),
            Self::Apply(it) => Self::Apply(other(*it)),
            Self::Deliver(it) => Self::Deliver(other(*it)),
            Self::Wake(it) => Self::Wake(other(*it)),
            Self::Choose(it, choice) => Self::Choose(other(*it), *choice),
            Self::Draw(it, drawn) => Self::Draw(other(*it), drawn.clone()),
            Self::Cut(it) => Self::Cut(other(*it)),
            Self::LoseRequest(it) => Self::LoseRequest(other(*it)),
            Self::LoseReply(it) => Self::LoseReply(other(*it)),
            Self::CrashClient(it) => Self::CrashClient(other(*it)),
            Self::Reap(it) => Self::Reap(other(*it)),
            Self::Deadlock(it) => Self::Deadlock(other(*it)),
            Self::Disconnect(it) => Self::Disconnect(other(*it)),
            Self::Mishap(mishap, it) => Self::Mishap(*mishap, other(*it)),
            Self::CrashInstance(_)
            | Self::Time(_)
            | Self::RedisRestart(_)
            | Self::Replicate(..)
            | Self::Failover(..)
            | Self::Evict(..)
            | Self::Land(_)
            | Self::ClockJump(_) => self.clone(),
        }
    }

    /// The budget that pays for this step, if one does.
    #[must_use]
    pub fn budget(&self) -> Option<&'static str> {
        Some(match self {
            Self::LoseRequest(_) => "lose_request",
            Self::LoseReply(_) => "lose_reply",
            Self::CrashClient(_) | Self::CrashInstance(_) => "crash",
            Self::RedisRestart(_) => "redis_restart",
            Self::Failover(..) => "failover",
            Self::Evict(..) => "evict",
            Self::Mishap(mishap, _) => mishap.budget(),
            Self::ClockJump(_) => "clock_jump",
            Self::Time(_) => "time_steps",
            _ => return None,
        })
    }

    /// True when the name of a step that no process takes begins with this word: a fault, or a replica that catches up.
    #[must_use]
    pub fn is_word(word: &str) -> bool {
        let words = Budgets::UNLIMITED.entries();
        word == "replicate" || (word != "time_steps" && words.iter().any(|(name, _)| *name == word))
    }

    /// The process that takes this step by itself; none for the passing of time, faults, and what the database does.
    #[must_use]
    pub fn actor(&self) -> Option<ProcessId> {
        match self {
            Self::Begin(process)
            | Self::Apply(process)
            | Self::Deliver(process)
            | Self::Wake(process)
            | Self::Choose(process, _)
            | Self::Draw(process, _) => Some(*process),
            _ => None,
        }
    }
}

impl System {
    /// Every step that is possible now, in the fixed order: process by process, then time, then faults of the
    /// infrastructure.
    #[must_use]
    pub fn enabled(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        for process in self.state.processes() {
            self.enabled_of(process, &mut steps);
        }
        steps.extend(self.state.unreaped.iter().map(|process| Step::Reap(*process)));
        steps.extend(self.deadlocked().into_iter().map(Step::Deadlock));
        steps.extend(self.passing_of_time());
        if self.state.budgets.crash > 0 {
            steps.extend((0..self.setting.service.instances).map(Step::CrashInstance));
        }
        for (number, node) in (0_u8..).zip(&self.state.world.redis) {
            if self.state.budgets.redis_restart > 0 {
                steps.push(Step::RedisRestart(number));
            }
            for (replica, lag) in node.lags() {
                if lag > 0 {
                    steps.push(Step::Replicate(number, replica));
                }
                if self.state.budgets.failover > 0 {
                    steps.push(Step::Failover(number, replica));
                }
            }
            if self.state.budgets.evict > 0 {
                let keys = node.live_keys(self.state.now_us);
                steps.extend(keys.map(|(key, ..)| Step::Evict(number, key.clone())));
            }
        }
        self.other_mishaps(&mut steps);
        steps
    }

    /// The passing of time to the next instant, if it may pass so far now.
    #[must_use]
    pub fn passing_of_time(&self) -> Option<Step> {
        if self.state.budgets.time_steps == 0 {
            return None;
        }
        self.next_instant().filter(|to_us| self.may_pass_to(*to_us)).map(Step::Time)
    }

    /// The steps that this process can take or suffer now.
    pub fn enabled_of(&self, process: ProcessId, steps: &mut Vec<Step>) {
        let budgets = &self.state.budgets;
        let slot = self.state.slot(process);
        match slot.whereabouts() {
            Whereabouts::Idle if self.may_begin(process) => steps.push(Step::Begin(process)),
            Whereabouts::Idle | Whereabouts::Ended => {}
            Whereabouts::Issued(Op::Choose(alternatives)) => {
                steps.extend((0..*alternatives).map(|choice| Step::Choose(process, choice)));
            }
            Whereabouts::Issued(Op::Draw(draw)) => {
                steps.extend(self.explored(draw).into_iter().map(|drawn| Step::Draw(process, drawn)));
            }
            Whereabouts::Issued(op) => {
                if self.can_apply(process) {
                    steps.push(Step::Apply(process));
                    let losable = matches!(op, Op::Redis(..) | Op::Call(_));
                    if losable && budgets.lose_request > 0 {
                        steps.push(Step::LoseRequest(process));
                    }
                    if losable && budgets.lose_reply > 0 {
                        steps.push(Step::LoseReply(process));
                    }
                }
            }
            Whereabouts::Blocked(_) => {
                if self.can_apply(process) {
                    steps.push(Step::Apply(process));
                }
            }
            Whereabouts::Calling(..) => {
                if budgets.lose_reply > 0 {
                    steps.push(Step::LoseReply(process));
                }
            }
            Whereabouts::Applied(..) => steps.push(Step::Deliver(process)),
            Whereabouts::Asleep(until_us) => {
                if until_us <= self.state.now_us {
                    steps.push(Step::Wake(process));
                }
            }
        }
        if slot.is_cut_off {
            steps.push(Step::Disconnect(process));
        }
        self.mishaps_of(process, steps);
        let is_running_client = process.call == 0 && !matches!(slot.phase, Phase::Idle | Phase::Ended);
        if is_running_client && budgets.crash > 0 {
            steps.push(Step::CrashClient(process));
        }
        if is_running_client && self.halves == Halves::Split {
            steps.push(Step::Cut(process));
        }
    }

    /// True when this very step is possible. Draws are judged by their support, so that any value that the workload
    /// can produce is accepted, not only the representatives of an exploration.
    #[must_use]
    pub fn is_enabled(&self, step: &Step) -> bool {
        match step {
            Step::Draw(process, drawn) => match self.state.find(*process).map(Slot::whereabouts) {
                Some(Whereabouts::Issued(Op::Draw(draw))) => draw.admits(drawn),
                _ => false,
            },
            Step::Time(_) => self.passing_of_time().as_ref() == Some(step),
            other => self.enabled().contains(other),
        }
    }

    fn may_begin(&self, process: ProcessId) -> bool {
        if process.is_job() {
            return self.job_may_begin(process);
        }
        let has_code = process != ProcessId::SETUP || self.setting.model.setup.is_some();
        self.halves == Halves::Split && process.call == 0 && has_code
    }

    /// True when this process can go on now, without any fault.
    #[must_use]
    pub fn is_ready(&self, process: ProcessId) -> bool {
        match self.state.slot(process).phase {
            Phase::Idle => self.may_begin(process),
            Phase::Issued | Phase::Blocked => self.can_apply(process),
            Phase::Applied => true,
            Phase::Asleep(until_us) => until_us <= self.state.now_us,
            Phase::Calling(_) | Phase::Ended => false,
        }
    }

    /// True when nobody waits for a row, a connection or a worker thread: then a step of one client changes what is
    /// possible for that client alone.
    #[must_use]
    pub fn is_uncontended(&self) -> bool {
        let instances = &self.state.instances;
        let queues_are_empty = |it: &Instance| it.accept_queue.is_empty() && it.connection_queue.is_empty();
        self.state.waiting.is_empty() && instances.iter().all(queues_are_empty)
    }

    /// True when the operation in flight can take effect now: it has its connection and waits for nobody.
    #[must_use]
    pub fn can_apply(&self, process: ProcessId) -> bool {
        let slot = self.state.slot(process);
        match slot.phase {
            Phase::Issued if matches!(slot.op, Some(Op::Sql(..))) => {
                slot.has_connection && !self.has_late_commit(process)
            }
            Phase::Issued => match &slot.op {
                Some(Op::Join(count, children)) => self.has_joined(*count, children),
                _ => true,
            },
            Phase::Blocked => self.is_unblocked(process),
            _ => false,
        }
    }
}
