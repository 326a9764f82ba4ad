//! The values that a scenario gives to a model.

use std::sync::Arc;

use super::name;

/// The value of a parameter. A single value has `low == high`; durations are in microseconds.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParamValue {
    /// Lower end.
    pub low: i64,
    /// Upper end.
    pub high: i64,
}

impl ParamValue {
    /// A single value.
    #[must_use]
    pub const fn one(value: i64) -> Self {
        Self { low: value, high: value }
    }
}

/// All parameters of one model, by name. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Params(Arc<[(&'static str, ParamValue)]>);

impl Params {
    /// The parameters in the order of the model's declaration.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = (&'static str, ParamValue)>) -> Self {
        Self(values.into_iter().collect())
    }

    /// The range that the scenario gives.
    ///
    /// # Panics
    /// When the model reads a parameter that it does not declare.
    #[inline]
    #[must_use]
    pub fn range(&self, name: &str) -> ParamValue {
        // A model has about ten parameters: comparing short names beats hashing them.
        let found = self.0.iter().find(|(known, _)| name::is_same(known, name));
        found.unwrap_or_else(|| panic!("the model reads parameter `{name}` but does not declare it")).1
    }

    /// The single value that the scenario gives; durations in microseconds.
    ///
    /// # Panics
    /// When the model reads a parameter that it does not declare.
    #[inline]
    #[must_use]
    pub fn get(&self, name: &str) -> i64 {
        self.range(name).low
    }

    /// Names and values in the order of declaration.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, ParamValue)> {
        self.0.iter().copied()
    }
}
