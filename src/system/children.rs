//! Processes that a process starts beside itself: watchdogs, requests side by side.
//!
//! A child belongs to its parent: to its crash domain, to its instance and its clock, and to its life. When a round or
//! a request ends, the children that are still at work are cancelled. What a cancelled child has sent is not called
//! back: it may take effect later, or never.

use super::state::{HandlerSlot, Live, Phase, Slot};
use super::{Happened, System};
use crate::process::{Op, Outcome, Response};
use crate::world::identity::ProcessId;

/// What becomes of the operation that an ended process has in flight.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum InFlight {
    /// It is under way and takes effect some time later, or never.
    GoesOn,
    /// It is gone with its sender.
    Vanishes,
}

impl System {
    /// A child is started, waited for or cancelled.
    pub(super) fn apply_to_children(&mut self, process: ProcessId) -> Outcome {
        match self.state.slot(process).op.clone() {
            Some(Op::Spawn(job)) => {
                let client = &mut self.state.clients[usize::from(process.client)];
                client.calls += 1;
                let call = client.calls;
                let parent = Some(process.call);
                let slot = HandlerSlot { call, request: job, is_awaited: false, parent, slot: Slot::idle() };
                client.handlers.push(slot);
                let child = ProcessId::handler(process.client, call);
                self.start(child);
                Outcome::Spawned(child)
            }
            Some(Op::Join(_, children)) => {
                let over = children.into_iter().filter(|child| self.is_over(*child)).collect::<Vec<_>>();
                let result = |child| Some((child, self.take_result(child)?));
                Outcome::Joined(over.into_iter().filter_map(result).collect())
            }
            Some(Op::Cancel(child)) => {
                self.end_child(child, InFlight::GoesOn);
                Outcome::Cancelled
            }
            other => unreachable!("{other:?} concerns no children"),
        }
    }

    /// True when so many of the children that this process waits for are over.
    pub(super) fn has_joined(&self, count: u32, children: &[ProcessId]) -> bool {
        children.iter().filter(|child| self.is_over(**child)).count() >= count as usize
    }

    /// A child that was joined or cancelled before is over too.
    fn is_over(&self, child: ProcessId) -> bool {
        self.state.find(child).is_none_or(|slot| slot.phase == Phase::Ended)
    }

    /// What a child that has ended came to; none if it panicked, or its result was taken before.
    fn take_result(&mut self, child: ProcessId) -> Option<Response> {
        let handlers = &mut self.state.clients[usize::from(child.client)].handlers;
        let place = handlers.iter().position(|handler| handler.call == child.call)?;
        match handlers.remove(place).slot.outcome {
            Some(Outcome::Response(response)) => Some(response),
            _ => None,
        }
    }

    /// The parent of this process, if it is a child.
    pub(super) fn parent_of(&self, process: ProcessId) -> Option<ProcessId> {
        let handler = self.state.clients[usize::from(process.client)].handler(process.call)?;
        Some(ProcessId::handler(process.client, handler.parent?))
    }

    /// True for handlers, jobs and what they start: they share the connections and the clock of their instance.
    pub(super) fn is_of_service(&self, process: ProcessId) -> bool {
        if self.setting.model.children.is_empty() {
            return process.call > 0;
        }
        let root = std::iter::successors(Some(process), |process| self.parent_of(*process)).last();
        root.is_some_and(|root| root.call > 0)
    }

    /// A child has come to its end. Its result stays until its parent takes it.
    pub(super) fn finish_child(&mut self, child: ProcessId, parent: ProcessId, response: Response) {
        self.end_children(child, InFlight::GoesOn);
        self.close_redis(child);
        let slot = self.state.slot_mut(child);
        assert!(!slot.has_connection, "{child} ended with a transaction open; every path must COMMIT or ROLLBACK");
        // Its history stays, because the result is a function of it.
        slot.live = Live(None);
        slot.rest(Phase::Ended);
        slot.outcome = Some(Outcome::Response(response));
        if matches!(self.state.slot(parent).op, Some(Op::Join(..))) {
            self.happen(Happened::Unblocked, parent);
        }
    }

    /// The children of a process that has ended end with it.
    #[inline]
    pub(super) fn end_children(&mut self, parent: ProcessId, in_flight: InFlight) {
        if !self.setting.model.children.is_empty() {
            self.end_all_children(parent, in_flight);
        }
    }

    fn end_all_children(&mut self, parent: ProcessId, in_flight: InFlight) {
        let is_child = |handler: &&HandlerSlot| handler.parent == Some(parent.call);
        let handlers = &self.state.clients[usize::from(parent.client)].handlers;
        let children = handlers.iter().filter(is_child).map(|handler| handler.call).collect::<Vec<_>>();
        for call in children {
            self.end_child(ProcessId::handler(parent.client, call), in_flight);
        }
    }

    /// A child ends wherever it is, with its children. One that is over already leaves nothing but its result.
    fn end_child(&mut self, child: ProcessId, in_flight: InFlight) {
        if self.state.find(child).is_none() {
            return;
        }
        self.end_children(child, in_flight);
        let slot = self.state.slot(child);
        let is_sent = slot.phase == Phase::Issued && self.can_apply(child) && Self::can_be_late(slot);
        if is_sent && in_flight == InFlight::GoesOn {
            self.leave_behind(child);
        }
        if self.state.slot(child).has_connection {
            self.give_connection_back(child);
        }
        for instance in &mut self.state.instances {
            instance.connection_queue.retain(|waiting| *waiting != child);
        }
        self.forget_session(child);
        self.state.clients[usize::from(child.client)].forget_handler(child.call);
    }
}
