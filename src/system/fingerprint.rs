//! Stable hashes of canonical content: the same on every machine and day, whatever the compiler lays out in memory.

use std::fmt;

use serde::Serialize;
use xxhash_rust::xxh3::{Xxh3, xxh3_128};

/// 128 bits over the serialised content. Two different states share one with a chance of about n²/2¹²⁹ among n.
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(pub u128);

impl Fingerprint {
    /// The fingerprint of any value, by its fields in order.
    ///
    /// # Panics
    /// Never for the types of this crate: they all have a serialised form.
    #[must_use]
    pub fn of(value: &impl Serialize) -> Self {
        let bytes = postcard::to_stdvec(value).expect("plain data has a serialised form");
        Self(xxh3_128(&bytes))
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
    /// The serialised events that the hasher has not seen yet: it works best on many at a time.
    pending: Vec<u8>,
    /// How much of `pending` is filled.
    filled: usize,
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.finish())
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self { hasher: Xxh3::new(), pending: vec![0; 4_096], filled: 0 }
    }
}

impl Digest {
    /// Takes in one event.
    ///
    /// # Panics
    /// Never for the types of this crate: they all have a serialised form.
    pub fn add(&mut self, event: &impl Serialize) {
        loop {
            match postcard::to_slice(event, &mut self.pending[self.filled..]) {
                Ok(bytes) => {
                    self.filled += bytes.len();
                    return;
                }
                Err(postcard::Error::SerializeBufferFull) if self.filled > 0 => {
                    self.hasher.update(&self.pending[..self.filled]);
                    self.filled = 0;
                }
                Err(postcard::Error::SerializeBufferFull) => self.pending.resize(self.pending.len() * 2, 0),
                Err(error) => panic!("plain data has a serialised form: {error}"),
            }
        }
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.pending[..self.filled]);
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
