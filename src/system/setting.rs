//! From a scenario's check to the setting that engines explore.

use crate::process::Params;

use super::model::Model;
use super::scenario::{Check, Scenario};
use super::state::Budgets;
use super::{Service, Setting};

/// The setting of a check: its clients, parameters, faults and bounds.
///
/// # Panics
/// When the check was not made for this model; the loader makes sure that it was.
#[must_use]
pub fn of_check(scenario: &Scenario, check: &Check, model: &'static Model) -> Setting {
    let properties = model.all_properties().into_iter();
    let journey = |index: &usize| u16::try_from(*index).expect("a model has fewer than 65,536 journeys");
    let faults = check.faults;
    let draws = check.draws.iter().map(|draw| {
        let values = draw.values.iter().map(|drawn| drawn.as_slice().into());
        (draw.name.clone(), values.collect())
    });
    Setting {
        model,
        params: Params::new(model.params.iter().map(|param| param.name).zip(check.params.iter().copied())),
        service: service(scenario),
        journeys: check.journeys.iter().map(journey).collect(),
        rounds: Some(check.bounds.rounds),
        budgets: Budgets {
            lose_request: faults.lose_request,
            lose_reply: faults.lose_reply,
            crash: faults.crash,
            redis_restart: faults.redis_restart,
            evict: faults.evict,
            // Without a bound, time may pass as often as there is something to wait for.
            time_steps: check.bounds.time_steps.unwrap_or(u32::MAX),
        },
        properties: properties.filter(|property| check.properties.iter().any(|name| name == property.name)).collect(),
        draws: draws.collect(),
    }
}

/// The service's resources as the scenario gives them.
#[must_use]
pub fn service(scenario: &Scenario) -> Service {
    Service {
        instances: scenario.service.instances,
        workers: scenario.service.workers,
        connections: scenario.service.connections,
    }
}
