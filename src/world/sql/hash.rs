//! Hashes of keys: how an index finds rows without comparing.

use std::hash::{Hash, Hasher};

use super::super::value::Value;

/// The hash as a table wants it, which looks at the lowest bits first and then at the highest.
#[inline]
pub(super) const fn spread(bits: u32) -> u64 {
    (bits as u64) << 32 | bits as u64
}

/// A multiplicative hash of the values of a key, which can be taken on by the next column. Keys come from the model's
/// author, so nobody aims at collisions, and without a random seed two runs do the same work.
#[derive(Copy, Clone, Debug, Default)]
pub(super) struct KeyHash(u64);

impl KeyHash {
    /// Odd, with bits spread evenly: 2^64 divided by the golden ratio.
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

    /// The hash of the key that has this value as its next column.
    #[inline(always)]
    pub(super) fn with(mut self, value: &Value) -> Self {
        match value {
            // Nearly all keys are one of these. The others of their columns are of the same kind.
            Value::Int(value) => self.word(value.cast_unsigned()),
            Value::Serial(serial) => {
                self.word(u64::from(serial.process.client) << 32 | u64::from(serial.process.call));
                self.word(serial.nth.into());
            }
            Value::Text(text) => self.write(text.as_bytes()),
            other => self.rarer(other),
        }
        self
    }

    #[cold]
    fn rarer(&mut self, value: &Value) {
        value.hash(self);
    }

    /// The hash of these columns of a row.
    #[inline]
    pub(super) fn of_columns(columns: &[usize], row: &[Value]) -> Self {
        columns.iter().fold(Self::default(), |hash, &column| hash.with(&row[column]))
    }

    /// A product is mixed best in its higher half.
    #[inline]
    pub(super) const fn bits(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline]
    const fn word(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(Self::FACTOR);
    }
}

impl Hasher for KeyHash {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.word(rest.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        spread(self.bits())
    }
}
