//! The state of an execution: the world, every process, the service's bounded resources, and what may still go wrong.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde::{Serialize, Serializer};

pub use super::budgets::Budgets;
use super::jobs::JobClock;
use super::mishap::LateOp;
use super::{Carrier, Happened};
use crate::process::{Op, Outcome, Process, Request};
use crate::world::World;
use crate::world::identity::ProcessId;

/// Everything that decides what can happen next. Two equal states have the same future.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct State {
    /// Virtual microseconds since the start.
    pub now_us: u64,
    /// Redis, database, ghost state.
    pub world: World,
    /// Clients by number; 0 is the set-up.
    pub clients: Vec<Client>,
    /// Background jobs of the service, in the model's order; their processes are handlers of client 0.
    pub jobs: Vec<JobClock>,
    /// Service instances.
    pub instances: Vec<Instance>,
    /// Processes whose SQL statement waits for another transaction.
    pub waiting: BTreeSet<ProcessId>,
    /// Processes that crashed and whose database connection has not been cleaned up yet.
    pub unreaped: BTreeSet<ProcessId>,
    /// Operations whose senders wait no longer.
    pub late: Vec<LateOp>,
    /// Since when processes could have gone on that did not when time last passed; kept where that is bounded.
    pub ready_since: BTreeMap<ProcessId, u64>,
    /// Faults that may still happen.
    pub budgets: Budgets,
}

/// A client, the handlers that work for it, and the children of all of them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Client {
    /// Which journey of the model it runs.
    pub journey: u16,
    /// The client itself.
    pub slot: Slot,
    /// Rounds begun.
    pub rounds: u32,
    /// Calls made and children started, over all rounds.
    pub calls: u32,
    /// Handlers at work and children, in order of their numbers.
    pub handlers: Vec<HandlerSlot>,
}

/// A handler at work, or a child that a process has started.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct HandlerSlot {
    /// Which of the client's calls.
    pub call: u32,
    /// What it handles.
    pub request: Request,
    /// False once the client has stopped waiting for the answer.
    pub is_awaited: bool,
    /// The process that started it as its child, by its call; 0 for the client. None for a request and for a job.
    pub parent: Option<u32>,
    /// The handler itself.
    pub slot: Slot,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Slot {
    /// Where it is.
    pub phase: Phase,
    /// The operation in flight, which stays here until its outcome is delivered. None where no phase has one.
    pub op: Option<Op>,
    /// The outcome on its way back, in [`Phase::Applied`] alone.
    pub outcome: Option<Outcome>,
    /// Label of the operation in flight.
    pub label: &'static str,
    /// Tokens made so far.
    pub tokens: u32,
    /// Tokens made before this round, needed to re-create it.
    pub tokens_at_start: u32,
    /// Sequence values drawn so far.
    pub serials: u32,
    /// True while it has a database connection of its instance's pool.
    pub has_connection: bool,
    /// True if the Redis command in flight was under way when its node failed over: its connection may be gone.
    pub is_cut_off: bool,
    /// Outcomes seen in this round; what the process is a function of.
    pub history: Vec<Outcome>,
    /// The process itself, if it is at hand.
    pub live: Live,
}

impl Slot {
    /// A process that has not begun.
    #[must_use]
    pub fn idle() -> Self {
        Self {
            phase: Phase::Idle,
            op: None,
            outcome: None,
            label: "",
            tokens: 0,
            tokens_at_start: 0,
            serials: 0,
            has_connection: false,
            is_cut_off: false,
            history: Vec::new(),
            live: Live(None),
        }
    }

    /// Where the process is and what it is about, in one.
    ///
    /// # Panics
    /// Never: a phase that has an operation or an outcome finds it in its slot.
    #[must_use]
    pub fn whereabouts(&self) -> Whereabouts<'_> {
        let op = || self.op.as_ref().expect("this phase has an operation");
        match self.phase {
            Phase::Idle => Whereabouts::Idle,
            Phase::Issued => Whereabouts::Issued(op()),
            Phase::Blocked => Whereabouts::Blocked(op()),
            Phase::Calling(call) => match op() {
                Op::Call(request) => Whereabouts::Calling(request, call),
                other => unreachable!("{other:?} is not a call"),
            },
            Phase::Applied => Whereabouts::Applied(op(), self.outcome.as_ref().expect("this phase has an outcome")),
            Phase::Asleep(until_us) => Whereabouts::Asleep(until_us),
            Phase::Ended => Whereabouts::Ended,
        }
    }

    /// The operation took effect, and its outcome, which is in its place, is on its way back.
    #[inline(always)]
    pub(super) fn apply(&mut self) {
        self.phase = Phase::Applied;
        self.is_cut_off = false;
    }

    /// Takes in what its process says beside its operation.
    #[inline]
    pub(super) fn note(&mut self, label: &'static str, tokens: u32) {
        self.tokens = tokens;
        self.label = label;
        self.is_cut_off = false;
    }

    /// The operation is issued. None if something is missing: a handler may not call, and a statement needs a
    /// connection.
    #[inline]
    pub(super) fn issue(&mut self, process: ProcessId, now_us: u64) -> Option<Happened> {
        self.phase = Phase::Issued;
        match &self.op {
            Some(Op::Sleep(us)) => {
                let until_us = now_us.saturating_add(*us);
                self.rest(Phase::Asleep(until_us));
                Some(Happened::Asleep)
            }
            Some(Op::Call(_)) if process.call > 0 => None,
            Some(Op::Sql(..)) if !self.has_connection => None,
            op => op.as_ref().map(|op| Happened::Issued(Carrier::of(op))),
        }
    }

    /// Goes to a phase without an operation.
    #[inline]
    pub(super) fn rest(&mut self, phase: Phase) {
        self.phase = phase;
        self.op = None;
    }
}

/// Without what can be re-created.
impl Serialize for Slot {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { label, tokens, tokens_at_start, serials, has_connection, is_cut_off, history, .. } = self;
        let flags = (has_connection, is_cut_off);
        (self.whereabouts(), label, tokens, tokens_at_start, serials, flags, history).serialize(serializer)
    }
}

/// A [`Phase`] together with its operation and outcome.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[expect(missing_docs, reason = "the variants are those of `Phase`")]
pub enum Whereabouts<'a> {
    Idle,
    Issued(&'a Op),
    Blocked(&'a Op),
    Calling(&'a Request, u32),
    Applied(&'a Op, &'a Outcome),
    Asleep(u64),
    Ended,
}

/// Where a process is. The operation and its outcome lie beside it in the [`Slot`] and are not moved when it changes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// A client between rounds, or a handler that waits for a worker thread.
    Idle,
    /// An operation is on its way to the world.
    Issued,
    /// An SQL statement has begun and waits for another transaction.
    Blocked,
    /// The request is with the service; the number is the client's call.
    Calling(u32),
    /// The operation took effect; its outcome is on its way back.
    Applied,
    /// Asleep until this instant.
    Asleep(u64),
    /// Finished or crashed.
    Ended,
}

/// A running process beside the data that can re-create it: a cache, not state. A copy of a slot starts without.
#[derive(Debug)]
pub struct Live(pub Option<Process>);

impl Clone for Live {
    fn clone(&self) -> Self {
        Self(None)
    }
}

impl PartialEq for Live {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Live {}

impl std::hash::Hash for Live {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}

/// One instance of the service: a bounded pool of worker threads and of database connections.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Instance {
    /// Worker threads without a request.
    pub idle_workers: u32,
    /// Requests that wait for a worker, first come first served.
    pub accept_queue: VecDeque<ProcessId>,
    /// Database connections in the pool.
    pub idle_connections: u32,
    /// Handlers that wait for a connection, first come first served.
    pub connection_queue: VecDeque<ProcessId>,
}

impl State {
    /// The slot of a process that exists.
    ///
    /// # Panics
    /// When it does not exist: engines only name processes that the system named before.
    #[inline]
    #[must_use]
    pub fn slot(&self, process: ProcessId) -> &Slot {
        self.find(process).unwrap_or_else(|| panic!("{process} does not exist"))
    }

    /// The slot of a process, if it exists.
    #[inline]
    #[must_use]
    pub fn find(&self, process: ProcessId) -> Option<&Slot> {
        let client = self.clients.get(usize::from(process.client))?;
        if process.call == 0 { Some(&client.slot) } else { client.handler(process.call).map(|handler| &handler.slot) }
    }

    /// As [`State::slot`], to change it.
    ///
    /// # Panics
    /// When the process does not exist.
    #[inline]
    pub(crate) fn slot_mut(&mut self, process: ProcessId) -> &mut Slot {
        slot_of(&mut self.clients, process)
    }

    /// Every process in the fixed order of steps: clients by number, each followed by its handlers.
    pub fn processes(&self) -> impl Iterator<Item = ProcessId> {
        self.clients.iter().enumerate().flat_map(|(number, client)| {
            let number = u16::try_from(number).expect("there are at most 65,535 clients");
            let handlers = client.handlers.iter().map(move |handler| ProcessId::handler(number, handler.call));
            std::iter::once(ProcessId::client(number)).chain(handlers)
        })
    }

    /// The instance that serves this client: clients are spread over instances by number.
    #[must_use]
    pub fn instance_of(&self, process: ProcessId) -> usize {
        usize::from(process.client) % self.instances.len()
    }
}

/// The slot of a process that exists, while the rest of the state may be borrowed otherwise.
#[inline]
pub(super) fn slot_of(clients: &mut [Client], process: ProcessId) -> &mut Slot {
    let client = &mut clients[usize::from(process.client)];
    if process.call == 0 {
        return &mut client.slot;
    }
    match client.handlers.iter_mut().find(|handler| handler.call == process.call) {
        Some(handler) => &mut handler.slot,
        None => panic!("{process} does not exist"),
    }
}

impl Client {
    /// The handler of this call, while it is at work.
    #[must_use]
    pub fn handler(&self, call: u32) -> Option<&HandlerSlot> {
        self.handlers.iter().find(|handler| handler.call == call)
    }

    /// Forgets a handler or child. The memory of the last one goes back to the allocator, which gives it to the next
    /// request, whoever sends that: it is still in the cache then, and the client's own would not be.
    pub(super) fn forget_handler(&mut self, call: u32) {
        // Dropped where it lies: a slot is large.
        self.handlers.retain(|handler| handler.call != call);
        if self.handlers.is_empty() {
            self.handlers = Vec::new();
        }
    }
}
