//! Several seats by one SET NX PX each, in the order of the request; if one is refused, those acquired so far are
//! released, each by compare-and-delete.
//!
//! The rollback leaves the refused key alone: it must not touch what it did not set.
//!
//! Claimed: all seats or none. Expected: true without faults, but two clients with opposite orders may both fail, a
//! crash leaves a part, and each lock fails as that of `set_nx_px_lua_release` does. Seen in the field: the service
//! of the model `moviebooking`.

use super::common::{self, LOCK_TTL, SEATS, SEATS_PER_REQUEST};
use super::common::{holds_for_ttl, pick_seats, release_own, seat_key, sell, set_nx_px};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "multi_seat_rollback",
    "Lock of several seats by one SET NX PX each, rolled back by owner if one is refused.",
    &[SEATS, SEATS_PER_REQUEST, LOCK_TTL],
    &[Journey { name: "contend", about: "Lock seats, sell them, unlock them.", run: |ctx| Box::pin(contend(ctx)) }],
);

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seats(&mut ctx).await;
    let token = ctx.token();
    let mut keys = Vec::new();
    let mut first_asked_at = None;
    ctx.label("A1");
    for seat in &seats {
        let key = seat_key(*seat);
        let Some(asked_at) = set_nx_px(&mut ctx, &key, &token).await else { break };
        // The first key is the first to die.
        first_asked_at.get_or_insert(asked_at);
        keys.push(key);
    }
    if let Some(asked_at) = first_asked_at.filter(|_| keys.len() == seats.len()) {
        holds_for_ttl(&mut ctx, &seats, asked_at);
        sell(&mut ctx, &seats).await;
    }
    ctx.label("R1");
    for key in &keys {
        release_own(&mut ctx, key, &token).await;
    }
    Flow::Again
}
