//! Operations that a process issues and the outcomes it receives.

use std::fmt;

use serde::Serialize;
use smallvec::SmallVec;

use super::draw::{Draw, Drawn};
use super::http::{Request, Response};
use crate::world::argv::Argv;
use crate::world::identity::ProcessId;
use crate::world::reply::Reply;
use crate::world::sql::{Rows, SqlError};
use crate::world::value::Value;

/// One SQL statement as the service sends it, parameters as `$1`, `$2`.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Statement(pub &'static str);

impl Statement {
    /// What PostgreSQL answers to a statement that begins or ends a transaction: its command tag.
    #[must_use]
    pub fn transaction_tag(self) -> Option<&'static str> {
        let word = self.0.split_whitespace().next()?.trim_end_matches(';');
        let tags = [
            ("BEGIN", "BEGIN"),
            ("START", "START TRANSACTION"),
            ("COMMIT", "COMMIT"),
            ("END", "COMMIT"),
            ("ROLLBACK", "ROLLBACK"),
            ("ABORT", "ROLLBACK"),
        ];
        tags.into_iter().find(|(first, _)| word.eq_ignore_ascii_case(first)).map(|(_, tag)| tag)
    }
}

/// One operation. A process has at most one in flight. It moves from the process to its
/// slot, so no variant is large.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Op {
    /// A command to the Redis node of this number.
    Redis(u8, Argv),
    /// An SQL statement and its parameters, of which most have two at most.
    Sql(Statement, SmallVec<[Value; 2]>),
    /// A request to the service (clients only).
    Call(Request),
    /// Starts a child for this job.
    Spawn(Request),
    /// Waits until so many of these children have ended.
    Join(u32, SmallVec<[ProcessId; 2]>),
    /// Ends this child wherever it is.
    Cancel(ProcessId),
    /// Nothing, for this many microseconds.
    Sleep(u64),
    /// Reads the process's clock.
    Now,
    /// One of `0..n`, any of them.
    Choose(u32),
    /// A value of the workload.
    Draw(Draw),
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Outcome {
    /// Redis replied.
    Reply(Reply),
    /// The database replied.
    Rows(Result<Rows, SqlError>),
    /// The service answered.
    Response(Response),
    /// Nothing came back in time: what was sent may or may not have taken effect.
    Lost,
    /// The child was started, under this name.
    Spawned(ProcessId),
    /// What the children that have ended came to.
    Joined(Vec<(ProcessId, Response)>),
    /// The child is at work no longer.
    Cancelled,
    /// The sleep is over.
    Woke,
    /// The process's clock.
    Now(Instant),
    /// What was chosen.
    Chosen(u32),
    /// What was drawn.
    Drawn(Drawn),
}

/// Nothing came back in time: the request may or may not have taken effect.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no reply in time")]
pub struct Lost;

/// A reading of a process's clock. It can be shifted, compared and passed as a parameter, but has no digits.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Instant(pub(crate) u64);

impl Instant {
    /// The instant this many microseconds later.
    #[must_use]
    pub fn plus_us(self, us: u64) -> Self {
        Self(self.0.saturating_add(us))
    }
}

impl From<Instant> for Value {
    fn from(instant: Instant) -> Self {
        Self::Timestamp(i64::try_from(instant.0).unwrap_or(i64::MAX))
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reply(reply) => write!(f, "{reply}"),
            Self::Rows(Ok(rows)) => write_rows(f, rows),
            Self::Rows(Err(error)) => write!(f, "{error}"),
            Self::Response(response) => write!(f, "{response}"),
            Self::Lost => f.write_str("no reply in time"),
            Self::Spawned(child) => write!(f, "{child}"),
            Self::Joined(results) => {
                for (index, (child, response)) in results.iter().enumerate() {
                    write!(f, "{}{child} {response}", if index > 0 { "; " } else { "" })?;
                }
                Ok(())
            }
            Self::Cancelled => f.write_str("cancelled"),
            Self::Woke => f.write_str("awake"),
            Self::Now(instant) => write!(f, "t={}us", instant.0),
            Self::Chosen(choice) => write!(f, "{choice}"),
            Self::Drawn(values) => write_values(f, values),
        }
    }
}

/// As psql's command tag tells it, rows first: `(1, 'AVAILABLE') (2, 'LOCKED')`, or the number of rows touched.
fn write_rows(f: &mut fmt::Formatter<'_>, rows: &Rows) -> fmt::Result {
    if rows.is_rolled_back {
        return f.write_str("ROLLBACK");
    }
    if rows.rows.is_empty() {
        return write!(f, "{} rows", rows.affected);
    }
    for (index, row) in rows.rows.iter().enumerate() {
        f.write_str(if index > 0 { " (" } else { "(" })?;
        for (column, value) in row.iter().enumerate() {
            write!(f, "{}{value}", if column > 0 { ", " } else { "" })?;
        }
        f.write_str(")")?;
    }
    Ok(())
}

/// Writes `3 17 4`.
pub(crate) fn write_values(f: &mut impl fmt::Write, values: &[i64]) -> fmt::Result {
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            f.write_str(" ")?;
        }
        write!(f, "{value}")?;
    }
    Ok(())
}
