//! What executions exercised: which handlers and jobs were at work, the labelled steps that they and clients took, what
//! Redis and the database told them, what they answered, and what went wrong. A verdict says nothing about what was
//! never exercised.

use std::collections::BTreeSet;
use std::fmt;

use super::{Step, System};
use crate::process::{Op, Outcome, Statement};
use crate::world::identity::ProcessId;
use crate::world::redis;
use crate::world::reply::Reply;
use crate::world::sql::SqlState;

/// Whose code was at work.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Who {
    /// Clients of this journey.
    Client(&'static str),
    /// The handler of this route.
    Handler(&'static str),
    /// This background job.
    Job(&'static str),
}

/// What it did, or met.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// The step of this label in the service's documentation.
    Label(&'static str),
    /// A command to Redis.
    Redis(&'static str, Came),
    /// An SQL statement.
    Sql(&'static str, Came),
    /// An answer with this HTTP status.
    Answer(u16),
    /// A panic.
    Panic,
}

/// What came of a command or statement, as far as code usually branches on it.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Came {
    /// A status such as `OK`.
    Status,
    /// Nothing: nil, or an empty array.
    Nil,
    /// The number 0.
    Zero,
    /// Another number.
    Number,
    /// A value, or several.
    Value,
    /// Redis refused the command.
    Refused,
    /// Rows were found or changed.
    Rows,
    /// No row was found or changed.
    NoRows,
    /// The statement waited for another transaction.
    Waited,
    /// The transaction was rolled back instead.
    RolledBack,
    /// The statement failed.
    Failed(SqlState),
    /// No reply came in time.
    Lost,
}

impl fmt::Display for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl Came {
    fn word(self) -> &'static str {
        match self {
            Self::Status => "OK",
            Self::Nil => "nil",
            Self::Zero => "0",
            Self::Number => "a number",
            Self::Value => "a value",
            Self::Refused => "an error",
            Self::Rows => "rows",
            Self::NoRows => "no rows",
            Self::Waited => "waits",
            Self::RolledBack => "rolled back",
            Self::Failed(state) => state.code(),
            Self::Lost => "no reply",
        }
    }
}

/// A set of what was exercised.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exercised {
    /// Who did or met what.
    pub events: BTreeSet<(Who, What)>,
    /// What went wrong, and whether time passed, by the names of budgets.
    pub faults: BTreeSet<&'static str>,
}

impl Exercised {
    /// Takes in what others exercised.
    pub fn merge(&mut self, other: Self) {
        self.events.extend(other.events);
        self.faults.extend(other.faults);
    }

    /// What is not among what is known.
    #[must_use]
    pub fn beyond(&self, known: &Self) -> Self {
        Self {
            events: self.events.difference(&known.events).copied().collect(),
            faults: self.faults.difference(&known.faults).copied().collect(),
        }
    }

    /// True when it is nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.events.is_empty() && self.faults.is_empty()
    }
}

/// Watches what is exercised. Nearly all that happens has happened before, so what was noted lately is looked for
/// first: by where its texts lie in memory, which is cheaper than comparing them.
#[derive(Clone, Debug, Default)]
pub(super) struct Watcher {
    exercised: Exercised,
    recent: [Option<Glimpse>; RECENT],
}

const RECENT: usize = 32;

/// An outcome as cheap as it can be told from others: places of texts, and the first bytes of a command.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
struct Glimpse {
    who: u64,
    label: u64,
    operation: u64,
    came: u64,
}

impl Watcher {
    /// True if this was noted lately; from now on it was.
    fn has_seen(&mut self, glimpse: Glimpse) -> bool {
        let Glimpse { who, label, operation, came } = glimpse;
        let mixed = who ^ label.rotate_left(13) ^ operation.rotate_left(29) ^ came.rotate_left(43);
        let hash = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let slot = usize::try_from(hash >> 32).expect("32 bits") % RECENT;
        self.recent[slot].replace(glimpse) == Some(glimpse)
    }
}

/// Where a text lies in memory. Equal places are equal texts.
fn place(text: &'static str) -> u64 {
    text.as_ptr() as u64 ^ (text.len() as u64) << 48
}

impl System {
    /// What was exercised since the last call. The system watches from the first call on.
    pub fn take_exercised(&mut self) -> Exercised {
        let watcher = self.watcher.get_or_insert_default();
        if watcher.exercised.is_empty() {
            return Exercised::default();
        }
        std::mem::take(&mut **watcher).exercised
    }

    /// Notes what goes wrong by a step.
    #[cold]
    pub(super) fn exercise_fault(&mut self, step: &Step) {
        if let (Some(watcher), Some(budget)) = (&mut self.watcher, step.budget()) {
            watcher.exercised.faults.insert(budget);
        }
    }

    /// Notes what came of the operation in flight.
    #[cold]
    pub(super) fn exercise_outcome(&mut self, process: ProcessId, outcome: &Outcome) {
        let who = self.who(process);
        let slot = self.state.slot(process);
        let (operation, came) = match (&slot.op, outcome) {
            (Some(Op::Redis(_, argv)), _) => (first_bytes(argv.get(0).unwrap_or_default()), redis_came(outcome)),
            (Some(Op::Sql(Statement(text), _)), _) => (place(text), sql_came(text, outcome)),
            _ if slot.label.is_empty() => return,
            // Of others only the label says something.
            _ => (0, Came::Status),
        };
        let glimpse = Glimpse { who: place(who.name()), label: place(slot.label), operation, came: place(came.word()) };
        if self.watcher.as_mut().is_none_or(|watcher| watcher.has_seen(glimpse)) {
            return;
        }
        let what = match &slot.op {
            Some(Op::Redis(_, argv)) => redis::command_name(argv).map(|command| What::Redis(command, came)),
            Some(Op::Sql(Statement(text), _)) => Some(What::Sql(text, came)),
            _ => None,
        };
        let label = Some(slot.label).filter(|label| !label.is_empty());
        if let Some(watcher) = &mut self.watcher {
            watcher.exercised.events.extend(label.map(What::Label).into_iter().chain(what).map(|what| (who, what)));
        }
    }

    /// Notes what a process did or met.
    pub(super) fn exercise(&mut self, process: ProcessId, what: What) {
        if self.watcher.is_none() {
            return;
        }
        let who = self.who(process);
        if let Some(watcher) = &mut self.watcher {
            watcher.exercised.events.insert((who, what));
        }
    }

    fn who(&self, process: ProcessId) -> Who {
        let model = self.setting.model;
        let client = &self.state.clients[usize::from(process.client)];
        if process.is_job() {
            Who::Job(model.jobs[process.job_index()].name)
        } else if let Some(handler) = client.handler(process.call) {
            Who::Handler(handler.request.route)
        } else if process == ProcessId::SETUP {
            Who::Client("setup")
        } else {
            Who::Client(model.journeys[usize::from(client.journey)].name)
        }
    }
}

impl Who {
    fn name(self) -> &'static str {
        let (Self::Client(name) | Self::Handler(name) | Self::Job(name)) = self;
        name
    }
}

fn first_bytes(word: &[u8]) -> u64 {
    word.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte))
}

fn redis_came(outcome: &Outcome) -> Came {
    let Outcome::Reply(reply) = outcome else { return Came::Lost };
    match reply {
        Reply::Status(_) => Came::Status,
        Reply::Error(_) => Came::Refused,
        Reply::Int(0) => Came::Zero,
        Reply::Int(_) => Came::Number,
        Reply::Nil | Reply::NilArray => Came::Nil,
        Reply::Array(values) if values.is_empty() => Came::Nil,
        Reply::Bulk(_) | Reply::Array(_) => Came::Value,
    }
}

fn sql_came(statement: &str, outcome: &Outcome) -> Came {
    let is_about_rows = !["BEGIN", "COMMIT", "ROLLBACK"].iter().any(|word| statement.starts_with(word));
    let Outcome::Rows(result) = outcome else { return Came::Lost };
    match result {
        Err(error) => Came::Failed(error.code),
        Ok(rows) if rows.is_rolled_back => Came::RolledBack,
        Ok(_) if !is_about_rows => Came::Status,
        Ok(rows) if rows.rows.is_empty() && rows.affected == 0 => Came::NoRows,
        Ok(_) => Came::Rows,
    }
}
