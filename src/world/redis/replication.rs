//! Asynchronous replication: what a primary has acknowledged to its clients and its replicas do not have yet.
//!
//! A command's effect enters a stream when it is executed; every replica takes the effects in their order, each in its
//! own time. What travels is what changed, never the command: as in Redis, where a script is sent as its writes and a
//! TTL as an instant. A promoted replica knows nothing of what it had not taken.

use std::collections::{BTreeMap, VecDeque};

use serde::Serialize;

use super::Redis;
use super::call::{Answer, Call, count, whole_ms};
use super::errors::CommandError;
use super::keyspace::{Change, Keyspace};
use crate::world::identity::SessionId;

/// The replicas of a node, and what is under way to them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Replication {
    /// Effects that some replica does not have yet, oldest first.
    stream: VecDeque<Change>,
    /// Those that are further come first, so that states which differ in the names of replicas alone are one.
    replicas: Vec<Replica>,
    /// How much of the stream there was when a connection had its last command executed; what WAIT waits for.
    seen: BTreeMap<SessionId, usize>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
struct Replica {
    keyspace: Keyspace,
    /// How much of the stream it has.
    has: usize,
}

impl Replication {
    /// So many replicas, level with this primary.
    fn level(keyspace: &Keyspace, replicas: usize) -> Self {
        Self { replicas: vec![Replica { keyspace: keyspace.clone(), has: 0 }; replicas], ..Self::default() }
    }

    fn push(&mut self, change: Change) {
        if !change.is_empty() {
            self.stream.push_back(change);
        }
    }

    fn note_seen(&mut self, session: SessionId) {
        match self.stream.len() {
            0 => self.seen.remove(&session),
            seen => self.seen.insert(session, seen),
        };
    }

    pub(super) fn close(&mut self, session: SessionId) {
        self.seen.remove(&session);
    }

    pub(super) fn rename(&mut self, from: SessionId, to: SessionId) {
        if let Some(seen) = self.seen.remove(&from) {
            self.seen.insert(to, seen);
        }
    }

    /// Forgets the effects that every replica has.
    fn trim(&mut self) {
        let taken = self.replicas.iter().map(|replica| replica.has).min().unwrap_or(0);
        self.stream.drain(..taken);
        self.replicas.iter_mut().for_each(|replica| replica.has -= taken);
        self.seen.retain(|_, seen| {
            *seen = seen.saturating_sub(taken);
            *seen > 0
        });
    }

    /// Deadlines of keys that only a replica has, or will have.
    pub(super) fn deadlines_ms(&self) -> impl Iterator<Item = i64> {
        let kept = self.replicas.iter().flat_map(|replica| replica.keyspace.deadlines_ms());
        kept.chain(self.stream.iter().flat_map(Change::deadlines_ms))
    }

    pub(super) fn bring_nearer(&mut self, ms: i64) {
        self.replicas.iter_mut().for_each(|replica| replica.keyspace.bring_nearer(ms));
        self.stream.iter_mut().for_each(|change| change.bring_nearer(ms));
    }

    pub(super) fn purge(&mut self, now_ms: i64) {
        self.replicas.iter_mut().for_each(|replica| replica.keyspace.purge(now_ms, |_| ()));
        self.stream.iter_mut().for_each(|change| change.purge(now_ms));
    }
}

impl Redis {
    /// An empty node with so many replicas.
    #[must_use]
    pub fn with_replicas(replicas: u8) -> Self {
        let mut node = Self::new();
        node.make_level(replicas.into());
        node
    }

    /// Every replica catches up.
    pub fn replicate_all(&mut self) {
        loop {
            let behind = self.lags().find(|(_, lag)| *lag > 0);
            let Some((replica, _)) = behind else { return };
            self.replicate(replica);
        }
    }

    /// The node has so many replicas, and all of them have all that it has.
    pub(super) fn make_level(&mut self, replicas: usize) {
        self.replication = (replicas > 0).then(|| Box::new(Replication::level(&self.keyspace, replicas)));
    }

    /// Number of replicas.
    #[must_use]
    pub fn replicas(&self) -> usize {
        self.replication.as_ref().map_or(0, |replication| replication.replicas.len())
    }

    /// The replicas by number, each with how many effects it does not have yet. Of several that are equally far the
    /// first stands for all.
    pub fn lags(&self) -> impl Iterator<Item = (u8, usize)> {
        let (replicas, stream) = match &self.replication {
            Some(replication) => (&replication.replicas[..], replication.stream.len()),
            None => (&[][..], 0),
        };
        let is_first = move |index: usize| index == 0 || replicas[index - 1].has != replicas[index].has;
        let numbered = (0..=u8::MAX).zip(replicas.iter().enumerate()).filter(move |(_, (index, _))| is_first(*index));
        numbered.map(move |(number, (_, replica))| (number, stream - replica.has))
    }

    /// True if some replica does not have all that clients were told.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.replication.as_ref().is_some_and(|replication| !replication.stream.is_empty())
    }

    /// This replica takes the next effect.
    ///
    /// # Panics
    /// When it has them all, or there is no such replica.
    pub fn replicate(&mut self, replica: u8) {
        let replication = self.replication.as_deref_mut().expect("a node with replicas");
        let replica = &mut replication.replicas[usize::from(replica)];
        replication.stream[replica.has].apply(&mut replica.keyspace);
        replica.has += 1;
        replication.trim();
    }

    /// The primary is gone and this replica takes its place. All connections, scripts and watches are gone with the
    /// primary. It comes back as a replica; replicas are brought level at once, and what only the old primary or
    /// another replica had is lost.
    ///
    /// # Panics
    /// When there is no such replica.
    pub fn fail_over(&mut self, replica: u8) {
        let replication = self.replication.take().expect("a node with replicas");
        let Replication { mut replicas, .. } = *replication;
        let count = replicas.len();
        let promoted = replicas.swap_remove(usize::from(replica));
        *self = Self { keyspace: promoted.keyspace, ..Self::new() };
        self.make_level(count);
    }

    /// Does something with the node, the effect of which goes to the replicas as one.
    pub(super) fn replicated<T>(&mut self, now_us: u64, act: impl FnOnce(&mut Self) -> T) -> T {
        if self.replication.is_none() {
            return act(self);
        }
        let before = self.keyspace.clone();
        let result = act(self);
        let Self { keyspace, replication, .. } = self;
        let replication = replication.as_deref_mut().expect("no command takes replicas away");
        replication.push(Change::between(&before, keyspace, whole_ms(now_us)));
        result
    }

    /// A connection's command was executed.
    pub(super) fn note_seen(&mut self, session: SessionId) {
        if let Some(replication) = &mut self.replication {
            replication.note_seen(session);
        }
    }
}

/// `WAIT numreplicas timeout`: how many replicas have all that there was when this connection had its last command
/// executed. A step of its own answers, at any time: too few are what Redis answers when the time-out has passed. A
/// connection that has sent nothing, as after a failover, waits for nothing.
pub(super) fn wait(call: &mut Call<'_>) -> Answer {
    call.integer(1)?;
    match call.integer(2) {
        Err(_) => return Err(CommandError::TimeoutNotAnInteger),
        Ok(..0) => return Err(CommandError::NegativeTimeout),
        Ok(_) => {}
    }
    let Some(replication) = &call.node.replication else { return Ok(count(0)) };
    let wanted = replication.seen.get(&call.session).copied().unwrap_or(0);
    Ok(count(replication.replicas.iter().filter(|replica| replica.has >= wanted).count()))
}
