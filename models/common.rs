//! What the models of single lock protocols share. Clients speak to Redis and to the database themselves: a client
//! picks seats, acquires a lock by the protocol, sells the seats to a customer, releases the lock, and begins anew.
//!
//! - The customer may walk away without buying. Without that a protocol that loses a lock would look better than it
//!   is: the first sale of a seat would close it for ever.
//! - Selling reads whether a seat is booked and then books it; nothing in the database guards the step between.
//! - A client holds a seat, for the properties, from the reply that told it so until it gives the seat up, which it
//!   does before it sends the release. Its hold ends by its own knowledge of the TTL, counted from before the command
//!   was sent: no later than the key, and if no TTL was set, never. It does not look at its clock again.
//! - A driver that gets no reply sends the same bytes once more and then gives up, which a client reads as refusal.

use std::collections::BTreeSet;

use crate::process::{Ctx, Drawn, Instant, Lost, Mark};
use crate::system::model::{Journey, Model, Param, ParamKind, ParamValue, SeatMap};
use crate::system::property::{Property, no_seat_is_stuck, no_seat_is_stuck_for_ever, one_booking_per_seat};
use crate::system::state::State;
use crate::world::argv::ByteString;
use crate::world::reply::Reply;
use crate::world::sql::{SqlError, SqlStore};
use crate::world::value::Value;

pub(super) const SEATS: Param = Param {
    name: "seats",
    about: "Seats on sale.",
    kind: ParamKind::Count { min: 1, max: 100_000 },
    default: ParamValue::one(100),
};
pub(super) const SEATS_PER_REQUEST: Param = Param {
    name: "seats_per_request",
    about: "How many different seats a client asks for at once.",
    kind: ParamKind::Count { min: 1, max: 10 },
    default: ParamValue::one(2),
};
pub(super) const LOCK_TTL: Param = Param {
    name: "lock_ttl",
    about: "Lifetime of a lock in Redis.",
    kind: ParamKind::Ttl,
    default: ParamValue::one(30_000_000),
};

/// A model of this protocol with the table of bookings and nothing that guards it.
pub(super) const fn protocol(
    name: &'static str,
    about: &'static str,
    params: &'static [Param],
    journeys: &'static [Journey],
) -> Model {
    Model {
        name,
        about,
        params,
        schema: "CREATE TABLE bookings (id bigserial PRIMARY KEY, seat_id bigint NOT NULL);",
        rows: |_| Vec::new(),
        setup: None,
        journeys,
        handlers: &[],
        children: &[],
        jobs: &[],
        seats: SeatMap { key: seat_key, sold, probe: Some(journeys[0].name), ..SeatMap::NONE },
        metrics: &[],
        attempts: None,
        conflicts: &[],
        checks: &[],
        request_names: &[],
        draws: &["seats", "buys"],
        properties: &PROPERTIES,
    }
}

const PROPERTIES: [Property; 3] = [one_booking_per_seat(two_bookings), no_seat_is_stuck(), no_seat_is_stuck_for_ever()];

/// In words, the first seat that occurs twice among the seats of live bookings.
pub(super) fn booked_twice<'a>(seats: impl Iterator<Item = &'a Value>) -> Option<String> {
    let seats = seats.collect::<Vec<_>>();
    let mut sorted = seats.clone();
    sorted.sort_unstable();
    // Most often there is none, and whoever explores asks after every booking.
    sorted.windows(2).find(|pair| pair[0] == pair[1])?;
    let mut seen = BTreeSet::new();
    let seat = seats.into_iter().find(|seat| !seen.insert(*seat))?;
    Some(format!("seat {seat} stands in two committed bookings that are both alive"))
}

fn sold(sql: &SqlStore, seat: i64) -> bool {
    sql.committed_rows("bookings").any(|booking| booking[1] == Value::Int(seat))
}

fn two_bookings(state: &State) -> Option<String> {
    booked_twice(state.world.sql.committed_rows("bookings").map(|booking| &booking[1]))
}

pub(super) fn seat_key(seat: i64) -> ByteString {
    ByteString::from(format!("lock:seat:{seat}").as_str())
}

/// The seat that the customer wants.
pub(super) async fn pick_seat(ctx: &mut Ctx) -> Drawn {
    pick(ctx, 1).await
}

/// The seats that the customer wants, in the order in which they are asked for.
pub(super) async fn pick_seats(ctx: &mut Ctx) -> Drawn {
    let count = ctx.params().get(SEATS_PER_REQUEST.name);
    pick(ctx, count).await
}

async fn pick(ctx: &mut Ctx, count: i64) -> Drawn {
    let of = ctx.params().get(SEATS.name);
    let whole = |number| u32::try_from(number).expect("the parameters' bounds are far below 2^32");
    ctx.draw_distinct("seats", whole(count.min(of)), whole(of)).await
}

/// The TTL as Redis takes it, in milliseconds.
pub(super) fn ttl_ms(ctx: &Ctx) -> String {
    (ctx.params().get(LOCK_TTL.name) / 1000).to_string()
}

/// `SET key token NX PX ttl`. If the answer is OK, the client's clock before the command was sent.
pub(super) async fn set_nx_px(ctx: &mut Ctx, key: &ByteString, token: &[u8]) -> Option<Instant> {
    let asked_at = ctx.now().await;
    let ttl = ttl_ms(ctx);
    let set: [&[u8]; 6] = [b"SET", key.as_bytes(), token, b"NX", b"PX", ttl.as_bytes()];
    (send(ctx, &set).await == Ok(Reply::OK)).then_some(asked_at)
}

/// Sends a Redis command as a driver does that hides broken connections: if no reply comes, the same bytes again.
pub(super) async fn send(ctx: &mut Ctx, words: &[&[u8]]) -> Result<Reply, Lost> {
    match ctx.redis(words).await {
        Err(Lost) => ctx.redis(words).await,
        reply => reply,
    }
}

/// The same for a script.
pub(super) async fn send_script(
    ctx: &mut Ctx,
    script: &'static str,
    keys: &[&[u8]],
    args: &[&[u8]],
) -> Result<Reply, Lost> {
    match ctx.eval(script, keys, args).await {
        Err(Lost) => ctx.eval(script, keys, args).await,
        reply => reply,
    }
}

/// Compare-and-delete: deletes the key if it still has this token.
pub(super) async fn release_own(ctx: &mut Ctx, key: &ByteString, token: &[u8]) {
    let script = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
    // A release that gets no answer twice is left to the TTL.
    let _ = send_script(ctx, script, &[key.as_bytes()], &[token]).await;
}

/// The client was told that it holds these seats, by a command with a TTL that it sent no earlier than `asked_at`.
pub(super) fn holds_for_ttl(ctx: &mut Ctx, seats: &Drawn, asked_at: Instant) {
    let ttl_us = u64::try_from(ctx.params().get(LOCK_TTL.name)).expect("durations are not negative");
    ctx.mark(Mark::Holds { seats: seats.clone(), until_us: asked_at.plus_us(ttl_us).0 });
}

/// The client was told that it holds these seats, by a lock without a TTL.
pub(super) fn holds_for_ever(ctx: &mut Ctx, seats: &Drawn) {
    ctx.mark(Mark::Holds { seats: seats.clone(), until_us: u64::MAX });
}

/// The critical section: the customer buys or walks away. Afterwards the client no longer counts on the seats.
pub(super) async fn sell(ctx: &mut Ctx, seats: &Drawn) {
    if buys(ctx).await && book(ctx, seats).await.is_err() && seats.len() > 1 {
        // The connection goes back to its pool clean, whatever this answers.
        let _ = ctx.sql("ROLLBACK", []).await;
    }
    ctx.mark(Mark::GivesUp { seats: seats.clone() });
}

/// The customer's decision.
pub(super) async fn buys(ctx: &mut Ctx) -> bool {
    ctx.draw_between("buys", ParamValue { low: 0, high: 1 }).await == 1
}

/// Reads whether a seat is booked, then books: one statement each, in a transaction if there are several seats.
async fn book(ctx: &mut Ctx, seats: &Drawn) -> Result<(), SqlError> {
    let is_transaction = seats.len() > 1;
    ctx.label("B1");
    if is_transaction {
        ctx.sql("BEGIN", []).await?;
    }
    let wanted = Value::ints(seats);
    let booked = ctx.sql("SELECT id FROM bookings WHERE seat_id = ANY($1)", [wanted]).await?;
    ctx.label("B2");
    if booked.rows.is_empty() {
        for seat in seats {
            ctx.sql("INSERT INTO bookings (seat_id) VALUES ($1)", [Value::Int(*seat)]).await?;
        }
    }
    if is_transaction {
        ctx.label("B3");
        ctx.sql("COMMIT", []).await?;
    }
    Ok(())
}
