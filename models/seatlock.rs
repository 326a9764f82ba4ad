//! The model on which model checkers are compared: N contenders, S seats, at most T locks that expire too early.
//!
//! A contender wants one seat, once: SET NX; read whether the seat is booked; book it; compare and delete. An expiry is
//! the fault `evict`, which drops a live lock. In `fenced` the database books a seat only if it is not booked, in
//! `unfenced` always.
//!
//! Expected: `fenced` never books a seat twice; `unfenced` does as soon as one lock expires, and not without.

use super::common::{self, SEATS, booked_twice, pick_seat, release_own, seat_key, send};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};
use crate::system::property::{Property, Subject, one_booking_per_seat};
use crate::world::reply::Reply;
use crate::world::value::Value;

/// The catalogue entry.
pub const MODEL: Model = Model {
    schema: "
CREATE TABLE fenced_bookings (seat_id bigint PRIMARY KEY, owner text NOT NULL);
CREATE TABLE bookings (owner text PRIMARY KEY, seat_id bigint NOT NULL);
",
    draws: &["seats"],
    properties: &PROPERTIES,
    ..common::protocol(
        "seatlock",
        "The benchmark of model checkers: one seat each, SET NX, read, book, compare-and-delete.",
        &[SEATS],
        &[
            Journey {
                name: "fenced",
                about: "Lock, read, book unless it is booked, unlock.",
                run: |ctx| Box::pin(fenced(ctx)),
            },
            Journey { name: "unfenced", about: "Lock, read, book, unlock.", run: |ctx| Box::pin(unfenced(ctx)) },
        ],
    )
};

const PROPERTIES: [Property; 1] = [Property {
    subject: Subject::Row(&["fenced_bookings", "bookings"]),
    ..one_booking_per_seat(|state| {
        let tables = [("fenced_bookings", 0), ("bookings", 1)];
        let bookings = tables
            .iter()
            .flat_map(|(table, seat)| state.world.sql.committed_rows(table).map(|booking| &booking[*seat]));
        booked_twice(bookings)
    })
}];

async fn fenced(ctx: Ctx) -> Flow {
    let book = "INSERT INTO fenced_bookings (seat_id, owner) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    contend(ctx, "SELECT seat_id FROM fenced_bookings WHERE seat_id = $1", book).await
}

async fn unfenced(ctx: Ctx) -> Flow {
    let book = "INSERT INTO bookings (seat_id, owner) VALUES ($1, $2)";
    contend(ctx, "SELECT seat_id FROM bookings WHERE seat_id = $1", book).await
}

async fn contend(mut ctx: Ctx, booked: &'static str, book: &'static str) -> Flow {
    let seat = pick_seat(&mut ctx).await[0];
    let key = seat_key(seat);
    let token = ctx.token();
    ctx.label("A1");
    if send(&mut ctx, &[b"SET", key.as_bytes(), &token, b"NX"]).await != Ok(Reply::OK) {
        return Flow::Done;
    }
    ctx.label("B1");
    let is_free = ctx.sql(booked, [Value::Int(seat)]).await.is_ok_and(|booked| booked.rows.is_empty());
    if is_free {
        ctx.label("B2");
        let owner = Value::text(&token);
        // Nobody is told how it went: what counts is what stands in the database.
        let _ = ctx.sql(book, [Value::Int(seat), owner]).await;
    }
    ctx.label("R1");
    release_own(&mut ctx, &key, &token).await;
    Flow::Done
}
