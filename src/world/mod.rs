//! Plain data: Redis nodes, the SQL store and ghost state, all `Clone + Eq + Hash + Serialize`.
//!
//! **Architecture invariant:** no async, no randomness, no wall clock, no I/O and no threads. Time is a parameter
//! (`now_us`, virtual microseconds since the start of the execution).

pub mod argv;
pub mod ghost;
pub mod identity;
pub mod redis;
pub mod reply;
pub mod sql;
pub mod value;

use serde::Serialize;

use ghost::Ghost;
use redis::Redis;
use sql::SqlStore;

/// Everything outside the processes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct World {
    /// Independent Redis nodes.
    pub redis: Vec<Redis>,
    /// The database.
    pub sql: SqlStore,
    /// What the properties need to know.
    pub ghost: Ghost,
}
