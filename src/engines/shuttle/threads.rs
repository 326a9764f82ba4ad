//! Which shuttle thread takes which step: one thread for each client, with the handlers that work for it, and for each
//! background job, one for the clock, one for faults and for what the database does by itself.

use crate::process::Op;
use crate::system::state::{Phase, State};
use crate::system::{Step, System};
use crate::world::identity::ProcessId;
use crate::world::redis::Redis;

/// Number of a thread: clients first, in their order, then jobs, then the clock, then faults.
pub(super) type Thread = usize;

/// The threads of a setting.
#[derive(Copy, Clone, Debug)]
pub(super) struct Threads {
    clients: usize,
    jobs: usize,
}

impl Threads {
    pub(super) fn of(system: &System) -> Self {
        let setting = system.setting();
        Self { clients: setting.journeys.len(), jobs: setting.model.jobs.len() }
    }

    pub(super) fn count(self) -> usize {
        self.clients + self.jobs + 2
    }

    pub(super) fn clock(self) -> Thread {
        self.clients + self.jobs
    }

    /// True for the thread of a client, or of a job.
    pub(super) fn is_client(self, thread: Thread) -> bool {
        thread < self.clock()
    }

    /// The thread that takes this step.
    pub(super) fn of_step(self, step: &Step) -> Thread {
        match step.actor() {
            Some(process) if process.is_job() => self.clients + process.job_index(),
            Some(process) => usize::from(process.client) - 1,
            None if matches!(step, Step::Time(_)) => self.clock(),
            None => self.clock() + 1,
        }
    }

    /// The processes of a client's thread: the client and its handlers at work, or the job.
    pub(super) fn processes(self, thread: Thread, system: &System) -> impl Iterator<Item = ProcessId> {
        let job = thread.checked_sub(self.clients).map(ProcessId::job);
        let number = if job.is_some() { 0 } else { thread + 1 };
        let client = u16::try_from(number).expect("there are at most 65,535 clients");
        let handlers = if job.is_some() { &[][..] } else { &system.state().clients[number].handlers };
        let handlers = handlers.iter().map(move |handler| ProcessId::handler(client, handler.call));
        std::iter::once(job.unwrap_or(ProcessId::client(client))).chain(handlers)
    }

    /// The steps that this thread can take now.
    pub(super) fn steps(self, thread: Thread, system: &System, steps: &mut Vec<Step>) {
        if self.is_client(thread) {
            for process in self.processes(thread, system).filter(|process| system.is_ready(*process)) {
                system.enabled_of(process, steps);
            }
            steps.retain(|step| step.actor().is_some());
        } else {
            steps.extend(system.enabled().into_iter().filter(|step| self.of_step(step) == thread));
        }
    }

    /// The step of a client's thread that has this one alone, as most have.
    pub(super) fn only_step(self, thread: Thread, system: &System) -> Option<Step> {
        if !self.is_client(thread) {
            return None;
        }
        let mut ready = self.processes(thread, system).filter(|process| system.is_ready(*process));
        let process = ready.next().filter(|_| ready.next().is_none())?;
        let slot = system.state().slot(process);
        match (slot.phase, &slot.op) {
            (Phase::Issued, Some(Op::Choose(_) | Op::Draw(_))) => None,
            (Phase::Issued | Phase::Blocked, _) => Some(Step::Apply(process)),
            (Phase::Asleep(_), _) => Some(Step::Wake(process)),
            _ => None,
        }
    }

    /// True when the thread may have a step. For a client exact; the clock and the faults are asked only when they
    /// are chosen, because that is dear.
    pub(super) fn may_step(self, thread: Thread, system: &System) -> bool {
        let state = system.state();
        if self.is_client(thread) {
            return self.processes(thread, system).any(|process| system.is_ready(process));
        }
        let budgets = state.budgets;
        if thread == self.clock() {
            return budgets.time_steps > 0;
        }
        budgets.faults().next().is_some() || has_unfinished(state) || state.waiting.len() > 1
    }
}

/// True when something happens by itself that a step of a process began: a replica catches up, a connection that is
/// gone is noticed, what nobody waits for lands.
pub(super) fn has_unfinished(state: &State) -> bool {
    let is_cut_off = |process| state.slot(process).is_cut_off;
    let has_replicas = state.world.redis.iter().any(|node| node.replicas() > 0);
    !state.late.is_empty()
        || !state.unreaped.is_empty()
        || state.world.redis.iter().any(Redis::is_behind)
        || (has_replicas && state.processes().any(is_cut_off))
}
