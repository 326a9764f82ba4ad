//! Stable hashes of canonical content: the same on every machine and day, whatever the compiler lays out in memory.

use std::fmt;

use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

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
