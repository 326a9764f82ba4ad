//! The world under loom's threads. It lies outside of loom's primitives, in a thread-local of the operating system's
//! thread on which all of loom's threads run, so that loom sees one access for each step and no more.

use std::cell::RefCell;
use std::sync::Arc;

use ::loom::sync::atomic::{AtomicBool, AtomicUsize};

use super::dice::{Dice, Plan};
use super::play;
use super::search::{End, Search};
use super::threads::{Thread, Threads};
use crate::engines::reference::{ExploreError, abstracted};
use crate::engines::verdict::Bound;
use crate::system::fingerprint::Fingerprint;
use crate::system::property::Violation;
use crate::system::{Setting, Step, System};

thread_local! {
    static STAGE: RefCell<Option<Stage>> = const { RefCell::new(None) };
}

/// Where a thread stands.
enum Standing {
    /// loom has not heard of it: it had no step yet.
    Unborn,
    /// It runs, or loom knows that it is about to.
    Playing,
    /// It has no step and waits to be woken.
    Resting(::loom::thread::Thread),
    /// It was started or woken, because it had a step, and has not been chosen since.
    Woken,
    /// It has ended.
    Gone,
}

/// What a thread that was chosen shall do.
pub(super) enum Turn {
    /// One of so many steps.
    Step(usize),
    /// Nothing.
    Pass(After),
}

/// What a thread shall do after its turn.
#[derive(Copy, Clone, PartialEq, Eq)]
pub(super) enum After {
    /// Announce its next step.
    Announce,
    /// Wait to be woken.
    Park,
    /// End.
    End,
}

/// One execution in progress, and the template of the next: all clients have begun. A copy re-creates a process when
/// the process goes on, so in the thread that it belongs to.
pub(super) struct Stage {
    template: System,
    system: System,
    threads: Threads,
    standing: Vec<Standing>,
    /// The threads that loom knows, in the order in which it heard of them.
    born: Vec<Thread>,
    /// What every step accesses.
    point: Option<Arc<AtomicBool>>,
    plan: Plan,
    dice: Dice,
    /// The thread that took the last step, if it can go on.
    ahead: Option<Thread>,
    pub(super) steps: Vec<Step>,
    broken: Vec<(usize, Violation)>,
    options: Vec<Step>,
    is_over: bool,
    pub(super) search: Search,
}

impl Stage {
    /// Sets the stage for executions on this thread.
    pub(super) fn set(template: System, search: Search) {
        let threads = Threads::of(&template);
        let stage = Self {
            system: template.clone(),
            template,
            threads,
            standing: Vec::new(),
            born: Vec::new(),
            point: None,
            plan: Plan::default(),
            dice: Dice::default(),
            ahead: None,
            steps: Vec::new(),
            broken: Vec::new(),
            options: Vec::new(),
            is_over: false,
            search,
        };
        STAGE.set(Some(stage));
    }

    /// Does something with the stage.
    pub(super) fn with<T>(f: impl FnOnce(&mut Self) -> T) -> T {
        STAGE.with_borrow_mut(|stage| f(stage.as_mut().expect("the stage is set while loom runs")))
    }

    /// Clears the stage.
    pub(super) fn clear() {
        STAGE.set(None);
    }

    pub(super) fn setting(&self) -> &Setting {
        self.template.setting()
    }

    pub(super) fn plan(&self) -> Plan {
        self.plan
    }

    pub(super) fn set_plan(&mut self, plan: Plan) {
        self.plan = plan;
    }

    pub(super) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// Begins the next execution: starts the threads that have a step. Then the dice need their other faces. None if
    /// there shall be no execution.
    pub(super) fn begin(&mut self) -> Option<Vec<(usize, Arc<AtomicUsize>)>> {
        if !self.search.begins() {
            return None;
        }
        self.system = self.template.clone();
        self.standing.clear();
        self.standing.resize_with(self.threads.count(), || Standing::Unborn);
        self.born.clear();
        self.point = Some(Arc::new(AtomicBool::new(false)));
        self.dice = Dice::make(self.plan);
        self.ahead = None;
        self.steps.clear();
        self.is_over = false;
        self.judge();
        if !self.wake_all(None) {
            self.end();
        }
        Some(self.dice.all())
    }

    /// True when loom does not know yet what this thread, which was chosen, was about to do.
    pub(super) fn is_unannounced(&self, thread: Thread) -> bool {
        matches!(self.standing[thread], Standing::Woken)
    }

    /// What the thread that was chosen shall do.
    pub(super) fn turn(&mut self, thread: Thread) -> Turn {
        self.standing[thread] = Standing::Playing;
        if self.is_over {
            return Turn::Pass(self.leave(thread));
        }
        self.options.clear();
        self.threads.steps(thread, &self.system, &mut self.options);
        if !self.options.is_empty() {
            return Turn::Step(self.options.len());
        }
        if let Some(draw) = self.system.unexplorable_draw() {
            self.fail(ExploreError::Draw(draw));
            return Turn::Pass(self.leave(thread));
        }
        // What it was about to do has become impossible.
        if self.preferred() == Some(thread) {
            return Turn::Pass(self.rest(thread));
        }
        // What follows is explored where loom chose the thread that it prefers.
        self.search.explored.dead_ends += 1;
        self.over();
        Turn::Pass(self.leave(thread))
    }

    /// The thread that loom tries first: the one that can go on, else the first that it heard of.
    fn preferred(&self) -> Option<Thread> {
        let may_run = |thread: &&Thread| matches!(self.standing[**thread], Standing::Playing | Standing::Woken);
        self.ahead.or_else(|| self.born.iter().find(may_run).copied())
    }

    /// The thread takes one of its steps.
    pub(super) fn act(&mut self, thread: Thread, option: usize) -> After {
        let step = self.options.swap_remove(option);
        if let Step::Draw(process, _) = &step
            && let Some(draw) = abstracted(&self.system, *process)
        {
            self.search.abstracts(draw);
        }
        if let Err(error) = self.system.fire(&step) {
            self.fail(error.into());
            return self.leave(thread);
        }
        self.steps.push(step);
        self.judge();
        if self.steps.len() >= super::STEPS_MAX {
            self.search.explored.bound.get_or_insert(Bound::Steps(super::STEPS_MAX));
            self.over();
            return self.leave(thread);
        }
        if !self.wake_all(Some(thread)) {
            self.end();
            return self.leave(thread);
        }
        if self.ahead.is_some() {
            return After::Announce;
        }
        if self.threads.is_done(thread, &self.system) {
            return self.leave(thread);
        }
        self.rest(thread)
    }

    fn judge(&mut self) {
        let length = self.steps.len();
        self.broken.extend(self.system.judge().into_iter().map(|violation| (length, violation)));
    }

    fn rest(&mut self, thread: Thread) -> After {
        self.standing[thread] = Standing::Resting(::loom::thread::current());
        After::Park
    }

    fn leave(&mut self, thread: Thread) -> After {
        self.standing[thread] = Standing::Gone;
        After::End
    }

    /// Wakes the threads that have a step now and did not before. False when no thread has one.
    fn wake_all(&mut self, acting: Option<Thread>) -> bool {
        self.ahead = None;
        let mut has_step = false;
        for thread in 0..self.threads.count() {
            if !self.threads.has_step(thread, &self.system, &mut self.options) {
                continue;
            }
            has_step = true;
            if acting == Some(thread) {
                self.ahead = acting;
            } else {
                self.wake(thread);
            }
        }
        has_step
    }

    fn wake(&mut self, thread: Thread) {
        match &self.standing[thread] {
            Standing::Playing | Standing::Woken | Standing::Gone => return,
            Standing::Resting(handle) => handle.unpark(),
            Standing::Unborn => {
                let point = Arc::clone(self.point.as_ref().expect("an execution has begun"));
                play::start(thread, point);
                self.born.push(thread);
            }
        }
        self.standing[thread] = Standing::Woken;
    }

    /// The execution went as far as it could.
    fn end(&mut self) {
        self.search.ends_in(Fingerprint::of(self.system.state()));
        self.over();
    }

    fn fail(&mut self, error: ExploreError) {
        self.search.end = Some(End::Error(error));
        self.over();
    }

    /// The execution is over: all threads wake up and end, in one order.
    fn over(&mut self) {
        self.is_over = true;
        ::loom::skip_branch();
        for standing in &self.standing {
            if let Standing::Resting(handle) = standing {
                handle.unpark();
            }
        }
        if let Some(plan) = self.dice.missing() {
            self.search.end = Some(End::Short(self.plan.or(plan)));
        }
        self.search.explored.steps += self.steps.len() as u64;
        self.search.explored.exercised.merge(self.system.take_exercised());
        let broken = std::mem::take(&mut self.broken);
        self.search.note(&self.steps, broken);
    }
}
