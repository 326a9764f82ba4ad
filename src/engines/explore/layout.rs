//! Where each part of a state stands in its packed vector. What cannot change within the setting's bounds has no place.

use serde::Serialize;

use crate::system::Setting;
use crate::world::identity::ProcessId;

/// A part of a state.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) enum Place {
    /// A client with its handlers.
    Client(usize),
    /// A Redis node.
    Redis(usize),
    /// The database.
    Sql,
    /// Ghost state.
    Ghost,
    /// Worker threads and connections of a service instance, where they can run out.
    Instance(usize),
    /// What may still go wrong.
    Budgets,
    /// The clock.
    Now,
    /// Crashed processes whose sessions have not ended.
    Unreaped,
}

/// Number of a place in the packed vector.
pub(super) type Position = usize;

/// The packed vector of a setting.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// What stands at each position; the clients come first.
    pub(super) places: Vec<Place>,
    /// True if nothing that a client does by itself can be affected by what happens to a service instance.
    pub(super) is_crash_free: bool,
}

impl Layout {
    pub(super) fn of(setting: &Setting) -> Self {
        let budgets = &setting.budgets;
        let faults = budgets.entries().iter().filter(|(name, _)| *name != "time_steps").map(|(_, most)| *most).sum();
        let mut places = (1..=setting.journeys.len()).map(Place::Client).collect::<Vec<_>>();
        places.extend([Place::Redis(0), Place::Sql, Place::Ghost]);
        let instances = (0..setting.service.instances as usize).filter(|number| can_run_out(setting, *number, faults));
        places.extend(instances.map(Place::Instance));
        if faults > 0 || budgets.time_steps > 0 {
            places.push(Place::Budgets);
        }
        if budgets.time_steps > 0 {
            places.push(Place::Now);
        }
        if budgets.crash > 0 {
            places.push(Place::Unreaped);
        }
        Self { places, is_crash_free: budgets.crash == 0 || setting.model.handlers.is_empty() }
    }

    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    pub(super) fn find(&self, place: Place) -> Option<Position> {
        self.places.iter().position(|known| *known == place)
    }

    /// Where the client of this process stands.
    pub(super) fn client_of(&self, process: ProcessId) -> Option<Position> {
        self.find(Place::Client(usize::from(process.client)))
    }

    /// The positions of all clients, in the order of steps.
    pub(super) fn clients(&self) -> impl Iterator<Item = Position> {
        let is_client = |place: &Place| matches!(place, Place::Client(_));
        self.places.iter().enumerate().filter(move |(_, place)| is_client(place)).map(|(position, _)| position)
    }

    /// The positions of all Redis nodes.
    pub(super) fn nodes(&self) -> impl Iterator<Item = Position> {
        let is_node = |place: &Place| matches!(place, Place::Redis(_));
        self.places.iter().enumerate().filter(move |(_, place)| is_node(place)).map(|(position, _)| position)
    }
}

/// True if so many requests can be at work in this instance at once that a worker or a connection is waited for. Each
/// client has one request under way, and each fault can leave one more behind.
fn can_run_out(setting: &Setting, instance: usize, faults: u32) -> bool {
    let service = &setting.service;
    let clients = (1..=setting.journeys.len()).filter(|number| number % service.instances as usize == instance);
    let most = clients.count() as u64 + u64::from(faults);
    !setting.model.handlers.is_empty() && most > u64::from(service.workers.min(service.connections))
}
