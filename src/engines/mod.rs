//! How the next step is chosen: simulate, the reference explorer, shuttle, loom, replay; and what is computed from
//! executions.
//!
//! **Architecture invariant:** no semantics of their own; every engine goes through `system`.

pub mod distribution;
pub mod doublecheck;
mod draw;
pub mod exact;
pub mod explore;
pub mod figures;
pub mod find;
pub mod loom;
pub mod measured;
pub mod metrics;
pub mod native;
mod panicking;
pub mod portfolio;
pub mod prng;
pub mod recording;
pub mod reference;
pub mod regressions;
pub mod replay;
pub mod shrink;
pub mod shuttle;
pub mod simulate;
pub mod sweep;
pub mod verdict;
pub mod why_not;

/// The seed of a run that names none.
pub const DEFAULT_SEED: u64 = 42;
