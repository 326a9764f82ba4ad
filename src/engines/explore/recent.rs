//! What a worker has met in the last moments. The ways round a diamond of two steps lead to the same state soon after
//! one another, so most of what has been met was met just now, and need not be looked up in memory that is far away.

/// The last fingerprint met of each slot. Whoever uses it hands all that it meets to the merge, in order; so what is
/// dropped here is among the states met by the time that it would be looked up there.
#[derive(Debug)]
pub(super) struct Recent(Vec<u64>);

/// Slots, so few that they stay in the nearest cache; with more of them hardly more is dropped.
const SLOTS: usize = 1 << 12;

impl Recent {
    /// Nothing was met.
    pub(super) fn new() -> Self {
        // A fingerprint that belongs into another slot.
        Self((0..SLOTS as u64).map(|slot| slot ^ 1).collect())
    }

    /// True if it was met; from now on it was.
    #[inline]
    pub(super) fn meet(&mut self, fingerprint: u64) -> bool {
        std::mem::replace(&mut self.0[slot(fingerprint)], fingerprint) == fingerprint
    }

    /// True if it was met.
    #[inline]
    pub(super) fn met(&self, fingerprint: u64) -> bool {
        self.0[slot(fingerprint)] == fingerprint
    }
}

fn slot(fingerprint: u64) -> usize {
    usize::try_from(fingerprint % SLOTS as u64).expect("fewer than there are slots")
}
