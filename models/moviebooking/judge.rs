//! What must hold of the booking service's own tables.

use std::collections::BTreeSet;

use super::super::common::booked_twice;
use super::confirm::CONFIRM;
use super::payment::PAYPAL;
use super::{LOCK, seat_key};
use crate::process::Request;
use crate::process::token::Token;
use crate::system::property::{
    Property, Reads, Rule, Subject, all_seats_can_be_sold, hold_is_honoured, no_seat_is_stuck,
    no_seat_is_stuck_for_ever, one_booking_per_seat, paid_means_seated, success_is_reported,
};
use crate::system::state::State;
use crate::world::sql::SqlStore;
use crate::world::value::{Serial, Value};

pub(super) const PROPERTIES: [Property; 10] = [
    one_booking_per_seat(double_booked_seat),
    hold_is_honoured(lost_hold),
    paid_means_seated(ticket_without_seat),
    success_is_reported(),
    no_seat_is_stuck(),
    no_seat_is_stuck_for_ever(),
    all_seats_can_be_sold(sold_out),
    Property {
        name: "one-lock-per-seat",
        about: "At most one committed lock of a seat is active.",
        reads: Reads::Data,
        subject: Subject::Row(&["seat_locks"]),
        rule: Rule::NoRow(
            "SELECT s.showtime_seat_id FROM seat_lock_seats s JOIN seat_locks l ON l.id = s.seat_lock_id \
             WHERE l.active = true GROUP BY s.showtime_seat_id HAVING COUNT(*) > 1",
        ),
        is_default: false,
    },
    Property {
        name: "expired-lock-is-over",
        about: "A lock that has expired keeps nobody out: no seat is LOCKED without a lock that is active and alive.",
        reads: Reads::Locks,
        subject: Subject::Row(&["seat_locks"]),
        rule: Rule::Never(locked_in_vain),
        is_default: false,
    },
    Property {
        name: "lock-has-its-key",
        about: "While nobody works for its client, an active lock that has not expired has its keys in Redis.",
        reads: Reads::Locks,
        subject: Subject::Row(&["seat_locks"]),
        rule: Rule::Never(lock_without_key),
        is_default: false,
    },
];

/// States of a booking that gives its seats back.
const DEAD: [&str; 3] = ["CANCELLED", "EXPIRED", "REFUNDED"];

/// The committed bookings that hold their seats: id, and status.
fn live_bookings(sql: &SqlStore) -> impl Iterator<Item = (&Value, &Value)> {
    let is_dead = |status: &Value| matches!(status, Value::Text(text) if DEAD.contains(&text.as_str()));
    let live = sql.committed_rows("bookings").filter(move |booking| !is_dead(&booking[3]));
    live.map(|booking| (&booking[0], &booking[3]))
}

/// In words, a seat that stands in two committed live bookings.
fn double_booked_seat(state: &State) -> Option<String> {
    let sql = &state.world.sql;
    let live = live_bookings(sql).map(|(id, _)| id).collect::<BTreeSet<_>>();
    let taken = sql.committed_rows("booking_seats").filter(|row| live.contains(&row[1]));
    booked_twice(taken.map(|row| &row[2]))
}

/// True when one of these bookings has the seat.
fn has_seat<'a>(sql: &SqlStore, mut bookings: impl Iterator<Item = &'a Value>, seat: i64) -> bool {
    bookings.any(|id| sql.committed_rows("booking_seats").any(|row| row[1] == *id && row[2] == Value::Int(seat)))
}

/// True when a handler of this client made the row: sequence values are named after who drew them.
fn is_made_for(id: &Value, client: u16) -> bool {
    matches!(id, Value::Serial(Serial { process, .. }) if process.client == client)
}

/// True when a live booking of the seat is committed.
pub(super) fn is_sold(sql: &SqlStore, seat: i64) -> bool {
    has_seat(sql, live_bookings(sql).map(|(id, _)| id), seat)
}

fn sold_out(state: &State) -> Option<String> {
    let sql = &state.world.sql;
    let mut seats = sql.committed_rows("showtime_seats").filter_map(|seat| super::int(&seat[0]));
    seats.all(|seat| is_sold(sql, seat)).then(|| "every seat is sold".to_owned())
}

/// In words, a client that holds a seat by its own knowledge while its lock is gone from the books, or nothing keeps
/// others out any more.
fn lost_hold(state: &State) -> Option<String> {
    let sql = &state.world.sql;
    for (seat, holders) in &state.world.ghost.holders {
        for (client, _) in holders.iter().filter(|(_, until_us)| **until_us > state.now_us) {
            let own = live_bookings(sql).map(|(id, _)| id).filter(|id| is_made_for(id, *client));
            if has_seat(sql, own, *seat) {
                continue;
            }
            let is_kept = active_locks(sql, *client).any(|lock| locks_seat(sql, lock, *seat));
            if !is_kept {
                return Some(format!("vu{client} holds seat {seat} by what it was told, but its lock is not active"));
            }
            if !is_kept_out(state, *client, *seat) {
                return Some(format!("vu{client} holds seat {seat}, but status and key let anybody else lock it"));
            }
        }
    }
    None
}

/// The active locks that were made for this client.
fn active_locks(sql: &SqlStore, client: u16) -> impl Iterator<Item = &[Value]> {
    let locks = sql.committed_rows("seat_locks");
    locks.filter(move |lock| lock[4] == Value::Bool(true) && is_made_for(&lock[0], client))
}

fn locks_seat(sql: &SqlStore, lock: &[Value], seat: i64) -> bool {
    sql.committed_rows("seat_lock_seats").any(|row| row[1] == lock[0] && row[2] == Value::Int(seat))
}

/// True when the status of the seat, or the client's key, refuses the seat to others.
fn is_kept_out(state: &State, client: u16, seat: i64) -> bool {
    let mut seats = state.world.sql.committed_rows("showtime_seats");
    let is_available = seats.any(|row| row[0] == Value::Int(seat) && row[2] == Value::from("AVAILABLE"));
    let key = state.world.redis[0].live_value(seat_key(seat).as_bytes(), state.now_us);
    let owner = key.and_then(|token| Token::parse(token.as_bytes())).map(|token| token.process.client);
    !is_available || owner == Some(client)
}

/// True when the lock is active and its time is not up.
fn is_alive(lock: &[Value], now_us: u64) -> bool {
    let ends_later =
        matches!(lock[5], Value::Timestamp(end_us) if u64::try_from(end_us).is_ok_and(|end| end >= now_us));
    lock[4] == Value::Bool(true) && ends_later
}

/// In words, a seat that is LOCKED for nobody.
fn locked_in_vain(state: &State) -> Option<String> {
    let sql = &state.world.sql;
    let is_locked = |seat: &&[Value]| seat[2] == Value::from("LOCKED");
    let seats = sql.committed_rows("showtime_seats").filter(is_locked).filter_map(|seat| super::int(&seat[0]));
    let is_in_vain = |seat: &i64| {
        let mut locks = sql.committed_rows("seat_locks").filter(|lock| is_alive(lock, state.now_us));
        !locks.any(|lock| locks_seat(sql, lock, *seat))
    };
    let seat = seats.into_iter().find(is_in_vain)?;
    Some(format!("seat {seat} is LOCKED, and its lock has expired"))
}

/// In words, a live lock of which Redis knows nothing, although no request of its client is at work.
fn lock_without_key(state: &State) -> Option<String> {
    let sql = &state.world.sql;
    let alive = sql.committed_rows("seat_locks").filter(|lock| is_alive(lock, state.now_us));
    alive.filter(|lock| is_left_alone(state, lock)).find_map(|lock| {
        let seats = sql.committed_rows("seat_lock_seats").filter(|row| row[1] == lock[0]);
        let mut keyless = seats.filter_map(|row| super::int(&row[2])).filter(|seat| {
            let key = state.world.redis[0].live_value(seat_key(*seat).as_bytes(), state.now_us);
            !matches!((key, &lock[1]), (Some(token), Value::Text(own)) if token.as_bytes() == own.as_bytes())
        });
        let seat = keyless.next()?;
        Some(format!("the lock of seat {seat} is active, and its key is not in Redis"))
    })
}

/// True when no request of the client that the lock was made for is at work.
fn is_left_alone(state: &State, lock: &[Value]) -> bool {
    let Value::Serial(Serial { process, .. }) = &lock[0] else { return false };
    state.clients[usize::from(process.client)].handlers.is_empty()
}

/// In words, a customer with a ticket for a seat that no confirmed booking of its gives it.
fn ticket_without_seat(state: &State) -> Option<String> {
    let sql = &state.world.sql;
    let tickets = state.world.ghost.tickets.iter();
    let mut tickets = tickets.flat_map(|(seat, clients)| clients.iter().map(move |client| (*seat, *client)));
    let (seat, client) = tickets.find(|(seat, client)| {
        let confirmed =
            live_bookings(sql).filter(|(id, status)| is_made_for(id, *client) && **status == Value::from("CONFIRMED"));
        !has_seat(sql, confirmed.map(|(id, _)| id), *seat)
    })?;
    Some(format!("vu{client} was told that seat {seat} is paid for, but has no confirmed booking of it"))
}

/// Whether the client has what it asks for and was never told.
pub(super) fn is_done_unheard(state: &State, request: &Request, client: u16) -> bool {
    let sql = &state.world.sql;
    let ghost = &state.world.ghost;
    match request.route {
        LOCK => request.ints("seats").iter().all(|seat| {
            let is_told = ghost.holders.get(seat).is_some_and(|holders| holders.contains_key(&client));
            !is_told && active_locks(sql, client).any(|lock| locks_seat(sql, lock, *seat))
        }),
        CONFIRM => live_bookings(sql).any(|(id, _)| is_made_for(id, client)),
        PAYPAL => {
            let is_told = ghost.tickets.values().any(|clients| clients.contains(&client));
            let mut payments = sql.committed_rows("payments");
            !is_told && payments.any(|row| is_made_for(&row[0], client) && row[3] == Value::from("SUCCESS"))
        }
        _ => false,
    }
}
