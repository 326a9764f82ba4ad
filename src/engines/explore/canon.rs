//! One state for all that differ only in which of several interchangeable clients or seats is which.
//!
//! The clients of a class are sorted by a key that does not depend on their names: what they are, and what each other
//! part says of them. Sorting goes by swaps of neighbours, and each swap renames the whole row by look-ups. Any key is
//! sound, because a sorted row is a renaming of the row; a finer one merges more.
//!
//! Seats have no place of their own to be sorted by. Two of them are exchanged as long as that makes a number less,
//! which does not depend on the clients' names; then the clients are sorted.

use super::layout::Position;
use super::part::PartId;

/// Not known, or not there.
pub(super) const NONE: PartId = PartId::MAX;

/// What workers need to sort a row. Written by the extractor between their turns.
#[derive(Debug, Default)]
pub(super) struct Canon {
    /// Swaps of neighbours within a class, first those of clients, in the order of positions, then those of seats.
    pub(super) swaps: Vec<Swap>,
    /// How many are of clients.
    pub(super) clients: usize,
    /// For each class member (its position) and each position, the key of each part found there.
    pub(super) keys: Vec<MemberKeys>,
    /// What each part adds to the fingerprint, position by position.
    pub(super) weights: Vec<Vec<u64>>,
}

/// Who changes places.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    /// Two clients.
    Clients {
        first: Position,
        second: Position,
        /// Where each one's keys are found.
        members: (usize, usize),
    },
    /// Two seats.
    Seats(i64, i64),
}

/// The exchange of two interchangeable clients or seats.
#[derive(Debug)]
pub(super) struct Swap {
    pub(super) pair: Pair,
    /// By position and part, the part that stands at the image of the position.
    pub(super) images: Vec<Vec<PartId>>,
}

/// What sorting needs room for.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    keys: Vec<u64>,
    variant: Vec<PartId>,
    /// Numbers of the swaps that were made.
    pub(super) trace: Vec<usize>,
}

/// How a class member appears, position by position and part by part.
#[derive(Debug)]
pub(super) struct MemberKeys(pub(super) Vec<Vec<u64>>);

impl Swap {
    pub(super) fn position(&self, position: Position) -> Position {
        match self.pair {
            Pair::Clients { first, second, .. } if position == first => second,
            Pair::Clients { first, second, .. } if position == second => first,
            _ => position,
        }
    }

    /// Renames a row in place.
    pub(super) fn apply(&self, row: &mut [PartId]) {
        for (images, id) in self.images.iter().zip(row.iter_mut()) {
            *id = images[*id as usize];
        }
        if let Pair::Clients { first, second, .. } = self.pair {
            row.swap(first, second);
        }
    }
}

impl Canon {
    fn key(&self, member: usize, row: &[PartId]) -> u64 {
        let keys = self.keys[member].0.iter().zip(row);
        keys.fold(0, |sum: u64, (keys, id)| sum.wrapping_add(keys[*id as usize]))
    }

    /// The representative of a row, in its place, and its fingerprint. The trace of `scratch` tells the swaps that led
    /// there, in order.
    pub(super) fn sort(&self, row: &mut [PartId], scratch: &mut Scratch) -> u64 {
        scratch.trace.clear();
        if self.clients < self.swaps.len() {
            self.sort_seats(row, scratch);
        }
        self.sort_clients(row, scratch);
        self.fingerprint(row)
    }

    /// Exchanges two seats until no such exchange makes the rank of the row less.
    fn sort_seats(&self, row: &mut [PartId], Scratch { keys, variant, trace }: &mut Scratch) {
        let seats = self.clients..self.swaps.len();
        let (mut least, mut open) = (self.rank(row, keys), seats.len());
        for number in seats.cycle() {
            if open == 0 {
                return;
            }
            open -= 1;
            variant.clear();
            variant.extend_from_slice(row);
            self.swaps[number].apply(variant);
            let rank = self.rank(variant, keys);
            if rank < least {
                row.copy_from_slice(variant);
                trace.push(number);
                // This very exchange would lead back.
                (least, open) = (rank, self.swaps.len() - self.clients - 1);
            }
        }
    }

    /// A number that is the same whatever the clients of a class are called, and most often another when seats are
    /// called otherwise.
    fn rank(&self, row: &[PartId], keys: &mut Vec<u64>) -> u64 {
        self.keys_of(row, keys);
        if keys.is_empty() {
            return self.fingerprint(row);
        }
        keys.iter().fold(0, |sum: u64, key| sum.wrapping_add(scattered(*key)))
    }

    fn keys_of(&self, row: &[PartId], keys: &mut Vec<u64>) {
        keys.clear();
        keys.extend((0..self.keys.len()).map(|member| self.key(member, row)));
    }

    /// Sorts the clients of a row.
    fn sort_clients(&self, row: &mut [PartId], Scratch { keys, trace, .. }: &mut Scratch) {
        self.keys_of(row, keys);
        let mut again = true;
        while again {
            again = false;
            for (number, swap) in self.swaps[..self.clients].iter().enumerate() {
                let Pair::Clients { members: (first, second), .. } = swap.pair else {
                    unreachable!("these come first")
                };
                if keys[first] > keys[second] {
                    swap.apply(row);
                    keys.swap(first, second);
                    trace.push(number);
                    again = true;
                }
            }
        }
    }

    /// The fingerprint of a row.
    pub(super) fn fingerprint(&self, row: &[PartId]) -> u64 {
        let weights = self.weights.iter().zip(row);
        weights.fold(0, |sum: u64, (weights, id)| sum.wrapping_add(weights[*id as usize]))
    }
}

/// Numbers far apart, so that sums of them differ (the finalizer of SplitMix64); never zero.
pub(super) fn scattered(number: u64) -> u64 {
    let mut word = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    (word ^ word >> 31).max(1)
}
