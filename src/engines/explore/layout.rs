//! Where each part of a state stands in its packed vector. What cannot change within the setting's bounds has no place.

use serde::Serialize;

use crate::system::Setting;
use crate::system::property::Property;
use crate::system::state::{Budgets, State};
use crate::world::identity::ProcessId;

/// A part of a state.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) enum Place {
    /// A client with its handlers, and since when they could have gone on.
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
    /// Operations that nobody waits for.
    Late,
    /// When background jobs may begin; their processes are client 0's handlers.
    Jobs,
}

impl Place {
    /// The number of the client who stands here, if one does.
    pub(super) fn client(self) -> Option<u16> {
        match self {
            Self::Client(number) => Some(u16::try_from(number).expect("there are at most 65,535 clients")),
            _ => None,
        }
    }
}

/// Number of a place in the packed vector.
pub(super) type Position = usize;

/// The packed vector of a setting.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    /// What stands at each position; the clients come first.
    pub(super) places: Vec<Place>,
    /// True if clients call a service, or it has jobs.
    pub(super) has_handlers: bool,
    /// True if some fault that befalls a client can happen.
    pub(super) clients_need_budgets: bool,
    /// True if a service instance can crash, which touches every client that called it.
    pub(super) can_crash: bool,
    /// True if the passing of time waits for those who could go on.
    pub(super) has_pace: bool,
    /// True if each answer is compared with what was done for it.
    pub(super) judges_answers: bool,
    /// True if processes can start others, which end with them wherever they are.
    pub(super) has_children: bool,
    /// True if Redis nodes have replicas, which take in what was done in their own time.
    pub(super) has_replicas: bool,
    /// True if time is kept relative to the present, so that its passing touches everything.
    pub(super) is_relative: bool,
}

impl Layout {
    /// `state` is the initial one.
    pub(super) fn of(setting: &Setting, state: &State, is_relative: bool) -> Self {
        // Every field, so that a new one does not compile until it has a place. Since when processes could have gone
        // on is kept with their clients; who waits is read off the clients.
        let State {
            now_us: _,
            world: _,
            clients: _,
            jobs: _,
            instances: _,
            waiting: _,
            unreaped,
            late,
            ready_since: _,
            budgets: _,
        } = state;
        let budgets = &setting.budgets;
        let faults = budgets.faults().map(|(_, most)| most).sum();
        let has_jobs = !setting.model.jobs.is_empty();
        let has_children = !setting.model.children.is_empty();
        let first = usize::from(!has_jobs);
        let mut places = (first..=setting.journeys.len()).map(Place::Client).collect::<Vec<_>>();
        places.extend([Place::Redis(0), Place::Sql, Place::Ghost]);
        let instances =
            (0..setting.service.instances as usize).filter(|number| can_run_out(setting, state, *number, faults));
        places.extend(instances.map(Place::Instance));
        if faults > 0 || budgets.time_steps > 0 {
            places.push(Place::Budgets);
        }
        if budgets.time_steps > 0 {
            places.push(Place::Now);
        }
        // What a child that is cancelled has begun or sent is left behind.
        if budgets.crash > 0 || has_children || !unreaped.is_empty() {
            places.push(Place::Unreaped);
        }
        if budgets.late > 0 || has_children || !late.is_empty() {
            places.push(Place::Late);
        }
        if has_jobs {
            places.push(Place::Jobs);
        }
        let has_handlers = !setting.model.handlers.is_empty() || has_jobs;
        // The faults of nodes and the passing of time have groups of their own.
        let of_clients = Budgets { redis_restart: 0, failover: 0, evict: 0, clock_jump: 0, time_steps: 0, ..*budgets };
        Self {
            places,
            has_handlers,
            clients_need_budgets: of_clients != Budgets::default(),
            can_crash: budgets.crash > 0 && has_handlers,
            has_pace: !setting.pace.is_free(),
            judges_answers: setting.properties.iter().any(Property::needs_answers),
            has_children,
            has_replicas: setting.replicas > 0,
            is_relative,
        }
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
/// client has one request under way, and each fault can leave one more behind. How many children are started nobody
/// knows.
fn can_run_out(setting: &Setting, state: &State, instance: usize, faults: u32) -> bool {
    let service = &setting.service;
    let clients =
        state.clients.iter().enumerate().filter(|(number, _)| number % service.instances as usize == instance);
    // What a prologue has left at work, and the jobs, are handlers already.
    let most = clients.map(|(_, client)| 1 + client.handlers.len() as u64).sum::<u64>() + u64::from(faults);
    let is_few = setting.model.children.is_empty() && most <= u64::from(service.workers.min(service.connections));
    !setting.model.handlers.is_empty() && !is_few
}
