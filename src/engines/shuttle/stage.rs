//! The world under shuttle's threads. It lies outside of shuttle's primitives, in a thread-local of the operating
//! system's thread on which all of shuttle's threads run, so that a step costs one scheduling point and no more.

use std::cell::RefCell;

use ::shuttle::rand::RngCore;
use ::shuttle::rand::rngs::ThreadRng;
use xxhash_rust::xxh3::xxh3_64;

use super::threads::{Thread, Threads, has_unfinished};
use crate::engines::draw;
use crate::process::{Draw, Drawn};
use crate::system::fingerprint::Fingerprint;
use crate::system::property::Violation;
use crate::system::state::Phase;
use crate::system::{ModelError, Step, System};
use crate::world::identity::ProcessId;

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// One execution in progress, and the template of the next.
pub(super) struct Stage {
    template: System,
    pub(super) system: System,
    pub(super) threads: Threads,
    /// Threads that may have a step.
    pub(super) ready: Vec<Thread>,
    /// Where each thread stands in `ready`.
    places: Vec<Option<usize>>,
    /// The option that the next thread takes; none: drawn from shuttle's random numbers.
    pub(super) choice: Option<usize>,
    pub(super) steps: Vec<Step>,
    /// What tells the schedule from others: the thread of each step, and what was chosen where there was a choice.
    trace: Vec<u8>,
    options: Vec<Step>,
    /// Nobody waits for anybody, as of the last step.
    is_uncontended: bool,
    /// The clock or the faults were taken out of `ready`; after the next step they may belong there again.
    has_dismissed: bool,
    max_steps: usize,
    /// Whether an execution ends with its first violation.
    stops_at_violation: bool,
    pub(super) is_over: bool,
    /// Violations, each with the number of steps that led to it.
    pub(super) broken: Vec<(usize, Violation)>,
    pub(super) error: Option<ModelError>,
}

impl Stage {
    /// Sets the stage for a run of executions on this thread.
    pub(super) fn set(template: System, max_steps: usize, stops_at_violation: bool) {
        let threads = Threads::of(&template);
        let stage = Self {
            system: template.clone(),
            template,
            threads,
            ready: Vec::new(),
            places: vec![None; threads.count()],
            choice: None,
            steps: Vec::new(),
            trace: Vec::new(),
            options: Vec::new(),
            is_uncontended: false,
            has_dismissed: false,
            max_steps,
            stops_at_violation,
            is_over: false,
            broken: Vec::new(),
            error: None,
        };
        STAGE.set(Some(stage));
    }

    /// Clears the stage.
    pub(super) fn clear() {
        STAGE.set(None);
    }

    /// Does something with the stage.
    pub(super) fn with<T>(f: impl FnOnce(&mut Self) -> T) -> T {
        STAGE.with_borrow_mut(|stage| f(stage.as_mut().expect("the stage is set while shuttle runs")))
    }

    /// Begins the next execution.
    pub(super) fn begin(&mut self) {
        self.system = self.template.clone();
        self.error = self.error.take().or(self.system.begin_all().err());
        // From here on it watches what is exercised; what was given is not.
        self.system.take_exercised();
        self.steps.clear();
        self.trace.clear();
        self.choice = None;
        self.broken.clear();
        self.ready.clear();
        self.places.fill(None);
        self.is_over = self.error.is_some();
        self.judge();
        self.is_uncontended = self.system.is_uncontended();
        self.look_at_all();
        self.end_if_stuck();
    }

    /// The thread takes one step. False when there is nothing left to do for it.
    pub(super) fn act(&mut self, thread: Thread) -> bool {
        if self.is_over {
            return false;
        }
        let step = self.next_step(thread);
        if let Err(error) = self.system.fire(&step) {
            self.error = Some(error);
            self.is_over = true;
            return false;
        }
        let is_own = step.actor().is_some();
        self.steps.push(step);
        self.judge();
        if self.is_over {
            return false;
        }
        let was_uncontended = std::mem::replace(&mut self.is_uncontended, self.system.is_uncontended());
        if is_own && was_uncontended && self.is_uncontended {
            self.look_at(thread);
            if std::mem::take(&mut self.has_dismissed) || has_unfinished(self.system.state()) {
                self.look_at(self.threads.clock());
                self.look_at(self.threads.clock() + 1);
            }
        } else {
            self.look_at_all();
        }
        self.end_if_stuck();
        !self.is_over && !self.is_done(thread)
    }

    fn judge(&mut self) {
        let length = self.steps.len();
        for violation in self.system.judge() {
            self.broken.push((length, violation));
            self.is_over |= self.stops_at_violation;
        }
    }

    /// True when nothing can ever come of this thread again. A call that is still to land makes a handler.
    fn is_done(&self, thread: Thread) -> bool {
        let system = &self.system;
        let is_ended =
            |process| system.state().slot(process).phase == Phase::Ended && system.late_of(process).is_none();
        self.threads.is_client(thread) && self.threads.processes(thread, &self.system).all(is_ended)
    }

    /// The step that a chosen thread takes.
    fn next_step(&mut self, thread: Thread) -> Step {
        let number = u32::try_from(thread).expect("a few threads");
        self.trace.extend_from_slice(&number.to_le_bytes());
        if let Some(step) = self.threads.only_step(thread, &self.system) {
            return step;
        }
        self.options.clear();
        match self.choice {
            Some(_) => self.threads.steps(thread, &self.system, &mut self.options),
            None => self.open_steps(thread),
        }
        let last = i64::try_from(self.options.len()).expect("a few options") - 1;
        assert!(last >= 0, "only a thread with a step is chosen");
        let index = match self.choice {
            Some(index) => index,
            None if last == 0 => 0,
            None => usize::try_from(between(0, last)).expect("not negative"),
        };
        if last > 0 {
            self.trace.extend_from_slice(&index.to_le_bytes());
        }
        let mut step = self.options.swap_remove(index);
        if let Step::Draw(process, drawn) = &mut step
            && self.choice.is_none()
            && let Some(draw) = self.sampled_draw(*process)
        {
            *drawn = draw::sample(draw, between);
            drawn.iter().for_each(|value| self.trace.extend_from_slice(&value.to_le_bytes()));
        }
        step
    }

    /// The steps of a thread where values are drawn and not enumerated: a draw is one step, with its value still open.
    fn open_steps(&mut self, thread: Thread) {
        if !self.threads.is_client(thread) {
            return self.threads.steps(thread, &self.system, &mut self.options);
        }
        let processes = self.threads.processes(thread, &self.system);
        for process in processes.filter(|process| self.system.is_ready(*process)) {
            match self.sampled_draw(process) {
                Some(_) => self.options.push(Step::Draw(process, Drawn::new())),
                None => self.system.enabled_of(process, &mut self.options),
            }
        }
        self.options.retain(|step| step.actor().is_some());
    }

    /// The draw that this process waits for, unless the scenario names representatives.
    fn sampled_draw(&self, process: ProcessId) -> Option<Draw> {
        self.system.draw_of(process).filter(|draw| !self.system.setting().draws.contains_key(draw.name))
    }

    fn look_at_all(&mut self) {
        for thread in 0..self.threads.count() {
            self.look_at(thread);
        }
    }

    /// Keeps `ready` true for this thread.
    fn look_at(&mut self, thread: Thread) {
        match (self.threads.may_step(thread, &self.system), self.places[thread]) {
            (true, None) => {
                self.places[thread] = Some(self.ready.len());
                self.ready.push(thread);
            }
            (false, Some(place)) => self.remove(thread, place),
            _ => {}
        }
    }

    fn remove(&mut self, thread: Thread, place: usize) {
        self.ready.swap_remove(place);
        self.places[thread] = None;
        if let Some(moved) = self.ready.get(place) {
            self.places[*moved] = Some(place);
        }
    }

    /// The clock and the faults are in `ready` on suspicion: takes them out when they have no step after all.
    pub(super) fn has_step(&mut self, thread: Thread) -> bool {
        if self.threads.is_client(thread) {
            return true;
        }
        self.options.clear();
        if thread == self.threads.clock() {
            self.options.extend(self.system.passing_of_time());
        } else {
            self.threads.steps(thread, &self.system, &mut self.options);
        }
        if self.options.is_empty()
            && let Some(place) = self.places[thread]
        {
            self.remove(thread, place);
            self.has_dismissed = true;
        }
        !self.options.is_empty()
    }

    fn end_if_stuck(&mut self) {
        let is_long = self.steps.len() >= self.max_steps;
        self.is_over |= is_long || !self.somebody_has_a_step();
    }

    fn somebody_has_a_step(&mut self) -> bool {
        if self.ready.iter().any(|thread| self.threads.is_client(*thread)) {
            return true;
        }
        // From the end, because a thread without a step is taken out.
        (0..self.ready.len()).rev().any(|at| self.has_step(self.ready[at]))
    }

    /// A hash of the steps taken.
    pub(super) fn schedule_hash(&self) -> u64 {
        xxh3_64(&self.trace)
    }

    pub(super) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(self.system.state())
    }
}

/// A number from shuttle's generator, which its schedules record. The bias of one in 2⁶⁴ divided by the span decides
/// nothing but how often a schedule is met.
fn between(low: i64, high: i64) -> i64 {
    let span = u128::from(high.abs_diff(low)) + 1;
    let offset = u64::try_from((u128::from(ThreadRng::default().next_u64()) * span) >> 64)
        .expect("a product shifted by 64 bits");
    low.checked_add_unsigned(offset).expect("at most the upper end")
}
