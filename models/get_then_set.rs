//! GET, and if nobody is there, SET: two commands where the decision needs one.
//!
//! Claimed: "nobody else has it". Expected: two clients read nil before either writes, and both hold the seat.
//! Seen in the field: github.com/cameronmaske/celery-once/issues/7.

use super::common::{self, SEATS, holds_for_ever, pick_seat, seat_key, sell, send};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};
use crate::world::reply::Reply;

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "get_then_set",
    "Seat lock by GET, then SET if the key is absent, and DEL; no TTL.",
    &[SEATS],
    &[Journey { name: "contend", about: "Lock a seat, sell it, unlock it.", run: |ctx| Box::pin(contend(ctx)) }],
);

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if send(&mut ctx, &[b"GET", key.as_bytes()]).await != Ok(Reply::Nil) {
        return Flow::Again;
    }
    ctx.label("A2");
    if send(&mut ctx, &[b"SET", key.as_bytes(), &token]).await == Ok(Reply::OK) {
        holds_for_ever(&mut ctx, &seats);
        sell(&mut ctx, &seats).await;
        ctx.label("R1");
        // A release that gets no answer twice is left to an operator: there is no TTL.
        let _ = send(&mut ctx, &[b"DEL", key.as_bytes()]).await;
    }
    Flow::Again
}
