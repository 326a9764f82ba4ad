//! The world under loom's threads. It lies outside of loom's primitives, in a thread-local of the operating system's
//! thread on which all of loom's threads run, so that loom sees one access for each step and no more.

use std::cell::RefCell;
use std::sync::Arc;

use ::loom::sync::atomic::{AtomicBool, AtomicUsize};

use super::dice::{Dice, Plan};
use super::graph::Graph;
use super::play;
use super::search::{End, Search};
use super::threads::Thread;
use crate::engines::reference::ExploreError;
use crate::engines::verdict::Bound;
use crate::system::{Setting, System};

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
    /// One of so many steps, the execution being so long.
    Step { options: usize, depth: usize },
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

/// One execution in progress.
pub(super) struct Stage {
    pub(super) graph: Graph,
    standing: Vec<Standing>,
    /// The threads that loom knows, in the order in which it heard of them.
    born: Vec<Thread>,
    /// What every step accesses.
    point: Option<Arc<AtomicBool>>,
    plan: Plan,
    dice: Dice,
    /// The thread that took the last step, if it can go on.
    ahead: Option<Thread>,
    is_over: bool,
    pub(super) search: Search,
}

impl Stage {
    /// Sets the stage for executions on this thread, which begin where the template stands.
    pub(super) fn set(template: System, search: Search) {
        let stage = Self {
            graph: Graph::new(template),
            standing: Vec::new(),
            born: Vec::new(),
            point: None,
            plan: Plan::default(),
            dice: Dice::default(),
            ahead: None,
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
        self.graph.template().setting()
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
        self.graph.begin();
        self.standing.clear();
        self.standing.resize_with(self.graph.here().options.len(), || Standing::Unborn);
        self.born.clear();
        self.point = Some(Arc::new(AtomicBool::new(false)));
        self.dice = Dice::make(self.plan);
        self.ahead = None;
        self.is_over = false;
        self.arrive(None);
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
        let options = self.graph.here().options[thread].steps.len();
        if options > 0 {
            return Turn::Step { options, depth: self.graph.depth() };
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

    /// The thread takes one of the steps that it had when the execution was so long. None if it has become longer, or
    /// ended.
    pub(super) fn act(&mut self, thread: Thread, option: usize, depth: usize) -> Option<After> {
        (!self.is_over && self.graph.depth() == depth).then(|| self.step(thread, option))
    }

    fn step(&mut self, thread: Thread, option: usize) -> After {
        if let Some(draw) = self.graph.here().options[thread].steps[option].abstracted_draw {
            self.search.abstracts(draw);
        }
        match self.graph.take(thread, option) {
            Ok(()) => self.arrive(Some(thread)),
            Err(error) => self.fail(error.into()),
        }
        if self.is_over {
            return self.leave(thread);
        }
        if self.ahead.is_some() {
            return After::Announce;
        }
        if self.graph.here().options[thread].is_done {
            return self.leave(thread);
        }
        self.rest(thread)
    }

    /// The execution has come to a state, by a step of this thread.
    fn arrive(&mut self, acting: Option<Thread>) {
        let state = self.graph.here();
        if !state.broken.is_empty() {
            self.search.note(&state.broken, || self.graph.steps());
        }
        if let Some(draw) = &state.unexplorable_draw {
            self.fail(ExploreError::Draw(draw.clone()));
        } else if self.graph.depth() >= super::STEPS_MAX {
            self.search.explored.bound.get_or_insert(Bound::Steps(super::STEPS_MAX));
            self.over();
        } else if !self.wake_all(acting) {
            self.search.ends_in(self.graph.here().fingerprint);
            self.over();
        }
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
        for thread in 0..self.standing.len() {
            if self.graph.here().options[thread].steps.is_empty() {
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
        self.search.explored.steps += self.graph.depth() as u64;
    }
}
