//! Stable hashes of canonical content: the same on every machine and day, whatever the compiler lays out in memory.

use std::fmt;

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_128;

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
        let mut bytes = Bytes(Vec::with_capacity(USUAL_BYTES));
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

/// Serialised content.
struct Bytes(Vec<u8>);

impl Flavor for &mut Bytes {
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
