//! Scenarios of the built-in models.

use std::path::Path;

use seatproof::models;
use seatproof::system::diagnostic::Diagnostic;
use seatproof::system::scenario::{Scenario, parse};

/// The scenario of this text, checked against the built-in models.
pub(crate) fn scenario(text: &str) -> Result<(Scenario, Vec<Diagnostic>), Diagnostic> {
    parse(Path::new("test.toml"), text, &models::CATALOG.map(|entry| entry.model.declaration()))
}
