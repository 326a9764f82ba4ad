//! One execution in virtual time: an event heap decides what happens next, never a choice.

mod load;

use std::ops::Deref;

use super::Run;
use super::events::{Due, Event, Events};
use super::load::LoadTest;
use super::measure::Measure;
use super::virtual_user::VirtualUser;
use crate::process::{Op, Statement};
use crate::system::digest::Digest;
use crate::system::property::Violation;
use crate::system::schedule::Recorder;
use crate::system::state::{Phase, Slot};
use crate::system::{Happening, ModelError, Step, System};
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
}

impl<T: Deref<Target = LoadTest> + Clone> Execution<T> {
    /// The test under this seed, of which nothing has happened yet.
    pub(in crate::engines) fn new(test: T, seed: u64, system: System, recorder: Option<Recorder>) -> Self {
        let clients = u16::try_from(test.shifts.len()).expect("the scenario bounds the number of virtual users");
        let shifts_left = test.shifts.iter().map(Vec::len).sum();
        Self {
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
        }
    }

    /// Runs to the end, or to the first violation.
    pub(super) fn run(mut self) -> Result<(Run, System, Option<Recorder>), ModelError> {
        let mut due = self.first();
        loop {
            match due {
                Some(Due::Apply(process)) => self.fire(&Step::Apply(process))?,
                Some(Due::Deliver(process)) => self.fire(&Step::Deliver(process))?,
                Some(rarer) => self.fire_rarer(rarer)?,
                None => return Ok(self.finish()),
            }
            due = self.next();
        }
    }

    /// The first step, for those who fire each step themselves; none when nothing happens at all.
    pub(in crate::engines) fn first_step(&mut self) -> Option<Step> {
        let first = self.first()?;
        self.step(first).or_else(|| self.next_step())
    }

    /// The step that follows when the one before was fired; none at the end of the run.
    pub(in crate::engines) fn next_step(&mut self) -> Option<Step> {
        loop {
            let due = self.next()?;
            if let Some(step) = self.step(due) {
                return Some(step);
            }
        }
    }

    fn first(&mut self) -> Option<Due> {
        if self.test.setting.model.setup.is_some() {
            return Some(self.begin(ProcessId::SETUP));
        }
        self.start_load();
        self.next()
    }

    /// What is due next; none at the end of the run.
    #[inline]
    fn next(&mut self) -> Option<Due> {
        loop {
            let due = if let Some(happening) = self.system.take_happening() {
                // All that follows at once comes first.
                self.react(happening)
            } else if self.violation.is_some() || self.aborted_by.is_some() {
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
        let stopped_early = self.violation.is_some() || self.aborted_by.is_some();
        let regular_end_us = self.load_started_us + self.test.regular_end_us;
        let end_us = if stopped_early { self.system.now_us() } else { self.last_iteration_end_us.max(regular_end_us) };
        self.measure.vitals.seats_left_held = self.system.state().world.ghost.holders.len();
        let run = Run {
            seed: self.seed,
            summary: self.measure.recorder.finish(end_us),
            digest: self.digest.finish(),
            violation: self.violation,
            aborted_by: self.aborted_by,
            vitals: self.measure.vitals,
        };
        (run, self.system, self.recorder)
    }

    #[inline(never)]
    fn fire_rarer(&mut self, due: Due) -> Result<(), ModelError> {
        self.step(due).map_or(Ok(()), |step| self.fire(&step))
    }

    /// What is due, as a step with what is drawn for it.
    fn step(&mut self, due: Due) -> Option<Step> {
        Some(match due {
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
            Due::Draw(process) => {
                let draw = self.system.draw_of(process)?;
                Step::Draw(process, self.users[usize::from(process.client)].draw(draw))
            }
        })
    }

    /// The step that is due with an event, if there is one.
    #[inline]
    fn handle(&mut self, event: Event) -> Option<Due> {
        match event {
            Event::Arrive(process, iteration) if self.is_current(process, iteration) => Some(Due::Apply(process)),
            Event::Arrive(process, _) => self.system.late_of(process).map(Due::Land),
            Event::Deliver(process, iteration) => self.is_current(process, iteration).then(|| self.deliver(process)),
            Event::Wake(process, iteration) => self.is_current(process, iteration).then_some(Due::Wake(process)),
            Event::Retry(process, iteration) => {
                (self.is_current(process, iteration) && self.may_retry(process)).then_some(Due::Apply(process))
            }
            other => self.handle_rarer(other),
        }
    }

    /// A handler's messages always find it, a child's until it is cancelled; a client's do only within the iteration
    /// that sent them.
    fn is_current(&self, process: ProcessId, iteration: u32) -> bool {
        if process.call == 0 {
            return self.users[usize::from(process.client)].iteration == iteration;
        }
        self.test.setting.model.children.is_empty() || self.system.state().find(process).is_some()
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
        self.system.fire(step)?;
        self.measure.vitals.steps += 1;
        if let Step::Apply(process) = step {
            self.digest.add(&self.system, *process);
        }
        if self.system.has_news() || self.violation.is_some() {
            self.hear_news(earlier);
        }
        Ok(())
    }

    /// Judges the properties and takes in the samples after a step before which so many happenings were waiting.
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
        for (process, note) in self.system.notes().drain(..) {
            self.measure.note(note, self.users[usize::from(process.client)].call_us);
        }
        self.measure.seats_held(self.system.state().world.ghost.holders.len(), self.system.now_us());
    }

    /// The step that follows at once from what happened, if there is one.
    #[inline]
    fn react(&mut self, happening: Happening) -> Option<Due> {
        let now_us = self.system.now_us();
        match happening {
            Happening::Issued(process) => return self.issued(process),
            Happening::Applied(process) => {
                let user = &mut self.users[usize::from(process.client)];
                let back_us = user.take_way_back_us(process);
                if back_us == 0 {
                    return Some(self.deliver(process));
                }
                self.events.at(now_us + back_us, Event::Deliver(process, user.iteration));
            }
            Happening::Asleep(process) => {
                let Phase::Asleep(until_us) = self.system.state().slot(process).phase else { return None };
                let iteration = self.users[usize::from(process.client)].iteration;
                self.events.at(until_us, Event::Wake(process, iteration));
            }
            Happening::Blocked(process) => {
                self.events.at(now_us + DEADLOCK_TIMEOUT_US, Event::DetectDeadlock(process));
            }
            Happening::Unblocked(process) => {
                if matches!(self.system.state().slot(process).phase, Phase::Issued) {
                    return self.issued(process);
                }
                let iteration = self.users[usize::from(process.client)].iteration;
                self.events.at(now_us, Event::Retry(process, iteration));
            }
            Happening::RoundOver(process) if process.is_job() => self.schedule_job(process),
            Happening::RoundOver(process) => return self.round_over(process),
        }
        None
    }

    /// A process issued an operation: it comes out at once, or its message goes on its way.
    #[inline]
    fn issued(&mut self, process: ProcessId) -> Option<Due> {
        let links = &self.test.links;
        let user = &mut self.users[usize::from(process.client)];
        let Slot { phase: Phase::Issued, op: Some(op), .. } = self.system.state().slot(process) else { return None };
        let link = match op {
            // Drivers send BEGIN together with the first statement (pgjdbc), so it costs no round trip of its own.
            Op::Join(..) if !self.system.can_apply(process) => return None,
            Op::Now | Op::Spawn(_) | Op::Join(..) | Op::Cancel(_) | Op::Sql(Statement("BEGIN"), _) => {
                user.goes_back_after(process, 0);
                return Some(Due::Apply(process));
            }
            Op::Sql(..) => &links.sql,
            Op::Redis(..) => &links.redis,
            Op::Call(_) => &links.http,
            Op::Draw(_) => return Some(Due::Draw(process)),
            Op::Choose(alternatives) => return Some(Due::Choose(process, *alternatives)),
            Op::Sleep(_) => return None,
        };
        let now_us = self.system.now_us();
        let (there_us, back_us) = user.round_trip_us(link);
        if process.call == 0 {
            user.sent_us = now_us;
        }
        user.goes_back_after(process, back_us);
        self.events.at(now_us + there_us, Event::Arrive(process, user.iteration));
        None
    }
}
