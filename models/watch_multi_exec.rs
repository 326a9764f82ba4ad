//! WATCH, GET, and MULTI/SET/EXEC on the client's own connection; released in the same way with DEL.
//!
//! A command that is repeated because its reply was lost is repeated on the same connection: a second MULTI and a
//! second EXEC are errors, which the client reads as "not acquired" and cleans up with DISCARD.
//!
//! Claimed: optimistic exclusion. Expected: as good as one script, and no better: EXEC says who won, and nothing says
//! that the lock is still there. Watches belong to a connection; on a shared one they guard nothing
//! (taoensso/carmine issue 92, redis/node-redis issue 1322), and without MULTI they do nothing (redis-py issue 1031).

use super::common::{self, LOCK_TTL, SEATS, holds_for_ttl, pick_seat, seat_key, sell, send, ttl_ms};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};
use crate::world::argv::ByteString;
use crate::world::reply::Reply;

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "watch_multi_exec",
    "Seat lock by WATCH, GET, MULTI, SET PX and EXEC, released in the same way by DEL.",
    &[SEATS, LOCK_TTL],
    &[Journey { name: "contend", about: "Lock a seat, sell it, unlock it.", run: |ctx| Box::pin(contend(ctx)) }],
);

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if !is_watched_value(&mut ctx, &key, &Reply::Nil).await {
        return Flow::Again;
    }
    ctx.label("A2");
    let ttl = ttl_ms(&ctx);
    let asked_at = ctx.now().await;
    if transact(&mut ctx, &[b"SET", key.as_bytes(), &token, b"PX", ttl.as_bytes()]).await {
        holds_for_ttl(&mut ctx, &seats, asked_at);
        sell(&mut ctx, &seats).await;
        ctx.label("R1");
        if is_watched_value(&mut ctx, &key, &Reply::Bulk(ByteString::new(&token))).await {
            ctx.label("R2");
            // A release that fails is left to the TTL.
            let _ = transact(&mut ctx, &[b"DEL", key.as_bytes()]).await;
        }
    }
    Flow::Again
}

/// Watches the key and says whether it has this value; stops watching if not.
async fn is_watched_value(ctx: &mut Ctx, key: &ByteString, wanted: &Reply) -> bool {
    let is_watched = send(ctx, &[b"WATCH", key.as_bytes()]).await == Ok(Reply::OK);
    let is_wanted = is_watched && send(ctx, &[b"GET", key.as_bytes()]).await.as_ref() == Ok(wanted);
    if !is_wanted {
        // Nothing follows that a forgotten watch could disturb: the next round watches anew.
        let _ = send(ctx, &[b"UNWATCH"]).await;
    }
    is_wanted
}

/// MULTI, the command, EXEC: true if EXEC answers with the command's result, and not with nil or an error.
async fn transact(ctx: &mut Ctx, command: &[&[u8]]) -> bool {
    let is_queued =
        send(ctx, &[b"MULTI"]).await == Ok(Reply::OK) && send(ctx, command).await == Ok(Reply::Status("QUEUED".into()));
    if is_queued {
        match send(ctx, &[b"EXEC"]).await {
            Ok(Reply::Array(_)) => return true,
            Ok(Reply::Nil | Reply::NilArray) => return false,
            _ => {}
        }
    }
    // An error if EXEC did run; the connection is clean in either case.
    let _ = send(ctx, &[b"DISCARD"]).await;
    false
}
