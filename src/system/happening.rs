//! What an engine that keeps time has to know of a step.

use std::collections::VecDeque;
use std::fmt;

use crate::process::{Op, Outcome, Statement};
use crate::world::identity::ProcessId;

/// What an engine which keeps time must know about.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Happened {
    /// A process issued an operation, which travels so.
    Issued(Carrier),
    /// An operation took effect; its outcome may be delivered.
    Applied {
        /// True while the process has a database connection: it is in a transaction.
        in_transaction: bool,
    },
    /// A process sleeps until the instant that its slot tells.
    Asleep,
    /// A statement waits for another transaction.
    Blocked,
    /// What a process waited for (a row, a connection) may have come free.
    Unblocked,
    /// A client finished a round.
    RoundOver,
}

/// What carries an operation to where it takes effect.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A message to the service.
    Http,
    /// A message to a Redis node.
    Redis,
    /// A message to the database.
    Sql,
    /// Nothing: it takes effect where the process is, or together with the next message.
    None,
}

impl Carrier {
    /// What carries this operation.
    #[inline]
    #[must_use]
    pub fn of(op: &Op) -> Self {
        match op {
            // Drivers send BEGIN together with the first statement (pgjdbc), so it costs no round trip of its own.
            Op::Sql(Statement("BEGIN"), _) => Self::None,
            Op::Sql(..) => Self::Sql,
            Op::Redis(..) => Self::Redis,
            Op::Call(_) => Self::Http,
            _ => Self::None,
        }
    }
}

/// What a process heard, for those who tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The process.
    pub process: ProcessId,
    /// The outcome of its operation.
    pub outcome: Outcome,
    /// What PostgreSQL answers if all went well, for an operation that begins or ends a transaction.
    tag: Option<&'static str>,
}

impl Heard {
    pub(super) fn new(process: ProcessId, outcome: Outcome, op: Option<&Op>) -> Self {
        let tag = if let Some(Op::Sql(statement, _)) = op { statement.transaction_tag() } else { None };
        Self { process, outcome, tag }
    }
}

impl fmt::Display for Heard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.tag, &self.outcome) {
            (Some(tag), Outcome::Rows(Ok(rows))) if !rows.is_rolled_back => f.write_str(tag),
            (_, outcome) => write!(f, "{outcome}"),
        }
    }
}

/// Something that happened, and to whom. Two fields and no enum that holds the process: such a one is copied in other
/// pieces than those in which it was written the moment before, and the processor has to wait for the memory then.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// What happened.
    pub what: Happened,
    /// Whose doing or fate it is.
    pub process: ProcessId,
}

/// What happened and has not been taken yet: first in, first out. Nearly always one at a time, which has a place of its
/// own.
#[derive(Clone, Debug, Default)]
pub(super) struct Happenings {
    first: Option<Happening>,
    /// What came after the first; empty without one.
    more: VecDeque<Happening>,
}

impl Happenings {
    #[inline(always)]
    pub(super) fn push(&mut self, happening: Happening) {
        if self.first.is_none() {
            self.first = Some(happening);
        } else {
            self.more.push_back(happening);
        }
    }

    #[inline(always)]
    pub(super) fn take(&mut self) -> Option<Happening> {
        let Some(Happening { what, process }) = &self.first else { return None };
        let taken = Happening { what: *what, process: process.reread() };
        self.first = None;
        if !self.more.is_empty() {
            self.first = self.more.pop_front();
        }
        Some(taken)
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.len()
    }

    /// Forgets all but the first ones.
    pub(super) fn truncate(&mut self, count: usize) {
        self.more.truncate(count.saturating_sub(1));
        self.first = self.first.filter(|_| count > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_taken_in_order_and_the_last_ones_can_be_forgotten() {
        let mut happenings = Happenings::default();
        let happened = |client| Happening { what: Happened::Asleep, process: ProcessId::client(client) };
        (1..=4).for_each(|client| happenings.push(happened(client)));
        assert_eq!((happenings.take(), happenings.len()), (Some(happened(1)), 3));
        happenings.push(happened(5));
        happenings.truncate(2);
        assert_eq!(
            [happenings.take(), happenings.take(), happenings.take()],
            [Some(happened(2)), Some(happened(3)), None]
        );
        happenings.push(happened(6));
        happenings.truncate(0);
        assert_eq!((happenings.take(), happenings.len()), (None, 0));
    }
}
