//! Tables: versions of rows, what a transaction sees of them, and the indexes that find them.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::index::Entries;
use super::schema::{Index, Key, TableSchema};
use super::slots::{RowId, Slots};

/// Who did something to a row, and whether it has taken effect.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) enum Stamp {
    /// By a transaction that committed; the number orders it against the snapshots that are alive
    /// ([`super::storage`]).
    Committed(u32),
    /// By the transaction that this session is running.
    By(SessionId),
}

/// Why a version is no longer the latest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) enum Change {
    /// The next version in the same slot replaces it.
    Replaced,
    Deleted,
    /// An UPDATE of the primary key moved the row to another slot.
    Moved(Box<Key>),
}

/// One version of a row. The values are shared between clones of the store.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Version {
    pub(super) row: Arc<[Value]>,
    pub(super) created: Stamp,
    pub(super) ended: Option<(Stamp, Change)>,
}

impl Version {
    /// The numbers of the commits that made and ended the version.
    pub(super) fn commits_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let ended = self.ended.as_mut().map(|(by, _)| by);
        std::iter::once(&mut self.created).chain(ended).filter_map(|stamp| match stamp {
            Stamp::Committed(at) => Some(at),
            Stamp::By(_) => None,
        })
    }
}

/// All versions with one primary key, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Slot {
    pub(super) versions: SmallVec<[Version; 2]>,
    /// Who holds a row lock without having changed the row (FOR UPDATE).
    pub(super) locked_by: Option<SessionId>,
}

/// What a statement sees: its own transaction's work and what was committed, up to its snapshot if it has one.
#[derive(Copy, Clone, Debug)]
pub(super) struct View {
    pub(super) session: SessionId,
    /// READ COMMITTED needs none: a statement that never waits sees whatever is committed when it runs, and one
    /// that waits has chosen its rows before.
    pub(super) snapshot: Option<u32>,
}

impl View {
    /// The view of a transaction without a snapshot.
    pub(super) const fn latest(session: SessionId) -> Self {
        Self { session, snapshot: None }
    }

    pub(super) fn sees(self, stamp: Stamp) -> bool {
        match stamp {
            Stamp::By(session) => session == self.session,
            Stamp::Committed(at) => self.snapshot.is_none_or(|snapshot| at <= snapshot),
        }
    }

    /// Place of the latest version that the view shows.
    pub(super) fn position(self, slot: &Slot) -> Option<usize> {
        slot.versions.iter().rposition(|version| self.shows(version))
    }

    /// The row that is committed in a slot, whatever is being done to it.
    pub(super) fn committed(slot: &Slot) -> Option<&[Value]> {
        let shown = |version: &&Version| {
            matches!(version.created, Stamp::Committed(_)) && !matches!(version.ended, Some((Stamp::Committed(_), _)))
        };
        slot.versions.iter().rfind(shown).map(|version| &*version.row)
    }

    /// The rows that the view shows. A snapshot can show two: one that was deleted after it was taken, and the one
    /// that its own transaction inserted afterwards.
    pub(super) fn rows(self, slot: &Slot) -> impl Iterator<Item = &Arc<[Value]>> {
        slot.versions.iter().filter(move |version| self.shows(version)).map(|version| &version.row)
    }

    /// True if the view shows this version.
    pub(super) fn shows(self, version: &Version) -> bool {
        self.sees(version.created) && !version.ended.as_ref().is_some_and(|(by, _)| self.sees(*by))
    }
}

impl Slot {
    /// The other transaction that holds the version: it replaced or deleted it, or locked it.
    pub(super) fn holder(&self, position: usize, session: SessionId) -> Option<SessionId> {
        match &self.versions[position].ended {
            Some((Stamp::By(other), _)) => Some(*other).filter(|other| *other != session),
            // A lock belongs to the latest version, not to one that only an old snapshot shows.
            Some((Stamp::Committed(_), _)) => None,
            None => self.locked_by.filter(|other| *other != session),
        }
    }
    /// Makes the transaction's work permanent, as commit number `at`, and reports the row if it is gone: with the key
    /// that it has moved to.
    pub(super) fn commit(&mut self, session: SessionId, at: u32, mut gone: impl FnMut(Option<Key>)) {
        let mine = Stamp::By(session);
        self.locked_by = self.locked_by.filter(|holder| *holder != session);
        for version in &mut self.versions {
            if version.created == mine {
                version.created = Stamp::Committed(at);
            }
            if let Some((by, change)) = version.ended.as_mut().filter(|(by, _)| *by == mine) {
                *by = Stamp::Committed(at);
                match change {
                    Change::Replaced => {}
                    Change::Deleted => gone(None),
                    Change::Moved(to) => gone(Some((**to).clone())),
                }
            }
        }
    }
}

/// One table. The indexes follow from the rows, so they take no part in comparing, hashing and serialising.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) slots: Slots,
    pub(super) indexes: Vec<Entries>,
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.slots == other.slots
    }
}

impl Eq for Table {}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.slots.hash(state);
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.slots.serialize(serializer)
    }
}

/// Whether a key of a unique index is taken.
#[derive(Clone, Debug)]
pub(super) enum Taken {
    Free,
    /// By the row in this slot.
    By(Key),
    /// That depends on how this transaction ends.
    Undecided(SessionId),
}

impl Table {
    /// An empty table.
    pub(super) fn new(schema: &TableSchema) -> Self {
        Self { slots: Slots::default(), indexes: schema.indexes.iter().map(Entries::new).collect() }
    }

    /// Whether the key of the unique index number `unique` (0: primary key, `n + 1`: secondary index `n`) is taken.
    /// `except` is the slot of the row that wants the key: another version of a row does not exclude it.
    pub(super) fn taken(
        &self,
        schema: &TableSchema,
        (unique, key): (usize, &Key),
        except: Option<&Key>,
        session: SessionId,
    ) -> Taken {
        let Some(number) = unique.checked_sub(1) else {
            return self.slots.get(key).map_or(Taken::Free, |slot| taken_in(slot, |_| true, key, session));
        };
        let index = &schema.indexes[number];
        for id in self.indexes[number].rows(key) {
            let (row_key, slot) = self.slots.at(*id);
            if except == Some(row_key) {
                continue;
            }
            let listed = |version: &Version| index.key_of(&version.row).as_ref() == Some(key);
            let taken = taken_in(slot, listed, row_key, session);
            if !matches!(taken, Taken::Free) {
                return taken;
            }
        }
        Taken::Free
    }

    /// Lists the row under its key of the index number `number`.
    pub(super) fn list(&mut self, number: usize, key: Key, row_key: &Key) {
        if let Some(id) = self.slots.id(row_key) {
            self.indexes[number].insert(key, id, &self.slots);
        }
    }

    /// Drops some versions of a slot, and the slot with the last one. A dropped version leaves the indexes, unless
    /// another version has the same place.
    pub(super) fn drop_versions(&mut self, indexes: &[Index], id: RowId, unwanted: impl Fn(&Version) -> bool) {
        let mut place = 0;
        while let Some(version) = self.slots.at(id).1.versions.get(place) {
            if !unwanted(version) {
                place += 1;
                continue;
            }
            let dropped = self.slots.at_mut(id).versions.remove(place);
            let left = &self.slots.at(id).1.versions;
            for (index, entries) in indexes.iter().zip(&mut self.indexes) {
                if !left.iter().any(|version| index.same_place(&version.row, &dropped.row))
                    && let Some(key) = index.key_of(&dropped.row)
                {
                    entries.remove(&key, id);
                }
            }
        }
        if place == 0 {
            self.slots.remove(id);
        }
    }

    /// The key of the next row of a table without a primary key: rows stay in the order of insertion.
    pub(super) fn next_key(&self) -> Key {
        let last = match self.slots.last_key().and_then(|key| key.0.first()) {
            Some(Value::Int(number)) => *number,
            _ => 0,
        };
        Key::from(Value::Int(last + 1))
    }
}

fn taken_in(slot: &Slot, listed: impl Fn(&Version) -> bool, row_key: &Key, session: SessionId) -> Taken {
    for version in slot.versions.iter().filter(|version| listed(version)) {
        match (version.created, &version.ended) {
            (Stamp::By(other), _) if other != session => return Taken::Undecided(other),
            (_, Some((Stamp::By(other), _))) if *other != session => return Taken::Undecided(*other),
            (_, None) => return Taken::By(row_key.clone()),
            (_, Some(_)) => {}
        }
    }
    Taken::Free
}
