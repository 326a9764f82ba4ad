//! SETNX, then EXPIRE: the lock of before Redis 2.6.12 knew `SET NX PX`, and of many tutorials.
//!
//! - The answer of EXPIRE is ignored, as such code does.
//! - A repeated SETNX finds its own key, reads it as somebody else's, and EXPIRE is never sent.
//! - DEL looks at no owner.
//!
//! Claimed: the lock frees itself. Expected: not after a crash between the two commands, and a late or repeated DEL
//! frees the next owner's lock. Seen in the field: redis-py issues 554, 818 and 902, laravel/horizon issue 1738,
//! ShedLock issue 65; the pages of SETNX and SET on redis.io.

use super::common::{self, LOCK_TTL, SEATS, holds_for_ttl, pick_seat, seat_key, sell, send, ttl_ms};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};
use crate::world::reply::Reply;

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "setnx_expire",
    "Seat lock by SETNX and EXPIRE, two commands, and DEL without a look at the owner.",
    &[SEATS, LOCK_TTL],
    &[Journey { name: "contend", about: "Lock a seat, sell it, unlock it.", run: |ctx| Box::pin(contend(ctx)) }],
);

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if send(&mut ctx, &[b"SETNX", key.as_bytes(), &token]).await != Ok(Reply::Int(1)) {
        return Flow::Again;
    }
    ctx.label("A2");
    let asked_at = ctx.now().await;
    let ttl = ttl_ms(&ctx);
    if send(&mut ctx, &[b"PEXPIRE", key.as_bytes(), ttl.as_bytes()]).await.is_ok() {
        holds_for_ttl(&mut ctx, &seats, asked_at);
        sell(&mut ctx, &seats).await;
    }
    ctx.label("R1");
    // A release that gets no answer twice is left to the TTL.
    let _ = send(&mut ctx, &[b"DEL", key.as_bytes()]).await;
    Flow::Again
}
