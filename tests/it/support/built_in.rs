//! Scenarios of the built-in models.

use std::path::Path;

use seatproof::models::{self, Entry};
use seatproof::system::diagnostic::Diagnostic;
use seatproof::system::property::GENERAL;
use seatproof::system::scenario::{Declaration, Scenario, parse};

/// The scenario of this text, checked against the built-in models.
pub(crate) fn scenario(text: &str) -> Result<(Scenario, Vec<Diagnostic>), Diagnostic> {
    let journeys = |entry: &Entry| entry.model.journeys.iter().map(|journey| journey.name).collect::<Vec<_>>();
    let properties =
        |entry: &Entry| GENERAL.iter().chain(entry.model.properties).map(|property| property.name).collect::<Vec<_>>();
    let names = models::CATALOG.map(|entry| (entry, journeys(&entry), properties(&entry)));
    let declarations = names.iter().map(|(entry, journeys, properties)| Declaration {
        name: entry.model.name,
        params: entry.model.params,
        journeys,
        metrics: entry.model.metrics,
        request_names: entry.model.request_names,
        properties,
        draws: entry.model.draws,
    });
    parse(Path::new("test.toml"), text, &declarations.collect::<Vec<_>>())
}
