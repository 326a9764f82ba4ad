//! The properties that every model has, and those that a model has when it says how its tables show them.

use super::{Grade, Property, Reads, Rule, Subject};
use crate::system::state::State;
use crate::world::identity::ProcessId;

/// The properties of every model.
pub const GENERAL: [Property; 6] = [
    Property {
        name: "one-holder-per-seat",
        about: "Never do two clients hold one seat: told 201 for it, not given up, and not past the time they were \
                told.",
        reads: Reads::SharedSeats,
        subject: Subject::Hold,
        rule: Rule::Never(two_holders),
        is_default: true,
    },
    Property {
        name: "all-or-nothing",
        about: "A request for several seats ends with all of them locked for it, or with none.",
        reads: Reads::Ghost,
        subject: Subject::Request,
        rule: Rule::Never(|state| {
            let handler = state.world.ghost.split_requests.first()?;
            Some(format!("{handler} ended with other seats locked than it answered: all it was asked for, or none"))
        }),
        is_default: true,
    },
    Property {
        name: "release-own-only",
        about: "No command takes away a live lock that belongs to another client.",
        reads: Reads::Ghost,
        subject: Subject::Removal,
        rule: Rule::Never(|state| {
            let (process, key) = state.world.ghost.foreign_removals.first()?;
            Some(format!("{process} removed `{key}`, which was another client's live lock"))
        }),
        is_default: true,
    },
    Property {
        name: "no-server-error",
        about: "No request is answered with a status of 500 or above.",
        reads: Reads::Ghost,
        subject: Subject::Answer,
        rule: Rule::Never(|state| {
            let (process, status) = state.world.ghost.server_errors.first()?;
            Some(format!("{process} answered {status}"))
        }),
        is_default: true,
    },
    Property {
        name: "no-panic",
        about: "No code of the model panics.",
        reads: Reads::Ghost,
        subject: Subject::Always,
        rule: Rule::Never(|state| {
            let (process, message) = state.world.ghost.panics.first()?;
            Some(format!("{process} panicked: {message}"))
        }),
        is_default: true,
    },
    Property {
        name: "no-deadlock",
        about: "No two transactions wait for each other, so that the database has to fail one of them.",
        reads: Reads::Ghost,
        subject: Subject::Waiting,
        rule: Rule::Never(|state| {
            let process = state.world.ghost.deadlocked.first()?;
            Some(format!("{process} was failed by the database to end a deadlock"))
        }),
        is_default: true,
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

/// The property for which answers are compared with what was done, which is done for nothing else.
pub(in crate::system) const SUCCESS_IS_REPORTED: &str = "success-is-reported";

/// How a state breaks a property, in words.
type Breach = fn(&State) -> Option<String>;

/// There is no double booking, for the way in which a model keeps its bookings.
#[must_use]
pub const fn one_booking_per_seat(breach: Breach) -> Property {
    Property {
        name: "one-booking-per-seat",
        about: "At most one live booking (not cancelled, expired or refunded) is committed for a seat.",
        reads: Reads::Data,
        subject: Subject::Row(&["bookings"]),
        rule: Rule::Never(breach),
        is_default: true,
    }
}

/// A ticket is worth its seats, for the way in which a model keeps its bookings.
#[must_use]
pub const fn paid_means_seated(breach: Breach) -> Property {
    Property {
        name: "paid-means-seated",
        about: "A customer who was told that seats are paid for has them: its booking is committed and confirmed.",
        reads: Reads::Locks,
        subject: Subject::Ticket,
        rule: Rule::Never(breach),
        is_default: false,
    }
}

/// What the service did for a client it does not refuse to it, as far as a model's `done` tells.
#[must_use]
pub const fn success_is_reported() -> Property {
    Property {
        name: SUCCESS_IS_REPORTED,
        about: "No client is answered with an error about what the service has done for it and never told it.",
        reads: Reads::Ghost,
        subject: Subject::Answer,
        rule: Rule::Never(|state| {
            let (process, status) = state.world.ghost.unreported.first()?;
            Some(format!("{process} answered {status}, although what it was asked for is done and nobody was told"))
        }),
        is_default: false,
    }
}

/// A live hold is never taken away, for the way in which a model keeps its locks.
#[must_use]
pub const fn hold_is_honoured(breach: Breach) -> Property {
    Property {
        name: "hold-is-honoured",
        about: "As long as a client holds a seat (told so, not given up, not past the time it was told), the service \
                keeps the hold and something keeps others out.",
        reads: Reads::Locks,
        subject: Subject::Hold,
        rule: Rule::Never(breach),
        is_default: false,
    }
}

/// Some execution sells every seat, for the way in which a model keeps its bookings.
#[must_use]
pub const fn all_seats_can_be_sold(reached: Breach) -> Property {
    Property {
        name: "can-sell-out",
        about: "Some execution comes to a state in which every seat is sold.",
        reads: Reads::Data,
        subject: Subject::Always,
        rule: Rule::Reachable(reached),
        is_default: false,
    }
}

/// Nothing is left behind at all.
#[must_use]
pub const fn no_seat_is_stuck() -> Property {
    Property {
        name: "no-stuck-seat",
        about: "When all clients have ended, a seat that is not sold can be locked, as soon as jobs that are due have \
                run; not only after deadlines have passed.",
        reads: Reads::Rest,
        subject: Subject::Rest,
        rule: Rule::Drains(Grade::UntilDeadline),
        is_default: false,
    }
}

/// What is left behind goes away.
#[must_use]
pub const fn no_seat_is_stuck_for_ever() -> Property {
    Property {
        name: "no-seat-stuck-for-ever",
        about: "When all clients have ended, a seat that is not sold can be locked at the latest after every deadline \
                has passed and every job has run.",
        reads: Reads::Rest,
        subject: Subject::Rest,
        rule: Rule::Drains(Grade::ForEver),
        is_default: false,
    }
}
