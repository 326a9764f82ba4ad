//! The states met, whole: for a search that trusts no fingerprint.

use hashbrown::HashTable;

use super::frontier::{Rows, StateId};
use super::part::PartId;

/// Rows in the order in which they were met, found by their fingerprints and compared part by part.
#[derive(Debug)]
pub(super) struct Exact {
    rows: Rows,
    numbers: HashTable<StateId>,
}

impl Exact {
    /// What a state takes at most beside its row: a slot and its byte of control in a table that is 7/16 full at least.
    pub(super) const NUMBER_BYTES: usize = (size_of::<StateId>() + 1) * 16 / 7 + 1;

    pub(super) fn new(width: usize) -> Self {
        Self { rows: Rows::new(width), numbers: HashTable::new() }
    }

    pub(super) fn contains(&self, row: &[PartId], fingerprint: u64) -> bool {
        let is_it = |number: &StateId| self.rows.row(*number as usize) == row;
        self.numbers.find(fingerprint, is_it).is_some()
    }

    /// Puts it in; false if it was there.
    pub(super) fn insert(&mut self, row: &[PartId], fingerprint: u64) -> bool {
        if self.contains(row, fingerprint) {
            return false;
        }
        let number = StateId::try_from(self.rows.len()).expect("a search keeps fewer than 2^32 states");
        self.rows.push(row, fingerprint);
        let rows = &self.rows;
        self.numbers.insert_unique(fingerprint, number, |it| rows.fingerprint(*it as usize));
        true
    }

    pub(super) fn bytes(&self) -> usize {
        // A byte of control for each slot.
        self.rows.bytes() + self.numbers.capacity() * (size_of::<StateId>() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_share_a_fingerprint_are_told_apart() {
        let mut exact = Exact::new(2);
        assert!(exact.insert(&[1, 2], 7) && exact.insert(&[2, 1], 7));
        assert!(!exact.insert(&[1, 2], 7) && !exact.insert(&[2, 1], 7));
        assert!(exact.contains(&[2, 1], 7) && !exact.contains(&[2, 2], 7));
    }
}
