//! What a command is about: a scenario and its model, from a file or built in.

use std::path::{Path, PathBuf};

use super::console::Console;
use crate::models::{self, Entry};
use crate::system::diagnostic::read::{SCENARIO_LIMIT_BYTES, read_text};
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::model::Model;
use crate::system::scenario::{self, Load, Scenario, apply_k6_options};

/// A scenario and its model.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) scenario: Scenario,
    pub(super) model: &'static Model,
}

impl Loaded {
    /// The scenario's load.
    pub(super) fn load(&self) -> Result<&Load, Diagnostic> {
        self.scenario.load.as_ref().ok_or_else(|| {
            let message = format!("{} has no load to simulate", self.scenario.path.display());
            Diagnostic::error(&code::MISSING_KEY, message).help("add a [load] table with k6's executor and stages")
        })
    }
}

/// Reads a scenario, from the file of this path or else built in, and lays k6 options over it.
pub(super) fn load(path: &Path, options: Option<&PathBuf>, console: &Console) -> Result<Loaded, Diagnostic> {
    let declarations = models::CATALOG.map(|entry| entry.model.declaration());
    let built_in = path.to_str().and_then(models::find).filter(|_| !path.exists());
    let (mut scenario, warnings) = match built_in {
        Some(Entry { model, scenario }) => {
            scenario::parse(Path::new(&format!("models/{}.toml", model.name)), scenario, &declarations)?
        }
        None => scenario::load(path, &declarations)?,
    };
    for warning in &warnings {
        console.warn(warning);
    }
    let found = models::find(&scenario.model).expect("the loader accepts only models of the catalogue");
    if let Some(options) = options {
        let text = read_text(options, SCENARIO_LIMIT_BYTES)?;
        let declaration = declarations.iter().find(|it| it.name == scenario.model);
        let declaration = declaration.expect("every model of the catalogue is declared");
        for warning in apply_k6_options(&mut scenario, options, &text, declaration)? {
            console.warn(&warning);
        }
    }
    Ok(Loaded { scenario, model: found.model })
}
