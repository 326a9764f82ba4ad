//! What happens without a customer: the two clean-up jobs, and the administrator's price recalculation.

use super::guard::Change;
use super::payment::{seats_of, write_booking};
use super::release::deactivate;
use super::{Refused, SHOWTIME, end_transaction, guard};
use crate::process::{Ctx, Flow, Request, Response};
use crate::system::model::Job;
use crate::world::sql::{Row, SqlError};
use crate::world::value::Value;

pub(super) const RECALCULATE: &str = "POST /showtime-seats/recalculate-prices";
const EVERY_MINUTE_US: u64 = 60_000_000;

pub(super) const JOBS: [Job; 2] = [
    Job {
        name: "lock-cleanup",
        about: "Every minute: expired locks become inactive and their seats AVAILABLE.",
        period_us: EVERY_MINUTE_US,
        run: |ctx| Box::pin(clean_locks(ctx)),
    },
    Job {
        name: "payment-cleanup",
        about: "Every minute: bookings not paid in time become EXPIRED and their seats AVAILABLE.",
        period_us: EVERY_MINUTE_US,
        run: |ctx| Box::pin(clean_bookings(ctx)),
    },
];

async fn clean_locks(mut ctx: Ctx) -> Flow {
    ctx.label("K1");
    if ctx.sql("BEGIN", []).await.is_ok() {
        let result = clean_locks_in_transaction(&mut ctx).await;
        end_transaction(&mut ctx, result.map(|()| Response::new(200, 0)).map_err(Refused::from)).await;
    }
    Flow::Again
}

/// One transaction for all expired locks; their seats are loaded one by one and written back whole.
async fn clean_locks_in_transaction(ctx: &mut Ctx) -> Result<(), SqlError> {
    let now = ctx.now().await;
    let expired = "SELECT id, lock_key, owner_id, showtime_id, active, expires_at FROM seat_locks \
                   WHERE active = true AND expires_at < $1";
    let locks = ctx.sql(expired, [Value::from(now)]).await?.rows;
    if guard::is_on(ctx, Change::ClaimLocks) {
        return free_claimed(ctx, &locks).await;
    }
    ctx.label("K2");
    let mut seats = Vec::new();
    for lock in &locks {
        let of_lock = "SELECT s.id, s.showtime_id, s.status, s.price FROM seat_lock_seats l \
                       JOIN showtime_seats s ON s.id = l.showtime_seat_id WHERE l.seat_lock_id = $1";
        seats.extend(ctx.sql(of_lock, [lock[0].clone()]).await?.rows);
    }
    ctx.label("K3");
    for lock in &locks {
        deactivate(ctx, lock).await?;
    }
    if guard::is_on(ctx, Change::GuardStatus) {
        return guard::unlock(ctx, Value::List(seats.iter().map(|seat| seat[0].clone()).collect())).await;
    }
    // An entity whose status was AVAILABLE already is not dirty.
    for seat in seats.iter().filter(|seat| seat[2] != Value::from("AVAILABLE")) {
        write_seat(ctx, seat, Value::from("AVAILABLE"), seat[3].clone()).await?;
    }
    Ok(())
}

/// Frees the seats of the locks that nobody else has claimed.
async fn free_claimed(ctx: &mut Ctx, locks: &[Row]) -> Result<(), SqlError> {
    ctx.label("K3");
    for lock in locks {
        if guard::claim(ctx, lock).await? {
            let of_lock = "SELECT showtime_seat_id FROM seat_lock_seats WHERE seat_lock_id = $1";
            let seats = ctx.sql(of_lock, [lock[0].clone()]).await?.rows;
            let ids = Value::List(seats.iter().map(|seat| seat[0].clone()).collect());
            if guard::is_on(ctx, Change::GuardStatus) {
                guard::unlock(ctx, ids).await?;
            } else {
                ctx.sql("UPDATE showtime_seats SET status = 'AVAILABLE' WHERE id = ANY($1)", [ids]).await?;
            }
        }
    }
    Ok(())
}

async fn clean_bookings(mut ctx: Ctx) -> Flow {
    ctx.label("T1");
    if ctx.sql("BEGIN", []).await.is_ok() {
        let result = clean_bookings_in_transaction(&mut ctx).await;
        end_transaction(&mut ctx, result.map(|()| Response::new(200, 0)).map_err(Refused::from)).await;
    }
    Flow::Again
}

async fn clean_bookings_in_transaction(ctx: &mut Ctx) -> Result<(), SqlError> {
    let now = ctx.now().await;
    let unpaid = "SELECT id, user_id, showtime_id, status, payment_expires_at FROM bookings \
                  WHERE status = 'PENDING_PAYMENT' AND payment_expires_at < $1";
    let bookings = ctx.sql(unpaid, [Value::from(now)]).await?.rows;
    let mut expired = Vec::new();
    for booking in bookings {
        let is_locked = guard::is_on(ctx, Change::LockBookings);
        if is_locked && guard::booking_status(ctx, &booking[0]).await? != Value::from("PENDING_PAYMENT") {
            continue;
        }
        let seats = seats_of(ctx, &booking[0]).await?;
        ctx.label("T2");
        let ids = Value::List(seats.iter().map(|seat| seat[0].clone()).collect());
        ctx.sql("UPDATE showtime_seats SET status = 'AVAILABLE' WHERE id = ANY($1)", [ids]).await?;
        expired.push(booking);
    }
    ctx.label("T3");
    for booking in &expired {
        write_booking(ctx, booking, "EXPIRED").await?;
    }
    Ok(())
}

/// ADMIN: every seat of the showtime is loaded, priced anew and written back whole, its old status included.
pub(super) async fn recalculate(mut ctx: Ctx, _: Request) -> Response {
    ctx.label("Q1");
    if ctx.sql("BEGIN", []).await.is_err() {
        return Response::new(500, 280);
    }
    let result = recalculate_in_transaction(&mut ctx).await;
    end_transaction(&mut ctx, result.map(|()| Response::new(200, 240)).map_err(Refused::from)).await
}

async fn recalculate_in_transaction(ctx: &mut Ctx) -> Result<(), SqlError> {
    let of_showtime = "SELECT id, showtime_id, status, price FROM showtime_seats WHERE showtime_id = $1";
    let seats = ctx.sql(of_showtime, [Value::Int(SHOWTIME)]).await?.rows;
    ctx.label("Q2");
    for seat in &seats {
        if guard::is_on(ctx, Change::WritePricesAlone) {
            let update = "UPDATE showtime_seats SET price = $2 WHERE id = $1";
            ctx.sql(update, [seat[0].clone(), Value::from("serialised anew")]).await?;
            continue;
        }
        // The stored jsonb text differs from what is serialised anew, so every row is dirty on every run.
        write_seat(ctx, seat, seat[2].clone(), Value::from("serialised anew")).await?;
    }
    Ok(())
}

/// Hibernate's write-back of a seat: all columns, by id.
async fn write_seat(ctx: &mut Ctx, seat: &Row, status: Value, price: Value) -> Result<(), SqlError> {
    let update = "UPDATE showtime_seats SET showtime_id = $2, status = $3, price = $4 WHERE id = $1";
    ctx.sql(update, [seat[0].clone(), seat[1].clone(), status, price]).await?;
    Ok(())
}
