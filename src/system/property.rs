//! Properties: what must hold in every state.

use crate::world::identity::ProcessId;

use super::System;
use super::parts::Changes;
use super::state::State;

/// A predicate over committed data and ghost state.
#[derive(Copy, Clone, Debug)]
pub struct Property {
    /// Name on the command line and in scenario files.
    pub name: &'static str,
    /// Plain definition.
    pub about: &'static str,
    /// What it reads, so that it is judged whenever that changed.
    pub reads: Reads,
    /// How a state breaks it, in words; `None` where it holds.
    pub breach: fn(&State) -> Option<String>,
}

/// What a property reads. The passing of time alone never breaks one: a hold can only end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Ghost state.
    Ghost,
    /// Of ghost state who holds a seat that another holds too: a seat with one holder is nobody's loss, so what others
    /// are told of other seats changes nothing.
    SharedSeats,
    /// Committed rows.
    Data,
}

/// The properties of every model.
pub const GENERAL: [Property; 4] = [
    Property {
        name: "one-holder-per-seat",
        about: "Never do two clients hold one seat: told 201 for it, not given up, and not past the time they were \
                told.",
        reads: Reads::SharedSeats,
        breach: two_holders,
    },
    Property {
        name: "all-or-nothing",
        about: "A request for several seats ends with all of them locked for it, or with none.",
        reads: Reads::Ghost,
        breach: |state| {
            let handler = state.world.ghost.split_requests.first()?;
            Some(format!("{handler} ended with other seats locked than it answered: all it was asked for, or none"))
        },
    },
    Property {
        name: "release-own-only",
        about: "No command takes away a live lock that belongs to another client.",
        reads: Reads::Ghost,
        breach: |state| {
            let (process, key) = state.world.ghost.foreign_removals.first()?;
            Some(format!("{process} removed `{key}`, which was another client's live lock"))
        },
    },
    Property {
        name: "no-server-error",
        about: "No request is answered with a status of 500 or above.",
        reads: Reads::Ghost,
        breach: |state| {
            let (process, status) = state.world.ghost.server_errors.first()?;
            Some(format!("{process} answered {status}"))
        },
    },
];

fn two_holders(state: &State) -> Option<String> {
    state.world.ghost.holders.iter().filter(|(_, holders)| holders.len() > 1).find_map(|(seat, holders)| {
        let mut entitled = holders.iter().filter(|(_, until_us)| **until_us > state.now_us);
        let (first, second) = (entitled.next()?.0, entitled.next()?.0);
        let (first, second) = (ProcessId::client(*first), ProcessId::client(*second));
        Some(format!("{first} and {second} were both told that they hold seat {seat}, and neither gave it up"))
    })
}

/// A property that does not hold, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property's name.
    pub property: &'static str,
    /// What is wrong in this state.
    pub reason: String,
}

/// What changed since the properties were last judged.
#[derive(Copy, Clone, Debug)]
pub(super) struct Judgement(pub(super) Changes);

impl Default for Judgement {
    /// Nothing has been judged yet.
    fn default() -> Self {
        Self(Changes { ghost: true, shared_seats: true, data: true, touched_ghost: true })
    }
}

impl Judgement {
    #[inline]
    pub(super) fn is_due(self) -> bool {
        self.0.must_be_judged()
    }

    pub(super) fn ghost_changed(&mut self) {
        self.0.ghost = true;
        self.0.touched_ghost = true;
    }

    /// Somebody was told to hold a seat that another holds too.
    pub(super) fn seat_shared(&mut self) {
        self.0.shared_seats = true;
    }

    /// Ghost state was changed in a way that breaks no property.
    pub(super) fn ghost_touched(&mut self) {
        self.0.touched_ghost = true;
    }

    pub(super) fn data_changed(&mut self) {
        self.0.data = true;
    }
}

impl System {
    /// Judges the properties of which something changed since the last call; those broken, in their order.
    #[inline]
    pub fn judge(&mut self) -> Vec<Violation> {
        let changes = self.judgement.0;
        if changes.must_be_judged() { self.judge_changed(changes) } else { Vec::new() }
    }

    fn judge_changed(&mut self, changes: Changes) -> Vec<Violation> {
        self.judgement.0 = Changes::default();
        let due = self.setting.properties.iter().filter(|property| match property.reads {
            Reads::Ghost => changes.ghost,
            Reads::SharedSeats => changes.shared_seats,
            Reads::Data => changes.data,
        });
        let broken = due.filter_map(|property| {
            let reason = (property.breach)(&self.state)?;
            Some(Violation { property: property.name, reason })
        });
        broken.collect()
    }
}
