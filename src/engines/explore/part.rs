//! The parts of a state, each content interned once: content to number and back.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;
use serde::Serialize;

use super::layout::Place;
use crate::system::fingerprint::Fingerprint;
use crate::system::jobs::JobClock;
use crate::system::mishap::LateOp;
use crate::system::state::{Budgets, Client, Instance, State};
use crate::world::ghost::Ghost;
use crate::world::identity::ProcessId;
use crate::world::redis::Redis;
use crate::world::sql::SqlStore;

/// What stands at one place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// With the processes that could have gone on when time last passed, and since when, in microseconds.
    Client(Client, Vec<(ProcessId, u64)>),
    Redis(Redis),
    Sql(SqlStore),
    Ghost(Ghost),
    Instance(Instance),
    Budgets(Budgets),
    Now(u64),
    Unreaped(BTreeSet<ProcessId>),
    Late(Vec<LateOp>),
    Jobs(Vec<JobClock>),
}

impl Part {
    /// A copy of what stands there.
    fn copy(state: &State, place: Place) -> Self {
        match place {
            Place::Client(number) => {
                Self::Client(state.clients[number].clone(), ready_of(&state.ready_since, number).collect())
            }
            Place::Redis(number) => Self::Redis(state.world.redis[number].clone()),
            Place::Sql => Self::Sql(state.world.sql.clone()),
            Place::Ghost => Self::Ghost(state.world.ghost.clone()),
            Place::Instance(number) => Self::Instance(state.instances[number].clone()),
            Place::Budgets => Self::Budgets(state.budgets),
            Place::Now => Self::Now(state.now_us),
            Place::Unreaped => Self::Unreaped(state.unreaped.clone()),
            Place::Late => Self::Late(state.late.clone()),
            Place::Jobs => Self::Jobs(state.jobs.clone()),
        }
    }

    /// True if this is what stands there.
    pub(super) fn is_at(&self, state: &State, place: Place) -> bool {
        match (self, place) {
            (Self::Client(part, ready), Place::Client(number)) => {
                *part == state.clients[number] && ready_of(&state.ready_since, number).eq(ready.iter().copied())
            }
            (Self::Redis(part), Place::Redis(number)) => *part == state.world.redis[number],
            (Self::Sql(part), Place::Sql) => *part == state.world.sql,
            (Self::Ghost(part), Place::Ghost) => *part == state.world.ghost,
            (Self::Instance(part), Place::Instance(number)) => *part == state.instances[number],
            (Self::Budgets(part), Place::Budgets) => *part == state.budgets,
            (Self::Now(part), Place::Now) => *part == state.now_us,
            (Self::Unreaped(part), Place::Unreaped) => *part == state.unreaped,
            (Self::Late(part), Place::Late) => *part == state.late,
            (Self::Jobs(part), Place::Jobs) => *part == state.jobs,
            _ => false,
        }
    }

    /// Puts a copy there.
    pub(super) fn put(&self, state: &mut State, place: Place) {
        match (self, place) {
            (Self::Client(part, ready), Place::Client(number)) => {
                state.clients[number] = part.clone();
                state.ready_since.retain(|process, _| usize::from(process.client) != number);
                state.ready_since.extend(ready.iter().copied());
            }
            (Self::Redis(part), Place::Redis(number)) => state.world.redis[number] = part.clone(),
            (Self::Sql(part), Place::Sql) => state.world.sql = part.clone(),
            (Self::Ghost(part), Place::Ghost) => state.world.ghost = part.clone(),
            (Self::Instance(part), Place::Instance(number)) => state.instances[number] = part.clone(),
            (Self::Budgets(part), Place::Budgets) => state.budgets = *part,
            (Self::Now(part), Place::Now) => state.now_us = *part,
            (Self::Unreaped(part), Place::Unreaped) => state.unreaped = part.clone(),
            (Self::Late(part), Place::Late) => state.late.clone_from(part),
            (Self::Jobs(part), Place::Jobs) => state.jobs.clone_from(part),
            (part, place) => unreachable!("{part:?} does not stand at {place:?}"),
        }
    }
}

/// Since when a client's processes could have gone on.
fn ready_of(ready_since: &BTreeMap<ProcessId, u64>, number: usize) -> impl Iterator<Item = (ProcessId, u64)> {
    let own = ready_since.iter().filter(move |(process, _)| usize::from(process.client) == number);
    own.map(|(process, since_us)| (*process, *since_us))
}

/// The fingerprint of what stands at a place.
fn fingerprint(state: &State, place: Place) -> Fingerprint {
    fn of(place: Place, part: &impl Serialize) -> Fingerprint {
        Fingerprint::of(&(place, part))
    }
    match place {
        Place::Client(number) => {
            of(place, &(&state.clients[number], ready_of(&state.ready_since, number).collect::<Vec<_>>()))
        }
        Place::Redis(number) => of(place, &state.world.redis[number]),
        Place::Sql => of(place, &state.world.sql),
        Place::Ghost => of(place, &state.world.ghost),
        Place::Instance(number) => of(place, &state.instances[number]),
        Place::Budgets => of(place, &state.budgets),
        Place::Now => of(place, &state.now_us),
        Place::Unreaped => of(place, &state.unreaped),
        Place::Late => of(place, &state.late),
        Place::Jobs => of(place, &state.jobs),
    }
}

/// Number of a part among those met at its place.
pub(super) type PartId = u32;

/// The parts met at one place, numbered in the order in which they were met.
#[derive(Debug)]
pub(super) struct Interner {
    place: Place,
    /// Look-up only.
    ids: FxHashMap<u128, PartId>,
    parts: Vec<Part>,
    weights: Vec<u64>,
}

impl Interner {
    pub(super) fn new(place: Place) -> Self {
        Self { place, ids: FxHashMap::default(), parts: Vec::new(), weights: Vec::new() }
    }

    /// The number of what stands at this place.
    ///
    /// # Panics
    /// When two different parts share a fingerprint of 128 bits.
    pub(super) fn intern(&mut self, state: &State) -> PartId {
        let fingerprint = fingerprint(state, self.place).0;
        if let Some(id) = self.ids.get(&fingerprint) {
            assert!(self.parts[*id as usize].is_at(state, self.place), "two parts of a state share 128 bits of hash");
            return *id;
        }
        let id = PartId::try_from(self.parts.len()).expect("memory ends before 2^32 parts");
        self.ids.insert(fingerprint, id);
        self.parts.push(Part::copy(state, self.place));
        let bytes = fingerprint.to_le_bytes();
        let half = |from: usize| u64::from_le_bytes(std::array::from_fn(|at| bytes[from + at]));
        self.weights.push(half(0) ^ half(8).rotate_left(32));
        id
    }

    pub(super) fn part(&self, id: PartId) -> &Part {
        &self.parts[id as usize]
    }

    pub(super) fn len(&self) -> usize {
        self.parts.len()
    }

    /// What this part adds to the fingerprint of a state: a hash of its content and its place.
    pub(super) fn weight(&self, id: PartId) -> u64 {
        self.weights[id as usize]
    }
}
