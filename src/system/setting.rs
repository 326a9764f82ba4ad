//! What engines explore: from a scenario's check, or from a model and the names of its journeys.

use std::collections::BTreeMap;

use crate::process::{Drawn, Params};

use super::mishap::Clocks;
use super::model::{Model, ParamValue};
use super::pace::Pace;
use super::scenario::{Check, Draw, Scenario};
use super::state::Budgets;
use super::{Service, Setting};

/// Most replicas of a node; every one multiplies the states.
pub const REPLICAS_MAX: u8 = 5;

/// The setting of a check: its clients, parameters, faults and bounds.
///
/// # Panics
/// When the check was not made for this model; the loader makes sure that it was.
#[must_use]
pub fn of_check(scenario: &Scenario, check: &Check, model: &'static Model) -> Setting {
    let properties = model.all_properties().into_iter();
    Setting {
        model,
        params: params(model, &check.params),
        service: service(check.service.unwrap_or(scenario.service)),
        journeys: journeys(&check.journeys),
        rounds: Some(check.bounds.rounds),
        jobs: jobs(model, &check.jobs),
        given: check.given.iter().map(|(given, _)| given.clone()).collect(),
        replicas: check.replicas,
        clocks: check.clocks.clone(),
        pace: check.bounds.pace,
        budgets: check.budgets,
        properties: properties.filter(|property| check.properties.iter().any(|name| name == property.name)).collect(),
        draws: draws(&check.draws),
    }
}

/// The setting at the size that schedulers sample; the check's own when it names no other.
///
/// # Panics
/// As [`of_check`].
#[must_use]
pub fn of_sample(scenario: &Scenario, check: &Check, model: &'static Model) -> Setting {
    let setting = of_check(scenario, check, model);
    let Some(sample) = &check.sample else { return setting };
    Setting {
        params: params(model, &sample.params),
        journeys: journeys(&sample.journeys),
        rounds: Some(sample.rounds),
        budgets: sample.budgets,
        draws: draws(&sample.draws),
        ..setting
    }
}

impl Setting {
    /// A setting for a model's own tests: these clients, one round each, nothing goes wrong, every property must hold.
    /// Change the fields that should be otherwise: `Setting { budgets, ..Setting::of(&MINE, &["buy", "buy"]) }`.
    ///
    /// # Panics
    /// When the model has no journey of such a name.
    #[must_use]
    pub fn of(model: &'static Model, journeys: &[&str]) -> Self {
        let journey = |name: &&str| {
            let index = model.journeys.iter().position(|journey| journey.name == *name);
            let index = index.unwrap_or_else(|| panic!("model `{}` has no journey `{name}`", model.name));
            u16::try_from(index).expect("a model has fewer than 65,536 journeys")
        };
        Self {
            model,
            params: Params::new(model.params.iter().map(|param| (param.name, param.default))),
            // What a Spring Boot service has unless it is configured: threads of Tomcat, connections of Hikari.
            service: Service { instances: 1, workers: 200, connections: 10 },
            journeys: journeys.iter().map(journey).collect(),
            rounds: Some(1),
            budgets: Budgets::default(),
            properties: model.all_properties().into_iter().filter(|property| property.is_default).collect(),
            jobs: Vec::new(),
            given: Vec::new(),
            replicas: 0,
            clocks: Clocks::default(),
            pace: Pace::default(),
            draws: BTreeMap::new(),
        }
    }
}

fn params(model: &Model, values: &[ParamValue]) -> Params {
    Params::new(model.params.iter().map(|param| param.name).zip(values.iter().copied()))
}

fn journeys(indices: &[usize]) -> Vec<u16> {
    indices.iter().map(|index| u16::try_from(*index).expect("a model has fewer than 65,536 journeys")).collect()
}

/// Runs by the model's order of its jobs, from those that are listed; none where no job may begin.
#[must_use]
pub fn jobs(model: &Model, listed: &[(usize, u32)]) -> Vec<u32> {
    let runs = |index| listed.iter().find(|(job, _)| *job == index).map_or(0, |(_, runs)| *runs);
    let all = (0..model.jobs.len()).map(runs).collect::<Vec<_>>();
    if all.iter().all(|runs| *runs == 0) { Vec::new() } else { all }
}

fn draws(draws: &[Draw]) -> BTreeMap<String, Vec<Drawn>> {
    let values = |draw: &Draw| draw.values.iter().map(|drawn| drawn.as_slice().into()).collect();
    draws.iter().map(|draw| (draw.name.clone(), values(draw))).collect()
}

/// The service's resources as the scenario gives them.
#[must_use]
pub fn service(given: super::scenario::Service) -> Service {
    let super::scenario::Service { instances, workers, connections } = given;
    Service { instances, workers, connections }
}
