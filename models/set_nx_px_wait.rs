//! SET NX PX, then WAIT until so many replicas have it; if they are too few, the lock is undone and counts as refused.
//! Released by a script that compares the owner and deletes.
//!
//! Claimed: a lock that a replica has survives a failover. Expected: only if every replica that may be promoted has it,
//! and even then not if the failover comes between SET and WAIT: on a new connection WAIT waits for nothing, and its
//! answer is about nothing. `reads_back` closes that: a GET after WAIT, on whatever node answers it.

use super::common::{self, LOCK_TTL, SEATS, holds_for_ttl, pick_seat, release_own, seat_key, sell, send, set_nx_px};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model, Param, ParamKind, ParamValue};
use crate::world::argv::ByteString;
use crate::world::reply::Reply;

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "set_nx_px_wait",
    "Seat lock by SET NX PX and WAIT for replicas, undone if too few have it.",
    &[SEATS, LOCK_TTL, WAIT_FOR, READS_BACK],
    &[Journey { name: "contend", about: "Lock a seat, sell it, unlock it.", run: |ctx| Box::pin(contend(ctx)) }],
);

const WAIT_FOR: Param = Param {
    name: "wait_for",
    about: "How many replicas must have a lock.",
    kind: ParamKind::Count { min: 0, max: 5 },
    default: ParamValue::one(1),
};
const READS_BACK: Param = Param {
    name: "reads_back",
    about: "1: after WAIT the client reads whether the lock is still its own.",
    kind: ParamKind::Count { min: 0, max: 1 },
    default: ParamValue::one(0),
};

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if let Some(asked_at) = set_nx_px(&mut ctx, &key, &token).await {
        if is_safe(&mut ctx, &key, &token).await {
            holds_for_ttl(&mut ctx, &seats, asked_at);
            sell(&mut ctx, &seats).await;
        }
        ctx.label("R1");
        release_own(&mut ctx, &key, &token).await;
    }
    Flow::Again
}

/// True if enough replicas have the lock that was just set.
async fn is_safe(ctx: &mut Ctx, key: &ByteString, token: &[u8]) -> bool {
    let wanted = ctx.params().get(WAIT_FOR.name);
    ctx.label("A2");
    let replicas = send(ctx, &[b"WAIT", wanted.to_string().as_bytes(), b"1000"]).await;
    let is_acknowledged = matches!(replicas, Ok(Reply::Int(replicas)) if replicas >= wanted);
    if !is_acknowledged || ctx.params().get(READS_BACK.name) == 0 {
        return is_acknowledged;
    }
    ctx.label("A3");
    send(ctx, &[b"GET", key.as_bytes()]).await == Ok(Reply::Bulk(ByteString::new(token)))
}
