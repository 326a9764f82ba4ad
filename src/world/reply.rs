//! Redis replies (RESP2).

use std::fmt;

use compact_str::CompactString;
use serde::Serialize;

use super::argv::ByteString;

/// What a Redis node answers to one command.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Reply {
    /// `+OK` and its kind.
    Status(CompactString),
    /// `-ERR ...`: code and text, without the leading `-`.
    Error(CompactString),
    /// `:1`.
    Int(i64),
    /// `$3 abc`.
    Bulk(ByteString),
    /// `$-1`.
    Nil,
    /// `*2 ...`.
    Array(Vec<Reply>),
    /// `*-1`.
    NilArray,
}

impl Reply {
    /// `+OK`.
    pub const OK: Self = Self::Status(CompactString::const_new("OK"));

    /// A status reply with this text.
    #[must_use]
    pub fn status(text: impl AsRef<str>) -> Self {
        Self::Status(CompactString::new(text))
    }

    /// An error reply with this text.
    #[must_use]
    pub fn error(text: impl AsRef<str>) -> Self {
        Self::Error(CompactString::new(text))
    }

    /// True for `+OK`.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        *self == Self::OK
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(text) => f.write_str(text),
            Self::Error(text) => write!(f, "-{text}"),
            Self::Int(value) => write!(f, ":{value}"),
            Self::Bulk(bytes) => write!(f, "\"{bytes}\""),
            Self::Nil | Self::NilArray => f.write_str("nil"),
            Self::Array(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
        }
    }
}
