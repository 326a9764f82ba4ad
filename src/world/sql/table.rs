//! Tables: slots of rows, their order, and the indexes that find them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use hashbrown::HashTable;
use serde::ser::{Serialize, SerializeSeq, Serializer};
use smallvec::SmallVec;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::hash::{KeyHash, spread};
use super::index::Entries;
use super::schema::{Key, TableSchema};
use super::slot::{Busy, Slot, Stamp, Values, Version};
use super::slots::{RowId, Slots};

/// Numbers of some slots.
pub(super) type RowIds = SmallVec<[RowId; 8]>;

/// A slot's entry under its primary key.
#[derive(Copy, Clone, Debug)]
struct Place {
    hash: u32,
    id: RowId,
}

/// One table. Its meaning is the slots in the order of their primary keys. Everything else follows from them or, as
/// their numbers do, from a history that no statement can tell, so it takes no part in comparing, hashing and
/// serialising.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Columns of the primary key.
    key: SmallVec<[usize; 2]>,
    slots: Slots,
    keys: HashTable<Place>,
    /// The slots in the order of their keys, unless `is_unordered`: then some are out of place, free or there twice.
    order: Vec<RowId>,
    is_unordered: bool,
    /// Number 0 finds rows by a part of the primary key, `n + 1` by the secondary index `n`.
    indexes: Vec<Entries>,
}

/// Whether a key of a unique index is taken.
#[derive(Copy, Clone, Debug)]
pub(super) enum Taken {
    Free,
    /// By the row in this slot.
    By(RowId),
    /// That depends on how this transaction ends.
    Undecided(SessionId),
}

impl Table {
    /// An empty table.
    pub(super) fn new(schema: &TableSchema) -> Self {
        let mut indexes = vec![Entries::default()];
        for index in &schema.indexes {
            let mut entries = Entries::default();
            entries.keep(index.columns.len());
            indexes.push(entries);
        }
        Self {
            key: SmallVec::from_slice(&schema.key),
            slots: Slots::default(),
            keys: HashTable::new(),
            order: Vec::new(),
            is_unordered: false,
            indexes,
        }
    }

    /// The slot with this number.
    #[inline(always)]
    pub(super) fn slot(&self, id: RowId) -> Slot<'_> {
        self.slots.get(id)
    }

    /// The history of a busy slot.
    #[inline]
    pub(super) fn busy(&mut self, id: RowId) -> Option<&mut Busy> {
        self.slots.busy(id)
    }

    /// Replaces the row of a settled slot, where no index tells the two apart. A busy slot gives the new row back.
    #[inline]
    pub(super) fn replace_settled(&mut self, id: RowId, session: SessionId, new: Values) -> Option<Values> {
        self.slots.replace_settled(id, session, new)
    }

    /// The history of a slot, for a mark that has to be left in it, and whether it is new.
    #[inline]
    pub(super) fn make_busy(&mut self, id: RowId) -> (&mut Busy, bool) {
        self.slots.make_busy(id)
    }

    /// The slot with this primary key.
    pub(super) fn find(&self, key: &Key) -> Option<RowId> {
        let hash = key.hashed().bits();
        let found = self
            .keys
            .find(spread(hash), |place| place.hash == hash && key.is_of(&self.key, self.slot(place.id).any_row()));
        found.map(|place| place.id)
    }

    /// The slot with the primary key of this row, of which this is the hash.
    pub(super) fn find_like(&self, row: &[Value], hash: u32) -> Option<RowId> {
        let found = self.keys.find(spread(hash), |place| {
            place.hash == hash && self.compare_keys(self.slot(place.id).any_row(), row).is_eq()
        });
        found.map(|place| place.id)
    }

    /// The slot that has this value as its primary key of one column.
    #[inline(never)]
    pub(super) fn find_value(&self, value: &Value) -> Option<RowId> {
        let (hash, column) = (KeyHash::default().with(value).bits(), self.key[0]);
        // The integers of nearly all keys are told apart without asking which variants both values have.
        let found = if let Value::Int(wanted) = value {
            let is_it = |value: &Value| matches!(value, Value::Int(number) if number == wanted);
            self.keys.find(spread(hash), |it| it.hash == hash && is_it(&self.slot(it.id).any_row()[column]))
        } else {
            self.keys.find(spread(hash), |it| it.hash == hash && self.slot(it.id).any_row()[column] == *value)
        };
        found.map(|place| place.id)
    }

    /// The slots that may have this value in the first column of an index, which is kept by that column.
    #[inline(never)]
    pub(super) fn listed_under(&self, index: usize, value: &Value) -> &[RowId] {
        self.indexes[index].rows(1, KeyHash::default().with(value).bits())
    }

    /// Adds the slots that may have these values in the first `level` columns of an index: those with their hash.
    pub(super) fn look_up(&self, (number, level): (usize, usize), hash: KeyHash, found: &mut RowIds) {
        if number == 0 && level == self.key.len() {
            let places = self.keys.iter_hash(spread(hash.bits()));
            found.extend(places.filter(|place| place.hash == hash.bits()).map(|place| place.id));
        } else {
            found.extend_from_slice(self.indexes[number].rows(level, hash.bits()));
        }
    }

    /// True if rows are kept by the first `level` columns of an index.
    pub(super) fn keeps_level(&self, (number, level): (usize, usize)) -> bool {
        (number == 0 && level == self.key.len()) || self.indexes[number].keeps(level)
    }

    /// Keeps rows by the first `level` columns of an index, for statements that do not give more.
    pub(super) fn keep_level(&mut self, schema: &TableSchema, (number, level): (usize, usize)) {
        self.indexes[number].keep(level);
        let columns = schema.columns_of(number);
        for (id, slot) in self.slots.iter() {
            for row in slot.all_rows().filter(|row| schema.is_listed(number, row)) {
                self.indexes[number].insert_at(level, columns, row, id);
            }
        }
    }

    /// Adds a slot of one version, which the session's transaction makes and whose primary key has this hash.
    pub(super) fn insert(&mut self, session: SessionId, row: Values, key_hash: KeyHash) -> RowId {
        let hash = key_hash.bits();
        let id = self.slots.insert(session, row);
        self.keys.insert_unique(spread(hash), Place { hash, id }, |place| spread(place.hash));
        self.is_unordered = self.is_unordered || self.order.last().is_some_and(|last| !self.precedes(*last, id));
        self.order.push(id);
        let Self { slots, indexes, key, .. } = self;
        indexes[0].insert(key, key_hash, slots.get(id).any_row(), id, true);
        id
    }

    /// Lists a slot under the values, of this hash, that a version of it has in the secondary index with this number
    /// from 1.
    pub(super) fn list(&mut self, schema: &TableSchema, (number, hash): (usize, KeyHash), row: &[Value], id: RowId) {
        let is_new = matches!(self.slot(id), Slot::Busy(busy) if busy.versions.len() == 1);
        self.indexes[number].insert(schema.columns_of(number), hash, row, id, is_new);
    }

    /// Commits a slot where nobody has a snapshot: only what the session's transaction wrote last is left. False if the
    /// row is gone or was in between: then nothing has happened yet.
    #[inline(never)]
    pub(super) fn commit_newest(&mut self, schema: &TableSchema, id: RowId, session: SessionId) -> bool {
        let Self { slots, indexes, .. } = self;
        let Some(busy) = slots.busy(id) else { return false };
        let is_relisted = busy.is_relisted.0;
        let Some((newest, older)) = busy.newest_by(session) else { return false };
        if is_relisted {
            for version in older {
                unlist(indexes, schema, id, &version.row, std::iter::once(&newest.row));
            }
        }
        slots.settle_on_newest(id);
        true
    }

    /// Commits a busy slot, as commit number `at`, and keeps what a snapshot may see. If the row is gone, returns the
    /// key that it had and the one that it has moved to.
    #[cold]
    pub(super) fn commit_history(
        &mut self,
        schema: &TableSchema,
        id: RowId,
        session: SessionId,
        at: u32,
    ) -> Option<(Key, Option<Key>)> {
        let key = schema.key_of(self.slot(id).any_row());
        let mut gone = None;
        self.busy(id)?.commit(session, at, |to| gone = Some(to));
        if at == 0 {
            self.drop_versions(schema, id, Version::is_past);
        }
        gone.map(|to| (key, to))
    }

    /// Drops some versions of a busy slot, and the slot with the last one. A dropped version leaves the indexes, unless
    /// another version has the same place.
    pub(super) fn drop_versions(&mut self, schema: &TableSchema, id: RowId, unwanted: impl Fn(&Version) -> bool) {
        let Self { slots, indexes, .. } = self;
        let Some(busy) = slots.busy(id) else { return };
        let dropped: Vec<Version> = busy.versions.extract_if(.., |version| unwanted(version)).collect();
        let is_gone = busy.versions.is_empty();
        for version in &dropped {
            unlist(indexes, schema, id, &version.row, slots.get(id).all_rows());
        }
        match dropped.last() {
            Some(version) if is_gone => self.remove(id, &version.row),
            _ => slots.settle(id),
        }
    }

    /// Removes a slot, of which this was a row.
    fn remove(&mut self, id: RowId, row: &[Value]) {
        let hash = KeyHash::of_columns(&self.key, row).bits();
        if let Ok(entry) = self.keys.find_entry(spread(hash), |place| place.id == id) {
            entry.remove();
        }
        self.indexes[0].remove(&self.key, row, id, |_| false);
        self.slots.settle(id);
        if self.order.last() == Some(&id) {
            self.order.pop();
        } else {
            self.is_unordered = true;
            if self.order.len() > 2 * self.keys.len() + 16 {
                self.put_in_order();
            }
        }
    }

    /// The order of two rows' primary keys.
    #[inline]
    pub(super) fn compare_keys(&self, one: &[Value], other: &[Value]) -> Ordering {
        if let [column] = *self.key.as_slice() {
            return one[column].cmp(&other[column]);
        }
        let unequal = self.key.iter().map(|&column| one[column].cmp(&other[column])).find(|order| order.is_ne());
        unequal.unwrap_or(Ordering::Equal)
    }

    fn precedes(&self, one: RowId, other: RowId) -> bool {
        self.compare_keys(self.slot(one).any_row(), self.slot(other).any_row()).is_lt()
    }

    /// Sorts slots by their primary keys.
    pub(super) fn sort(&self, ids: &mut [RowId]) {
        if ids.len() > 1 {
            ids.sort_by(|one, other| self.compare_keys(self.slot(*one).any_row(), self.slot(*other).any_row()));
        }
    }

    /// True if the rows need no sorting when they are read in order.
    #[inline]
    pub(super) fn is_in_order(&self) -> bool {
        !self.is_unordered
    }

    /// Makes sure that the rows need no sorting when they are read in order.
    pub(super) fn put_in_order(&mut self) {
        if self.is_unordered {
            self.order = self.ordered().into_owned();
            self.is_unordered = false;
        }
    }

    fn ordered(&self) -> Cow<'_, [RowId]> {
        if !self.is_unordered {
            return Cow::Borrowed(&self.order);
        }
        let mut order = self.order.clone();
        order.retain(|id| !matches!(self.slot(*id), Slot::Free));
        // The sort is quick where most is in order already.
        self.sort(&mut order);
        order.dedup();
        Cow::Owned(order)
    }

    /// All slots in the order of their keys.
    pub(super) fn in_order(&self) -> impl Iterator<Item = (RowId, Slot<'_>)> {
        let order = self.ordered();
        (0..order.len()).map(move |place| (order[place], self.slot(order[place])))
    }

    /// Every version of every row, in no order.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Values> {
        self.slots.iter().flat_map(|(_, slot)| slot.all_rows())
    }

    /// Whether a key of the unique index number `unique` (0: primary key, `n + 1`: secondary index `n`) is taken: its
    /// hash, and the test that a row has it. `except` is the slot of the row that wants the key: another version of a
    /// row does not exclude it.
    pub(super) fn taken(
        &self,
        schema: &TableSchema,
        unique: usize,
        (hash, is_key): (KeyHash, impl Fn(&[Value]) -> bool),
        except: Option<RowId>,
        session: SessionId,
    ) -> Taken {
        let mut buffer = RowIds::new();
        let level = schema.columns_of(unique).len();
        let found = if unique == 0 {
            self.look_up((0, level), hash, &mut buffer);
            &buffer
        } else {
            self.indexes[unique].rows(level, hash.bits())
        };
        for &id in found.iter().filter(|id| except != Some(**id)) {
            let has_key = |row: &[Value]| schema.is_listed(unique, row) && is_key(row);
            match self.slot(id) {
                Slot::Free => {}
                Slot::Settled(row) if has_key(row) => return Taken::By(id),
                Slot::Settled(_) => {}
                Slot::Busy(busy) => {
                    for version in busy.versions.iter().filter(|version| has_key(&version.row)) {
                        match (version.created, &version.ended) {
                            (Stamp::By(other), _) if other != session => return Taken::Undecided(other),
                            (_, Some((Stamp::By(other), _))) if *other != session => return Taken::Undecided(*other),
                            (_, None) => return Taken::By(id),
                            (_, Some(_)) => {}
                        }
                    }
                }
            }
        }
        Taken::Free
    }

    /// The key of the next row of a table without a primary key: rows stay in the order of insertion.
    pub(super) fn next_key(&mut self) -> Value {
        self.put_in_order();
        let last = self.order.last().map(|id| &self.slot(*id).any_row()[self.key[0]]);
        let number = if let Some(Value::Int(number)) = last { *number } else { 0 };
        Value::Int(number + 1)
    }
}

/// Takes a row that a slot does not have any more out of the secondary indexes, unless a row that is `left` has the
/// same place.
fn unlist<'t>(
    indexes: &mut [Entries],
    schema: &TableSchema,
    id: RowId,
    row: &[Value],
    left: impl Iterator<Item = &'t Values> + Clone,
) {
    for (entries, number) in indexes[1..].iter_mut().zip(1..) {
        if schema.is_listed(number, row) {
            let stays = |level| left.clone().any(|left| schema.same_place((number, level), left, row));
            entries.remove(schema.columns_of(number), row, id, stays);
        }
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.keys.len() == other.keys.len()
            && self.in_order().map(|(_, slot)| slot).eq(other.in_order().map(|(_, slot)| slot))
    }
}

impl Eq for Table {}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.keys.len());
        self.in_order().for_each(|(_, slot)| slot.hash(state));
    }
}

impl Serialize for Table {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.keys.len()))?;
        for (_, slot) in self.in_order() {
            sequence.serialize_element(&slot)?;
        }
        sequence.end()
    }
}
