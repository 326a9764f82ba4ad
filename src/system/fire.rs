//! What a step does.

use crate::process::token::Token;
use crate::process::{Asides, Body, Draw, End, Flow, Instant, Mark, Op, Outcome, Process, Spawn, Yield};
use crate::world::identity::{ProcessId, SessionId};

use super::property::Subject;
use super::state::{Live, Phase, Slot, State, slot_of};
use super::{Halves, Happening, ModelError, Step, System};

impl System {
    /// Does one step.
    ///
    /// # Errors
    /// When a process issues an SQL statement that the store cannot plan.
    ///
    /// # Panics
    /// When the step is not enabled, or a process of the model panics.
    pub fn fire(&mut self, step: &Step) -> Result<(), ModelError> {
        match step {
            Step::Begin(process) if process.is_job() => self.begin_job(*process),
            Step::Begin(process) => self.begin(*process),
            Step::Apply(process) => self.apply(*process)?,
            Step::Deliver(process) => self.deliver_applied(*process),
            Step::Wake(process) => self.deliver(*process, Outcome::Woke),
            Step::Choose(process, choice) => self.deliver(*process, Outcome::Chosen(*choice)),
            Step::Draw(process, drawn) => self.deliver(*process, Outcome::Drawn(drawn.clone())),
            Step::Cut(process) => self.end_client(*process, Phase::Idle),
            Step::LoseRequest(process) => self.lose_request(*process),
            Step::LoseReply(process) => self.lose_reply(*process),
            Step::CrashClient(process) => self.crash_client(*process),
            Step::CrashInstance(instance) => self.crash_instance(*instance),
            Step::Reap(process) => self.reap(*process),
            Step::Deadlock(process) => self.fail_deadlocked(*process),
            Step::Time(to_us) => self.pass_time(*to_us),
            Step::RedisRestart(node) => self.restart_redis(*node),
            Step::Evict(node, key) => self.evict(*node, key),
            Step::Mishap(mishap, process) => self.befall(*mishap, *process),
            Step::Land(number) => self.land(*number),
            Step::ClockJump(node) => self.jump_clock(*node),
        }
        self.note_gone_on(step);
        Ok(())
    }

    /// Starts the next round of a client.
    pub(super) fn begin(&mut self, process: ProcessId) {
        let client = &mut self.state.clients[usize::from(process.client)];
        client.rounds += 1;
        client.slot.history.clear();
        client.slot.tokens_at_start = client.slot.tokens;
        let (live, first) = Process::spawn(self.spawn_of(process));
        self.state.slot_mut(process).live = Live(Some(live));
        self.absorb(process, first);
    }

    /// All that is needed to start this process, from its slot.
    pub(super) fn spawn_of(&self, process: ProcessId) -> Spawn {
        let client = &self.state.clients[usize::from(process.client)];
        let model = self.setting.model;
        let tokens = self.state.slot(process).tokens_at_start;
        let (body, request) = if process.is_job() {
            (Body::Journey(model.jobs[process.job_index()].run), None)
        } else if let Some(handler) = client.handler(process.call) {
            (Body::Handler(self.handler_of(&handler.request).run), Some(handler.request.clone()))
        } else if process == ProcessId::SETUP {
            (Body::Journey(model.setup.expect("only a model with a set-up begins it").run), None)
        } else {
            (Body::Journey(model.journeys[usize::from(client.journey)].run), None)
        };
        Spawn { process, body, request, params: self.setting.params.clone(), tokens }
    }

    /// The operation in flight takes effect.
    fn apply(&mut self, process: ProcessId) -> Result<(), ModelError> {
        let slot = self.state.slot(process);
        match (slot.phase, &slot.op) {
            (Phase::Issued, Some(Op::Call(_))) => self.arrive(process, true),
            (Phase::Issued, Some(Op::Sql(..))) => self.begin_statement(process)?,
            (Phase::Blocked, _) => self.resume_statement(process)?,
            (Phase::Issued, _) => {
                let outcome = self.effect(process);
                self.applied(process, outcome);
            }
            (other, _) => panic!("{process} has no operation to apply: {other:?}"),
        }
        Ok(())
    }

    /// Effect and outcome of an operation that needs nobody else's help.
    pub(super) fn effect(&mut self, process: ProcessId) -> Outcome {
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
    pub(super) fn judge_removals(&mut self, process: ProcessId) {
        if !self.removed.is_empty() {
            self.judgement.meet(Subject::Removal);
        }
        for (key, value) in self.removed.drain(..) {
            let owner = Token::parse(value.as_bytes()).map(|token| token.process.client);
            if owner.is_some_and(|owner| owner != process.client) {
                self.state.world.ghost.foreign_removals.insert((process, key));
                self.judgement.ghost_changed();
            }
        }
    }

    /// The operation took effect: its outcome is on its way, or there already.
    pub(super) fn applied(&mut self, process: ProcessId, outcome: Outcome) {
        match self.halves {
            Halves::Fused => self.deliver(process, outcome),
            Halves::Split => {
                let slot = self.state.slot_mut(process);
                slot.phase = Phase::Applied;
                slot.outcome = Some(outcome);
                self.happen(Happening::Applied(process));
            }
        }
    }

    fn deliver_applied(&mut self, process: ProcessId) {
        let slot = self.state.slot_mut(process);
        match slot.outcome.take() {
            Some(outcome) => self.deliver(process, outcome),
            None => panic!("{process} has no outcome to deliver: {:?}", slot.phase),
        }
    }

    /// The outcome arrives: the process goes on to its next operation.
    pub(super) fn deliver(&mut self, process: ProcessId, outcome: Outcome) {
        if let Some(heard) = &mut self.heard {
            heard.push((process, outcome.clone()));
        }
        let slot = self.state.slot_mut(process);
        let said = match &mut slot.live.0 {
            Some(live) => {
                if self.keeps_history {
                    slot.history.push(outcome.clone());
                }
                live.resume(outcome)
            }
            None => {
                assert!(self.keeps_history, "{process} cannot be re-created: its history was not kept");
                slot.history.push(outcome);
                let (live, said) = Process::replay(self.spawn_of(process), &self.state.slot(process).history);
                self.state.slot_mut(process).live = Live(Some(live));
                said
            }
        };
        self.absorb(process, said);
    }

    /// Takes in what a process says after an outcome: facts, samples, its next operation or its end.
    pub(super) fn absorb(&mut self, process: ProcessId, said: Yield) {
        let Yield { next, label, asides, tokens } = said;
        if let Some(asides) = asides {
            self.heed(process, &asides);
        }
        let slot = self.state.slot_mut(process);
        slot.tokens = tokens;
        slot.label = label;
        match next {
            Ok(op) => self.issue(process, op),
            Err(End::Panic(message)) => self.panicked(process, message),
            Err(End::Answer(response)) => self.answer(process, response),
            Err(End::Round(flow)) if process.is_job() => self.end_job(process, flow),
            Err(End::Round(flow)) => self.end_round(process, flow),
        }
    }

    /// Takes in the facts that a process stated and the samples that it recorded.
    fn heed(&mut self, process: ProcessId, asides: &Asides) {
        let ahead_us = self.ahead_us(process);
        for mark in &asides.marks {
            match mark {
                Mark::Holds { seats, until_us } => {
                    // A clock that runs ahead comes to that instant earlier.
                    let until_us = if *until_us == u64::MAX { u64::MAX } else { until_us.saturating_sub(ahead_us) };
                    self.state.world.ghost.hold(process.client, seats, until_us);
                    self.judgement.meet(Subject::Hold);
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
                Mark::GivesUp { seats } => self.state.world.ghost.give_up(process.client, seats),
            }
        }
        for note in &asides.notes {
            self.happen(Happening::Noted(process, *note));
        }
    }

    fn issue(&mut self, process: ProcessId, op: Op) {
        let now_us = self.state.now_us;
        let slot = self.state.slot_mut(process);
        if let Op::Sleep(us) = op {
            let until_us = now_us.saturating_add(us);
            slot.rest(Phase::Asleep(until_us));
            self.happen(Happening::Asleep(process, until_us));
            return;
        }
        let needs_connection = matches!(op, Op::Sql(..)) && !slot.has_connection;
        slot.phase = Phase::Issued;
        slot.op = Some(op);
        if needs_connection && !self.take_connection(process) {
            return;
        }
        self.happen(Happening::Issued(process));
    }

    fn end_round(&mut self, process: ProcessId, flow: Flow) {
        self.close_redis(process);
        let rounds = self.state.clients[usize::from(process.client)].rounds;
        let goes_on = flow == Flow::Again && self.setting.rounds.is_none_or(|most| rounds < most);
        let slot = self.state.slot_mut(process);
        slot.live = Live(None);
        slot.rest(if goes_on { Phase::Idle } else { Phase::Ended });
        slot.history.clear();
        self.happen(Happening::RoundOver(process));
        if goes_on && self.halves == Halves::Fused {
            self.begin(process);
        }
    }

    /// A client stops wherever it is; what it sent goes on without it.
    pub(super) fn end_client(&mut self, process: ProcessId, phase: Phase) {
        let client = &mut self.state.clients[usize::from(process.client)];
        if let Phase::Calling(call) = client.slot.phase {
            for handler in client.handlers.iter_mut().filter(|handler| handler.call == call) {
                handler.is_awaited = false;
            }
        }
        let Slot { tokens, serials, .. } = client.slot;
        client.slot = Slot { phase, tokens, serials, ..Slot::idle() };
    }

    /// The draw that this process waits for.
    #[must_use]
    pub fn draw_of(&self, process: ProcessId) -> Option<Draw> {
        let slot = self.state.slot(process);
        match (slot.phase, &slot.op) {
            (Phase::Issued, Some(Op::Draw(draw))) => Some(*draw),
            _ => None,
        }
    }
}
