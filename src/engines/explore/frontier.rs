//! States on their way: packed rows of the level that is being expanded and of the next ones, and how each state met so
//! far was reached.

use super::memo::Write;
use super::part::PartId;

/// Number of a state in the order in which states were met.
pub(super) type StateId = u32;

/// Packed states, one after the other.
#[derive(Debug, Default)]
pub(super) struct Rows {
    width: usize,
    ids: Vec<PartId>,
    fingerprints: Vec<u64>,
}

impl Rows {
    pub(super) fn new(width: usize) -> Self {
        Self { width, ids: Vec::new(), fingerprints: Vec::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.fingerprints.len()
    }

    #[inline]
    pub(super) fn row(&self, index: usize) -> &[PartId] {
        &self.ids[index * self.width..(index + 1) * self.width]
    }

    pub(super) fn fingerprint(&self, index: usize) -> u64 {
        self.fingerprints[index]
    }

    pub(super) fn push(&mut self, row: &[PartId], fingerprint: u64) {
        self.ids.extend_from_slice(row);
        self.fingerprints.push(fingerprint);
    }

    /// Appends a row with some of its parts replaced.
    #[inline]
    pub(super) fn push_changed(&mut self, row: &[PartId], writes: &[Write], fingerprint: u64) {
        let start = self.ids.len();
        self.push(row, fingerprint);
        for write in writes {
            self.ids[start + write.position as usize] = write.id;
        }
    }

    pub(super) fn clear(&mut self) {
        self.ids.clear();
        self.fingerprints.clear();
    }

    pub(super) fn bytes(&self) -> usize {
        self.ids.capacity() * size_of::<PartId>() + self.fingerprints.capacity() * size_of::<u64>()
    }
}

/// How states were reached: six bytes each, in chunks, so that growing copies nothing.
#[derive(Debug, Default)]
pub(super) struct Trail {
    parents: Chunks<StateId>,
    ordinals: Chunks<u16>,
}

#[derive(Debug, Default)]
struct Chunks<T>(Vec<Vec<T>>);

const CHUNK: usize = 1 << 16;

impl<T: Copy> Chunks<T> {
    fn push(&mut self, value: T) {
        if self.0.last().is_none_or(|chunk| chunk.len() == CHUNK) {
            // The first chunk grows with the search, so that small ones stay small.
            self.0.push(if self.0.is_empty() { Vec::new() } else { Vec::with_capacity(CHUNK) });
        }
        self.0.last_mut().expect("there is one with room").push(value);
    }

    fn get(&self, index: usize) -> T {
        self.0[index / CHUNK][index % CHUNK]
    }

    fn bytes(&self) -> usize {
        self.0.iter().map(|chunk| chunk.capacity() * size_of::<T>()).sum()
    }
}

impl Trail {
    /// The state with the next number was reached from `parent` by the entry with this ordinal; the first one is its own
    /// parent.
    pub(super) fn push(&mut self, parent: StateId, ordinal: u16) {
        self.parents.push(parent);
        self.ordinals.push(ordinal);
    }

    /// The ordinals of the entries that lead from the initial state to this one.
    pub(super) fn way_to(&self, mut state: StateId) -> Vec<u16> {
        let mut way = Vec::new();
        while state > 0 {
            way.push(self.ordinals.get(state as usize));
            state = self.parents.get(state as usize);
        }
        way.reverse();
        way
    }

    pub(super) fn bytes(&self) -> usize {
        self.parents.bytes() + self.ordinals.bytes()
    }
}
