//! SET NX PX, released by GET, a comparison in the client, and DEL.
//!
//! Claimed: only the owner deletes. Expected: a pause between GET and DEL, or a driver that repeats DEL, removes the
//! next owner's key. Seen in the field: SuperteamDAO/earn pull request 1478, redis-py issue 1031, and the service
//! of the model `moviebooking`.

use super::common::{self, LOCK_TTL, SEATS, holds_for_ttl, pick_seat, seat_key, sell, send, set_nx_px};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};
use crate::world::reply::Reply;

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "set_nx_px_get_del",
    "Seat lock by SET NX PX, released by GET, a comparison in the client, and DEL.",
    &[SEATS, LOCK_TTL],
    &[Journey { name: "contend", about: "Lock a seat, sell it, unlock it.", run: |ctx| Box::pin(contend(ctx)) }],
);

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if let Some(asked_at) = set_nx_px(&mut ctx, &key, &token).await {
        holds_for_ttl(&mut ctx, &seats, asked_at);
        sell(&mut ctx, &seats).await;
        ctx.label("R1");
        let value = send(&mut ctx, &[b"GET", key.as_bytes()]).await;
        if matches!(value, Ok(Reply::Bulk(owner)) if owner.as_bytes() == token) {
            ctx.label("R2");
            // A release that gets no answer twice is left to the TTL.
            let _ = send(&mut ctx, &[b"DEL", key.as_bytes()]).await;
        }
    }
    Flow::Again
}
