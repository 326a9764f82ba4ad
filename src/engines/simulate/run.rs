//! One execution in virtual time: an event heap decides what happens next, never a choice.

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
/// k6 samples `vus` once a second.
const VUS_PERIOD_US: u64 = 1_000_000;
/// k6 evaluates thresholds every two seconds.
const THRESHOLDS_PERIOD_US: u64 = 2_000_000;

/// A run in progress.
pub(super) struct Execution<'a> {
    test: &'a LoadTest,
    seed: u64,
    system: System,
    events: Events,
    /// By client number; 0 is the set-up.
    users: Vec<VirtualUser>,
    measure: Measure<'a>,
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

impl<'a> Execution<'a> {
    pub(super) fn new(test: &'a LoadTest, seed: u64, system: System, recorder: Option<Recorder>) -> Self {
        let clients = u16::try_from(test.shifts.len()).expect("the scenario bounds the number of virtual users");
        Self {
            test,
            seed,
            system,
            events: Events::default(),
            users: (0..=clients).map(|number| VirtualUser::new(seed, number)).collect(),
            measure: Measure::new(test),
            digest: Digest::default(),
            recorder,
            running: 0,
            shifts_left: test.shifts.iter().map(Vec::len).sum(),
            load_started_us: 0,
            last_iteration_end_us: 0,
            violation: None,
            aborted_by: None,
        }
    }

    /// Runs to the end, or to the first violation.
    pub(super) fn finish(mut self) -> Result<(Run, System, Option<Recorder>), ModelError> {
        let mut due = None;
        if self.test.setting.model.setup.is_some() {
            due = Some(self.begin(ProcessId::SETUP));
        } else {
            self.start_load();
        }
        loop {
            match due {
                Some(Due::Apply(process)) => self.fire(&Step::Apply(process))?,
                Some(Due::Deliver(process)) => self.fire(&Step::Deliver(process))?,
                Some(rarer) => self.fire_rarer(rarer)?,
                None => {}
            }
            due = if let Some(happening) = self.system.take_happening() {
                // All that follows at once comes first.
                self.react(happening)
            } else if self.violation.is_some() || self.aborted_by.is_some() {
                break;
            } else if let Some((at_us, event)) = self.events.next() {
                self.system.advance_to(at_us);
                self.handle(event)
            } else {
                break;
            };
        }
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
        Ok((run, self.system, self.recorder))
    }

    #[inline(never)]
    fn fire_rarer(&mut self, due: Due) -> Result<(), ModelError> {
        let step = match due {
            Due::Apply(process) => Step::Apply(process),
            Due::Deliver(process) => Step::Deliver(process),
            Due::Wake(process) => Step::Wake(process),
            Due::Begin(process) => Step::Begin(process),
            Due::Cut(process) => Step::Cut(process),
            Due::Deadlock(process) => Step::Deadlock(process),
            Due::Choose(process, alternatives) => {
                Step::Choose(process, self.users[usize::from(process.client)].choose(alternatives))
            }
            Due::Draw(process) => {
                let Some(draw) = self.system.draw_of(process) else { return Ok(()) };
                Step::Draw(process, self.users[usize::from(process.client)].draw(draw))
            }
        };
        self.fire(&step)
    }

    /// The step that is due with an event, if there is one.
    #[inline]
    fn handle(&mut self, event: Event) -> Option<Due> {
        match event {
            Event::Arrive(process, iteration) => self.is_current(process, iteration).then_some(Due::Apply(process)),
            Event::Deliver(process, iteration) => self.is_current(process, iteration).then(|| self.deliver(process)),
            Event::Wake(process, iteration) => self.is_current(process, iteration).then_some(Due::Wake(process)),
            Event::Retry(process, iteration) => {
                (self.is_current(process, iteration) && self.may_retry(process)).then_some(Due::Apply(process))
            }
            other => self.handle_rarer(other),
        }
    }

    /// As [`Self::handle`], of what happens once in a while.
    fn handle_rarer(&mut self, event: Event) -> Option<Due> {
        match event {
            Event::Arrive(..) | Event::Deliver(..) | Event::Wake(..) | Event::Retry(..) => {
                unreachable!("these have their own way")
            }
            // A job whose last run has not ended begins when it has.
            Event::BeginJob(process) => return self.system.is_ready(process).then_some(Due::Begin(process)),
            Event::DetectDeadlock(process) => {
                return self.system.is_enabled(&Step::Deadlock(process)).then_some(Due::Deadlock(process));
            }
            Event::Start(number) => return self.start_shift(number),
            Event::Cut(number) => return self.cut(number),
            Event::Stop(number) => {
                self.users[usize::from(number)].is_on_shift = false;
                self.shifts_left -= 1;
            }
            Event::SampleVus => {
                if !self.is_load_over() {
                    self.measure.recorder.vus(self.running, self.measure.vitals.vus_max);
                    self.events.at(self.system.now_us() + VUS_PERIOD_US, Event::SampleVus);
                }
            }
            Event::EvaluateThresholds => self.evaluate_thresholds(),
        }
        None
    }

    /// Schedules every shift and the periodic samples. k6 counts them from the end of the set-up.
    fn start_load(&mut self) {
        let start_us = self.system.now_us();
        self.load_started_us = start_us;
        for (number, shifts) in (1_u16..).zip(&self.test.shifts) {
            for shift in shifts {
                // A microsecond later at most than k6's nanosecond, never earlier.
                let at_us = |offset_ns: u64| start_us + offset_ns.div_ceil(1_000);
                self.events.at(at_us(shift.start_ns), Event::Start(number));
                self.events.at(at_us(shift.stop_ns), Event::Stop(number));
                if let Some(cut_ns) = shift.cut_ns {
                    self.events.at(at_us(cut_ns), Event::Cut(number));
                }
            }
        }
        for index in 0..self.test.setting.jobs.len() {
            self.schedule_job(ProcessId::job(index));
        }
        let next = |period_us: u64| start_us - start_us % period_us + period_us;
        self.events.at(next(VUS_PERIOD_US), Event::SampleVus);
        if self.test.may_abort {
            self.events.at(next(THRESHOLDS_PERIOD_US), Event::EvaluateThresholds);
        }
    }

    /// The job's next begin, while there is load.
    fn schedule_job(&mut self, process: ProcessId) {
        let clock = self.system.state().jobs[process.job_index()];
        if clock.runs_left > 0 && !self.is_load_over() {
            self.events.at(clock.due_us.max(self.system.now_us()), Event::BeginJob(process));
        }
    }

    fn is_load_over(&self) -> bool {
        self.shifts_left == 0 && self.running == 0
    }

    /// A handler's messages always find it; a client's do only within the iteration that sent them.
    fn is_current(&self, process: ProcessId, iteration: u32) -> bool {
        process.call > 0 || self.users[usize::from(process.client)].iteration == iteration
    }

    fn begin(&mut self, process: ProcessId) -> Due {
        let now_us = self.system.now_us();
        let user = &mut self.users[usize::from(process.client)];
        user.iteration += 1;
        user.begun_us = now_us;
        user.is_running = true;
        self.running += 1;
        Due::Begin(process)
    }

    fn start_shift(&mut self, number: u16) -> Option<Due> {
        let user = &mut self.users[usize::from(number)];
        user.is_on_shift = true;
        if user.is_running { None } else { Some(self.begin(ProcessId::client(number))) }
    }

    fn cut(&mut self, number: u16) -> Option<Due> {
        let user = &mut self.users[usize::from(number)];
        if user.is_on_shift || !user.is_running {
            return None;
        }
        user.is_running = false;
        user.iteration += 1;
        // Nothing comes back to it any more.
        user.take_way_back_us(ProcessId::client(number));
        self.running -= 1;
        self.measure.vitals.iterations_cut += 1;
        self.last_iteration_end_us = self.system.now_us();
        Some(Due::Cut(ProcessId::client(number)))
    }

    fn round_over(&mut self, process: ProcessId) -> Option<Due> {
        let now_us = self.system.now_us();
        let user = &mut self.users[usize::from(process.client)];
        user.is_running = false;
        self.running -= 1;
        if process == ProcessId::SETUP {
            self.start_load();
            return None;
        }
        self.last_iteration_end_us = now_us;
        self.measure.recorder.iteration(now_us - user.begun_us);
        let goes_on = user.is_on_shift && matches!(self.system.state().slot(process).phase, Phase::Idle);
        goes_on.then(|| self.begin(process))
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

    fn evaluate_thresholds(&mut self) {
        let now_us = self.system.now_us();
        if self.is_load_over() {
            return;
        }
        if let Some((metric, threshold)) = self.measure.recorder.evaluate_abort(now_us) {
            self.aborted_by = Some((metric.to_owned(), threshold.source.clone()));
        }
        self.events.at(now_us + THRESHOLDS_PERIOD_US, Event::EvaluateThresholds);
    }

    /// Does a step and judges what it did.
    #[inline(always)]
    fn fire(&mut self, step: &Step) -> Result<(), ModelError> {
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
            Op::Now | Op::Sql(Statement("BEGIN"), _) => {
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
