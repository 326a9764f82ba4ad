//! CONFIRM: a lock becomes a booking. Reads neither Redis nor the seat status.

use std::collections::BTreeSet;

use smallvec::SmallVec;

use super::super::common::booked_twice;
use super::{Refused, SHOWTIME, deactivate, end_transaction, int};
use crate::process::{Ctx, Request, Response};
use crate::world::sql::SqlStore;
use crate::world::value::Value;

pub(super) const CONFIRM: &str = "POST /bookings/confirm";
/// Minutes that a customer has to pay: 15 in the code, whatever `payment.timeout.minutes` says.
const PAYMENT_TIMEOUT_US: u64 = 15 * 60 * 1_000_000;
/// States of a booking that gives its seats back.
const DEAD: [&str; 3] = ["CANCELLED", "EXPIRED", "REFUNDED"];

pub(super) async fn confirm(mut ctx: Ctx, request: Request) -> Response {
    ctx.label("C1");
    if ctx.sql("BEGIN", []).await.is_err() {
        return Response::new(500, 280);
    }
    let result = confirm_in_transaction(&mut ctx, &request).await;
    end_transaction(ctx, result).await
}

async fn confirm_in_transaction(ctx: &mut Ctx, request: &Request) -> Result<Response, Refused> {
    let by_id = "SELECT l.id, l.lock_key, l.owner_id, l.showtime_id, l.active, l.expires_at, s.showtime_seat_id \
                 FROM seat_locks l JOIN seat_lock_seats s ON s.seat_lock_id = l.id WHERE l.id = $1";
    let found = ctx.sql(by_id, [request.get("lock").clone()]).await?.rows;
    let Some(lock) = found.first() else { return Err(Refused(404)) };
    if lock[2] != *request.get("session") {
        return Err(Refused(403));
    }
    let now = ctx.now().await;
    if lock[4] == Value::Bool(false) || Value::from(now) > lock[5] {
        return Err(Refused(410));
    }
    let user = match request.get("email") {
        Value::Null => Value::Null,
        email => guest(ctx, email).await?,
    };
    ctx.label("C2");
    let seats = found.iter().filter_map(|row| int(&row[6])).collect::<SmallVec<[i64; 4]>>();
    let ids = Value::List(seats.iter().copied().map(Value::Int).collect());
    ctx.sql("UPDATE showtime_seats SET status = 'BOOKED' WHERE id = ANY($1)", [ids]).await?;
    ctx.label("C3");
    let insert = "INSERT INTO bookings (user_id, showtime_id, status, payment_expires_at) \
                  VALUES ($1, $2, 'PENDING_PAYMENT', $3) RETURNING id";
    let pay_until = Value::from(now.plus_us(PAYMENT_TIMEOUT_US));
    let booking = ctx.sql(insert, [user, Value::Int(SHOWTIME), pay_until]).await?.rows[0][0].clone();
    let insert_seat = "INSERT INTO booking_seats (booking_id, showtime_seat_id) VALUES ($1, $2)";
    for seat in seats {
        ctx.sql(insert_seat, [booking.clone(), Value::Int(seat)]).await?;
    }
    deactivate(ctx, lock).await?;
    Ok(Response::new(200, 520).with("booking", booking))
}

/// A guest's user row by e-mail: found, or inserted.
async fn guest(ctx: &mut Ctx, email: &Value) -> Result<Value, Refused> {
    let known = ctx.sql("SELECT id FROM users WHERE email = $1", [email.clone()]).await?.rows;
    if let Some(user) = known.first() {
        return Ok(user[0].clone());
    }
    let inserted = ctx.sql("INSERT INTO users (email) VALUES ($1) RETURNING id", [email.clone()]).await?;
    Ok(inserted.rows[0][0].clone())
}

/// In words, a seat that stands in two committed live bookings.
pub(super) fn double_booked_seat(sql: &SqlStore) -> Option<String> {
    let is_dead = |status: &Value| matches!(status, Value::Text(text) if DEAD.contains(&text.as_str()));
    let live = sql.committed_rows("bookings").filter(|booking| !is_dead(&booking[3]));
    let live = live.map(|booking| &booking[0]).collect::<BTreeSet<_>>();
    let taken = sql.committed_rows("booking_seats").filter(|row| live.contains(&row[1]));
    booked_twice(taken.map(|row| &row[2]))
}
