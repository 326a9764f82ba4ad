//! A unique index as the last gate, behind the weakest lock of the catalogue (SET NX PX and a blind DEL).
//!
//! Claimed: whatever happens to the lock, a seat is sold once. Expected: true in every column; the lock only spares
//! most of the losers the trip to the database. Advised in enzoftware/hotelyn issue 231 and armandofox/audience1st
//! pull request 184. A customer whose INSERT went through and whose answer got lost meets its own row when it tries
//! again; answers of the database cannot be lost in a model yet.

use super::common::{self, LOCK_TTL, SEATS, buys, holds_for_ttl, pick_seat, seat_key, send, set_nx_px};
use crate::process::{Ctx, Flow, Mark};
use crate::system::model::{Journey, Model};
use crate::world::value::Value;

/// The catalogue entry.
pub const MODEL: Model = Model {
    schema: "CREATE TABLE bookings (id bigserial PRIMARY KEY, seat_id bigint NOT NULL UNIQUE);",
    ..common::protocol(
        "unique_index",
        "Bookings with a unique index on the seat, behind SET NX PX and a blind DEL.",
        &[SEATS, LOCK_TTL],
        &[Journey { name: "contend", about: "Lock a seat, sell it, unlock it.", run: |ctx| Box::pin(contend(ctx)) }],
    )
};

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if let Some(asked_at) = set_nx_px(&mut ctx, &key, &token).await {
        holds_for_ttl(&mut ctx, &seats, asked_at);
        if buys(&mut ctx).await {
            ctx.label("B1");
            // A duplicate key (23505) is the gate at work: the customer is told that the seat is sold.
            let _ = ctx.sql("INSERT INTO bookings (seat_id) VALUES ($1)", [Value::Int(seats[0])]).await;
        }
        ctx.mark(Mark::GivesUp { seats });
        ctx.label("R1");
        // A release that gets no answer twice is left to the TTL.
        let _ = send(&mut ctx, &[b"DEL", key.as_bytes()]).await;
    }
    Flow::Again
}
