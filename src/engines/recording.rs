//! A replay with everything that was seen on the way: for diagrams, exports, and those who follow step by step.

use std::fmt;

use super::replay::Replay;
use crate::process::token::{Token, readable};
use crate::process::{Op, Outcome};
use crate::system::facts::{Change, Facts, apply, changes, facts};
use crate::system::schedule::Line;
use crate::system::{Step, System};
use crate::world::identity::ProcessId;

/// A replay, the state it began in, and one frame for each step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// What the replay came to.
    pub replay: Replay,
    /// The state before the first step.
    pub start: Facts,
    /// Seats that clients hold by their own knowledge before the first step.
    pub held: Vec<Held>,
    /// The steps that were fired.
    pub frames: Vec<Frame>,
}

/// One step and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Number of the step, from 1.
    pub number: usize,
    /// Virtual microseconds after the step.
    pub at_us: u64,
    /// Label and name.
    pub line: Line,
    /// Who takes the step.
    pub lane: Lane,
    /// Whom it reaches, if the step is an operation on another.
    pub reaches: Option<Lane>,
    /// True when nothing arrives there: the request was lost.
    pub is_lost: bool,
    /// Outcomes that arrived in this step, each with the process it arrived at.
    pub heard: Vec<(ProcessId, String)>,
    /// Seats that clients hold by their own knowledge after the step.
    pub held: Vec<Held>,
    /// Properties that the step broke for the first time.
    pub broken: Vec<&'static str>,
    /// What the step changed. All states of a long schedule would not fit in memory; see [`Recording::states`].
    pub changed: Vec<Change>,
}

/// A seat that a client was told to hold, has not given up, and whose time is not over.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The client, from 1.
    pub client: u16,
    /// The seat.
    pub seat: i64,
    /// True while Redis says so too: the live value of the seat's key is a token of this client.
    pub is_locked: bool,
}

/// Where something happens. A handler is in the lane of the client that it works for.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// A client, from 1.
    Client(u16),
    /// A Redis node.
    Redis(u8),
    /// The database.
    Database,
    /// Time, and what befalls everybody.
    Clock,
}

impl Recording {
    /// A replay of which nothing was kept.
    #[must_use]
    pub fn of_replay(replay: Replay) -> Self {
        Self { replay, start: Facts::new(), held: Vec::new(), frames: Vec::new() }
    }

    /// Every step with the state after it.
    pub fn states(&self) -> impl Iterator<Item = (&Frame, Facts)> {
        self.frames.iter().scan(self.start.clone(), |facts, frame| {
            apply(&frame.changed, facts);
            Some((frame, facts.clone()))
        })
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(client) => write!(f, "{}", ProcessId::client(*client)),
            Self::Redis(0) => f.write_str("redis"),
            Self::Redis(node) => write!(f, "redis{node}"),
            Self::Database => f.write_str("db"),
            Self::Clock => f.write_str("clock"),
        }
    }
}

impl Frame {
    /// The step as it is about to be fired; the rest comes with [`Frame::complete`].
    pub(super) fn begin(number: usize, system: &mut System, line: &Line, step: &Step) -> Self {
        // From here on the system listens.
        system.heard();
        let (lane, reaches) = lanes(system, step);
        let is_lost = matches!(step, Step::LoseRequest(_));
        let (heard, held, broken, changed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { number, at_us: 0, line: line.clone(), lane, reaches, is_lost, heard, held, broken, changed }
    }

    /// The step was fired; `known` are the facts before it, and then those after it.
    pub(super) fn complete(&mut self, system: &mut System, broken: Vec<&'static str>, known: &mut Facts) {
        self.at_us = system.now_us();
        // What a draw, a choice and a sleep come to is in the name of their step.
        let is_said = |outcome: &Outcome| matches!(outcome, Outcome::Drawn(_) | Outcome::Chosen(_) | Outcome::Woke);
        let heard = system.heard().into_iter().filter(|heard| !is_said(&heard.outcome));
        self.heard = heard.map(|heard| (heard.process, readable(&heard.to_string()))).collect();
        self.held = held(system);
        self.broken = broken;
        let now = facts(system);
        self.changed = changes(known, &now);
        *known = now;
    }
}

/// Who holds which seat by its own knowledge, client by client.
pub(super) fn held(system: &System) -> Vec<Held> {
    let state = system.state();
    let key = system.setting().model.seats.key;
    let is_locked = |client: u16, seat: i64| {
        let is_its = |value: &[u8]| Token::parse(value).is_some_and(|token| token.process.client == client);
        let mut live = state.world.redis.iter().flat_map(|node| node.live_keys(state.now_us));
        live.any(|(name, value, _)| *name == key(seat) && is_its(value.as_bytes()))
    };
    let claims = state.world.ghost.holders.iter();
    let claims =
        claims.flat_map(|(seat, holders)| holders.iter().map(|(client, until_us)| (*seat, *client, *until_us)));
    let live = claims.filter(|(_, _, until_us)| *until_us > state.now_us);
    let mut held =
        live.map(|(seat, client, _)| Held { client, seat, is_locked: is_locked(client, seat) }).collect::<Vec<_>>();
    held.sort_unstable();
    held
}

/// Who takes a step that is possible now, and whom it reaches.
fn lanes(system: &System, step: &Step) -> (Lane, Option<Lane>) {
    let client = |process: &ProcessId| Lane::Client(process.client);
    let server = |op: Option<&Op>| match op {
        Some(Op::Redis(node, _)) => Some(Lane::Redis(*node)),
        Some(Op::Sql(..)) => Some(Lane::Database),
        _ => None,
    };
    match step {
        Step::Apply(process)
        | Step::LoseRequest(process)
        | Step::LoseReply(process)
        | Step::Disconnect(process)
        | Step::Mishap(_, process) => (client(process), server(system.state().slot(*process).op.as_ref())),
        Step::Land(number) => match system.state().late.iter().find(|late| late.number == *number) {
            Some(late) => (client(&late.process), server(Some(&late.op))),
            None => (Lane::Clock, None),
        },
        Step::Begin(process)
        | Step::Deliver(process)
        | Step::Wake(process)
        | Step::Choose(process, _)
        | Step::Draw(process, _)
        | Step::Cut(process)
        | Step::CrashClient(process) => (client(process), None),
        Step::Reap(process) | Step::Deadlock(process) => (Lane::Database, Some(client(process))),
        Step::RedisRestart(node)
        | Step::Replicate(node, _)
        | Step::Failover(node, _)
        | Step::Evict(node, _)
        | Step::ClockJump(node) => (Lane::Redis(*node), None),
        Step::Time(_) | Step::CrashInstance(_) => (Lane::Clock, None),
    }
}
