//! The load of a run as k6 lays it on: shifts and iterations of virtual users, jobs, and what is sampled periodically.

use std::ops::Deref;
use std::sync::atomic::Ordering;

use super::super::events::{Event, What};
use super::super::load::LoadTest;
use super::{Due, Execution};
use crate::system::Step;
use crate::system::state::Phase;
use crate::world::identity::ProcessId;

/// k6 samples `vus` once a second.
const VUS_PERIOD_US: u64 = 1_000_000;
/// k6 evaluates thresholds every two seconds.
const THRESHOLDS_PERIOD_US: u64 = 2_000_000;

impl<T: Deref<Target = LoadTest> + Clone> Execution<T> {
    /// As [`Self::handle`], of what happens once in a while.
    #[inline(never)]
    pub(super) fn handle_rarer(&mut self, event: Event) -> Option<Due> {
        let Event { what, process, iteration } = event;
        match what {
            // Its sender waits no longer.
            What::Arrive => return self.system.late_of(process).map(Due::Land),
            What::Deliver => unreachable!("it has its own way"),
            What::Wake => return self.is_current(process, iteration).then_some(Due::Wake(process)),
            What::Retry => {
                let may_go_on = self.is_current(process, iteration) && self.may_retry(process);
                return may_go_on.then_some(Due::Apply(process));
            }
            // A job whose last run has not ended begins when it has.
            What::BeginJob => return self.system.is_ready(process).then_some(Due::Begin(process)),
            What::DetectDeadlock => {
                return self.system.is_enabled(&Step::Deadlock(process)).then_some(Due::Deadlock(process));
            }
            What::Start => return self.start_shift(process),
            What::Cut => return self.cut(process),
            What::Stop => {
                self.users[usize::from(process.client)].is_on_shift = false;
                self.shifts_left -= 1;
            }
            What::SampleVus => {
                // As good a time as any to look, and once a virtual second costs nothing.
                self.is_interrupted = self.stop.as_ref().is_some_and(|stop| stop.load(Ordering::Relaxed));
                if !self.is_load_over() {
                    self.measure.recorder.vus(self.running, self.measure.vitals.vus_max);
                    self.events.at(self.system.now_us() + VUS_PERIOD_US, event);
                }
            }
            What::EvaluateThresholds => self.evaluate_thresholds(),
        }
        None
    }

    /// Schedules every shift and the periodic samples. k6 counts them from the end of the set-up.
    pub(super) fn start_load(&mut self) {
        let start_us = self.system.now_us();
        self.load_started_us = start_us;
        for (number, shifts) in (1_u16..).zip(&self.test.shifts) {
            for shift in shifts {
                // A microsecond later at most than k6's nanosecond, never earlier.
                let at_us = |offset_ns: u64| start_us + offset_ns.div_ceil(1_000);
                let user = ProcessId::client(number);
                self.events.at(at_us(shift.start_ns), Event::new(What::Start, user));
                self.events.at(at_us(shift.stop_ns), Event::new(What::Stop, user));
                if let Some(cut_ns) = shift.cut_ns {
                    self.events.at(at_us(cut_ns), Event::new(What::Cut, user));
                }
            }
        }
        for index in 0..self.test.setting.jobs.len() {
            self.schedule_job(ProcessId::job(index));
        }
        let next = |period_us: u64| start_us - start_us % period_us + period_us;
        self.events.at(next(VUS_PERIOD_US), Event::new(What::SampleVus, ProcessId::SETUP));
        if self.test.may_abort {
            self.events.at(next(THRESHOLDS_PERIOD_US), Event::new(What::EvaluateThresholds, ProcessId::SETUP));
        }
    }

    /// The job's next begin, while there is load.
    pub(super) fn schedule_job(&mut self, process: ProcessId) {
        let clock = self.system.state().jobs[process.job_index()];
        if clock.runs_left > 0 && !self.is_load_over() {
            self.events.at(clock.due_us.max(self.system.now_us()), Event::new(What::BeginJob, process));
        }
    }

    fn is_load_over(&self) -> bool {
        self.shifts_left == 0 && self.running == 0
    }

    pub(super) fn begin(&mut self, process: ProcessId) -> Due {
        let now_us = self.system.now_us();
        let user = &mut self.users[usize::from(process.client)];
        user.iteration += 1;
        user.begun_us = now_us;
        user.is_running = true;
        self.running += 1;
        Due::Begin(process)
    }

    fn start_shift(&mut self, process: ProcessId) -> Option<Due> {
        let user = &mut self.users[usize::from(process.client)];
        user.is_on_shift = true;
        if user.is_running { None } else { Some(self.begin(process)) }
    }

    fn cut(&mut self, process: ProcessId) -> Option<Due> {
        let user = &mut self.users[usize::from(process.client)];
        if user.is_on_shift || !user.is_running {
            return None;
        }
        user.is_running = false;
        user.iteration += 1;
        // Nothing comes back to it any more.
        user.take_way_back_us(process);
        self.running -= 1;
        self.measure.vitals.iterations_cut += 1;
        self.last_iteration_end_us = self.system.now_us();
        Some(Due::Cut(process))
    }

    pub(super) fn round_over(&mut self, process: ProcessId) -> Option<Due> {
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

    fn evaluate_thresholds(&mut self) {
        let now_us = self.system.now_us();
        if self.is_load_over() {
            return;
        }
        if let Some((metric, threshold)) = self.measure.recorder.evaluate_abort(now_us) {
            self.aborted_by = Some((metric.to_owned(), threshold.source.clone()));
        }
        self.events.at(now_us + THRESHOLDS_PERIOD_US, Event::new(What::EvaluateThresholds, ProcessId::SETUP));
    }
}
