//! One simulated Redis node: the string and key commands of Redis 7.0.15, with its replies, its error texts and
//! its expiry rule.
//!
//! Time is a parameter: a command runs at an instant of the node's clock and all of it sees that instant.

mod args;
mod call;
mod counters;
mod errors;
mod expire;
mod glob;
mod keys;
mod keyspace;
mod replication;
mod script;
mod session;
mod strings;
mod table;

use serde::Serialize;

pub use self::errors::not_simulated;

use self::call::{Answer, Call, whole_ms};
use self::keyspace::Keyspace;
use self::replication::Replication;
use self::script::{Random, Scripts};
use self::session::Sessions;
use self::table::{Command, Place};
use super::argv::{Argv, ByteString};
use super::identity::SessionId;
use super::reply::Reply;

/// The name of the command that these words ask for, in lower case; none if no node knows it.
#[must_use]
pub fn command_name(argv: &Argv) -> Option<&'static str> {
    table::name(argv)
}

/// One node with one database, nothing persisted and no memory limit of its own.
///
/// Nodes with equal content are equal and hash alike. Dead keys that no command has named since are content, as
/// DBSIZE shows them; [`Redis::purge_expired`] drops them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub struct Redis {
    keyspace: Keyspace,
    sessions: Sessions,
    scripts: Scripts,
    random: Random,
    /// Where the node has replicas.
    replication: Option<Box<Replication>>,
}

impl Redis {
    /// An empty node.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Executes one command at `now_us` on the node's clock, in microseconds; as Redis does, all but TIME look at
    /// whole milliseconds.
    ///
    /// `removed` receives every live key, with its value, that this command deleted or gave another value, also
    /// an equal one. Keys that are merely found dead do not count: they ceased to exist when their time was up.
    ///
    /// What a client did wrong is answered by an error reply. A command without any word, which no client can
    /// send, is answered as an unknown one.
    #[inline]
    pub fn execute(
        &mut self,
        session: SessionId,
        argv: &Argv,
        now_us: u64,
        removed: &mut Vec<(ByteString, ByteString)>,
    ) -> Reply {
        let answer = match table::resolve(argv) {
            Err(error) => Err(self.sessions.refuse(session, error)),
            Ok(command) if command.place != Place::Immediate && self.sessions.queue(session, argv) => {
                Ok(Reply::status("QUEUED"))
            }
            Ok(command) => {
                let answer = self.replicated(now_us, |node| node.run(command, session, argv, now_us, removed));
                self.note_seen(session);
                answer
            }
        };
        answer.unwrap_or_else(|error| Reply::error(error.to_string()))
    }

    /// Runs a command now, whatever the session.
    fn run(
        &mut self,
        command: &Command,
        session: SessionId,
        argv: &Argv,
        now_us: u64,
        removed: &mut Vec<(ByteString, ByteString)>,
    ) -> Answer {
        (command.run)(&mut Call { command: command.name, argv, now_us, node: self, session, removed })
    }

    /// The connection ends: its MULTI is discarded and its WATCH dropped.
    pub fn close(&mut self, session: SessionId) {
        self.sessions.close(session);
        if let Some(replication) = &mut self.replication {
            replication.close(session);
        }
    }

    /// True if the session is between MULTI and EXEC or watches keys.
    #[must_use]
    pub fn has_session(&self, session: SessionId) -> bool {
        self.sessions.contains(session)
    }

    /// Visits the instants after `now_us`, in microseconds, at which a comparison of this node can change: each
    /// deadline and the millisecond after it, when the key is dead. Unordered; instants may repeat.
    pub fn instants_after(&self, now_us: u64, visit: &mut dyn FnMut(u64)) {
        let of_replicas = self.replication.iter().flat_map(|replication| replication.deadlines_ms());
        for deadline_ms in self.keyspace.deadlines_ms().chain(of_replicas) {
            let deadline_ms = deadline_ms.cast_unsigned();
            // Instants beyond 64 bits of microseconds never come.
            let instants = [deadline_ms, deadline_ms + 1].map(|ms| ms.checked_mul(1000));
            instants.into_iter().flatten().filter(|&instant_us| instant_us > now_us).for_each(&mut *visit);
        }
    }

    /// The string that GET would answer, without GET's side effect of dropping a dead key.
    #[inline]
    #[must_use]
    pub fn live_value(&self, key: &[u8], now_us: u64) -> Option<&ByteString> {
        self.keyspace.peek(key, whole_ms(now_us)).map(keyspace::Entry::string)
    }

    /// The live keys in their order, each with its value and its deadline in milliseconds.
    pub fn live_keys(&self, now_us: u64) -> impl Iterator<Item = (&ByteString, &ByteString, Option<u64>)> {
        let live = self.keyspace.live(whole_ms(now_us));
        live.map(|(key, entry)| (key, entry.string(), entry.deadline_ms.map(i64::cast_unsigned)))
    }

    /// Drops every dead key, as active expiry does in its own time, also on replicas and on the way to them. Only
    /// DBSIZE can tell; states that are equal but for dead keys become equal.
    pub fn purge_expired(&mut self, now_us: u64) {
        let Self { keyspace, sessions, replication, .. } = self;
        keyspace.purge(whole_ms(now_us), |key| sessions.touch(key, true));
        if let Some(replication) = replication {
            replication.purge(whole_ms(now_us));
        }
    }

    /// Moves what a connection carries to another name: its owner has gone on with a new connection.
    pub fn rename(&mut self, from: SessionId, to: SessionId) {
        self.sessions.rename(from, to);
        if let Some(replication) = &mut self.replication {
            replication.rename(from, to);
        }
    }

    /// The node's clock jumps forwards: every deadline is so much nearer. TIME does not tell.
    pub fn jump_ms(&mut self, ms: u64) {
        self.keyspace.bring_nearer(i64::try_from(ms).unwrap_or(i64::MAX));
    }

    /// All deadlines come nearer, also those that replicas know, or will: the present is moved back, no further than to
    /// the start. What is dead must have been purged, as it would come to lie before the start, where no instants are.
    pub fn move_ms(&mut self, ms: u64) {
        self.jump_ms(ms);
        if let Some(replication) = &mut self.replication {
            replication.bring_nearer(i64::try_from(ms).unwrap_or(i64::MAX));
        }
    }

    /// A restart without persistence (`save ""`, `appendonly no`): keys, scripts and sessions are all gone, and from
    /// the replicas too, which take over what the primary has.
    pub fn restart_empty(&mut self) {
        let replicas = self.replicas();
        *self = Self::new();
        self.make_level(replicas);
    }

    /// Eviction of a key under `maxmemory`, which replicas are told; its value is returned, `None` if there is no such
    /// key.
    pub fn evict(&mut self, key: &[u8], now_us: u64) -> Option<ByteString> {
        let entry = self.replicated(now_us, |node| node.keyspace.evict(key))?;
        self.sessions.touch(key, true);
        Some(entry.into_string())
    }
}
