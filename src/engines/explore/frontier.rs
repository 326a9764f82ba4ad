//! States on their way: packed rows of the level that is being expanded and of the next ones, and how each state met so
//! far was reached.

use super::memo::Write;
use super::part::PartId;

/// Number of a state in the order in which states were met.
pub(super) type StateId = u32;

/// Packed states, one after the other, in blocks: growing copies nothing, and what is done with goes block by block.
#[derive(Debug, Default)]
pub(super) struct Rows {
    width: usize,
    length: usize,
    blocks: Vec<Block>,
}

#[derive(Debug, Default)]
struct Block {
    ids: Vec<PartId>,
    fingerprints: Vec<u64>,
}

/// Rows of a block.
const BLOCK: usize = 1 << 12;

impl Rows {
    pub(super) fn new(width: usize) -> Self {
        Self { width, ..Self::default() }
    }

    /// Parts of a row.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    pub(super) fn len(&self) -> usize {
        self.length
    }

    #[inline]
    pub(super) fn row(&self, index: usize) -> &[PartId] {
        let at = index % BLOCK * self.width;
        &self.blocks[index / BLOCK].ids[at..at + self.width]
    }

    #[inline]
    pub(super) fn fingerprint(&self, index: usize) -> u64 {
        self.blocks[index / BLOCK].fingerprints[index % BLOCK]
    }

    /// Appends a row; its parts, to be changed.
    pub(super) fn push(&mut self, row: &[PartId], fingerprint: u64) -> &mut [PartId] {
        if self.length == self.blocks.len() * BLOCK {
            // The first block grows with the level, so that small ones stay small.
            let rows = if self.length == 0 { 0 } else { BLOCK };
            let (ids, fingerprints) = (Vec::with_capacity(rows * self.width), Vec::with_capacity(rows));
            self.blocks.push(Block { ids, fingerprints });
        }
        self.length += 1;
        let block = self.blocks.last_mut().expect("there is one with room");
        let start = block.ids.len();
        block.ids.extend_from_slice(row);
        block.fingerprints.push(fingerprint);
        &mut block.ids[start..]
    }

    /// Appends a row with some of its parts replaced.
    #[inline]
    pub(super) fn push_changed(&mut self, row: &[PartId], writes: &[Write], fingerprint: u64) {
        let changed = self.push(row, fingerprint);
        writes.iter().for_each(|write| changed[write.position as usize] = write.id);
    }

    /// Frees the blocks that lie before this row; they are not read again.
    pub(super) fn free_before(&mut self, index: usize) {
        let done = self.blocks.iter_mut().take(index / BLOCK).rev();
        done.take_while(|block| !block.ids.is_empty()).for_each(|block| *block = Block::default());
    }

    pub(super) fn clear(&mut self) {
        self.length = 0;
        self.blocks.clear();
    }

    /// What a row takes.
    pub(super) fn row_bytes(&self) -> usize {
        self.width * size_of::<PartId>() + size_of::<u64>()
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> usize {
        let bytes = |block: &Block| block.ids.capacity() * size_of::<PartId>() + block.fingerprints.capacity() * 8;
        self.blocks.iter().map(bytes).sum()
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
    /// What the way to a state takes.
    pub(super) const STATE_BYTES: usize = size_of::<StateId>() + size_of::<u16>();

    /// The state with the next number was reached from `parent` by the entry with this ordinal; the first one is its
    /// own parent.
    pub(super) fn push(&mut self, parent: StateId, ordinal: u16) {
        self.parents.push(parent);
        self.ordinals.push(ordinal);
    }

    /// Parent and ordinal of each state, in the order of states.
    pub(super) fn iter(&self) -> impl Iterator<Item = (StateId, u16)> {
        let parents = self.parents.0.iter().flatten().copied();
        parents.zip(self.ordinals.0.iter().flatten().copied())
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
