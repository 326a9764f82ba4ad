//! Stable hashes of canonical content: the same on every machine and day, whatever the compiler lays out in memory.

use std::fmt;

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// 128 bits over the serialised content. Two different states share one with a chance of about n²/2¹²⁹ among n.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

/// Most values have a shorter form: so the buffer need not grow.
const USUAL_BYTES: usize = 1 << 13;

impl Fingerprint {
    /// The fingerprint of any value, by its fields in order.
    ///
    /// # Panics
    /// Never for the types of this crate: they all have a serialised form.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        let mut bytes = Pending(Vec::with_capacity(USUAL_BYTES));
        postcard::serialize_with_flavor(value, &mut bytes).expect("plain data has a serialised form");
        Self(xxh3_128(&bytes.0))
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A running hash over a stream of events, in order.
pub struct Digest {
    hasher: Xxh3,
    pending: Pending,
}

/// The serialised events that the hasher has not seen yet: it works best on many at a time.
struct Pending(Vec<u8>);

/// How many pending bytes are enough.
const BATCH_BYTES: usize = 4_096;

impl Flavor for &mut Pending {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        // Most pieces are numbers of one or two bytes, for which a call of `memcpy` costs more than the bytes.
        if bytes.len() < 4 {
            bytes.iter().for_each(|byte| self.0.push(*byte));
        } else {
            self.0.extend_from_slice(bytes);
        }
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.finish())
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self { hasher: Xxh3::new(), pending: Pending(Vec::with_capacity(2 * BATCH_BYTES)) }
    }
}

impl Digest {
    /// Takes in one event.
    ///
    /// # Panics
    /// Never for the types of this crate: they all have a serialised form.
    pub fn add(&mut self, event: &impl Serialize) {
        postcard::serialize_with_flavor(event, &mut self.pending).expect("plain data has a serialised form");
        if self.pending.0.len() >= BATCH_BYTES {
            self.hasher.update(&self.pending.0);
            self.pending.0.clear();
        }
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.pending.0);
        Fingerprint(hasher.digest128())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_the_fingerprint_of_all_bytes_in_order_however_long_an_event_is() {
        let events = [vec![1_u8; 10], vec![2; 3_000], vec![3; 2_000], vec![4; 9_000], vec![5; 1]];
        let mut digest = Digest::default();
        let mut bytes = Vec::new();
        for event in &events {
            digest.add(event);
            bytes.extend(postcard::to_stdvec(event).expect("a list of bytes"));
            assert_eq!(digest.finish(), Fingerprint(xxh3_128(&bytes)));
        }
    }
}
