//! Several seats by one script: EXISTS on all keys, then SET PX on all; released by one script that compares each
//! owner and deletes.
//!
//! Claimed: all seats or none. Expected: true on one node; the locks fail as that of `set_nx_px_lua_release` does.
//! In a cluster all keys of a script need one slot, so one hash tag (node-redlock issue 64).

use super::common::{self, LOCK_TTL, SEATS, SEATS_PER_REQUEST};
use super::common::{holds_for_ttl, pick_seats, seat_key, sell, send_script, ttl_ms};
use crate::process::{Ctx, Flow};
use crate::system::model::{Journey, Model};
use crate::world::reply::Reply;

/// The catalogue entry.
pub const MODEL: Model = common::protocol(
    "multi_seat_lua",
    "Lock of several seats by one script, all or nothing, released by one script.",
    &[SEATS, SEATS_PER_REQUEST, LOCK_TTL],
    &[Journey { name: "contend", about: "Lock seats, sell them, unlock them.", run: |ctx| Box::pin(contend(ctx)) }],
);

const ACQUIRE: &str = "\
    for _, key in ipairs(KEYS) do if redis.call('EXISTS', key) == 1 then return 0 end end \
    for _, key in ipairs(KEYS) do redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end \
    return 1";
const RELEASE: &str = "\
    for _, key in ipairs(KEYS) do \
    if redis.call('GET', key) == ARGV[1] then redis.call('DEL', key) end \
    end";

async fn contend(mut ctx: Ctx) -> Flow {
    let seats = pick_seats(&mut ctx).await;
    let keys = seats.iter().map(|seat| seat_key(*seat)).collect::<Vec<_>>();
    let keys = keys.iter().map(|key| key.as_bytes()).collect::<Vec<_>>();
    let token = ctx.token();
    ctx.label("A1");
    let ttl = ttl_ms(&ctx);
    let asked_at = ctx.now().await;
    if send_script(&mut ctx, ACQUIRE, &keys, &[&token, ttl.as_bytes()]).await == Ok(Reply::Int(1)) {
        holds_for_ttl(&mut ctx, &seats, asked_at);
        sell(&mut ctx, &seats).await;
        ctx.label("R1");
        // A release that gets no answer twice is left to the TTL.
        let _ = send_script(&mut ctx, RELEASE, &keys, &[&token]).await;
    }
    Flow::Again
}
