//! Rows of results.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Index;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::super::value::Value;
use super::slot::Values;

/// One row of a result. If it shows nothing but columns of one stored row, it shares that row's values and says which
/// of them it shows. Only what is shown is compared, hashed and serialised.
#[derive(Clone, Default)]
pub struct Row {
    values: Values,
    shown: Shown,
}

/// Which values of a stored row are shown, in order: how many in the lowest bits, above them the column of each. The
/// number 0 stands for all of them.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown(u64);

/// Bits of a column's number, and of how many there are.
const BITS: usize = 4;

impl Shown {
    /// All columns in their order.
    pub(super) const ALL: Self = Self(0);

    /// These columns, unless they are too many for a word.
    pub(super) fn columns(columns: &[usize]) -> Option<Self> {
        let fits = (1..1 << BITS).contains(&columns.len()) && columns.iter().all(|column| *column < 1 << BITS);
        let parts = std::iter::once(columns.len()).chain(columns.iter().copied());
        fits.then(|| Self(parts.rev().fold(0, |word, part| word << BITS | part as u64)))
    }

    /// The column that is shown at this place, which has to be one.
    #[inline(always)]
    fn column(self, place: usize) -> usize {
        if self == Self::ALL { place } else { self.at(place + 1) }
    }

    /// The bits at this place.
    #[inline(always)]
    fn at(self, place: usize) -> usize {
        usize::from((self.0 >> (BITS * place)).to_le_bytes()[0] % (1 << BITS))
    }
}

impl Row {
    /// A row that shows these values of a stored one.
    #[inline(always)]
    pub(super) const fn new(values: Values, shown: Shown) -> Self {
        Self { values, shown }
    }

    /// Number of values shown.
    #[must_use]
    #[inline]
    pub fn len(&self) -> usize {
        if self.shown == Shown::ALL { self.values.len() } else { self.shown.at(0) }
    }

    /// True without any value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values shown, in order.
    #[inline]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Value> {
        let (values, shown) = (&*self.values, self.shown);
        (0..self.len()).map(move |place| &values[shown.column(place)])
    }
}

impl From<Values> for Row {
    fn from(values: Values) -> Self {
        Self::new(values, Shown::ALL)
    }
}

impl FromIterator<Value> for Row {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        Values::from_iter(values).into()
    }
}

impl Index<usize> for Row {
    type Output = Value;

    #[inline]
    fn index(&self, place: usize) -> &Value {
        assert!(place < self.len(), "the row has no value {place}");
        &self.values[self.shown.column(place)]
    }
}

impl PartialEq for Row {
    fn eq(&self, other: &Self) -> bool {
        let is_same = Arc::ptr_eq(&self.values, &other.values) && self.shown == other.shown;
        is_same || self.iter().eq(other.iter())
    }
}

impl Eq for Row {}

impl PartialOrd for Row {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Row {
    fn cmp(&self, other: &Self) -> Ordering {
        self.iter().cmp(other.iter())
    }
}

impl Hash for Row {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_usize(self.len());
        self.iter().for_each(|value| value.hash(state));
    }
}

impl Serialize for Row {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
