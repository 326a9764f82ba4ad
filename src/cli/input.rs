//! What a command is about: a scenario and its model, from a file or built in.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::Failure;
use super::console::Console;
use crate::engines::regressions;
use crate::models::{self, Entry};
use crate::system::diagnostic::read::{SCENARIO_LIMIT_BYTES, read_text};
use crate::system::diagnostic::{Diagnostic, Source, code};
use crate::system::model::Model;
use crate::system::scenario::{self, Check, Load, Scenario, apply_k6_options};
use crate::system::schedule::{Schedule, directory};
use crate::system::{ModelError, Setting};

/// A scenario and its model.
#[derive(Debug)]
pub(super) struct Loaded {
    pub(super) scenario: Scenario,
    pub(super) model: &'static Model,
    /// The scenario's text, for mistakes that only show when it is executed.
    text: String,
}

impl Loaded {
    /// A mistake that showed when a check was executed: in what the check says is given, or in the model.
    pub(super) fn failure(&self, check: &Check, error: ModelError) -> Failure {
        let ModelError::Given(error) = error else { return Failure::Model(error) };
        let file = self.scenario.path.display().to_string();
        let span = check.given.get(error.index).map_or(0..0, |(_, span)| span.clone());
        let diagnostic = Diagnostic::error(&code::CHECK, format!("check `{}`: {}", check.name, error.reason));
        let help = "the entries of `given` happen one after the other, and nothing else does";
        Failure::Input(diagnostic.at(Source { file: &file, text: &self.text }, span).help(help))
    }

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
    let (path, text) = match built_in {
        Some(Entry { model, scenario }) => (PathBuf::from(format!("models/{}.toml", model.name)), scenario.to_owned()),
        None => (path.to_owned(), read_text(path, SCENARIO_LIMIT_BYTES)?),
    };
    let (mut scenario, warnings) = scenario::parse(&path, &text, &declarations)?;
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
    Ok(Loaded { scenario, model: found.model, text })
}

/// A schedule that a user names, with the setting of its model.
pub(super) struct Suspect {
    pub(super) path: PathBuf,
    pub(super) schedule: Schedule,
    pub(super) setting: Rc<Setting>,
}

/// The schedule in a file, or the only one in the directory with this in its name.
pub(super) fn schedule(regressions: &Path, named: &Path) -> Result<Suspect, Failure> {
    let path = directory::named(regressions, named)?;
    let schedule = regressions::load(&path)?;
    let unknown = |reason: String| {
        let message = format!("{}: {reason}", path.display());
        Diagnostic::error(&code::SCHEDULE_MODEL, message).help("`seatproof list` names the models and their journeys")
    };
    let entry = models::find(&schedule.setting.model);
    let entry = entry.ok_or_else(|| unknown(format!("there is no model `{}`", schedule.setting.model)))?;
    let setting = Rc::new(schedule.resolve(entry.model).map_err(unknown)?);
    let schedule = regressions::named(&path, &setting, schedule)?;
    Ok(Suspect { path, schedule, setting })
}
