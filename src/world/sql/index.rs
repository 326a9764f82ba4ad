//! The entries of a secondary index: which rows stand under which key.

use std::collections::BTreeSet;
use std::collections::hash_map::Entry;

use smallvec::SmallVec;

use super::key_map::KeyMap;
use super::schema::{Index, Key};
use super::slots::{RowId, Slots};

/// One secondary index of a table.
#[derive(Clone, Debug)]
pub(super) struct Entries {
    /// The rows under each key, in the order of their primary keys. Nearly every key has one row.
    rows: KeyMap<SmallVec<[RowId; 2]>>,
    /// The keys in order, where a statement may give less than a whole key: an index of several columns, or a
    /// partial one, which narrows without any value.
    order: Option<BTreeSet<Key>>,
}

impl Entries {
    /// No entries.
    pub(super) fn new(index: &Index) -> Self {
        let may_be_cut = index.columns.len() > 1 || !index.predicate.is_empty();
        Self { rows: KeyMap::default(), order: may_be_cut.then(BTreeSet::new) }
    }

    /// The rows under this key, in the order of their primary keys.
    pub(super) fn rows(&self, key: &Key) -> &[RowId] {
        self.rows.get(key).map_or(&[], SmallVec::as_slice)
    }

    /// The rows under each key that begins with these values.
    pub(super) fn beginning_with(&self, prefix: &Key) -> impl Iterator<Item = &[RowId]> {
        let keys = self.order.iter().flat_map(move |order| order.range(prefix..));
        keys.take_while(move |key| key.0.starts_with(&prefix.0)).map(|key| self.rows(key))
    }

    /// Lists a row.
    pub(super) fn insert(&mut self, key: Key, id: RowId, slots: &Slots) {
        let rows = match self.rows.entry(key) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => {
                if let Some(order) = &mut self.order {
                    order.insert(entry.key().clone());
                }
                entry.insert(SmallVec::new())
            }
        };
        if let Err(place) = rows.binary_search_by(|other| slots.key(*other).cmp(slots.key(id))) {
            rows.insert(place, id);
        }
    }

    /// Takes a row out.
    pub(super) fn remove(&mut self, key: &Key, id: RowId) {
        let Some(rows) = self.rows.get_mut(key) else { return };
        rows.retain(|other| *other != id);
        if rows.is_empty() {
            self.rows.remove(key);
            if let Some(order) = &mut self.order {
                order.remove(key);
            }
        }
    }
}
