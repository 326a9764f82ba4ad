//! One execution in virtual time: an event heap decides what happens next, never a choice.

mod load;

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Run;
use super::events::{Due, Event, Events, What};
use super::load::LoadTest;
use super::measure::Measure;
use super::virtual_user::VirtualUser;
use crate::process::{Drawn, Op};
use crate::system::digest::Digest;
use crate::system::property::Violation;
use crate::system::schedule::Recorder;
use crate::system::state::{Phase, Slot};
use crate::system::{Carrier, Happened, Happening, ModelError, Step, System};
use crate::world::identity::ProcessId;

/// PostgreSQL looks for a deadlock when a statement has waited this long (`deadlock_timeout`).
const DEADLOCK_TIMEOUT_US: u64 = 1_000_000;

/// A run in progress, which holds its load test by reference or shares it.
pub(in crate::engines) struct Execution<T> {
    test: T,
    seed: u64,
    system: System,
    events: Events,
    /// By client number; 0 is the set-up.
    users: Vec<VirtualUser>,
    /// The model has children, which may be cancelled wherever they are.
    has_children: bool,
    measure: Measure<T>,
    digest: Digest,
    recorder: Option<Recorder>,
    /// Iterations in progress.
    running: u32,
    /// Shifts that have not ended yet.
    shifts_left: usize,
    load_started_us: u64,
    last_iteration_end_us: u64,
    violation: Option<Violation>,
    aborted_by: Option<(String, String)>,
    /// Asks the run to end, if it may be asked.
    pub(super) stop: Option<Arc<AtomicBool>>,
    is_interrupted: bool,
}

impl<T: Deref<Target = LoadTest> + Clone> Execution<T> {
    /// The test under this seed, of which nothing has happened yet.
    pub(in crate::engines) fn new(test: T, seed: u64, system: System, recorder: Option<Recorder>) -> Self {
        let clients = u16::try_from(test.shifts.len()).expect("the scenario bounds the number of virtual users");
        let shifts_left = test.shifts.iter().map(Vec::len).sum();
        Self {
            has_children: !test.setting.model.children.is_empty(),
            measure: Measure::new(test.clone()),
            test,
            seed,
            system,
            events: Events::default(),
            users: (0..=clients).map(|number| VirtualUser::new(seed, number)).collect(),
            digest: Digest::default(),
            recorder,
            running: 0,
            shifts_left,
            load_started_us: 0,
            last_iteration_end_us: 0,
            violation: None,
            aborted_by: None,
            stop: None,
            is_interrupted: false,
        }
    }

    /// Runs to the end, or to the first violation.
    pub(super) fn run(mut self) -> Result<(Run, System, Option<Recorder>), ModelError> {
        if let Some(due) = self.first() {
            self.fire_rarer(due)?;
        }
        while let Some(due) = self.next() {
            match due {
                Due::Apply(process) => self.fire(&Step::Apply(process))?,
                Due::Deliver(process) => self.fire(&Step::Deliver(process))?,
                Due::Draw(process) if self.recorder.is_none() => self.answer_draw(process),
                rarer => self.fire_rarer(rarer)?,
            }
        }
        Ok(self.finish())
    }

    /// The first step, for those who fire each step themselves; none when nothing happens at all.
    pub(in crate::engines) fn first_step(&mut self) -> Option<Step> {
        let first = self.first();
        first.and_then(|due| self.with_step(due, |_, step| step.clone())).or_else(|| self.next_step())
    }

    /// The step that follows when the one before was fired; none at the end of the run.
    pub(in crate::engines) fn next_step(&mut self) -> Option<Step> {
        loop {
            let due = self.next()?;
            let step = self.with_step(due, |_, step| step.clone());
            if step.is_some() {
                return step;
            }
        }
    }

    /// The set-up, if there is one; else the load begins.
    fn first(&mut self) -> Option<Due> {
        if self.test.setting.model.setup.is_some() {
            return Some(self.begin(ProcessId::SETUP));
        }
        self.start_load();
        None
    }

    /// What is due next; none at the end of the run. One piece of code with all that happens in every run a hundred
    /// thousand times: there the calls alone would cost as much as what they do.
    #[inline(always)]
    fn next(&mut self) -> Option<Due> {
        loop {
            let due = if let Some(happening) = self.system.take_happening() {
                // All that follows at once comes first.
                self.react(happening)
            } else if self.is_stopped() {
                return None;
            } else {
                let (at_us, event) = self.events.next()?;
                self.system.advance_to(at_us);
                self.handle(event)
            };
            if due.is_some() {
                return due;
            }
        }
    }

    /// What the run came to.
    pub(in crate::engines) fn finish(mut self) -> (Run, System, Option<Recorder>) {
        let stopped_early = self.is_stopped();
        let regular_end_us = self.load_started_us + self.test.regular_end_us;
        let end_us = if stopped_early { self.system.now_us() } else { self.last_iteration_end_us.max(regular_end_us) };
        self.measure.vitals.seats_left_held = self.system.state().world.ghost.holders.len();
        let run = Run {
            seed: self.seed,
            summary: self.measure.recorder.finish(end_us),
            digest: self.digest.finish(),
            violation: self.violation,
            aborted_by: self.aborted_by,
            interrupted_at_us: self.is_interrupted.then_some(end_us),
            vitals: self.measure.vitals,
        };
        (run, self.system, self.recorder)
    }

    #[inline(never)]
    fn fire_rarer(&mut self, due: Due) -> Result<(), ModelError> {
        self.with_step(due, Self::fire).unwrap_or(Ok(()))
    }

    /// What is due, as a step with what is drawn for it: made where it stays, since what was just written is copied in
    /// other pieces, for which the processor has to wait.
    #[inline(always)]
    fn with_step<R>(&mut self, due: Due, take: impl FnOnce(&mut Self, &Step) -> R) -> Option<R> {
        let mut step = match due {
            Due::Apply(process) => Step::Apply(process),
            Due::Deliver(process) => Step::Deliver(process),
            Due::Wake(process) => Step::Wake(process),
            Due::Begin(process) => Step::Begin(process),
            Due::Cut(process) => Step::Cut(process),
            Due::Deadlock(process) => Step::Deadlock(process),
            Due::Land(number) => Step::Land(number),
            Due::Choose(process, alternatives) => {
                Step::Choose(process, self.users[usize::from(process.client)].choose(alternatives))
            }
            Due::Draw(process) => Step::Draw(process, Drawn::new()),
        };
        if let Step::Draw(process, drawn) = &mut step {
            let draw = self.system.draw_of(*process)?;
            self.users[usize::from(process.client)].draw(draw, drawn);
        }
        Some(take(self, &step))
    }

    /// Does the step [`Step::Draw`] where nobody wants to see it: what is drawn then has one place only. Every tenth
    /// step is one.
    #[inline(never)]
    fn answer_draw(&mut self, process: ProcessId) {
        let earlier = self.system.pending_happenings();
        let user = &mut self.users[usize::from(process.client)];
        self.system.answer_draw(process, |draw, place| user.draw(draw, place));
        self.judge_step(earlier);
    }

    /// The step that is due with an event, if there is one.
    #[inline(always)]
    fn handle(&mut self, event: Event) -> Option<Due> {
        let Event { what, process, iteration } = event;
        match what {
            What::Arrive if self.is_current(process, iteration) => Some(Due::Apply(process)),
            What::Deliver => self.is_current(process, iteration).then(|| self.deliver(process)),
            _ => self.handle_rarer(event),
        }
    }

    /// A handler's messages always find it, a child's until it is cancelled; a client's do only within the iteration
    /// that sent them.
    #[inline]
    fn is_current(&self, process: ProcessId, iteration: u32) -> bool {
        if process.call == 0 {
            return self.users[usize::from(process.client)].iteration == iteration;
        }
        !self.has_children || self.system.state().find(process).is_some()
    }

    /// What the statement waited for may have come free, unless somebody else was faster to take it: then the statement
    /// goes on waiting.
    fn may_retry(&self, process: ProcessId) -> bool {
        matches!(self.system.state().slot(process).phase, Phase::Blocked) && self.system.can_apply(process)
    }

    /// An outcome reaches its process; that of a call is measured.
    #[inline]
    fn deliver(&mut self, process: ProcessId) -> Due {
        if process.call == 0 {
            self.measure_call(process);
        }
        Due::Deliver(process)
    }

    fn measure_call(&mut self, process: ProcessId) {
        let slot = self.system.state().slot(process);
        if let (Some(Op::Call(request)), Some(outcome)) = (&slot.op, &slot.outcome) {
            let user = &mut self.users[usize::from(process.client)];
            user.call_us = self.system.now_us() - user.sent_us;
            self.measure.request(request, outcome, user.call_us);
        }
    }

    /// Does a step and judges what it did.
    #[inline(always)]
    pub(in crate::engines) fn fire(&mut self, step: &Step) -> Result<(), ModelError> {
        if let Some(recorder) = &mut self.recorder {
            recorder.note(&self.system, step, true);
        }
        let earlier = self.system.pending_happenings();
        self.system.fire_here(step)?;
        if let Step::Apply(process) = step {
            self.digest.add(&self.system, *process);
        }
        self.judge_step(earlier);
        Ok(())
    }

    /// Judges a step before which so many happenings were waiting.
    #[inline(always)]
    fn judge_step(&mut self, earlier: usize) {
        self.measure.vitals.steps += 1;
        if self.system.has_news() || self.violation.is_some() {
            self.hear_news(earlier);
        }
    }

    /// Judges the properties and takes in the samples.
    #[inline(never)]
    fn hear_news(&mut self, earlier: usize) {
        let broken = self.system.judge();
        if self.violation.is_none() {
            self.violation = broken.into_iter().next();
        }
        if self.violation.is_some() {
            // The run is over: nothing follows from this step.
            self.system.forget_happenings_after(earlier);
            return;
        }
        let (users, measure) = (&self.users, &mut self.measure);
        self.system.take_notes(|process, note| measure.note(note, users[usize::from(process.client)].call_us));
        self.measure.seats_held(self.system.state().world.ghost.holders.len(), self.system.now_us());
    }

    /// The step that follows at once from what happened, if there is one.
    #[inline(always)]
    fn react(&mut self, happening: Happening) -> Option<Due> {
        match happening.what {
            Happened::Issued(carrier) => self.issued(happening.process, carrier),
            Happened::Applied { in_transaction } => self.applied(happening.process, in_transaction),
            _ => self.react_rarer(happening),
        }
    }

    /// An operation took effect: its outcome arrives at once, or goes on its way back.
    ///
    /// Within a transaction a handler hears an outcome at once, and its next message travels the way back too. Until
    /// then it does nothing that anybody could notice: every path of a handler ends its transaction before it answers.
    /// So the world sees the same at the same times, and one event in three is spared. Not so where there are children:
    /// one that is cancelled on the way back has not sent its next message.
    #[inline(always)]
    fn applied(&mut self, process: ProcessId, in_transaction: bool) -> Option<Due> {
        if in_transaction && process.call > 0 && !self.has_children {
            return Some(Due::Deliver(process));
        }
        let user = &mut self.users[usize::from(process.client)];
        let back_us = user.take_way_back_us(process);
        if back_us == 0 {
            return Some(self.deliver(process));
        }
        let at_us = self.system.now_us() + back_us;
        let event = Event::of(What::Deliver, process, user.iteration);
        self.comes_next(at_us, event).then(|| self.deliver(process))
    }

    /// Most often what one process does next is what happens next. True if that is so, and this event's time is the
    /// present now; else the event is scheduled.
    #[inline(always)]
    fn comes_next(&mut self, at_us: u64, event: Event) -> bool {
        let is_next = self.system.pending_happenings() == 0 && !self.is_stopped() && self.events.is_before_all(at_us);
        if is_next {
            self.system.advance_to(at_us);
        } else {
            self.events.at(at_us, event);
        }
        is_next
    }

    /// True once nothing more follows from a step.
    #[inline]
    fn is_stopped(&self) -> bool {
        self.violation.is_some() || self.aborted_by.is_some() || self.is_interrupted
    }

    #[inline(never)]
    fn react_rarer(&mut self, Happening { what, process }: Happening) -> Option<Due> {
        let now_us = self.system.now_us();
        let user = &mut self.users[usize::from(process.client)];
        match what {
            Happened::Issued(_) | Happened::Applied { .. } => unreachable!("these have their own way"),
            Happened::Asleep => {
                let Phase::Asleep(until_us) = self.system.state().slot(process).phase else { return None };
                let until_us = until_us + user.take_way_back_us(process);
                self.events.at(until_us, Event::of(What::Wake, process, user.iteration));
            }
            Happened::Blocked => {
                self.events.at(now_us + DEADLOCK_TIMEOUT_US, Event::new(What::DetectDeadlock, process));
            }
            Happened::Unblocked => {
                if let Slot { phase: Phase::Issued, op: Some(op), .. } = self.system.state().slot(process) {
                    return self.issued(process, Carrier::of(op));
                }
                self.events.at(now_us, Event::of(What::Retry, process, user.iteration));
            }
            Happened::RoundOver if process.is_job() => self.schedule_job(process),
            Happened::RoundOver => return self.round_over(process),
        }
        None
    }

    /// A process issued an operation: it comes out at once, or its message goes on its way.
    #[inline(always)]
    fn issued(&mut self, process: ProcessId, carrier: Carrier) -> Option<Due> {
        let links = &self.test.links;
        let link = match carrier {
            Carrier::Sql => &links.sql,
            Carrier::Redis => &links.redis,
            Carrier::Http => &links.http,
            Carrier::None => return self.issued_at_once(process),
        };
        let now_us = self.system.now_us();
        let user = &mut self.users[usize::from(process.client)];
        let owed_us = user.take_way_back_us(process);
        let (there_us, back_us) = user.round_trip_us(link);
        if process.call == 0 {
            user.sent_us = now_us;
        }
        user.goes_back_after(process, back_us);
        let event = Event::of(What::Arrive, process, user.iteration);
        self.comes_next(now_us + owed_us + there_us, event).then_some(Due::Apply(process))
    }

    /// As [`Self::issued`], of an operation that no message carries.
    #[inline(never)]
    fn issued_at_once(&mut self, process: ProcessId) -> Option<Due> {
        match self.system.state().slot(process).op {
            Some(Op::Draw(_)) => return Some(Due::Draw(process)),
            Some(Op::Choose(alternatives)) => return Some(Due::Choose(process, alternatives)),
            Some(Op::Join(..)) if !self.system.can_apply(process) => return None,
            _ => {}
        }
        let user = &mut self.users[usize::from(process.client)];
        let owed_us = user.take_way_back_us(process);
        if owed_us == 0 {
            return Some(Due::Apply(process));
        }
        self.events.at(self.system.now_us() + owed_us, Event::of(What::Arrive, process, user.iteration));
        None
    }
}
