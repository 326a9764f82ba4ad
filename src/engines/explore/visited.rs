//! The set of states met: their fingerprints in flat memory, open addressing, in shards that grow one after the other.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Fingerprints that may be looked up by every worker while one of them inserts.
#[derive(Debug)]
pub(super) struct Visited {
    shards: Vec<Shard>,
}

/// One of the parts that grow by themselves. Zero marks a free slot.
#[derive(Debug)]
struct Shard {
    slots: Vec<AtomicU64>,
    /// Written by one worker at a time.
    full: AtomicUsize,
}

const SHARDS_LOG2: u32 = 8;
const SLOTS_MIN: usize = 16;
/// So few that room for all of them may be made in every shard.
const FEW: usize = 32;

impl Visited {
    /// What a fingerprint takes at most: a shard that grows to half as much again leaves 8/15 of its slots in use.
    pub(super) const STATE_BYTES: usize = size_of::<AtomicU64>() * 15 / 8;

    pub(super) fn new() -> Self {
        let shard = || Shard { slots: free(SLOTS_MIN), full: AtomicUsize::new(0) };
        Self { shards: (0..1 << SHARDS_LOG2).map(|_| shard()).collect() }
    }

    fn shard_of(fingerprint: u64) -> usize {
        usize::try_from(fingerprint >> (64 - SHARDS_LOG2)).expect("few bits")
    }

    /// What is found first on the way to this fingerprint. Loads of many fingerprints overlap, as none waits for
    /// another.
    #[inline]
    pub(super) fn peek(&self, fingerprint: u64) -> u64 {
        let shard = &self.shards[Self::shard_of(fingerprint)];
        shard.slots[shard.start(fingerprint)].load(Ordering::Relaxed)
    }

    /// True if it is there.
    #[inline]
    pub(super) fn contains(&self, fingerprint: u64) -> bool {
        let fingerprint = fingerprint.max(1);
        let shard = &self.shards[Self::shard_of(fingerprint)];
        shard.slots[shard.find(fingerprint)].load(Ordering::Relaxed) == fingerprint
    }

    /// Puts it in; false if it was there. The caller has made room.
    #[inline]
    pub(super) fn insert(&self, fingerprint: u64) -> bool {
        let fingerprint = fingerprint.max(1);
        let shard = &self.shards[Self::shard_of(fingerprint)];
        let slot = &shard.slots[shard.find(fingerprint)];
        let is_new = slot.load(Ordering::Relaxed) != fingerprint;
        if is_new {
            slot.store(fingerprint, Ordering::Relaxed);
            shard.full.store(shard.full.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        }
        is_new
    }

    /// True if there is room for these.
    pub(super) fn has_room(&self, fingerprints: impl Iterator<Item = u64>) -> bool {
        let mut counts = [0_usize; 1 << SHARDS_LOG2];
        fingerprints.for_each(|fingerprint| counts[Self::shard_of(fingerprint.max(1))] += 1);
        self.shards.iter().zip(counts).all(|(shard, count)| shard.has_room(count))
    }

    /// Makes room for this one.
    pub(super) fn reserve_one(&mut self, fingerprint: u64) {
        self.shards[Self::shard_of(fingerprint.max(1))].reserve(1);
    }

    /// Makes room for these.
    pub(super) fn reserve(&mut self, fingerprints: impl ExactSizeIterator<Item = u64>) {
        let most = fingerprints.len();
        if most <= FEW {
            // Room for all of them wherever one of them belongs, which is less work than to count.
            return fingerprints.for_each(|it| self.shards[Self::shard_of(it.max(1))].reserve(most));
        }
        let mut counts = [0_usize; 1 << SHARDS_LOG2];
        fingerprints.for_each(|fingerprint| counts[Self::shard_of(fingerprint.max(1))] += 1);
        for (shard, count) in self.shards.iter_mut().zip(counts).filter(|(_, count)| *count > 0) {
            shard.reserve(count);
        }
    }

    /// Shards that are about to be full grow now. They fill evenly, so one pause of the workers serves them all.
    pub(super) fn grow_soon_full(&mut self) {
        for shard in &mut self.shards {
            let soon = *shard.full.get_mut() / 64;
            shard.reserve(soon);
        }
    }

    /// All that was put in.
    pub(super) fn iter(&self) -> impl Iterator<Item = u64> {
        let slots = self.shards.iter().flat_map(|shard| &shard.slots).map(|slot| slot.load(Ordering::Relaxed));
        slots.filter(|fingerprint| *fingerprint != 0)
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> usize {
        self.shards.iter().map(|shard| shard.slots.len() * size_of::<AtomicU64>()).sum()
    }
}

impl Shard {
    /// Where the search for this fingerprint begins. The order of fingerprints is the order of slots, so that growing
    /// reads and writes memory from front to back.
    #[inline]
    fn start(&self, fingerprint: u64) -> usize {
        let product = u128::from(fingerprint.rotate_left(SHARDS_LOG2)) * self.slots.len() as u128;
        usize::try_from(product >> 64).expect("less than the number of slots")
    }

    #[inline]
    fn find(&self, fingerprint: u64) -> usize {
        let mut at = self.start(fingerprint);
        loop {
            let found = self.slots[at].load(Ordering::Relaxed);
            if found == fingerprint || found == 0 {
                return at;
            }
            at += 1;
            if at == self.slots.len() {
                at = 0;
            }
        }
    }

    fn has_room(&self, more: usize) -> bool {
        (self.full.load(Ordering::Relaxed) + more) * 5 <= self.slots.len() * 4
    }

    /// Room for so many more, with a fifth of the slots free.
    fn reserve(&mut self, more: usize) {
        if self.has_room(more) {
            return;
        }
        let full = *self.full.get_mut() + more;
        let slots = (self.slots.len() * 3 / 2).max(full * 5 / 4 + 1);
        let old = std::mem::replace(&mut self.slots, free(slots));
        for fingerprint in old.into_iter().map(AtomicU64::into_inner).filter(|fingerprint| *fingerprint != 0) {
            let at = self.find(fingerprint);
            self.slots[at].store(fingerprint, Ordering::Relaxed);
        }
    }
}

fn free(slots: usize) -> Vec<AtomicU64> {
    std::iter::repeat_with(|| AtomicU64::new(0)).take(slots).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_stays_through_growth_and_nothing_else_is_there() {
        let mut visited = Visited::new();
        let fingerprints = (1..50_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect::<Vec<_>>();
        for batch in fingerprints.chunks(97) {
            visited.reserve(batch.iter().copied());
            batch.iter().for_each(|fingerprint| assert!(visited.insert(*fingerprint)));
            batch.iter().for_each(|fingerprint| assert!(!visited.insert(*fingerprint)));
        }
        assert!(fingerprints.iter().all(|fingerprint| visited.contains(*fingerprint)));
        assert!(!fingerprints.iter().any(|fingerprint| visited.contains(fingerprint ^ 1)));
        assert!(visited.bytes() < 50_000 * 16);
    }
}
