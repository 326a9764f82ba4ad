//! What `moviebooking_fixed` does differently. Every change makes a statement say what it relies on, and can be left
//! out by its number (`without`), which shows that it is needed:
//!
//! 1. A lock is claimed once: confirm, release and clean-up set `active` to false where it is true, before they touch
//!    anything else, and look at the row count.
//! 2. A seat becomes LOCKED only where it is AVAILABLE, and clean-up and release free only what is LOCKED.
//! 3. Whoever changes a booking locks its row first and decides by what it finds there, not by what it once read.
//! 4. Redis is freed after the COMMIT, compare and delete in one script; also when a lock became a booking.
//! 5. A refund touches no seat, and one that the gateway refuses is noted instead of failing the transaction.
//! 6. Recalculation writes prices alone.
//! 7. A request that finds its work done by an earlier one says so; one active lock per owner and showtime, by index.
//! 8. The identity of a guest is never that of a user.

use smallvec::SmallVec;

use super::{SHOWTIME, int, seat_key};
use crate::process::{Ctx, Request, Response};
use crate::world::sql::{Row, SqlError};
use crate::world::value::Value;

/// The changes, by their numbers above.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    ClaimLocks = 1,
    GuardStatus,
    LockBookings,
    FreeRedisLast,
    RefundNoSeats,
    WritePricesAlone,
    RecogniseRepeats,
    SeparateIdentities,
}

/// True in the model of the mended service, unless the scenario leaves this change out.
pub(super) fn is_on(ctx: &Ctx, change: Change) -> bool {
    ctx.params().get("guarded") == 1 && ctx.params().get("without") != change as i64
}

/// Who asks. Without the guard a guest's session and a user's id are one kind of string.
pub(super) fn owner(ctx: &Ctx, request: &Request) -> Value {
    match (request.get("session"), request.get("as")) {
        (Value::Text(session), Value::Text(kind)) if is_on(ctx, Change::SeparateIdentities) => {
            Value::from(format!("{kind}:{session}").as_str())
        }
        (session, _) => session.clone(),
    }
}

/// The lock becomes inactive; false when somebody else has made it so.
pub(super) async fn claim(ctx: &mut Ctx, lock: &Row) -> Result<bool, SqlError> {
    let update = "UPDATE seat_locks SET active = false WHERE id = $1 AND active = true";
    Ok(ctx.sql(update, [lock[0].clone()]).await?.affected == 1)
}

/// Seats that are LOCKED become AVAILABLE.
pub(super) async fn unlock(ctx: &mut Ctx, ids: Value) -> Result<(), SqlError> {
    let update = "UPDATE showtime_seats SET status = 'AVAILABLE' WHERE id = ANY($1) AND status = 'LOCKED'";
    ctx.sql(update, [ids]).await?;
    Ok(())
}

/// Seats that are AVAILABLE become LOCKED; false when not all of them are.
pub(super) async fn lock(ctx: &mut Ctx, ids: Value, count: usize) -> Result<bool, SqlError> {
    let update = "UPDATE showtime_seats SET status = 'LOCKED' WHERE id = ANY($1) AND status = 'AVAILABLE'";
    Ok(ctx.sql(update, [ids]).await?.affected == count as u64)
}

/// Compare and delete in one script; errors are left to the TTL.
pub(super) async fn remove_own(ctx: &mut Ctx, seats: &[i64], token: &[u8]) {
    let script = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
    for seat in seats {
        let _ = ctx.eval(script, &[seat_key(*seat).as_bytes()], &[token]).await;
    }
}

/// The status of a booking, whose row this transaction has from here on.
pub(super) async fn booking_status(ctx: &mut Ctx, booking: &Value) -> Result<Value, SqlError> {
    let rows = ctx.sql("SELECT status FROM bookings WHERE id = $1 FOR UPDATE", [booking.clone()]).await?.rows;
    Ok(rows.first().map_or(Value::Null, |row| row[0].clone()))
}

/// True when all these seats are AVAILABLE; their rows belong to this transaction from here on.
pub(super) async fn are_available(ctx: &mut Ctx, ids: Value) -> Result<bool, SqlError> {
    let rows = ctx.sql("SELECT status FROM showtime_seats WHERE id = ANY($1) FOR UPDATE", [ids]).await?.rows;
    Ok(rows.iter().all(|row| row[0] == Value::from("AVAILABLE")))
}

/// The active lock that the owner has of exactly these seats, as LOCK answers it.
pub(super) async fn own_lock(ctx: &mut Ctx, owner: &Value, seats: &[i64]) -> Option<Response> {
    let active = "SELECT l.id, l.expires_at, s.showtime_seat_id FROM seat_locks l \
                  JOIN seat_lock_seats s ON s.seat_lock_id = l.id \
                  WHERE l.owner_id = $1 AND l.showtime_id = $2 AND l.active = true";
    let rows = ctx.sql(active, [owner.clone(), Value::Int(SHOWTIME)]).await.ok()?.rows;
    let locked = rows.iter().filter_map(|row| int(&row[2])).collect::<SmallVec<[i64; 4]>>();
    let is_same = locked.len() == seats.len() && seats.iter().all(|seat| locked.contains(seat));
    let lock = rows.first().filter(|_| is_same)?;
    let ids = Value::ints(seats);
    Some(Response::new(201, 490).with("lock", lock[0].clone()).with("seats", ids).with("expires_at", lock[1].clone()))
}

/// The live booking that a lock has become, as CONFIRM answers it.
pub(super) async fn own_booking(ctx: &mut Ctx, owner: &Value, lock: &Value) -> Option<Response> {
    let live = "SELECT b.id FROM bookings b JOIN seat_locks l ON l.id = b.lock_id \
                WHERE l.id = $1 AND l.owner_id = $2 AND b.status IN ('PENDING_PAYMENT', 'CONFIRMED')";
    let rows = ctx.sql(live, [lock.clone(), owner.clone()]).await.ok()?.rows;
    rows.first().map(|row| Response::new(200, 520).with("booking", row[0].clone()))
}

/// Which lock became this booking, for [`own_booking`].
pub(super) async fn note_lock(ctx: &mut Ctx, booking: &Value, lock: &Row) -> Result<(), SqlError> {
    ctx.sql("UPDATE bookings SET lock_id = $2 WHERE id = $1", [booking.clone(), lock[0].clone()]).await?;
    Ok(())
}
