//! All tables together, and what the end of a transaction does to them.
//!
//! Commits are numbered only against the snapshots that are alive: a version carries how many of them are older
//! than its commit. Without a snapshot every committed version carries 0 and older versions are gone, so that two
//! stores with the same meaning are equal, however they came about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use smallvec::SmallVec;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::schema::{Key, Schema, TableSchema};
use super::table::{Stamp, Table, Version, View};

/// A row's place: its table and its primary key.
pub(super) type Place = (usize, Key);

/// A row that a commit took away: where it was, and where it is now if it was moved.
pub(super) type Gone = (usize, Key, Option<Key>);

/// The tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Storage {
    pub(super) tables: Vec<Table>,
    /// The number that a snapshot taken now would have.
    clock: u32,
    /// Numbers of the snapshots that are alive, by the session whose transaction took them.
    snapshots: BTreeMap<SessionId, u32>,
    /// Slots with versions that only some snapshots see.
    historic: BTreeSet<Place>,
}

impl Storage {
    /// Empty tables.
    pub(super) fn new(schema: &Schema) -> Self {
        Self { tables: schema.tables.iter().map(Table::new).collect(), ..Self::default() }
    }

    /// Takes a snapshot for the session's transaction, unless it has one.
    pub(super) fn take_snapshot(&mut self, session: SessionId) {
        self.snapshots.entry(session).or_insert(self.clock);
    }

    /// What the session's statements see.
    pub(super) fn view(&self, session: SessionId) -> View {
        View { session, snapshot: self.snapshots.get(&session).copied() }
    }

    /// The version that the transaction made takes its place in the slot.
    pub(super) fn add_version(&mut self, table: usize, key: &Key, row: Arc<[Value]>, session: SessionId) {
        let version = Version { row, created: Stamp::By(session), ended: None };
        self.tables[table].slots.get_or_insert(key).versions.push(version);
    }

    /// Makes the transaction's work at these places permanent. Returns the rows that are gone.
    pub(super) fn commit(&mut self, schema: &Schema, session: SessionId, places: &[Place]) -> Vec<Gone> {
        let at = self.snapshots.values().max().map_or(0, |newest| newest + 1);
        let mut gone = Vec::new();
        for (number, key) in places {
            let table = &mut self.tables[*number];
            let Some(id) = table.slots.id(key) else { continue };
            table.slots.at_mut(id).commit(session, at, |moved| gone.push((*number, key.clone(), moved)));
            if at > 0 {
                self.historic.insert((*number, key.clone()));
                continue;
            }
            // Without a snapshot nobody can see what has ended.
            let ended = |version: &Version| matches!(version.ended, Some((Stamp::Committed(_), _)));
            table.drop_versions(&schema.tables[*number].indexes, id, ended);
        }
        if at > 0 {
            self.renumber(schema);
        }
        gone
    }

    /// Undoes the transaction's work at these places.
    pub(super) fn roll_back(&mut self, schema: &Schema, session: SessionId, places: &[Place]) {
        let mine = Stamp::By(session);
        for (number, key) in places {
            let table = &mut self.tables[*number];
            let Some(id) = table.slots.id(key) else { continue };
            let slot = table.slots.at_mut(id);
            slot.locked_by = slot.locked_by.filter(|holder| *holder != session);
            for version in &mut slot.versions {
                if version.ended.as_ref().is_some_and(|(by, _)| *by == mine) {
                    version.ended = None;
                }
            }
            table.drop_versions(&schema.tables[*number].indexes, id, |version| version.created == mine);
        }
    }

    /// Ends the session's snapshot, if it has one.
    pub(super) fn drop_snapshot(&mut self, schema: &Schema, session: SessionId) {
        if self.snapshots.remove(&session).is_some() {
            self.renumber(schema);
        }
    }

    /// Numbers commits anew: 0 for those that every living snapshot sees, and no number without a difference.
    fn renumber(&mut self, schema: &Schema) {
        let mut alive: SmallVec<[u32; 4]> = self.snapshots.values().copied().collect();
        alive.sort_unstable();
        alive.dedup();
        let older = |at: u32| u32::try_from(alive.partition_point(|snapshot| *snapshot < at)).unwrap_or(u32::MAX);
        self.snapshots.values_mut().for_each(|snapshot| *snapshot = older(*snapshot));
        self.clock = self.snapshots.values().copied().max().unwrap_or(0);
        for (table, key) in std::mem::take(&mut self.historic) {
            let Some(slot) = self.tables[table].slots.get_mut(&key) else { continue };
            slot.versions.iter_mut().flat_map(Version::commits_mut).for_each(|at| *at = older(*at));
            self.purge_unseen(&schema.tables[table], table, &key);
            let Some(slot) = self.tables[table].slots.get_mut(&key) else { continue };
            let newest = slot.versions.iter_mut().flat_map(Version::commits_mut).map(|at| *at).max();
            self.clock = self.clock.max(newest.unwrap_or(0));
            let is_ended = |version: &Version| matches!(version.ended, Some((Stamp::Committed(_), _)));
            if newest > Some(0) || slot.versions.iter().any(is_ended) {
                self.historic.insert((table, key));
            }
        }
    }

    /// Drops the versions that no snapshot sees, neither a living one nor one taken from now on.
    fn purge_unseen(&mut self, schema: &TableSchema, table: usize, key: &Key) {
        let snapshots = &self.snapshots;
        let unseen = |version: &Version| match (version.created, &version.ended) {
            (Stamp::Committed(created), Some((Stamp::Committed(ended), _))) => {
                !snapshots.values().any(|snapshot| (created..*ended).contains(snapshot))
            }
            _ => false,
        };
        let table = &mut self.tables[table];
        if let Some(id) = table.slots.id(key) {
            table.drop_versions(&schema.indexes, id, unseen);
        }
    }
}
