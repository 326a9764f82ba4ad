//! Background jobs of the service: processes that begin by themselves once their period has passed.
//!
//! A job is due one period after the start, and one period after each begin. Under exploration it may begin at any
//! moment from then on, as often as the setting says; a job that is due and has not begun is a job that is late.

use serde::Serialize;

use super::children::InFlight;
use super::state::{HandlerSlot, Live, Phase, Slot, State};
use super::{Happened, Setting, System};
use crate::process::{Flow, Request};
use crate::world::identity::ProcessId;

/// What is kept of a job beside its process.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct JobClock {
    /// How often it may still begin.
    pub runs_left: u32,
    /// From when on it may begin.
    pub due_us: u64,
}

/// The clock of every job of the model before the first step.
pub(super) fn clocks(setting: &Setting) -> Vec<JobClock> {
    let jobs = setting.model.jobs.iter().enumerate();
    jobs.map(|(index, job)| JobClock { runs_left: runs(setting, index), due_us: job.period_us }).collect()
}

/// The processes of the jobs: handlers of nobody's request.
pub(super) fn slots(setting: &Setting) -> Vec<HandlerSlot> {
    (0..setting.model.jobs.len()).map(|index| slot(setting, index)).collect()
}

fn slot(setting: &Setting, index: usize) -> HandlerSlot {
    let name = setting.model.jobs[index].name;
    let call = ProcessId::job(index).call;
    HandlerSlot { call, request: Request::new(name, name, 0), is_awaited: false, parent: None, slot: Slot::idle() }
}

/// How often the setting lets the job begin.
fn runs(setting: &Setting, index: usize) -> u32 {
    setting.jobs.get(index).copied().unwrap_or(0)
}

impl System {
    /// True when the job is due and may begin.
    pub(super) fn job_may_begin(&self, process: ProcessId) -> bool {
        let clock = self.state.jobs[process.job_index()];
        clock.runs_left > 0 && clock.due_us <= self.state.now_us
    }

    /// The job begins its next run, on the service's first instance.
    pub(super) fn begin_job(&mut self, process: ProcessId) {
        let job = &self.setting.model.jobs[process.job_index()];
        let State { now_us, jobs, .. } = &mut self.state;
        let clock = &mut jobs[process.job_index()];
        clock.runs_left = clock.runs_left.saturating_sub(1);
        clock.due_us = now_us.saturating_add(job.period_us);
        let slot = self.state.slot_mut(process);
        slot.history.clear();
        slot.tokens_at_start = slot.tokens;
        self.start(process);
    }

    /// A run is over.
    pub(super) fn end_job(&mut self, process: ProcessId, flow: Flow) {
        self.end_children(process, InFlight::GoesOn);
        self.close_redis(process);
        let slot = self.state.slot_mut(process);
        assert!(!slot.has_connection, "{process} ended with a transaction open; every path must COMMIT or ROLLBACK");
        slot.live = Live(None);
        slot.rest(if flow == Flow::Again { Phase::Idle } else { Phase::Ended });
        slot.history.clear();
        slot.label = "";
        self.happen(Happened::RoundOver, process);
    }

    /// The instance of the job has started anew: so has the job's period.
    pub(super) fn restart_job(&mut self, process: ProcessId) {
        let index = process.job_index();
        let fresh = slot(&self.setting, index);
        let State { now_us, jobs, clients, .. } = &mut self.state;
        jobs[index].due_us = now_us.saturating_add(self.setting.model.jobs[index].period_us);
        let handlers = &mut clients[usize::from(process.client)].handlers;
        let place = handlers.iter().position(|handler| handler.call > process.call).unwrap_or(handlers.len());
        handlers.insert(place, fresh);
    }

    /// What ran before the check begins is not counted.
    pub(super) fn refill_jobs(&mut self) {
        for (index, clock) in self.state.jobs.iter_mut().enumerate() {
            clock.runs_left = runs(&self.setting, index);
        }
    }

    /// The instants at which jobs become due.
    pub fn job_instants(&self) -> impl Iterator<Item = u64> {
        self.state.jobs.iter().filter(|clock| clock.runs_left > 0).map(|clock| clock.due_us)
    }
}
