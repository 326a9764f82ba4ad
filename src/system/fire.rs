//! What a step does.

use crate::process::token::Token;
use crate::process::{Asides, Draw, Drawn, End, Flow, Instant, Mark, Op, Outcome, Process, Yield};
use crate::world::identity::{ProcessId, SessionId};
use crate::world::redis::not_simulated;
use crate::world::reply::Reply;

use super::children::InFlight;
use super::name::describe;
use super::property::Subject;
use super::state::{HandlerSlot, Live, Phase, Slot, State, slot_of};
use super::{Carrier, Halves, Happened, Heard, ModelError, Step, System};

impl System {
    /// Does one step.
    ///
    /// # Errors
    /// When a process issues an SQL statement that the store cannot plan.
    ///
    /// # Panics
    /// When the step is not enabled, or a process of the model panics.
    pub fn fire(&mut self, step: &Step) -> Result<(), ModelError> {
        self.fire_here(step)
    }

    /// As [`Self::fire`], in one piece with its caller: for one who fires a hundred thousand steps of two kinds.
    #[inline(always)]
    pub(crate) fn fire_here(&mut self, step: &Step) -> Result<(), ModelError> {
        self.note_gone_on(step);
        if self.watcher.is_some() {
            self.exercise_fault(step);
        }
        match step {
            Step::Apply(process) => self.apply(*process),
            Step::Deliver(process) => {
                self.hear(*process);
                Ok(())
            }
            other => {
                self.befall(other);
                Ok(())
            }
        }
    }

    /// The rarer steps, none of which sends SQL.
    #[inline(always)]
    fn befall(&mut self, step: &Step) {
        match step {
            Step::Begin(process) if process.is_job() => self.begin_job(*process),
            Step::Begin(process) => self.begin(*process),
            Step::Wake(process) => self.deliver(*process, Outcome::Woke),
            Step::Choose(process, choice) => self.deliver(*process, Outcome::Chosen(*choice)),
            Step::Draw(process, drawn) => self.answer_draw(*process, |_, place| place.extend_from_slice(drawn)),
            Step::Cut(process) => self.end_client(*process, Phase::Idle),
            Step::LoseRequest(process) => self.lose_request(*process),
            Step::LoseReply(process) => self.lose_reply(*process),
            Step::CrashClient(process) => self.crash_client(*process),
            Step::CrashInstance(instance) => self.crash_instance(*instance),
            Step::Reap(process) => self.reap(*process),
            Step::Deadlock(process) => self.fail_deadlocked(*process),
            Step::Time(to_us) => self.pass_time(*to_us),
            Step::RedisRestart(node) => self.restart_redis(*node),
            Step::Replicate(node, replica) => self.replicate(*node, *replica),
            Step::Failover(node, replica) => self.fail_over(*node, *replica),
            Step::Disconnect(process) => self.applied(*process, Outcome::Lost),
            Step::Evict(node, key) => self.evict(*node, key),
            Step::Mishap(mishap, process) => self.go_wrong(*mishap, *process),
            Step::Land(number) => self.land(*number),
            Step::ClockJump(node) => self.jump_clock(*node),
            Step::Apply(_) | Step::Deliver(_) => unreachable!("these have their own way"),
        }
    }

    /// Starts the next round of a client.
    pub(super) fn begin(&mut self, process: ProcessId) {
        let client = &mut self.state.clients[usize::from(process.client)];
        client.rounds += 1;
        client.slot.history.clear();
        client.slot.tokens_at_start = client.slot.tokens;
        self.start(process);
    }

    /// The code of a process begins.
    pub(super) fn start(&mut self, process: ProcessId) {
        let (live, _, op) = self.make(process);
        let first = live.advance(op);
        self.absorb(process, first);
    }

    /// Makes the process with the code that its slot tells, which has not begun: where it stays, in its slot. Beside it
    /// are its history and the place for its operation.
    #[inline(always)]
    fn make(&mut self, process: ProcessId) -> (&mut Process, &[Outcome], &mut Option<Op>) {
        let (model, params) = (self.setting.model, &self.setting.params);
        let clients = &mut self.state.clients;
        if process.call > 0 && !process.is_job() {
            let handlers = &mut clients[usize::from(process.client)].handlers;
            let handler = handlers.iter_mut().find(|handler| handler.call == process.call);
            let HandlerSlot { slot, request, .. } = handler.expect("a handler exists from its request on");
            let run = model.handler_of(request).run;
            let made = Process::handler(process, params.clone(), slot.tokens_at_start, run, request.clone());
            return (slot.live.0.insert(made), &slot.history, &mut slot.op);
        }
        let run = match model.setup {
            _ if process.is_job() => model.jobs[process.job_index()].run,
            Some(setup) if process == ProcessId::SETUP => setup.run,
            _ => model.journeys[usize::from(clients[usize::from(process.client)].journey)].run,
        };
        let slot = slot_of(clients, process);
        let made = Process::journey(process, params.clone(), slot.tokens_at_start, run);
        (slot.live.0.insert(made), &slot.history, &mut slot.op)
    }

    /// As [`Self::apply`], of anything but a statement's first step.
    #[inline(always)]
    pub(super) fn apply_other(&mut self, process: ProcessId) -> Result<(), ModelError> {
        let slot = self.state.slot(process);
        match (slot.phase, &slot.op) {
            (Phase::Issued, Some(Op::Call(_))) => self.arrive(process, true),
            (Phase::Issued, Some(Op::Spawn(_) | Op::Join(..) | Op::Cancel(_))) => {
                let outcome = self.apply_to_children(process);
                self.applied(process, outcome);
            }
            (Phase::Blocked, _) => return self.resume_statement(process),
            (Phase::Issued, _) => {
                let outcome = self.effect(process);
                if let Outcome::Reply(reply @ Reply::Error(_)) = &outcome {
                    self.simulated(process, reply)?;
                }
                self.applied(process, outcome);
            }
            (other, _) => panic!("{process} has no operation to apply: {other:?}"),
        }
        Ok(())
    }

    /// An error reply must be one that Redis would give: else what clients make of it proves nothing.
    #[cold]
    fn simulated(&self, process: ProcessId, reply: &Reply) -> Result<(), ModelError> {
        let Some(reason) = not_simulated(reply) else { return Ok(()) };
        let slot = self.state.slot(process);
        let command = slot.op.as_ref().map(describe).unwrap_or_default();
        Err(ModelError::operation(process, slot.label, &command, reason))
    }

    /// Effect and outcome of an operation that needs nobody else's help.
    #[inline(always)]
    pub(super) fn effect(&mut self, process: ProcessId) -> Outcome {
        if self.is_relative {
            self.note_instants(process);
        }
        let ahead_us = self.ahead_us(process);
        let State { now_us, clients, world, .. } = &mut self.state;
        match &slot_of(clients, process).op {
            Some(Op::Redis(node, argv)) => {
                let node = &mut world.redis[usize::from(*node)];
                let reply = node.execute(SessionId::Own(process), argv, *now_us, &mut self.removed);
                self.judge_removals(process);
                self.judgement.redis_changed();
                Outcome::Reply(reply)
            }
            Some(Op::Now) => Outcome::Now(Instant(*now_us + ahead_us)),
            other => panic!("{process}: {other:?} is not applied this way"),
        }
    }

    /// Notes in ghost state which of the values just removed were another client's locks.
    #[inline]
    pub(super) fn judge_removals(&mut self, process: ProcessId) {
        if !self.removed.is_empty() {
            self.judge_removed(process);
        }
    }

    fn judge_removed(&mut self, process: ProcessId) {
        self.judgement.meet(Subject::Removal);
        for (key, value) in self.removed.drain(..) {
            let owner = Token::parse(value.as_bytes()).map(|token| token.process.client);
            if owner.is_some_and(|owner| owner != process.client) {
                self.state.world.ghost.foreign_removals.insert((process, key));
                self.judgement.ghost_changed();
            }
        }
    }

    /// The operation took effect, and this is its outcome.
    #[inline(always)]
    pub(super) fn applied(&mut self, process: ProcessId, outcome: Outcome) {
        self.state.slot_mut(process).outcome = Some(outcome);
        self.took_effect(process);
    }

    /// The operation took effect: its outcome, which is in its slot, is on its way, or there already.
    #[inline(always)]
    pub(super) fn took_effect(&mut self, process: ProcessId) {
        match self.halves {
            Halves::Fused => self.hear(process),
            Halves::Split => {
                let slot = self.state.slot_mut(process);
                slot.apply();
                let in_transaction = slot.has_connection;
                self.happen(Happened::Applied { in_transaction }, process);
            }
        }
    }

    /// This outcome arrives.
    #[inline(always)]
    pub(super) fn deliver(&mut self, process: ProcessId, outcome: Outcome) {
        self.state.slot_mut(process).outcome = Some(outcome);
        self.hear(process);
    }

    /// What is drawn arrives, filled in where it is to stay.
    #[inline(always)]
    pub(crate) fn answer_draw(&mut self, process: ProcessId, fill: impl FnOnce(Draw, &mut Drawn)) {
        let slot = self.state.slot_mut(process);
        let Some(Op::Draw(draw)) = slot.op else { panic!("{process} waits for no draw") };
        if let Outcome::Drawn(place) = slot.outcome.insert(Outcome::Drawn(Drawn::new())) {
            fill(draw, place);
        }
        self.hear(process);
    }

    /// The outcome in its slot arrives: the process goes on to its next operation.
    fn hear(&mut self, process: ProcessId) {
        if self.keeps_history || self.heard.is_some() || self.watcher.is_some() {
            self.take_down_outcome(process);
        }
        let now_us = self.state.now_us;
        let slot = slot_of(&mut self.state.clients, process);
        assert!(slot.outcome.is_some(), "{process} has no outcome to deliver");
        let Some(live) = &mut slot.live.0 else {
            slot.outcome = None;
            let said = self.said(process);
            return self.absorb(process, said);
        };
        // Taken apart, so that nothing is left to be dropped: nearly always a process only says what it does next.
        let Yield { end, label, asides, tokens } = live.resume(&mut slot.outcome, &mut slot.op);
        slot.note(label, tokens);
        match (end, asides) {
            (None, None) => {
                let issued = slot.issue(process, now_us);
                self.issued(process, issued);
            }
            (end, asides) => self.take_in(process, end, asides),
        }
    }

    /// For those who listen, and for whoever will re-create the process.
    fn take_down_outcome(&mut self, process: ProcessId) {
        let slot = slot_of(&mut self.state.clients, process);
        let Some(outcome) = slot.outcome.take() else { return };
        if let Some(heard) = &mut self.heard {
            heard.push(Heard::new(process, outcome.clone(), slot.op.as_ref()));
        }
        if self.watcher.is_some() {
            self.exercise_outcome(process, &outcome);
        }
        let slot = self.state.slot_mut(process);
        if self.keeps_history {
            slot.history.push(outcome.clone());
        }
        slot.outcome = Some(outcome);
    }

    /// Brings a process back from its history, and what it says last; its operation is put into its slot.
    #[cold]
    pub(super) fn recreate(&mut self, process: ProcessId) -> Yield {
        assert!(self.keeps_history, "{process} cannot be re-created: its history was not kept");
        let (live, history, op) = self.make(process);
        live.replay(history, op)
    }

    /// Takes in what a process says when its operation is in its slot.
    fn absorb(&mut self, process: ProcessId, Yield { end, label, asides, tokens }: Yield) {
        self.state.slot_mut(process).note(label, tokens);
        self.take_in(process, end, asides);
    }

    /// Takes in facts and samples, and how a process ended or that it goes on.
    fn take_in(&mut self, process: ProcessId, end: Option<End>, asides: Option<Box<Asides>>) {
        if let Some(asides) = asides {
            self.heed(process, asides);
        }
        if let Some(end) = end {
            return self.ended(process, end);
        }
        let now_us = self.state.now_us;
        let issued = self.state.slot_mut(process).issue(process, now_us);
        self.issued(process, issued);
    }

    /// A process issued an operation, unless something was missing ([`Slot::issue`]).
    #[inline(always)]
    fn issued(&mut self, process: ProcessId, issued: Option<Happened>) {
        match issued {
            Some(happened) => self.happen(happened, process),
            None => self.lacks_something(process),
        }
    }

    fn lacks_something(&mut self, process: ProcessId) {
        let Some(op) = &self.state.slot(process).op else { return };
        let carrier = Carrier::of(op);
        if carrier == Carrier::Http {
            self.panicked(process, "only a client calls the service".to_owned());
        } else if self.take_connection(process) {
            self.happen(Happened::Issued(carrier), process);
        }
    }

    /// The code of a process has come to its end.
    fn ended(&mut self, process: ProcessId, end: End) {
        match end {
            End::Panic(message) => self.panicked(process, message),
            End::Answer(response) => self.answer(process, response),
            End::Round(flow) if process.is_job() => self.end_job(process, flow),
            End::Round(flow) => self.end_round(process, flow),
        }
    }

    /// Takes in the facts that a process stated, and keeps the samples that it recorded.
    fn heed(&mut self, process: ProcessId, asides: Box<Asides>) {
        let ahead_us = self.ahead_us(process);
        for mark in &asides.marks {
            match mark {
                Mark::Holds { seats, until_us } => {
                    // A clock that runs ahead comes to that instant earlier.
                    let until_us = if *until_us == u64::MAX { u64::MAX } else { until_us.saturating_sub(ahead_us) };
                    self.judgement.meet(Subject::Hold);
                    if self.state.world.ghost.hold(process.client, seats, until_us) {
                        self.judgement.seat_shared();
                    }
                    self.judgement.ghost_changed();
                }
                Mark::Ticket { seats } => {
                    for seat in seats {
                        self.state.world.ghost.tickets.entry(*seat).or_default().insert(process.client);
                    }
                    self.judgement.meet(Subject::Ticket);
                    self.judgement.ghost_changed();
                }
                // A claim less breaks no property.
                Mark::GivesUp { seats } => {
                    self.state.world.ghost.give_up(process.client, seats);
                    self.judgement.ghost_touched();
                }
            }
        }
        if self.halves == Halves::Split && !asides.notes.is_empty() {
            self.notes.push((process, asides));
        }
    }

    fn end_round(&mut self, process: ProcessId, flow: Flow) {
        self.end_children(process, InFlight::GoesOn);
        self.close_redis(process);
        let rounds = self.state.clients[usize::from(process.client)].rounds;
        let goes_on = flow == Flow::Again && self.setting.rounds.is_none_or(|most| rounds < most);
        let slot = self.state.slot_mut(process);
        slot.live = Live(None);
        slot.rest(if goes_on { Phase::Idle } else { Phase::Ended });
        slot.history.clear();
        self.happen(Happened::RoundOver, process);
        if goes_on && self.halves == Halves::Fused {
            self.begin(process);
        }
    }

    /// A client stops wherever it is, with its children; what it asked of the service goes on without it.
    pub(super) fn end_client(&mut self, process: ProcessId, phase: Phase) {
        self.end_children(process, InFlight::Vanishes);
        let client = &mut self.state.clients[usize::from(process.client)];
        if let Phase::Calling(call) = client.slot.phase {
            for handler in client.handlers.iter_mut().filter(|handler| handler.call == call) {
                handler.is_awaited = false;
            }
        }
        let Slot { tokens, serials, .. } = client.slot;
        client.slot = Slot { phase, tokens, serials, ..Slot::idle() };
    }
}
