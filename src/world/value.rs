//! SQL values.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use compact_str::CompactString;
use serde::Serialize;

use super::identity::ProcessId;

/// One SQL value of a row or a parameter. NULL equals NULL here, as Rust data; SQL's three-valued comparison is
/// the store's business.
#[derive(Clone, Debug, Eq, Hash, Serialize)]
#[expect(clippy::derived_hash_with_manual_eq, reason = "equality is what could be derived, written for speed")]
pub enum Value {
    /// SQL NULL.
    Null,
    /// `boolean`.
    Bool(bool),
    /// `integer` or `bigint`.
    Int(i64),
    /// A value drawn from a sequence.
    Serial(Serial),
    /// `timestamp`, in virtual microseconds since the start of the execution.
    Timestamp(i64),
    /// `text`, `varchar`, `uuid`.
    Text(CompactString),
    /// An array; only as a parameter of `= ANY($n)`. Shared, because a service asks for the same rows again.
    List(Arc<[Value]>),
}

impl PartialEq for Value {
    /// As in the order, integers and sequence values are compared without a call.
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(one), Self::Int(other)) => one == other,
            (Self::Serial(one), Self::Serial(other)) => one == other,
            _ => self.eq_rarer(other),
        }
    }
}

impl Ord for Value {
    /// The order of the variants, then of their contents. Nearly all keys are integers or sequence values and a
    /// look-up compares a dozen, so these two are compared without a call.
    #[inline]
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Int(one), Self::Int(other)) => one.cmp(other),
            (Self::Serial(one), Self::Serial(other)) => one.cmp(other),
            _ => self.cmp_rarer(other),
        }
    }
}

impl Value {
    /// The text that these bytes are, as a token's; what is not UTF-8 in them is replaced.
    #[must_use]
    pub fn text(bytes: &[u8]) -> Self {
        Self::Text(CompactString::from_utf8(bytes).unwrap_or_else(|_| CompactString::from_utf8_lossy(bytes)))
    }

    /// A list of whole numbers.
    #[must_use]
    pub fn ints(numbers: &[i64]) -> Self {
        let mut list = numbers.iter().map(|_| Self::Null).collect::<Arc<[Self]>>();
        let places = Arc::get_mut(&mut list).expect("nobody else has the list yet");
        places.iter_mut().zip(numbers).for_each(|(place, number)| place.overwrite(&Self::Int(*number)));
        Self::List(list)
    }

    /// Becomes a copy of another value, written where it is to stay: a store does little else, and all but long texts
    /// and lists are a few bytes. What was there before is forgotten and not freed; it has to be as short.
    #[inline(always)]
    pub(super) fn overwrite(&mut self, source: &Self) {
        let mut write = |value| std::mem::forget(std::mem::replace(self, value));
        match source {
            Self::Null => write(Self::Null),
            Self::Bool(value) => write(Self::Bool(*value)),
            Self::Int(value) => write(Self::Int(*value)),
            Self::Serial(serial) => write(Self::Serial(*serial)),
            Self::Timestamp(us) => write(Self::Timestamp(*us)),
            Self::Text(text) if !text.is_heap_allocated() => write(Self::Text(text.clone())),
            long => write(long.clone()),
        }
    }

    /// Equality of what is not two integers or two sequence values.
    #[inline(never)]
    fn eq_rarer(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            _ => self.cmp_rarer(other).is_eq(),
        }
    }

    /// Compares what is not two integers or two sequence values.
    fn cmp_rarer(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Bool(one), Self::Bool(other)) => one.cmp(other),
            (Self::Timestamp(one), Self::Timestamp(other)) => one.cmp(other),
            (Self::List(one), Self::List(other)) => one.cmp(other),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    /// Place of the variant in the order of all values.
    const fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(_) => 1,
            Self::Int(_) => 2,
            Self::Serial(_) => 3,
            Self::Timestamp(_) => 4,
            Self::Text(_) => 5,
            Self::List(_) => 6,
        }
    }
}

impl PartialOrd for Value {
    #[inline]
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The `nth` value that a process drew from sequences.
///
/// Named after the process instead of counted, so that gaps and the order of other processes' inserts make no
/// new states. As in PostgreSQL, the order of sequence values says nothing about the order of commits.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Serial {
    /// Who drew it.
    pub process: ProcessId,
    /// Which of its values, from 1.
    pub nth: u32,
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("NULL"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Serial(serial) => write!(f, "#{}.{}", serial.process, serial.nth),
            Self::Timestamp(us) => write!(f, "t={us}us"),
            Self::Text(text) => write!(f, "'{text}'"),
            Self::List(values) => {
                f.write_str("{")?;
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        f.write_str(",")?;
                    }
                    write!(f, "{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(CompactString::new(value))
    }
}

impl From<CompactString> for Value {
    fn from(value: CompactString) -> Self {
        Self::Text(value)
    }
}

impl From<Serial> for Value {
    fn from(value: Serial) -> Self {
        Self::Serial(value)
    }
}
