//! k6's metrics: sinks that take samples, and the summary that thresholds are judged on and reports are printed from.

pub mod summary;
