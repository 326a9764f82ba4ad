//! Ghost state: what clients were told and what handlers did, kept for the properties. No process can read it.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::argv::ByteString;
use super::identity::ProcessId;

/// Facts as sets, never as a growing log, so that executions which differ only in their past merge.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Ghost {
    /// For each seat, the clients that were told they hold it and have not given it up, each with the end of its
    /// hold by its own knowledge (virtual microseconds).
    pub holders: BTreeMap<i64, BTreeMap<u16, u64>>,
    /// Commands that took another client's live lock away: who, and which key.
    pub foreign_removals: BTreeSet<(ProcessId, ByteString)>,
    /// Requests answered with 5xx: handler and status.
    pub server_errors: BTreeSet<(ProcessId, u16)>,
    /// Processes whose code panicked, with what it said.
    pub panics: BTreeSet<(ProcessId, String)>,
    /// Processes that the database failed to end a deadlock.
    pub deadlocked: BTreeSet<ProcessId>,
    /// Requests answered with an error although what they asked for was done and their client was never told: handler
    /// and status.
    pub unreported: BTreeSet<(ProcessId, u16)>,
    /// For each seat, the clients that were told that they have paid for it.
    pub tickets: BTreeMap<i64, BTreeSet<u16>>,
    /// Handlers that ended holding some but not all of the seats they were asked for, or other seats than they said.
    pub split_requests: BTreeSet<ProcessId>,
}

impl Ghost {
    /// The client was told that it holds the seats. True if one of them has another holder too.
    pub fn hold(&mut self, client: u16, seats: &[i64], until_us: u64) -> bool {
        let mut is_shared = false;
        for seat in seats {
            let holders = self.holders.entry(*seat).or_default();
            holders.insert(client, until_us);
            is_shared |= holders.len() > 1;
        }
        is_shared
    }

    /// The client no longer counts on the seats.
    pub fn give_up(&mut self, client: u16, seats: &[i64]) {
        for seat in seats {
            if let Some(holders) = self.holders.get_mut(seat) {
                holders.remove(&client);
                if holders.is_empty() {
                    self.holders.remove(seat);
                }
            }
        }
    }
}
