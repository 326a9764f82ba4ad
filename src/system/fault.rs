//! What goes wrong: lost messages, crashes, and a Redis node that forgets.

use crate::process::{Op, Outcome};
use crate::world::argv::ByteString;
use crate::world::identity::{ProcessId, SessionId};

use super::children::InFlight;
use super::exercised::What;
use super::state::{Instance, Phase, Slot};
use super::{Happened, System};

impl System {
    /// The request never arrives; the sender sees a time-out.
    pub(super) fn lose_request(&mut self, process: ProcessId) {
        self.state.budgets.lose_request -= 1;
        let phase = self.state.slot(process).phase;
        assert!(matches!(phase, Phase::Issued), "{process} has no request under way: {phase:?}");
        self.applied(process, Outcome::Lost);
    }

    /// The sender stops waiting: its command has taken effect, or its call is (or will be) handled without it.
    pub(super) fn lose_reply(&mut self, process: ProcessId) {
        self.state.budgets.lose_reply -= 1;
        let slot = self.state.slot(process);
        match (slot.phase, &slot.op) {
            (Phase::Issued, Some(Op::Call(_))) => {
                self.arrive(process, false);
                self.applied(process, Outcome::Lost);
            }
            (Phase::Issued, _) => {
                self.effect(process);
                self.applied(process, Outcome::Lost);
            }
            (Phase::Calling(_), _) => self.abandon_call(process),
            (other, _) => panic!("{process} waits for no reply: {other:?}"),
        }
    }

    /// The client sees a time-out; the handler, if it is still at work, goes on for nobody.
    fn abandon_call(&mut self, process: ProcessId) {
        let client = &mut self.state.clients[usize::from(process.client)];
        let Phase::Calling(call) = client.slot.phase else { panic!("{process} has no call to give up") };
        for handler in client.handlers.iter_mut().filter(|handler| handler.call == call) {
            handler.is_awaited = false;
        }
        self.applied(process, Outcome::Lost);
    }

    /// The client ends at once.
    pub(super) fn crash_client(&mut self, process: ProcessId) {
        self.state.budgets.crash -= 1;
        self.forget_session(process);
        self.end_client(process, Phase::Ended);
    }

    /// Every handler of the instance ends at once, and the instance starts anew with fresh pools. Clients that wait
    /// for an answer see their connection break.
    pub(super) fn crash_instance(&mut self, number: u32) {
        self.state.budgets.crash -= 1;
        let instance = number as usize;
        let service = self.setting.service;
        self.state.instances[instance] = Instance {
            idle_workers: service.workers,
            idle_connections: service.connections,
            ..self.state.instances[instance].clone()
        };
        self.state.instances[instance].accept_queue.clear();
        self.state.instances[instance].connection_queue.clear();
        let handlers = self.state.processes().filter(|process| self.is_of_service(*process));
        let dead = handlers.filter(|process| self.state.instance_of(*process) == instance).collect::<Vec<_>>();
        for handler in dead {
            self.judge_split(handler, None);
            self.forget_session(handler);
            let client = &mut self.state.clients[usize::from(handler.client)];
            client.forget_handler(handler.call);
            if handler.is_job() {
                self.restart_job(handler);
                continue;
            }
            let is_caller = matches!(client.slot.phase, Phase::Calling(call) if call == handler.call);
            if is_caller {
                self.abandon_call(ProcessId::client(handler.client));
            }
        }
    }

    /// The code of a process panicked: the process ends where it is. What it has open stays open, for nobody closes it.
    pub(super) fn panicked(&mut self, process: ProcessId, message: String) {
        self.exercise(process, What::Panic);
        self.state.world.ghost.panics.insert((process, message));
        self.judgement.ghost_changed();
        if process.call == 0 {
            self.end_client(process, Phase::Ended);
            return;
        }
        if self.state.slot(process).has_connection {
            self.give_connection_back(process);
        }
        self.end_children(process, InFlight::Vanishes);
        let parent = self.parent_of(process);
        if process.is_job() || parent.is_some() {
            *self.state.slot_mut(process) = Slot { phase: Phase::Ended, ..Slot::idle() };
            if let Some(parent) = parent {
                self.happen(Happened::Unblocked, parent);
            }
            return;
        }
        let client = &mut self.state.clients[usize::from(process.client)];
        let is_caller = matches!(client.slot.phase, Phase::Calling(call) if call == process.call);
        client.forget_handler(process.call);
        self.free_worker(process);
        if is_caller {
            self.abandon_call(ProcessId::client(process.client));
        }
    }

    /// A process is gone; the database and Redis have yet to notice. Until then its locks and its MULTI stay.
    pub(super) fn forget_session(&mut self, process: ProcessId) {
        self.state.waiting.remove(&process);
        let (session, world) = (SessionId::Own(process), &self.state.world);
        if world.sql.in_transaction(session) || world.redis.iter().any(|node| node.has_session(session)) {
            self.state.unreaped.insert(process);
        }
    }

    /// The servers notice that connections are gone: the database rolls back and drops the locks, Redis discards
    /// MULTI and WATCH.
    pub(super) fn reap(&mut self, process: ProcessId) {
        self.state.unreaped.remove(&process);
        self.state.world.sql.close(SessionId::Own(process));
        self.close_redis(process);
        self.judgement.data_changed();
        self.wake_waiters();
    }

    /// A process ends in order: so do its connections to Redis.
    pub(super) fn close_redis(&mut self, process: ProcessId) {
        self.state.world.redis.iter_mut().for_each(|node| node.close(SessionId::Own(process)));
    }

    /// The node restarts with nothing, as with `save ""` and `appendonly no`.
    pub(super) fn restart_redis(&mut self, node: u8) {
        self.state.budgets.redis_restart -= 1;
        self.state.world.redis[usize::from(node)].restart_empty();
        self.judgement.redis_changed();
    }

    /// A replica takes in the next of what its primary has done. No client reads it there.
    pub(super) fn replicate(&mut self, node: u8, replica: u8) {
        self.state.world.redis[usize::from(node)].replicate(replica);
    }

    /// The node is gone and a replica takes its place. Drivers reconnect without a word; what was under way is sent on
    /// the new connection, or its sender hears that the connection is gone ([`Step::Disconnect`](super::Step)).
    pub(super) fn fail_over(&mut self, node: u8, replica: u8) {
        self.state.budgets.failover -= 1;
        self.state.world.redis[usize::from(node)].fail_over(replica);
        for client in &mut self.state.clients {
            let handlers = client.handlers.iter_mut().map(|handler| &mut handler.slot);
            for slot in std::iter::once(&mut client.slot).chain(handlers) {
                slot.is_cut_off |=
                    matches!(slot.op, Some(Op::Redis(to, _)) if to == node && slot.phase == Phase::Issued);
            }
        }
        self.judgement.redis_changed();
    }

    /// The node drops a live key for want of memory.
    pub(super) fn evict(&mut self, node: u8, key: &ByteString) {
        self.state.budgets.evict -= 1;
        self.state.world.redis[usize::from(node)].evict(key.as_bytes(), self.state.now_us);
        self.judgement.redis_changed();
    }
}
