//! MSETNX over all seats of a request, released by one DEL of all keys; no TTL.
//!
//! Claimed: all seats or none, and no clock that could be wrong. Expected: true, and nothing ever frees the seats of
//! a client that crashed; a repeated DEL frees the next owner's lock.

use super::common::{self, SEATS, SEATS_PER_REQUEST, holds_for_ever, pick_seats, seat_key, sell, send};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};
use crate::world::reply::Reply;

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "msetnx",
    "Lock of several seats by one MSETNX without a TTL, released by DEL of all keys.",
    &[SEATS, SEATS_PER_REQUEST],
    &[Journey { name: "contend", about: "Lock seats, sell them, unlock them.", run: |ctx| Box::pin(contend(ctx)) }],
);

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seats(&mut ctx).await;
    let keys = seats.iter().map(|seat| seat_key(*seat)).collect::<Vec<_>>();
    let token = ctx.token();
    ctx.label("A1");
    let mut acquire: Vec<&[u8]> = vec![b"MSETNX"];
    acquire.extend(keys.iter().flat_map(|key| [key.as_bytes(), &token]));
    if send(&mut ctx, &acquire).await == Ok(Reply::Int(1)) {
        holds_for_ever(&mut ctx, &seats);
        sell(&mut ctx, &seats).await;
        ctx.label("R1");
        let mut release: Vec<&[u8]> = vec![b"DEL"];
        release.extend(keys.iter().map(|key| key.as_bytes()));
        // A release that gets no answer twice is left to an operator: there is no TTL.
        let _ = send(&mut ctx, &release).await;
    }
    Flow::Again
}
