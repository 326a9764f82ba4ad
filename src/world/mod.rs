//! Plain data: Redis nodes, the SQL store and ghost state, all `Clone + Eq + Hash + Serialize`.
//!
//! **Architecture invariant:** no async, no randomness, no wall clock, no I/O and no threads. Time is a parameter
//! (`now_us`, virtual microseconds since the start of the execution).

pub mod argv;
pub mod identity;
pub mod redis;
pub mod reply;
pub mod sql;
pub mod value;
