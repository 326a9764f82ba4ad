//! Which of loom's threads takes which step: one thread for each client, one for everything else.

use crate::system::state::{Phase, State};
use crate::system::{Step, System};
use crate::world::identity::ProcessId;

/// Number of a thread: clients first, in their order, then nature.
pub(super) type Thread = usize;

/// The threads of a setting.
#[derive(Copy, Clone, Debug)]
pub(super) struct Threads {
    clients: usize,
}

impl Threads {
    pub(super) fn of(system: &System) -> Self {
        Self { clients: system.setting().journeys.len() }
    }

    pub(super) fn count(self) -> usize {
        self.clients + 1
    }

    /// Time, faults of the infrastructure, what the database does by itself, background jobs, and handlers that nobody
    /// waits for.
    fn nature(self) -> Thread {
        self.clients
    }

    /// The thread of a client and of the handler that it waits for; nature's for a handler that goes on alone.
    fn of_process(self, process: ProcessId, state: &State) -> Thread {
        let number = usize::from(process.client);
        let is_awaited =
            process.call == 0 || state.clients[number].handler(process.call).is_none_or(|it| it.is_awaited);
        if number > 0 && is_awaited { number - 1 } else { self.nature() }
    }

    /// A client's fate is decided in its own thread: a lost message or a crash costs no preemption.
    fn of_step(self, step: &Step, state: &State) -> Thread {
        let process = match step {
            Step::LoseRequest(process)
            | Step::LoseReply(process)
            | Step::Disconnect(process)
            | Step::CrashClient(process) => Some(*process),
            _ => step.actor(),
        };
        process.map_or_else(|| self.nature(), |process| self.of_process(process, state))
    }

    /// A client, and the handler that it waits for.
    fn processes(thread: Thread, state: &State) -> impl Iterator<Item = ProcessId> {
        let number = u16::try_from(thread + 1).expect("loom has a handful of threads");
        let handlers = state.clients[thread + 1].handlers.iter().filter(|handler| handler.is_awaited);
        let handlers = handlers.map(move |handler| ProcessId::handler(number, handler.call));
        std::iter::once(ProcessId::client(number)).chain(handlers)
    }

    /// The steps that this thread can take now.
    pub(super) fn steps(self, thread: Thread, system: &System) -> Vec<Step> {
        let state = system.state();
        if thread == self.nature() {
            return system.enabled().into_iter().filter(|step| self.of_step(step, state) == thread).collect();
        }
        let mut steps = Vec::new();
        Self::processes(thread, state).for_each(|process| system.enabled_of(process, &mut steps));
        steps
    }

    /// True when nothing can ever come of this thread again.
    pub(super) fn is_done(self, thread: Thread, system: &System) -> bool {
        thread < self.clients && system.state().clients[thread + 1].slot.phase == Phase::Ended
    }
}
