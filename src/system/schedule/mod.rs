//! The schedule: the one artefact that every engine leaves behind. A commented TOML text (file ending `.replay`) that
//! a person can read, compare and edit, and that replays step for step.
//!
//! The named steps are the truth; seed, model hash and fingerprint are cross-checks. The file holds all that the
//! steps depend on, so it replays without the scenario file it came from.

pub mod directory;
mod read;
mod write;

use std::collections::BTreeMap;

use super::fingerprint::Fingerprint;
use super::given::Given;
use super::mishap::Clocks;
use super::model::{Model, Param};
use super::pace::Pace;
use super::property::Property;
use super::state::{Budgets, State};
use super::{Halves, Service, Setting, Step, System};
use crate::process::{Drawn, ParamValue, Params};

pub use read::parse;

/// Version of the file format that this program reads and writes.
pub const FORMAT: i64 = 1;

/// A schedule and what it was found with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Version of the program that wrote it.
    pub tool: String,
    /// The engine that found it.
    pub engine: String,
    /// Seed of the engine, for those that have one.
    pub seed: Option<u64>,
    /// Name of the check or load it was found in.
    pub scenario: String,
    /// The property that it breaks, and how, if it breaks one.
    pub violation: Option<(String, String)>,
    /// Hash over the setting and the operations met on the way.
    pub model_hash: String,
    /// Fingerprint of the last state.
    pub fingerprint: String,
    /// Whether the effect and the arrival of an outcome are steps of their own.
    pub halves: Halves,
    /// All that the steps depend on.
    pub setting: SettingText,
    /// The same execution as the engine itself writes it. The file then has this instead of the names of the steps.
    pub native: Option<String>,
    /// The steps.
    pub steps: Vec<Line>,
}

/// One step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Virtual microseconds, where the engine kept time.
    pub at_us: Option<u64>,
    /// The step's name.
    pub text: String,
    /// Label of the operation in the service's documentation, or empty.
    pub label: String,
}

/// A setting by names, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingText {
    /// Name of the model.
    pub model: String,
    /// Parameters by name: lower and upper end.
    pub params: BTreeMap<String, ParamValue>,
    /// Resources of the service.
    pub service: Service,
    /// Journey of each client, by name.
    pub journeys: Vec<String>,
    /// Rounds of each client; `None` for as long as the engine begins new ones.
    pub rounds: Option<u32>,
    /// How often each background job may begin, by name.
    pub jobs: BTreeMap<String, u32>,
    /// What has happened before.
    pub given: Vec<Given>,
    /// Replicas of the Redis node.
    pub replicas: u8,
    /// Which clocks run ahead.
    pub clocks: Clocks,
    /// How slow anything may be.
    pub pace: Pace,
    /// Properties that are judged beside those that always are.
    pub properties: Vec<String>,
    /// Faults that may happen.
    pub budgets: Budgets,
    /// Representatives of draws.
    pub draws: BTreeMap<String, Vec<Drawn>>,
}

impl SettingText {
    /// The setting by names.
    #[must_use]
    pub fn of(setting: &Setting) -> Self {
        let journey = |index: &u16| setting.model.journeys[usize::from(*index)].name.to_owned();
        Self {
            model: setting.model.name.to_owned(),
            params: setting.params.iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            service: setting.service,
            journeys: setting.journeys.iter().map(journey).collect(),
            rounds: setting.rounds,
            jobs: {
                let named = setting.model.jobs.iter().zip(&setting.jobs).filter(|(_, runs)| **runs > 0);
                named.map(|(job, runs)| (job.name.to_owned(), *runs)).collect()
            },
            given: setting.given.clone(),
            replicas: setting.replicas,
            clocks: setting.clocks.clone(),
            pace: setting.pace,
            properties: {
                let asked_for = setting.properties.iter().filter(|property| !property.is_default);
                asked_for.map(|property| property.name.to_owned()).collect()
            },
            budgets: setting.budgets,
            draws: setting.draws.clone(),
        }
    }

    /// The setting for a model of this name, with all its properties.
    ///
    /// # Errors
    /// In words, when the model does not declare what the file names, or not with such a value.
    pub fn resolve(&self, model: &'static Model) -> Result<Setting, String> {
        let journey = |name: &String| {
            let index = model.journeys.iter().position(|journey| journey.name == name);
            let index = index.and_then(|index| u16::try_from(index).ok());
            index.ok_or_else(|| format!("model `{}` has no journey `{name}`", model.name))
        };
        let admits = |name: &str, value: ParamValue| {
            model.params.iter().find(|param| param.name == name).is_some_and(|param| param.admits(value))
        };
        if let Some((name, _)) = self.params.iter().find(|(name, value)| !admits(name, **value)) {
            return Err(format!("model `{}` has no parameter `{name}` that can have this value", model.name));
        }
        if let Some(name) = self.draws.keys().find(|name| model.draws.iter().all(|draw| draw != name)) {
            return Err(format!("model `{}` has no draw `{name}`", model.name));
        }
        let job = |(name, runs): (&String, &u32)| {
            let index = model.jobs.iter().position(|job| job.name == name);
            let index = index.ok_or_else(|| format!("model `{}` has no job `{name}`", model.name))?;
            Ok((index, *runs))
        };
        let clients = self.journeys.len();
        let is_there = |given: &&Given| {
            given.client().is_none_or(|client| usize::from(client.client) <= clients)
                && given.job().is_none_or(|name| model.jobs.iter().any(|job| job.name == name))
        };
        if let Some(given) = self.given.iter().find(|given| !is_there(given)) {
            return Err(format!("`{given}` is given, and there is no such client or job"));
        }
        let listed = self.jobs.iter().map(job).collect::<Result<Vec<_>, String>>()?;
        let value = |param: &Param| self.params.get(param.name).copied().unwrap_or(param.default);
        let params = model.params.iter().map(|param| (param.name, value(param)));
        Ok(Setting {
            model,
            params: Params::new(params),
            service: self.service,
            journeys: self.journeys.iter().map(journey).collect::<Result<_, _>>()?,
            rounds: self.rounds,
            jobs: super::setting::jobs(model, &listed),
            given: self.given.clone(),
            replicas: self.replicas,
            clocks: self.clocks.clone(),
            pace: self.pace,
            budgets: self.budgets,
            draws: self.draws.clone(),
            properties: {
                let is_judged = |property: &Property| {
                    property.is_default || self.properties.iter().any(|name| name == property.name)
                };
                model.all_properties().into_iter().filter(is_judged).collect()
            },
        })
    }
}

impl Schedule {
    /// Hash over an execution as its engine writes it, and over all that it depends on: what was damaged is not handed
    /// to the engine, which would not expect it.
    fn native_hash(&self) -> String {
        let hash = Fingerprint::of(&(&self.engine, &self.native, self.setting.to_string()));
        hash.to_string()[..16].to_owned()
    }

    /// The setting for a model of the schedule's name.
    ///
    /// # Errors
    /// In words, when the model does not declare what the file names.
    pub fn resolve(&self, model: &'static Model) -> Result<Setting, String> {
        let setting = self.setting.resolve(model)?;
        match &self.violation {
            Some((property, _)) if setting.properties.iter().all(|it| it.name != property) => {
                Err(format!("model `{}` has no property `{property}`", model.name))
            }
            _ => Ok(setting),
        }
    }
}

/// Builds a schedule while an engine fires steps.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    lines: Vec<Line>,
}

impl Recorder {
    /// Notes a step that is about to be fired. `with_time` says whether the engine keeps time.
    pub fn note(&mut self, system: &System, step: &Step, with_time: bool) {
        let at_us = with_time.then(|| system.now_us());
        self.lines.push(Line { at_us, text: system.name(step), label: system.label(step).to_owned() });
    }

    /// The schedule up to the state that `system` is in now.
    #[must_use]
    pub fn finish(
        self,
        system: &System,
        engine: &str,
        seed: Option<u64>,
        scenario: &str,
        violation: Option<(String, String)>,
    ) -> Schedule {
        Schedule {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            engine: engine.to_owned(),
            seed,
            scenario: scenario.to_owned(),
            violation,
            model_hash: model_hash(system.setting(), &self.lines),
            fingerprint: fingerprint(system, &self.lines).to_string(),
            halves: system.halves(),
            setting: SettingText::of(system.setting()),
            native: None,
            steps: self.lines,
        }
    }
}

/// The state after the last step, at the time of that step: what an engine waited for afterwards is no part of it.
fn fingerprint(system: &System, steps: &[Line]) -> Fingerprint {
    match steps.last().and_then(|line| line.at_us) {
        Some(at_us) if at_us != system.now_us() => Fingerprint::of(&State { now_us: at_us, ..system.state().clone() }),
        _ => Fingerprint::of(system.state()),
    }
}

/// Hash over the setting and the operations met on the way, not over source text: a model that was only tidied up
/// keeps its hash.
#[must_use]
pub fn model_hash(setting: &Setting, steps: &[Line]) -> String {
    let params = setting.params.iter().map(|(name, value)| (name, value.low, value.high)).collect::<Vec<_>>();
    let service = (setting.service.instances, setting.service.workers, setting.service.connections);
    // Settings that have nothing of this keep the hash that they had before there was any.
    let is_plain = setting.given.is_empty()
        && setting.jobs.is_empty()
        && setting.replicas == 0
        && setting.clocks.agree()
        && setting.pace == Pace::default();
    let past = (!is_plain).then(|| {
        let given = setting.given.iter().map(ToString::to_string).collect::<Vec<_>>();
        (given, &setting.jobs, setting.replicas, &setting.clocks, setting.pace)
    });
    let setting = (setting.model.name, params, service, &setting.journeys, setting.rounds, setting.budgets);
    let steps = steps.iter().map(|line| (line.text.as_str(), line.label.as_str())).collect::<Vec<_>>();
    let hash =
        past.map_or_else(|| Fingerprint::of(&(&setting, &steps)), |past| Fingerprint::of(&(&setting, past, &steps)));
    hash.to_string()[..16].to_owned()
}

/// The steps of an execution with fused halves, from its first state, as a schedule.
///
/// # Errors
/// As [`System::new`] and [`System::fire`].
pub fn of_steps(
    setting: &std::rc::Rc<Setting>,
    steps: &[Step],
    engine: &str,
    scenario: &str,
    violation: Option<(String, String)>,
) -> Result<Schedule, super::ModelError> {
    let mut system = System::new(std::rc::Rc::clone(setting), Halves::Fused, true)?;
    let mut recorder = Recorder::default();
    for step in steps {
        recorder.note(&system, step, false);
        system.fire(step)?;
    }
    Ok(recorder.finish(&system, engine, None, scenario, violation))
}
