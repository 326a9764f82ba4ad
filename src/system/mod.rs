//! Semantics: which steps are possible, what one step does, what must hold.
//!
//! **Architecture invariant:** nothing here chooses. No randomness, no wall clock, no threads.

pub mod diagnostic;
pub mod model;
pub mod scenario;
pub mod threshold;
