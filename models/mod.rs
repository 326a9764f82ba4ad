//! What is checked: one lock service a file. `NAME.rs` says how it works, in the Redis commands and SQL that
//! production sends; `NAME.toml` says under which load, faults and bounds it is judged and what is expected. What the
//! models of single protocols share is in `common.rs`.
//!
//! **Architecture invariant:** a model imports only `world`, `process` and `system`.

mod common;
pub mod fencing_token;
pub mod get_then_set;
pub mod hold_conditional_confirm;
pub mod moviebooking;
pub mod msetnx;
pub mod multi_seat_lua;
pub mod multi_seat_rollback;
pub mod seatlock;
pub mod set_nx_px_blind_del;
pub mod set_nx_px_get_del;
pub mod set_nx_px_lua_release;
pub mod set_nx_px_wait;
pub mod setnx_expire;
pub mod unique_index;
pub mod watch_multi_exec;
pub mod watchdog;

use crate::system::model::Model;

/// A model and the text of its own scenario file.
#[derive(Copy, Clone, Debug)]
pub struct Entry {
    /// The model.
    pub model: &'static Model,
    /// Content of `models/NAME.toml`, so that the program needs no file to run it.
    pub scenario: &'static str,
}

/// Every model.
pub const CATALOG: [Entry; 18] = [
    Entry { model: &moviebooking::MODEL, scenario: include_str!("moviebooking.toml") },
    Entry { model: &moviebooking::FIXED, scenario: include_str!("moviebooking_fixed.toml") },
    Entry { model: &get_then_set::MODEL, scenario: include_str!("get_then_set.toml") },
    Entry { model: &setnx_expire::MODEL, scenario: include_str!("setnx_expire.toml") },
    Entry { model: &set_nx_px_blind_del::MODEL, scenario: include_str!("set_nx_px_blind_del.toml") },
    Entry { model: &set_nx_px_get_del::MODEL, scenario: include_str!("set_nx_px_get_del.toml") },
    Entry { model: &set_nx_px_lua_release::MODEL, scenario: include_str!("set_nx_px_lua_release.toml") },
    Entry { model: &set_nx_px_wait::MODEL, scenario: include_str!("set_nx_px_wait.toml") },
    Entry { model: &watchdog::MODEL, scenario: include_str!("watchdog.toml") },
    Entry { model: &watch_multi_exec::MODEL, scenario: include_str!("watch_multi_exec.toml") },
    Entry { model: &multi_seat_rollback::MODEL, scenario: include_str!("multi_seat_rollback.toml") },
    Entry { model: &multi_seat_lua::MODEL, scenario: include_str!("multi_seat_lua.toml") },
    Entry { model: &msetnx::MODEL, scenario: include_str!("msetnx.toml") },
    Entry { model: &unique_index::MODEL, scenario: include_str!("unique_index.toml") },
    Entry { model: &fencing_token::ON_WRITE, scenario: include_str!("fence_on_write.toml") },
    Entry { model: &fencing_token::ON_READ, scenario: include_str!("fence_on_read.toml") },
    Entry { model: &hold_conditional_confirm::MODEL, scenario: include_str!("hold_conditional_confirm.toml") },
    Entry { model: &seatlock::MODEL, scenario: include_str!("seatlock.toml") },
];

/// The model of this name.
#[must_use]
pub fn find(name: &str) -> Option<Entry> {
    CATALOG.into_iter().find(|entry| entry.model.name == name)
}
