//! Byte strings and Redis commands as they go over the wire.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use serde::{Serialize, Serializer};
use smallvec::SmallVec;

/// A Redis string: any bytes. Up to `INLINE_BYTES` of them are kept without an allocation, which covers keys such as
/// `lock:seat:1:17` and owner tokens.
#[derive(Clone, PartialEq, Eq)]
pub struct ByteString(Kept);

/// Bytes that a [`ByteString`] keeps in itself: as many as make it four words long.
const INLINE_BYTES: usize = 30;

#[derive(Clone, PartialEq, Eq)]
enum Kept {
    /// So many bytes, and zeros behind them.
    Inline(u8, [u8; INLINE_BYTES]),
    Boxed(Box<[u8]>),
}

impl ByteString {
    /// Copies the bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        let mut inline = [0; INLINE_BYTES];
        Self(match (inline.get_mut(..bytes.len()), u8::try_from(bytes.len())) {
            (Some(place), Ok(length)) => {
                place.copy_from_slice(bytes);
                Kept::Inline(length, inline)
            }
            _ => Kept::Boxed(bytes.into()),
        })
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Kept::Inline(length, bytes) => &bytes[..usize::from(*length)],
            Kept::Boxed(bytes) => bytes,
        }
    }
}

impl Default for ByteString {
    fn default() -> Self {
        Self::new(&[])
    }
}

impl Ord for ByteString {
    /// As bytes are ordered. Short strings, zeros behind them, compare as four numbers, the last of which overlaps the
    /// one before; among strings that are equal so far the shorter is the beginning of the longer.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        let (Kept::Inline(length, bytes), Kept::Inline(other_length, others)) = (&self.0, &other.0) else {
            return self.as_bytes().cmp(other.as_bytes());
        };
        let word = |bytes: &[u8; INLINE_BYTES], start: usize| {
            u64::from_be_bytes(bytes[start..start + 8].try_into().expect("eight bytes"))
        };
        for start in [0, 8, 16, INLINE_BYTES - 8] {
            let (one, other) = (word(bytes, start), word(others, start));
            if one != other {
                return one.cmp(&other);
            }
        }
        length.cmp(other_length)
    }
}

impl PartialOrd for ByteString {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for ByteString {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

impl Serialize for ByteString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        as_bytes(&self.as_bytes(), serializer)
    }
}

impl From<&str> for ByteString {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl From<&[u8]> for ByteString {
    fn from(bytes: &[u8]) -> Self {
        Self::new(bytes)
    }
}

impl std::borrow::Borrow<[u8]> for ByteString {
    fn borrow(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl fmt::Display for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_bytes().escape_ascii())
    }
}

impl fmt::Debug for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Bytes in one piece: by itself serde would hand them over one at a time.
fn as_bytes<S: Serializer>(bytes: &impl AsRef<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes.as_ref())
}

/// One command: its words in one buffer, so that building a command costs one allocation and hashing it one pass.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Argv {
    #[serde(serialize_with = "as_bytes")]
    bytes: Vec<u8>,
    /// End of each word in `bytes`.
    ends: SmallVec<[u32; 8]>,
}

impl Argv {
    /// A command of these words.
    #[must_use]
    pub fn new<W: AsRef<[u8]>>(words: impl IntoIterator<Item = W>) -> Self {
        let mut argv = Self::default();
        argv.extend(words);
        argv
    }

    /// Appends words.
    #[inline(always)]
    pub fn extend<W: AsRef<[u8]>>(&mut self, words: impl IntoIterator<Item = W>) {
        if self.bytes.capacity() == 0 {
            self.bytes = Vec::with_capacity(64);
        }
        for word in words {
            self.push(word.as_ref());
        }
    }

    /// Appends a word.
    ///
    /// # Panics
    /// When the command would be longer than 4 GiB.
    #[inline(always)]
    pub fn push(&mut self, word: &[u8]) {
        self.bytes.extend_from_slice(word);
        self.ends.push(u32::try_from(self.bytes.len()).expect("a command is shorter than 4 GiB"));
    }

    /// Number of words, the command's name included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True for a command without any word.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The word at `index`; 0 is the command's name.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<&[u8]> {
        let end = *self.ends.get(index)? as usize;
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        Some(&self.bytes[start..end])
    }

    /// All words in order.
    pub fn words(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl fmt::Display for Argv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.words().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            if word.is_empty() || word.contains(&b' ') {
                write!(f, "\"{}\"", word.escape_ascii())?;
            } else {
                write!(f, "{}", word.escape_ascii())?;
            }
        }
        Ok(())
    }
}
