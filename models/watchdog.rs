//! SET NX PX with a watchdog: a child of the client renews the lock every third of its TTL for as long as the client is
//! at work, and is cancelled before the release. The way of Redisson's RLock, of ShedLock's keep-alive and of redlock's
//! `using`.
//!
//! Claimed: a lock lives as long as its client, however long that works. Expected: if nothing is paused for as long as
//! the TTL and renewals arrive. `renewal` says how the watchdog works:
//!
//! - 0: there is none.
//! - 1: a script that compares the owner; an error is no reason to stop.
//! - 2: the same, and the watchdog stops at the first error (Redisson issues 775 and 3194).
//! - 3: an unconditional SET (CERT-Polska/Artemis issue 3110). Cancelling the watchdog does not call back what it has
//!   sent, so the SET may come after the release and take the lock from its next owner.

use super::common::{
    self, LOCK_TTL, SEATS, holds_for_ever, pick_seat, release_own, seat_key, sell, send, send_script, set_nx_px, ttl_ms,
};
use crate::process::{Ctx, Flow, Lost, Request, Response};
use crate::system::model::{Handler, Journey, Model, Param, ParamKind, ParamValue};
use crate::world::argv::ByteString;
use crate::world::reply::Reply;
use crate::world::value::Value;

/// The catalogue entry.
pub const MODEL: Model = Model {
    children: &[Handler { route: WATCHDOG, run: |ctx, job| Box::pin(watch(ctx, job)) }],
    ..common::protocol(
        "watchdog",
        "Seat lock by SET NX PX that a watchdog renews until the release.",
        &[SEATS, LOCK_TTL, WORK, RENEWAL],
        &[
            Journey {
                name: "contend",
                about: "Lock a seat, let the customer think, sell the seat, unlock it.",
                run: |ctx| Box::pin(contend(ctx)),
            },
            Journey {
                name: "come_later",
                about: "The same, begun when a lock that is not renewed has died.",
                run: |ctx| Box::pin(come_later(ctx)),
            },
        ],
    )
};

const WATCHDOG: &str = "watchdog";
const WORK: Param = Param {
    name: "work",
    about: "How long the customer thinks under the lock.",
    kind: ParamKind::Duration,
    default: ParamValue::one(0),
};
const RENEWAL: Param = Param {
    name: "renewal",
    about: "How the watchdog renews: 0 never, 1 by a script, 2 by a script and not after an error, 3 by SET.",
    kind: ParamKind::Count { min: 0, max: 3 },
    default: ParamValue::one(1),
};
const NEVER: i64 = 0;
const UNTIL_ERROR: i64 = 2;
const BY_SET: i64 = 3;

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if set_nx_px(&mut ctx, &key, &token).await.is_some() {
        // The client trusts its watchdog, and so its hold has no end that it knows of.
        holds_for_ever(&mut ctx, &seats);
        let mut watchdog = None;
        if ctx.params().get(RENEWAL.name) != NEVER {
            ctx.label("W0");
            let job = Request::new(WATCHDOG, WATCHDOG, 0).with("key", Value::text(key.as_bytes()));
            let job = job.with("token", Value::text(&token));
            watchdog = Some(ctx.spawn(job).await);
        }
        let work_us = us(ctx.params().get(WORK.name));
        if work_us > 0 {
            ctx.sleep_us(work_us).await;
        }
        sell(&mut ctx, &seats).await;
        if let Some(watchdog) = watchdog {
            ctx.label("R0");
            ctx.cancel(watchdog).await;
        }
        ctx.label("R1");
        release_own(&mut ctx, &key, &token).await;
    }
    Flow::Again
}

async fn come_later(mut ctx: Ctx) -> Flow {
    let ttl_us = us(ctx.params().get(LOCK_TTL.name));
    // No multiple of the watchdog's period, so that the two do not meet.
    ctx.sleep_us(ttl_us + ttl_us / 6).await;
    contend(ctx).await
}

/// Renews the lock until it is somebody else's.
async fn watch(mut ctx: Ctx, job: Request) -> Response {
    let (key, token) = (bytes(job.get("key")), bytes(job.get("token")));
    let period_us = us(ctx.params().get(LOCK_TTL.name)) / 3;
    loop {
        ctx.sleep_us(period_us).await;
        ctx.label("W1");
        match renew(&mut ctx, &key, &token).await {
            Ok(true) => {}
            Err(Lost) if ctx.params().get(RENEWAL.name) != UNTIL_ERROR => {}
            Ok(false) => return Response::new(409, 0),
            Err(Lost) => return Response::new(503, 0),
        }
    }
}

/// True if the lock was renewed.
async fn renew(ctx: &mut Ctx, key: &ByteString, token: &ByteString) -> Result<bool, Lost> {
    let (key, token, ttl) = (key.as_bytes(), token.as_bytes(), ttl_ms(ctx));
    if ctx.params().get(RENEWAL.name) == BY_SET {
        return Ok(send(ctx, &[b"SET", key, token, b"PX", ttl.as_bytes()]).await? == Reply::OK);
    }
    let script = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end \
                  return 0";
    Ok(send_script(ctx, script, &[key], &[token, ttl.as_bytes()]).await? == Reply::Int(1))
}

fn bytes(value: &Value) -> ByteString {
    match value {
        Value::Text(text) => ByteString::from(&**text),
        other => panic!("a watchdog is told texts, not {other}"),
    }
}

fn us(duration: i64) -> u64 {
    u64::try_from(duration).expect("durations are not negative")
}
