//! Semantics: which steps are possible, what one step does, what must hold.
//!
//! A [`System`] is one execution in progress. An engine asks which steps are enabled ([`System::enabled`]) and fires
//! one ([`System::fire`]); nothing else changes a state.
//!
//! **Architecture invariant:** nothing here chooses. No randomness, no wall clock, no threads.

mod automaton;
mod budgets;
mod children;
mod database;
pub mod diagnostic;
pub mod digest;
mod drain;
mod draws;
pub mod exercised;
pub mod facts;
mod fault;
pub mod fingerprint;
mod fire;
pub mod given;
mod happening;
pub mod jobs;
pub mod mishap;
pub mod model;
mod name;
pub mod pace;
pub mod parts;
pub mod property;
mod relative;
mod resolve;
pub mod scenario;
pub mod schedule;
mod service;
pub mod setting;
pub mod state;
pub mod step;
pub mod threshold;
pub mod time;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use crate::process::{Asides, Drawn, Note, Params};
use crate::world::World;
use crate::world::ghost::Ghost;
use crate::world::identity::ProcessId;
use crate::world::redis::Redis;

use automaton::Automata;
use database::Planner;
pub use draws::Unexplorable;
use exercised::Watcher;
use given::{Given, GivenError};
use happening::Happenings;
pub use happening::{Carrier, Happened, Happening, Heard};
use mishap::Clocks;
use model::Model;
use pace::Pace;
use property::Property;
use state::{Budgets, Client, Instance, Slot, State};
pub use step::Step;

/// What an execution is about: the model, its parameters, who takes part, and what may go wrong.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The model.
    pub model: &'static Model,
    /// Its parameters.
    pub params: Params,
    /// Bounded resources of the service.
    pub service: Service,
    /// The journey of each client, as an index into the model's journeys; clients are numbered from 1.
    pub journeys: Vec<u16>,
    /// Rounds that each client runs; `None` for as long as the engine begins new ones.
    pub rounds: Option<u32>,
    /// Faults that may happen.
    pub budgets: Budgets,
    /// Replicas of the Redis node.
    pub replicas: u8,
    /// Which clocks run ahead.
    pub clocks: Clocks,
    /// How slow anything may be.
    pub pace: Pace,
    /// What must hold.
    pub properties: Vec<Property>,
    /// How often each background job of the model may begin, in the model's order; those left out never do.
    pub jobs: Vec<u32>,
    /// What has happened before.
    pub given: Vec<Given>,
    /// Representatives of draws whose support is too large to explore, by the draw's name.
    pub draws: BTreeMap<String, Vec<Drawn>>,
}

/// Bounded resources of the service.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Instances behind the load balancer.
    pub instances: u32,
    /// Worker threads of each instance: requests handled at the same time.
    pub workers: u32,
    /// Database connections in each instance's pool.
    pub connections: u32,
}

/// Whether the two halves of an operation, its effect and the arrival of its outcome, are one step or two.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Halves {
    /// One step. Sound for exploring: reading the clock and sleeping are operations of their own, and the end of a
    /// hold comes from an outcome. Clients begin their rounds by themselves.
    Fused,
    /// Two steps, each at its own time. Clients begin a round when the engine says so.
    Split,
}

/// A mistake in what is executed, not a behaviour of it. Boxed, so that a step that succeeds returns next to nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// An SQL statement of the model that the store cannot plan, or a Redis command that is not simulated.
    #[error(transparent)]
    Operation(Box<WrongOperation>),
    /// The prologue says what cannot happen.
    #[error(transparent)]
    Given(Box<GivenError>),
}

/// What is wrong with an operation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{process}, step {label}: {reason}\n  in: {operation}")]
pub struct WrongOperation {
    /// Who issued it.
    pub process: ProcessId,
    /// At which labelled step.
    pub label: &'static str,
    /// The statement, or the command's words.
    pub operation: String,
    /// What is wrong with it.
    pub reason: String,
}

impl ModelError {
    #[cold]
    fn operation(process: ProcessId, label: &'static str, operation: &str, reason: &str) -> Self {
        let (operation, reason) = (operation.to_owned(), reason.to_owned());
        Self::Operation(Box::new(WrongOperation { process, label, operation, reason }))
    }
}

/// One execution in progress. Cloning forks it; the copy re-creates its processes from their histories.
#[derive(Clone, Debug)]
pub struct System {
    setting: Rc<Setting>,
    planner: Rc<RefCell<Planner>>,
    halves: Halves,
    /// False where nobody will fork or fingerprint the execution: histories are then not kept.
    keeps_history: bool,
    /// True where the present is moved back to the start after time has passed.
    is_relative: bool,
    /// True once a command was sent that such a search cannot take.
    names_instants: bool,
    /// True once the present could not be moved back, because somebody remembers an instant.
    keeps_instants: bool,
    state: State,
    happenings: Happenings,
    /// What clients' scripts recorded and nobody took yet.
    notes: Vec<(ProcessId, Box<Asides>)>,
    /// Scratch of [`System::apply`]: values that a Redis command removed.
    removed: Vec<(crate::world::argv::ByteString, crate::world::argv::ByteString)>,
    judgement: property::Judgement,
    /// True when a property asks whether errors are answered about what was done.
    reports: bool,
    /// What processes heard since it was last asked; nobody listens unless asked to.
    heard: Option<Vec<Heard>>,
    /// What was exercised since it was last asked; nobody watches unless asked to.
    watcher: Option<Box<Watcher>>,
    /// What processes say, where that is remembered.
    automata: Option<Automata>,
}

impl System {
    /// An execution of which nothing has happened yet; with [`Halves::Fused`] every client has issued its first
    /// operation.
    ///
    /// # Errors
    /// When the model's schema or one of its initial statements is wrong, or what is given cannot happen.
    pub fn new(setting: Rc<Setting>, halves: Halves, keeps_history: bool) -> Result<Self, ModelError> {
        let mut system = Self::unbegun(setting, halves, keeps_history)?;
        if halves == Halves::Fused {
            system.begin_all()?;
        }
        Ok(system)
    }

    /// As [`System::new`], but no client has begun: a template to copy and to begin many times, planned once.
    ///
    /// # Errors
    /// As [`System::new`].
    pub fn unbegun(setting: Rc<Setting>, halves: Halves, keeps_history: bool) -> Result<Self, ModelError> {
        let sql = database::initial(&setting)?;
        let world = World { redis: vec![Redis::with_replicas(setting.replicas)], sql, ghost: Ghost::default() };
        let client = |journey| Client { journey, slot: Slot::idle(), rounds: 0, calls: 0, handlers: Vec::new() };
        let instance = Instance {
            idle_workers: setting.service.workers,
            accept_queue: VecDeque::new(),
            idle_connections: setting.service.connections,
            connection_queue: VecDeque::new(),
        };
        let mut clients: Vec<_> = std::iter::once(0).chain(setting.journeys.iter().copied()).map(client).collect();
        clients[0].handlers = jobs::slots(&setting);
        let state = State {
            now_us: 0,
            world,
            clients,
            jobs: jobs::clocks(&setting),
            instances: vec![instance; setting.service.instances as usize],
            waiting: BTreeSet::new(),
            unreaped: BTreeSet::new(),
            late: Vec::new(),
            ready_since: BTreeMap::new(),
            budgets: setting.budgets,
        };
        let mut system = Self {
            setting,
            planner: Rc::default(),
            halves,
            keeps_history,
            is_relative: false,
            names_instants: false,
            keeps_instants: false,
            state,
            happenings: Happenings::default(),
            notes: Vec::new(),
            removed: Vec::new(),
            judgement: property::Judgement::default(),
            reports: false,
            heard: None,
            watcher: None,
            automata: None,
        };
        system.plan_properties()?;
        Ok(system)
    }

    /// Every client issues its first operation, and what is given happens.
    ///
    /// # Errors
    /// When what is given cannot happen.
    pub fn begin_all(&mut self) -> Result<(), ModelError> {
        for number in 1..self.state.clients.len() {
            let number = u16::try_from(number).expect("there are at most 65,535 clients");
            self.begin(ProcessId::client(number));
        }
        self.do_given()
    }

    /// The state.
    #[inline]
    #[must_use]
    pub fn state(&self) -> &State {
        &self.state
    }

    /// What the execution is about.
    #[must_use]
    pub fn setting(&self) -> &Setting {
        &self.setting
    }

    /// Whether the halves of an operation are one step or two.
    #[must_use]
    pub fn halves(&self) -> Halves {
        self.halves
    }

    /// What processes heard since the last call, in order, for those who tell what happened. Listening begins with the
    /// first call.
    pub fn heard(&mut self) -> Vec<Heard> {
        self.heard.replace(Vec::new()).unwrap_or_default()
    }

    /// Virtual microseconds since the start.
    #[inline]
    #[must_use]
    pub fn now_us(&self) -> u64 {
        self.state.now_us
    }

    /// Sets the clock; for engines that keep time themselves.
    ///
    /// # Panics
    /// When time would run backwards.
    #[inline]
    pub fn advance_to(&mut self, now_us: u64) {
        assert!(now_us >= self.state.now_us, "virtual time runs forwards");
        self.state.now_us = now_us;
    }

    #[inline]
    pub(crate) fn happen(&mut self, what: Happened, process: ProcessId) {
        // Only engines that keep time listen.
        if self.halves == Halves::Split {
            self.happenings.push(Happening { what, process });
        }
    }

    /// The next thing that happened and has not been taken yet, in order.
    #[inline]
    pub fn take_happening(&mut self) -> Option<Happening> {
        self.happenings.take()
    }

    /// How many things happened and have not been taken yet.
    #[inline]
    #[must_use]
    pub fn pending_happenings(&self) -> usize {
        self.happenings.len()
    }

    /// Forgets all but the first `count` things that happened and have not been taken yet, and all samples.
    pub fn forget_happenings_after(&mut self, count: usize) {
        self.happenings.truncate(count);
        self.notes.clear();
    }

    /// True if properties have something to judge or clients' scripts have recorded a sample. After most steps neither
    /// is so, and an engine that keeps time asks after every one.
    #[inline]
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.judgement.is_due() || !self.notes.is_empty()
    }

    /// Takes the samples that clients' scripts recorded since the last call, in order.
    pub fn take_notes(&mut self, mut take: impl FnMut(ProcessId, Note)) {
        for (process, asides) in self.notes.drain(..) {
            asides.notes.iter().for_each(|note| take(process, *note));
        }
    }
}
