//! Who waits for whom.

use smallvec::SmallVec;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::error::SqlError;
use super::schema::Key;
use super::slot::View;
use super::table::Taken;
use super::transaction::{Waiting, WaitsOn};
use super::{Progress, SqlStore};

impl SqlStore {
    /// True if the session's statement waits for another transaction.
    #[must_use]
    pub fn is_waiting(&self, session: SessionId) -> bool {
        self.waiting(session).is_some()
    }

    /// Whose end the session's statement waits for now; empty if it does not wait or can be resumed.
    #[must_use]
    pub fn blockers(&self, session: SessionId) -> SmallVec<[SessionId; 1]> {
        self.blocker(session).into_iter().collect()
    }

    /// The waiting sessions that wait for each other in a circle, in order. Any of them may be the victim.
    #[must_use]
    pub fn deadlocked(&self) -> Vec<SessionId> {
        let waiting = self.transactions.iter().filter(|transaction| transaction.waiting.is_some());
        waiting.map(|transaction| transaction.session).filter(|session| self.is_on_circle(*session)).collect()
    }

    /// How many sessions' statements wait for another transaction.
    #[must_use]
    pub fn waiting_count(&self) -> usize {
        self.transactions.iter().filter(|transaction| transaction.waiting.is_some()).count()
    }

    /// Ends a waiting statement with this error, which it then returns: a deadlock's victim, a statement timeout, a
    /// cancel request. Its transaction is undone.
    ///
    /// # Panics
    /// If the session's statement does not wait.
    pub fn fail_waiting(&mut self, session: SessionId, error: SqlError) -> Progress {
        assert!(self.is_waiting(session), "no statement of session {session} waits");
        if let Ok(number) = self.transactions.find(session) {
            self.give_up(number);
        }
        error.into()
    }

    /// Cancels the statement of this session, which waits or is about to begin: its transaction can only be rolled
    /// back.
    pub fn cancel(&mut self, session: SessionId, error: SqlError) -> Progress {
        if let Ok(number) = self.transactions.find(session) {
            self.give_up(number);
        }
        error.into()
    }

    /// Ends the transaction of a session from which no statement comes any more.
    pub fn conclude(&mut self, session: SessionId, commits: bool) {
        self.end(self.transactions.find(session), commits);
    }

    pub(super) fn waiting(&self, session: SessionId) -> Option<&Waiting> {
        self.transactions.get(session)?.waiting.as_deref()
    }

    /// A statement waits for one transaction at a time: row locks are exclusive.
    fn blocker(&self, session: SessionId) -> Option<SessionId> {
        let waiting = self.waiting(session)?;
        let (table, schema) = (&self.storage.tables[waiting.table], &self.schema.0.tables[waiting.table]);
        let holder = |view: View, key: &Key| view.latest_row(table.slot(table.find(key)?))?.1;
        match &waiting.on {
            WaitsOn::Nothing => None,
            WaitsOn::Row(key) => holder(self.storage.view(session), key),
            WaitsOn::Latest(key) => holder(View::latest(session), key),
            WaitsOn::Unique { unique, key } => {
                let entering = waiting.work.entering.as_ref().filter(|entering| entering.next_index > 0);
                let except = entering.and_then(|entering| table.find(&schema.key_of(&entering.row)));
                let columns = schema.columns_of(*unique);
                let has_key = |row: &[Value]| key.is_of(columns, row);
                match table.taken(schema, *unique, (key.hashed(), has_key), except, session) {
                    Taken::Undecided(other) => Some(other),
                    Taken::Free | Taken::By(_) => None,
                }
            }
        }
    }

    fn is_on_circle(&self, start: SessionId) -> bool {
        let mut at = start;
        for _ in 0..self.transactions.len() {
            match self.blocker(at) {
                Some(next) if next == start => return true,
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    }
}
