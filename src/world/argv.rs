//! Byte strings and Redis commands as they go over the wire.

use std::fmt;

use serde::{Serialize, Serializer};
use smallvec::SmallVec;

/// A Redis string: any bytes. Up to 24 of them are kept without an allocation, which covers keys such as
/// `lock:seat:1:17` and owner tokens.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ByteString(#[serde(serialize_with = "as_bytes")] SmallVec<[u8; 24]>);

impl ByteString {
    /// Copies the bytes.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(SmallVec::from_slice(bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Not derived, because `SmallVec` would clone byte by byte.
impl Clone for ByteString {
    fn clone(&self) -> Self {
        Self::new(self.as_bytes())
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
        &self.0
    }
}

impl fmt::Display for ByteString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
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
        let mut argv = Self { bytes: Vec::with_capacity(64), ends: SmallVec::new() };
        for word in words {
            argv.push(word.as_ref());
        }
        argv
    }

    /// Appends a word.
    ///
    /// # Panics
    /// When the command would be longer than 4 GiB.
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
