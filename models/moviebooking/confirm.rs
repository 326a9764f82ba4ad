//! CONFIRM and CHECKOUT: a lock becomes a booking. Neither reads Redis or the seat status.

use smallvec::SmallVec;

use super::guard::Change;
use super::payment::ask_gateway;
use super::release::{Freed, deactivate};
use super::{Refused, SHOWTIME, end_transaction, guard, int};
use crate::process::{Ctx, Request, Response};
use crate::world::sql::{Row, SqlError};
use crate::world::value::Value;

pub(super) const CONFIRM: &str = "POST /bookings/confirm";
pub(super) const CHECKOUT: &str = "POST /checkout";
/// Minutes that a customer has to pay: 15 in the code, whatever `payment.timeout.minutes` says.
const PAYMENT_TIMEOUT_US: u64 = 15 * 60 * 1_000_000;

pub(super) async fn confirm(mut ctx: Ctx, request: Request) -> Response {
    ctx.label("C1");
    if ctx.sql("BEGIN", []).await.is_err() {
        return Response::new(500, 280);
    }
    let mut freed = Freed::default();
    let result = confirm_in_transaction(&mut ctx, &request, &mut freed).await;
    let response = end_transaction(&mut ctx, result).await;
    freed_keys(&mut ctx, &response, &freed).await;
    if response.status == 410 && guard::is_on(&ctx, Change::RecogniseRepeats) {
        let owner = guard::owner(&ctx, &request);
        return guard::own_booking(&mut ctx, &owner, request.get("lock")).await.unwrap_or(response);
    }
    response
}

/// The mended service frees Redis once the booking is committed: from here on the seat's status keeps others out.
async fn freed_keys(ctx: &mut Ctx, response: &Response, freed: &Freed) {
    if response.status < 300 {
        ctx.label("R3");
        freed.remove_keys(ctx).await;
    }
}

async fn confirm_in_transaction(ctx: &mut Ctx, request: &Request, freed: &mut Freed) -> Result<Response, Refused> {
    let hold = bookable(ctx, request).await?;
    seats_booked(ctx, &hold).await?;
    ctx.label("C3");
    let booking = insert_booking(ctx, &hold).await?;
    used(ctx, &hold, &booking, freed).await?;
    Ok(Response::new(200, 520).with("booking", booking))
}

pub(super) async fn checkout(mut ctx: Ctx, request: Request) -> Response {
    ctx.label("C1");
    if ctx.sql("BEGIN", []).await.is_err() {
        return Response::new(500, 280);
    }
    let mut freed = Freed::default();
    let result = checkout_in_transaction(&mut ctx, &request, &mut freed).await;
    let response = end_transaction(&mut ctx, result).await;
    freed_keys(&mut ctx, &response, &freed).await;
    response
}

/// As CONFIRM, and between C2 and C3 an order at the gateway: row locks on the seats are held during a remote call.
/// The order in which one flush inserts its rows shows nowhere.
async fn checkout_in_transaction(ctx: &mut Ctx, request: &Request, freed: &mut Freed) -> Result<Response, Refused> {
    let hold = bookable(ctx, request).await?;
    seats_booked(ctx, &hold).await?;
    ask_gateway(ctx).await;
    ctx.label("C3");
    let booking = insert_booking(ctx, &hold).await?;
    let order = Value::text(&ctx.token());
    let insert = "INSERT INTO payments (booking_id, transaction_id, status) VALUES ($1, $2, 'PENDING')";
    ctx.sql(insert, [booking.clone(), order.clone()]).await?;
    used(ctx, &hold, &booking, freed).await?;
    Ok(Response::new(201, 640).with("booking", booking).with("order", order))
}

/// A lock that may become a booking.
struct Hold {
    lock: Row,
    seats: SmallVec<[i64; 4]>,
    user: Value,
    pay_until: Value,
}

/// C1: the lock is there, the caller's, active and not expired.
async fn bookable(ctx: &mut Ctx, request: &Request) -> Result<Hold, Refused> {
    let by_id = "SELECT l.id, l.lock_key, l.owner_id, l.showtime_id, l.active, l.expires_at, s.showtime_seat_id \
                 FROM seat_locks l JOIN seat_lock_seats s ON s.seat_lock_id = l.id WHERE l.id = $1";
    let found = ctx.sql(by_id, [request.get("lock").clone()]).await?.rows;
    let Some(lock) = found.first() else { return Err(Refused(404)) };
    if lock[2] != guard::owner(ctx, request) {
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
    let seats = found.iter().filter_map(|row| int(&row[6])).collect();
    Ok(Hold { lock: lock.clone(), seats, user, pay_until: Value::from(now.plus_us(PAYMENT_TIMEOUT_US)) })
}

/// The lock has become a booking.
async fn used(ctx: &mut Ctx, hold: &Hold, booking: &Value, freed: &mut Freed) -> Result<(), SqlError> {
    if !guard::is_on(ctx, Change::ClaimLocks) {
        deactivate(ctx, &hold.lock).await?;
    }
    if guard::is_on(ctx, Change::RecogniseRepeats) {
        guard::note_lock(ctx, booking, &hold.lock).await?;
    }
    if guard::is_on(ctx, Change::FreeRedisLast) {
        *freed = Freed::of(&hold.lock, &hold.seats);
    }
    Ok(())
}

/// C2; before it the mended service claims the lock.
async fn seats_booked(ctx: &mut Ctx, hold: &Hold) -> Result<(), Refused> {
    ctx.label("C2");
    if guard::is_on(ctx, Change::ClaimLocks) && !guard::claim(ctx, &hold.lock).await? {
        return Err(Refused(410));
    }
    let ids = Value::ints(&hold.seats);
    ctx.sql("UPDATE showtime_seats SET status = 'BOOKED' WHERE id = ANY($1)", [ids]).await?;
    Ok(())
}

/// The booking, its seats, and its id.
async fn insert_booking(ctx: &mut Ctx, hold: &Hold) -> Result<Value, SqlError> {
    let insert = "INSERT INTO bookings (user_id, showtime_id, status, payment_expires_at) \
                  VALUES ($1, $2, 'PENDING_PAYMENT', $3) RETURNING id";
    let columns = [hold.user.clone(), Value::Int(SHOWTIME), hold.pay_until.clone()];
    let booking = ctx.sql(insert, columns).await?.rows[0][0].clone();
    let insert_seat = "INSERT INTO booking_seats (booking_id, showtime_seat_id) VALUES ($1, $2)";
    for seat in &hold.seats {
        ctx.sql(insert_seat, [booking.clone(), Value::Int(*seat)]).await?;
    }
    Ok(booking)
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
