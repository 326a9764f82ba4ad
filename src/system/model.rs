//! What a model declares about itself: the catalogue entry that scenarios are checked against.

/// A value that a scenario may set under `[params]`.
#[derive(Copy, Clone, Debug)]
pub struct Param {
    /// Name in the scenario file, units left out (`lock_ttl = "600s"`).
    pub name: &'static str,
    /// One sentence for `list` and for error messages.
    pub about: &'static str,
    /// What may be written.
    pub kind: ParamKind,
    /// Used where the scenario is silent.
    pub default: ParamValue,
}

/// What may be written for a parameter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number within these bounds (inclusive).
    Count {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// `[1, 3]`: a range of whole numbers within these bounds, both ends included.
    CountRange {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// `"600s"`.
    Duration,
    /// `["1s", "4s"]`: a range of durations, the upper end excluded.
    DurationRange,
}

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

/// A k6 metric of the measured script, beside the built-in ones.
#[derive(Copy, Clone, Debug)]
pub struct CustomMetric {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// True for `new Trend(name, true)`: values are times in milliseconds.
    pub is_time: bool,
}

/// k6's four metric types.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A sum.
    Counter,
    /// Last, least and greatest value.
    Gauge,
    /// Share of non-zero samples.
    Rate,
    /// A distribution.
    Trend,
}

impl MetricKind {
    /// k6's own word for the type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Trend => "trend",
        }
    }
}
