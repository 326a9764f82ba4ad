//! Deterministic concurrency simulator and model checker for seat-lock services built on Redis.
//!
//! Layers, each importing only from those before it: [`world`] (plain data), [`process`] (a service or client at
//! work), [`system`] (which steps are possible and what one does), [`engines`] (how the next step is chosen),
//! [`report`] (what users read).

pub mod cli;
pub mod engines;
#[path = "../models/mod.rs"]
pub mod models;
pub mod process;
pub mod report;
pub mod system;
pub mod world;
