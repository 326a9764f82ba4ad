//! The rows of a table: found by primary key, or at once by number.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use serde::ser::{Serialize, SerializeSeq, Serializer};

use super::key_map::KeyMap;
use super::schema::Key;
use super::table::Slot;

/// Number of a slot for as long as it exists: secondary indexes lead to rows without comparing keys again.
pub(super) type RowId = usize;

/// The slots of one table. Their numbers depend on the order of inserts and deletes, which no statement can tell, so
/// they take no part in comparing, hashing and serialising.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    ids: KeyMap<RowId>,
    order: BTreeMap<Key, RowId>,
    /// Each slot with its primary key. A number that is free holds an empty slot.
    slots: Vec<(Key, Slot)>,
    free: Vec<RowId>,
}

impl Slots {
    pub(super) fn get(&self, key: &Key) -> Option<&Slot> {
        Some(&self.slots[self.id(key)?].1)
    }

    pub(super) fn get_mut(&mut self, key: &Key) -> Option<&mut Slot> {
        let id = self.id(key)?;
        Some(&mut self.slots[id].1)
    }

    /// The number of the slot with this key.
    pub(super) fn id(&self, key: &Key) -> Option<RowId> {
        self.ids.get(key).copied()
    }

    /// The key of the slot with this number.
    pub(super) fn key(&self, id: RowId) -> &Key {
        &self.slots[id].0
    }

    /// The slot with this number, and its key.
    pub(super) fn at(&self, id: RowId) -> (&Key, &Slot) {
        let (key, slot) = &self.slots[id];
        (key, slot)
    }

    /// The slot with this number.
    pub(super) fn at_mut(&mut self, id: RowId) -> &mut Slot {
        &mut self.slots[id].1
    }

    /// The slot with this key, made empty if there is none.
    pub(super) fn get_or_insert(&mut self, key: &Key) -> &mut Slot {
        let id = self.id(key).unwrap_or_else(|| self.insert(key));
        &mut self.slots[id].1
    }

    fn insert(&mut self, key: &Key) -> RowId {
        let fresh = (key.clone(), Slot::default());
        let id = match self.free.pop() {
            Some(id) => {
                self.slots[id] = fresh;
                id
            }
            None => {
                self.slots.push(fresh);
                self.slots.len() - 1
            }
        };
        self.ids.insert(key.clone(), id);
        self.order.insert(key.clone(), id);
        id
    }

    /// Removes the slot with this number.
    pub(super) fn remove(&mut self, id: RowId) {
        let (key, _) = std::mem::take(&mut self.slots[id]);
        self.ids.remove(&key);
        self.order.remove(&key);
        self.free.push(id);
    }

    /// All slots in the order of their keys.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Key, &Slot)> {
        self.order.values().map(|id| self.at(*id))
    }

    /// The slots from this key on, in order.
    pub(super) fn from(&self, key: &Key) -> impl Iterator<Item = (&Key, &Slot)> {
        self.order.range(key..).map(|(_, id)| self.at(*id))
    }

    /// The greatest key.
    pub(super) fn last_key(&self) -> Option<&Key> {
        self.order.last_key_value().map(|(key, _)| key)
    }
}

impl PartialEq for Slots {
    fn eq(&self, other: &Self) -> bool {
        self.order.len() == other.order.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Slots {}

impl Hash for Slots {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.order.len());
        self.iter().for_each(|slot| slot.hash(state));
    }
}

impl Serialize for Slots {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut sequence = serializer.serialize_seq(Some(self.order.len()))?;
        for slot in self.iter() {
            sequence.serialize_element(&slot)?;
        }
        sequence.end()
    }
}
