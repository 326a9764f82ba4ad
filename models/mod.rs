//! What is checked: one lock service a file. `NAME.rs` says how it works, in the Redis commands and SQL that
//! production sends; `NAME.toml` says under which load, faults and bounds it is judged and what is expected.
//!
//! **Architecture invariant:** a model imports only `world`, `process` and `system`.

pub mod moviebooking;

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
pub const CATALOG: [Entry; 1] = [Entry { model: &moviebooking::MODEL, scenario: include_str!("moviebooking.toml") }];

/// The model of this name.
#[must_use]
pub fn find(name: &str) -> Option<Entry> {
    CATALOG.into_iter().find(|entry| entry.model.name == name)
}
