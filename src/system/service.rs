//! HTTP between clients and the service: arrival, worker threads, answers.

use crate::process::token::Token;
use crate::process::{Op, Outcome, Request, Response};
use crate::world::identity::ProcessId;

use super::System;
use super::children::InFlight;
use super::exercised::What;
use super::property::Subject;
use super::state::{Client, HandlerSlot, Phase, Slot};

impl System {
    /// A request reaches its instance: a worker takes it, or it waits for one. `is_awaited` says whether the client
    /// will see the answer; it must be known now, because a handler that needs no operation answers at once.
    pub(super) fn arrive(&mut self, process: ProcessId, is_awaited: bool) {
        let client = &mut self.state.clients[usize::from(process.client)];
        client.slot.phase = Phase::Calling(client.calls + 1);
        self.admit(process, is_awaited, |client| match &client.op {
            Some(Op::Call(request)) => request.clone(),
            other => unreachable!("the caller matched a call, not {other:?}"),
        });
    }

    /// The next request of a client becomes a handler.
    #[inline(always)]
    pub(super) fn admit(&mut self, process: ProcessId, is_awaited: bool, request: impl FnOnce(&Slot) -> Request) {
        let Client { slot: client, calls, handlers, .. } = &mut self.state.clients[usize::from(process.client)];
        *calls += 1;
        let call = *calls;
        // Made where it stays: a slot is large, and `push` would copy it there.
        let slot = || HandlerSlot { call, request: request(client), is_awaited, parent: None, slot: Slot::idle() };
        handlers.reserve_exact(1);
        handlers.extend(std::iter::once_with(slot));
        let handler = ProcessId::handler(process.client, call);
        let instance = self.state.instance_of(process);
        let instance = &mut self.state.instances[instance];
        if instance.idle_workers == 0 {
            instance.accept_queue.push_back(handler);
        } else {
            instance.idle_workers -= 1;
            self.start(handler);
        }
    }

    /// A child is done, or a handler: its worker takes the next request, and the client, if it still waits, gets the
    /// answer.
    pub(super) fn answer(&mut self, handler: ProcessId, response: Response) {
        if let Some(parent) = self.parent_of(handler) {
            self.finish_child(handler, parent, response);
            return;
        }
        self.end_children(handler, InFlight::GoesOn);
        self.exercise(handler, What::Answer(response.status));
        self.judge_answer(handler, response.status);
        self.judge_report(handler, response.status);
        self.close_redis(handler);
        let client = &mut self.state.clients[usize::from(handler.client)];
        let slot = client.handler(handler.call).expect("a handler that answers is at work");
        let is_awaited = slot.is_awaited;
        assert!(
            !slot.slot.has_connection,
            "{handler}: `{}` answered with a transaction open; every path must COMMIT or ROLLBACK",
            slot.request.route
        );
        client.forget_handler(handler.call);
        self.free_worker(handler);
        // What must hold while nobody works for a client is judged now.
        self.judgement.redis_changed();
        if is_awaited {
            let client = ProcessId::client(handler.client);
            let phase = self.state.slot(client).phase;
            assert!(matches!(phase, Phase::Calling(_)), "{client} does not wait for an answer: {phase:?}");
            self.applied(client, Outcome::Response(response));
        }
    }

    /// A worker thread has finished this handler and takes the next request.
    pub(super) fn free_worker(&mut self, handler: ProcessId) {
        let instance = self.state.instance_of(handler);
        let instance = &mut self.state.instances[instance];
        match instance.accept_queue.pop_front() {
            Some(next) => self.start(next),
            None => instance.idle_workers += 1,
        }
    }

    fn judge_answer(&mut self, handler: ProcessId, status: u16) {
        self.judgement.meet(Subject::Answer);
        if status >= 500 {
            self.state.world.ghost.server_errors.insert((handler, status));
            self.judgement.ghost_changed();
        }
        self.judge_split(handler, Some(status));
    }

    /// Notes in ghost state when an error is answered to a client for whom the service has done what it asks.
    fn judge_report(&mut self, handler: ProcessId, status: u16) {
        let client = &self.state.clients[usize::from(handler.client)];
        let is_asked = self.reports && status >= 400;
        let Some(slot) = client.handler(handler.call).filter(|_| is_asked) else { return };
        if (self.setting.model.seats.done)(&self.state, &slot.request, handler.client) {
            self.state.world.ghost.unreported.insert((handler, status));
            self.judgement.ghost_changed();
        }
    }

    /// Notes in ghost state when a handler that was asked to lock seats ends with only some of them, or with other
    /// seats than its answer says.
    pub(super) fn judge_split(&mut self, handler: ProcessId, status: Option<u16>) {
        let client = &self.state.clients[usize::from(handler.client)];
        let Some(slot) = client.handler(handler.call) else { return };
        let Some(seats) = (self.setting.model.seats.asked)(&slot.request) else { return };
        self.judgement.meet(Subject::Request);
        // One that has made no token has signed nothing.
        let seats_signed = if slot.slot.tokens == 0 { &[][..] } else { seats.as_slice() };
        let is_own = Token::is_of(handler);
        let is_locked = |seat: &&i64| {
            let key = (self.setting.model.seats.key)(**seat);
            let value = self.state.world.redis[0].live_value(key.as_bytes(), self.state.now_us);
            value.is_some_and(|value| is_own(value.as_bytes()))
        };
        let locked = seats_signed.iter().filter(is_locked).count();
        let is_whole = match status {
            Some(201) => locked == seats.len(),
            Some(_) => locked == 0,
            None => locked == 0 || locked == seats.len(),
        };
        if !is_whole {
            self.state.world.ghost.split_requests.insert(handler);
            self.judgement.ghost_changed();
        }
    }
}
