//! What executions exercised: which handlers and jobs were at work, the labelled steps that they and clients took, what
//! Redis and the database told them, what they answered, and what went wrong. A verdict says nothing about what was
//! never exercised.

use std::collections::BTreeSet;
use std::fmt;

use super::{Step, System};
use crate::process::{Op, Outcome};
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
        f.write_str(match self {
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
        })
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

impl System {
    /// What was exercised since the last call. The system watches from the first call on.
    pub fn take_exercised(&mut self) -> Exercised {
        self.exercised.replace(Box::default()).map_or_else(Exercised::default, |exercised| *exercised)
    }

    /// Notes what goes wrong by a step.
    #[cold]
    pub(super) fn exercise_fault(&mut self, step: &Step) {
        if let (Some(exercised), Some(budget)) = (&mut self.exercised, step.budget()) {
            exercised.faults.insert(budget);
        }
    }

    /// Notes what came of the operation in flight.
    #[cold]
    pub(super) fn exercise_outcome(&mut self, process: ProcessId, outcome: &Outcome) {
        let slot = self.state.slot(process);
        let label = Some(slot.label).filter(|label| !label.is_empty());
        let what = match (&slot.op, outcome) {
            (Some(Op::Redis(_, argv)), _) => {
                redis::command_name(argv).map(|command| What::Redis(command, redis_came(outcome)))
            }
            (Some(Op::Sql(statement, _)), Outcome::Rows(_) | Outcome::Lost) => {
                Some(What::Sql(statement.0, sql_came(statement.0, outcome)))
            }
            _ => None,
        };
        for what in label.map(What::Label).into_iter().chain(what) {
            self.exercise(process, what);
        }
    }

    /// Notes what a process did or met.
    pub(super) fn exercise(&mut self, process: ProcessId, what: What) {
        if self.exercised.is_none() {
            return;
        }
        let who = self.who(process);
        if let Some(exercised) = &mut self.exercised {
            exercised.events.insert((who, what));
        }
    }

    fn who(&self, process: ProcessId) -> Who {
        let model = self.setting.model;
        let client = &self.state.clients[usize::from(process.client)];
        if process.is_job() {
            Who::Job(model.jobs[process.job_index()].name)
        } else if let Some(handler) = client.handler(process.call) {
            Who::Handler(self.handler_of(&handler.request).route)
        } else if process == ProcessId::SETUP {
            Who::Client("setup")
        } else {
            Who::Client(model.journeys[usize::from(client.journey)].name)
        }
    }
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
