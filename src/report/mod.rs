//! What users read: verdicts, k6's summary, tables, JSON.
//!
//! **Architecture invariant:** nothing here computes a result.

mod bounds;
pub mod catalogue;
pub mod compare;
pub mod counterexample;
pub mod coverage;
pub mod diagram;
pub mod exploration;
pub mod export;
pub mod judgement;
pub mod k6;
mod permuted;
pub mod regressions;
pub mod replay;
pub mod run;
mod steps;
mod story;
pub mod sweep;
mod table;
pub mod why_not;

pub use table::Signs;
