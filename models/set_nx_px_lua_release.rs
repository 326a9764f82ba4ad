//! SET NX PX with an owner token, released by a script that compares and deletes: the lock that redis.io documents
//! for one instance ("Distributed locks with Redis").
//!
//! Claimed: exclusion while the lock is valid, and no later owner ever loses its lock to an earlier one. Expected:
//! exactly that, so a pause, a restart or an eviction in the critical section still lets two customers buy a seat.

use super::common::{self, LOCK_TTL, SEATS, holds_for_ttl, pick_seat, release_own, seat_key, sell, set_nx_px};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "set_nx_px_lua_release",
    "Seat lock by SET NX PX, released by a script that compares the owner and deletes.",
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
        release_own(&mut ctx, &key, &token).await;
    }
    Flow::Again
}
