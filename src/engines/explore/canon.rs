//! One state for all that differ only in which of several interchangeable clients is which.
//!
//! The clients of a class are sorted by a key that does not depend on their names: what they are, and what each other
//! part says of them. Sorting goes by swaps of neighbours, and each swap renames the whole row by look-ups. Any key is
//! sound, because a sorted row is a renaming of the row; a finer one merges more.

use super::layout::Position;
use super::part::PartId;

/// Not known, or not there.
pub(super) const NONE: PartId = PartId::MAX;

/// What workers need to sort a row. Written by the extractor between their turns.
#[derive(Debug, Default)]
pub(super) struct Canon {
    /// Swaps of neighbours within a class, in the order of positions.
    pub(super) swaps: Vec<Swap>,
    /// For each class member (its position) and each position, the key of each part found there.
    pub(super) keys: Vec<MemberKeys>,
    /// What each part adds to the fingerprint, position by position.
    pub(super) weights: Vec<Vec<u64>>,
}

/// The exchange of two interchangeable clients.
#[derive(Debug)]
pub(super) struct Swap {
    pub(super) first: Position,
    pub(super) second: Position,
    /// Where each class member's keys are found.
    pub(super) members: (usize, usize),
    /// By position and part, the part that stands at the image of the position.
    pub(super) images: Vec<Vec<PartId>>,
}

/// How a class member appears, position by position and part by part.
#[derive(Debug)]
pub(super) struct MemberKeys(pub(super) Vec<Vec<u64>>);

impl Swap {
    pub(super) fn position(&self, position: Position) -> Position {
        match position {
            it if it == self.first => self.second,
            it if it == self.second => self.first,
            other => other,
        }
    }

    /// Renames a row in place.
    pub(super) fn apply(&self, row: &mut [PartId]) {
        for (images, id) in self.images.iter().zip(row.iter_mut()) {
            *id = images[*id as usize];
        }
        row.swap(self.first, self.second);
    }
}

impl Canon {
    fn key(&self, member: usize, row: &[PartId]) -> u64 {
        let keys = self.keys[member].0.iter().zip(row);
        keys.fold(0, |sum: u64, (keys, id)| sum.wrapping_add(keys[*id as usize]))
    }

    /// Sorts a row; `keys` is scratch, `swapped` hears of each swap in order. True if something was swapped.
    pub(super) fn sort(&self, row: &mut [PartId], keys: &mut Vec<u64>, mut swapped: impl FnMut(&Swap)) -> bool {
        keys.clear();
        keys.extend((0..self.keys.len()).map(|member| self.key(member, row)));
        let (mut any, mut again) = (false, true);
        while again {
            again = false;
            for swap in &self.swaps {
                let (first, second) = swap.members;
                if keys[first] > keys[second] {
                    swap.apply(row);
                    keys.swap(first, second);
                    swapped(swap);
                    (any, again) = (true, true);
                }
            }
        }
        any
    }

    /// The fingerprint of a row.
    pub(super) fn fingerprint(&self, row: &[PartId]) -> u64 {
        let weights = self.weights.iter().zip(row);
        weights.fold(0, |sum: u64, (weights, id)| sum.wrapping_add(weights[*id as usize]))
    }
}
