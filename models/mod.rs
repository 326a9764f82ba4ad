//! What is checked: one lock service a file. `NAME.rs` says how it works, in the Redis commands and SQL that
//! production sends; `NAME.toml` says under which load, faults and bounds it is judged and what is expected.
//!
//! **Architecture invariant:** a model imports only `world`, `process` and `system`.

pub mod moviebooking;

use crate::system::model::Model;

/// Every model, by name.
pub const CATALOG: [&Model; 1] = [&moviebooking::MODEL];

/// The model of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Model> {
    CATALOG.into_iter().find(|model| model.name == name)
}
