//! The entries of an index: which rows have which values in its first columns.

use hashbrown::HashTable;
use smallvec::SmallVec;

use super::super::value::Value;
use super::hash::{KeyHash, spread};
use super::slots::RowId;

/// The rows of one hash. Two keys may share it: whoever looks a row up judges its values.
#[derive(Clone, Debug)]
struct Bucket {
    hash: u32,
    /// Nearly every key has few rows. They stand in no order.
    rows: SmallVec<[RowId; 4]>,
}

/// One index of a table. A row stands in it under the values of each of its versions.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    /// By the number of columns that are given; only those are kept that a statement has asked for.
    levels: Vec<(usize, HashTable<Bucket>)>,
}

impl Entries {
    /// True if rows are kept by their first `level` columns.
    pub(super) fn keeps(&self, level: usize) -> bool {
        self.levels.iter().any(|(kept, _)| *kept == level)
    }

    /// Keeps rows by their first `level` columns from now on.
    pub(super) fn keep(&mut self, level: usize) {
        self.levels.push((level, HashTable::new()));
    }

    /// The rows whose first `level` columns have this hash.
    #[inline]
    pub(super) fn rows(&self, level: usize, hash: u32) -> &[RowId] {
        let buckets = self.levels.iter().find(|(kept, _)| *kept == level);
        let bucket = buckets.and_then(|(_, buckets)| buckets.find(spread(hash), |it| it.hash == hash));
        bucket.map_or(&[], |bucket| &bucket.rows)
    }

    /// Lists a row under these values, all together of this hash; it may be listed there already unless it `is_new`.
    #[inline]
    pub(super) fn insert(&mut self, columns: &[usize], whole: KeyHash, values: &[Value], id: RowId, is_new: bool) {
        for (level, buckets) in &mut self.levels {
            let is_whole = *level == columns.len();
            let hash = if is_whole { whole } else { KeyHash::of_columns(&columns[..*level], values) };
            list(buckets, hash.bits(), id, is_new);
        }
    }

    /// Lists a row by its first `level` columns alone, where it may be listed already.
    pub(super) fn insert_at(&mut self, level: usize, columns: &[usize], values: &[Value], id: RowId) {
        for (_, buckets) in self.levels.iter_mut().filter(|(kept, _)| *kept == level) {
            list(buckets, KeyHash::of_columns(&columns[..level], values).bits(), id, false);
        }
    }

    /// Takes a row out from under these values, except by so many first columns as it `stays` listed by.
    pub(super) fn remove(&mut self, columns: &[usize], values: &[Value], id: RowId, stays: impl Fn(usize) -> bool) {
        for (level, buckets) in self.levels.iter_mut().filter(|(level, _)| !stays(*level)) {
            let hash = KeyHash::of_columns(&columns[..*level], values).bits();
            let Ok(mut found) = buckets.find_entry(spread(hash), |bucket| bucket.hash == hash) else { continue };
            let rows = &mut found.get_mut().rows;
            if let Some(place) = rows.iter().rposition(|other| *other == id) {
                rows.swap_remove(place);
            }
            if rows.is_empty() {
                found.remove();
            }
        }
    }
}

/// Adds a row to those of a hash, among which it may be already unless it `is_new`.
fn list(buckets: &mut HashTable<Bucket>, hash: u32, id: RowId, is_new: bool) {
    match buckets.find_mut(spread(hash), |bucket| bucket.hash == hash) {
        Some(bucket) if is_new || !bucket.rows.contains(&id) => bucket.rows.push(id),
        Some(_) => {}
        None => {
            let mut rows = SmallVec::new();
            rows.push(id);
            buckets.insert_unique(spread(hash), Bucket { hash, rows }, |bucket| spread(bucket.hash));
        }
    }
}
