//! Deterministic concurrency simulator and model checker for seat-lock services built on Redis.
//!
//! Layers, each importing only from those before it: [`world`] (plain data), [`process`] (a service or client at
//! work), [`system`] (which steps are possible and what one does), [`engines`] (how the next step is chosen),
//! [`report`] (what users read).
//!
//! The bundled load test, under a seed of its own:
//!
//! ```
//! use std::path::Path;
//!
//! use seatproof::engines::simulate::LoadTest;
//! use seatproof::{models, system::scenario};
//!
//! let entry = models::find("moviebooking").ok_or("no such model")?;
//! let path = Path::new("models/moviebooking.toml");
//! let (scenario, _warnings) = scenario::parse(path, entry.scenario, &[entry.model.declaration()])?;
//! let load = scenario.load.as_ref().ok_or("no load")?;
//! let run = LoadTest::new(&scenario, load, entry.model)?.run(42)?;
//! assert_eq!(run.violation, None, "nobody is told that another's seat is theirs");
//! assert_eq!(run.summary.crossed().collect::<Vec<_>>(), ["http_req_failed"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod cli;
pub mod engines;
#[path = "../models/mod.rs"]
pub mod models;
pub mod process;
pub mod report;
pub mod system;
pub mod testing;
pub mod world;
