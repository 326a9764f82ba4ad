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
use super::derived::Derived;
use super::plan::Need;
use super::schema::{Key, Schema, TableSchema};
use super::slot::{Stamp, Version, View};
use super::slots::RowId;
use super::table::Table;

/// A row's place: its table and the number of its slot.
pub(super) type Place = (usize, RowId);

/// A row that a commit took away: where it was, and where it is now if it was moved.
pub(super) type Gone = (usize, Key, Option<Key>);

/// The tables.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Storage {
    /// Shared between copies of the store until one of them writes to it: who explores copies often and changes little.
    pub(super) tables: Vec<Arc<Table>>,
    /// The number that a snapshot taken now would have.
    clock: u32,
    /// Numbers of the snapshots that are alive, by the session whose transaction took them.
    snapshots: BTreeMap<SessionId, u32>,
    /// Slots with versions that only some snapshots see.
    #[serde(skip)]
    historic: Derived<BTreeSet<Place>>,
}

impl Storage {
    /// Empty tables.
    pub(super) fn new(schema: &Schema) -> Self {
        Self { tables: schema.tables.iter().map(|table| Arc::new(Table::new(table))).collect(), ..Self::default() }
    }

    /// A table to change.
    #[inline]
    pub(super) fn table_mut(&mut self, number: usize) -> &mut Table {
        Arc::make_mut(&mut self.tables[number])
    }

    /// Makes a table keep what a statement needs.
    #[inline(never)]
    pub(super) fn provide(&mut self, schema: &Schema, need: &Need) {
        match need {
            Need::Order(table) if self.tables[*table].is_in_order() => {}
            Need::Order(table) => self.table_mut(*table).put_in_order(),
            Need::Level(table, level) if self.tables[*table].keeps_level(*level) => {}
            Need::Level(table, level) => self.table_mut(*table).keep_level(&schema.tables[*table], *level),
        }
    }

    /// Takes a snapshot for the session's transaction, unless it has one.
    #[cold]
    pub(super) fn take_snapshot(&mut self, session: SessionId) {
        self.snapshots.entry(session).or_insert(self.clock);
    }

    /// What the session's statements see.
    #[inline(always)]
    pub(super) fn view(&self, session: SessionId) -> View {
        let snapshot = if self.snapshots.is_empty() { None } else { self.snapshot_of(session) };
        View { session, snapshot }
    }

    #[cold]
    fn snapshot_of(&self, session: SessionId) -> Option<u32> {
        self.snapshots.get(&session).copied()
    }

    /// Makes the transaction's work at these places permanent. Returns the rows that are gone, in order.
    pub(super) fn commit(&mut self, schema: &Schema, session: SessionId, places: &[Place]) -> Vec<Gone> {
        let at = self.snapshots.values().max().map_or(0, |newest| newest + 1);
        let mut gone = Vec::new();
        for places in places.chunk_by(|(one, _), (other, _)| one == other) {
            let number = places[0].0;
            let (schema, table) = (&schema.tables[number], Arc::make_mut(&mut self.tables[number]));
            for &(_, id) in places {
                // Without a snapshot nobody can see what has ended.
                if at == 0 && table.commit_newest(schema, id, session) {
                    continue;
                }
                if table.busy(id).is_some() {
                    gone.extend(table.commit_history(schema, id, session, at).map(|(key, to)| (number, key, to)));
                    if at > 0 {
                        self.historic.0.insert((number, id));
                    }
                }
            }
        }
        if at > 0 {
            self.renumber(schema);
        }
        gone.sort_unstable();
        gone
    }

    /// Undoes the transaction's work at these places.
    pub(super) fn roll_back(&mut self, schema: &Schema, session: SessionId, places: &[Place]) {
        let mine = Stamp::By(session);
        for &(number, id) in places {
            let table = self.table_mut(number);
            let Some(busy) = table.busy(id) else { continue };
            busy.roll_back(session);
            table.drop_versions(&schema.tables[number], id, |version| version.created == mine);
        }
    }

    /// Ends the session's snapshot, if it has one.
    #[inline(always)]
    pub(super) fn drop_snapshot(&mut self, schema: &Schema, session: SessionId) {
        if !self.snapshots.is_empty() && self.snapshots.remove(&session).is_some() {
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
        for (table, id) in std::mem::take(&mut self.historic.0) {
            if let Some(busy) = self.table_mut(table).busy(id) {
                busy.versions.iter_mut().flat_map(Version::commits_mut).for_each(|at| *at = older(*at));
            }
            self.purge_unseen(&schema.tables[table], table, id);
            let Some(busy) = Arc::make_mut(&mut self.tables[table]).busy(id) else { continue };
            let newest = busy.versions.iter_mut().flat_map(Version::commits_mut).map(|at| *at).max();
            self.clock = self.clock.max(newest.unwrap_or(0));
            if newest > Some(0) || busy.versions.iter().any(Version::is_past) {
                self.historic.0.insert((table, id));
            }
        }
    }

    /// Drops the versions that no snapshot sees, neither a living one nor one taken from now on.
    fn purge_unseen(&mut self, schema: &TableSchema, table: usize, id: RowId) {
        let snapshots = &self.snapshots;
        let unseen = |version: &Version| match (version.created, &version.ended) {
            (Stamp::Committed(created), Some((Stamp::Committed(ended), _))) => {
                !snapshots.values().any(|snapshot| (created..*ended).contains(snapshot))
            }
            _ => false,
        };
        Arc::make_mut(&mut self.tables[table]).drop_versions(schema, id, unseen);
    }
}
