//! SET NX PX, released by DEL without a look at the owner.
//!
//! Claimed: an atomic lock. Expected: an owner that comes late removes the next owner's key, and so does a DEL that
//! the driver repeats, with no expiry at all. Seen in the field: ShedLock issue 2583, CERT-Polska/Artemis pull
//! request 3110, nexspence issue 223.

use super::common::{self, LOCK_TTL, SEATS, holds_for_ttl, pick_seat, seat_key, sell, send, set_nx_px};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "set_nx_px_blind_del",
    "Seat lock by SET NX PX, released by DEL without a look at the owner.",
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
        // A release that gets no answer twice is left to the TTL.
        let _ = send(&mut ctx, &[b"DEL", key.as_bytes()]).await;
    }
    Flow::Again
}
