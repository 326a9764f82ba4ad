//! What users read: verdicts, k6's summary, tables, JSON.
//!
//! **Architecture invariant:** nothing here computes a result.

pub mod k6;
