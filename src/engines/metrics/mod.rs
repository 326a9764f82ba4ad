//! k6's metrics: sinks that take samples, and the summary that thresholds are judged on and reports are printed from.
//!
//! A [`Catalogue`] says which metrics a model has; a [`Recorder`] takes the samples of one run and ends as a
//! [`Summary`](summary::Summary). [`read`] makes the same summary from files that k6 wrote.

mod catalogue;
pub mod read;
mod recorder;
mod sink;
pub mod summary;

pub use catalogue::{Catalogue, DeclarationError, Declarations, MetricId};
pub use recorder::Recorder;
