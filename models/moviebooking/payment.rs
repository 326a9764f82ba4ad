//! PAYMENT: what the gateways report. Success never looks at the seats; late success does, and failure frees them.

use super::guard::Change;
use super::{Refused, end_transaction, guard};
use crate::process::{Ctx, Request, Response};
use crate::world::sql::{Row, SqlError};
use crate::world::value::Value;

/// `result` is `success` or `failure`.
pub(super) const MOMO: &str = "POST /payments/momo/ipn";
pub(super) const PAYPAL: &str = "POST /payments/paypal/capture";

/// MoMo tells the service how a payment came out.
pub(super) async fn momo(mut ctx: Ctx, request: Request) -> Response {
    let is_success = *request.get("result") == Value::from("success");
    ctx.label(if is_success { "S1" } else { "F1" });
    if ctx.sql("BEGIN", []).await.is_err() {
        return Response::new(500, 280);
    }
    let result = match find(&mut ctx, &request).await {
        Ok(payment) if is_success => momo_success(&mut ctx, &payment).await,
        Ok(payment) => failure(&mut ctx, &payment).await,
        Err(refused) => Err(refused),
    };
    end_transaction(&mut ctx, result).await
}

async fn momo_success(ctx: &mut Ctx, payment: &Payment) -> Result<Response, Refused> {
    if payment.status == Value::from("SUCCESS") {
        return Ok(Response::new(200, 260));
    }
    success(ctx, payment).await
}

/// The customer comes back from PayPal: the service captures the money.
pub(super) async fn paypal(mut ctx: Ctx, request: Request) -> Response {
    ctx.label("S1");
    if ctx.sql("BEGIN", []).await.is_err() {
        return Response::new(500, 280);
    }
    let result = match find(&mut ctx, &request).await {
        Ok(payment) => capture(&mut ctx, &payment).await,
        Err(refused) => Err(refused),
    };
    end_transaction(&mut ctx, result).await
}

async fn capture(ctx: &mut Ctx, payment: &Payment) -> Result<Response, Refused> {
    let is_repeat = payment.status != Value::from("PENDING");
    if is_repeat && !(guard::is_on(ctx, Change::LockBookings) && guard::is_on(ctx, Change::RecogniseRepeats)) {
        return Err(Refused(409));
    }
    ask_gateway(ctx).await;
    success(ctx, payment).await
}

/// A payment with its booking, as the transaction loaded them.
struct Payment {
    id: Value,
    /// The order's number until the payment is made, then the gateway's own: a repeated report finds nothing.
    transaction: Value,
    status: Value,
    booking: Row,
}

/// S1 and F1: the payment and its booking. Whatever is decided later is decided by what was read here.
async fn find(ctx: &mut Ctx, request: &Request) -> Result<Payment, Refused> {
    let by_order = "SELECT p.id, p.transaction_id, p.status, b.id, b.user_id, b.showtime_id, b.status, \
                    b.payment_expires_at FROM payments p JOIN bookings b ON b.id = p.booking_id \
                    WHERE p.transaction_id = $1";
    let found = ctx.sql(by_order, [request.get("order").clone()]).await?.rows;
    let Some(row) = found.first() else { return Err(Refused(404)) };
    let column = |index: usize| row[index].clone();
    Ok(Payment {
        id: column(0),
        transaction: column(1),
        status: column(2),
        booking: row.iter().skip(3).cloned().collect(),
    })
}

/// The booking is paid, whatever became of its seats, unless it was EXPIRED when it was read.
async fn success(ctx: &mut Ctx, payment: &Payment) -> Result<Response, Refused> {
    if guard::is_on(ctx, Change::LockBookings) {
        return success_by_the_row(ctx, payment).await;
    }
    if payment.booking[3] == Value::from("EXPIRED") {
        return late(ctx, payment).await;
    }
    ctx.label("S2");
    paid(ctx, payment).await?;
    Ok(ticket())
}

/// The mended service decides by the booking's row, which it has from then on.
async fn success_by_the_row(ctx: &mut Ctx, payment: &Payment) -> Result<Response, Refused> {
    ctx.label("S2");
    let status = guard::booking_status(ctx, &payment.booking[0]).await?;
    let is = |known: &'static str| status == Value::from(known);
    if is("CONFIRMED") {
        return Ok(ticket());
    }
    if is("REFUNDED") {
        return Ok(Response::new(200, 300));
    }
    let seats = seats_of(ctx, &payment.booking[0]).await?;
    let ids = Value::List(seats.iter().map(|seat| seat[0].clone()).collect());
    if is("PENDING_PAYMENT") {
        paid(ctx, payment).await?;
        return Ok(ticket());
    }
    ctx.label("V3");
    if guard::are_available(ctx, ids.clone()).await? {
        ctx.sql("UPDATE showtime_seats SET status = 'BOOKED' WHERE id = ANY($1)", [ids]).await?;
        paid(ctx, payment).await?;
        return Ok(ticket());
    }
    refund(ctx, payment, ids).await
}

/// W: the seats of a late payment are gone, and the gateway is asked to give the money back.
async fn refund(ctx: &mut Ctx, payment: &Payment, ids: Value) -> Result<Response, Refused> {
    ask_gateway(ctx).await;
    let is_refunded = ctx.choose(2).await == 0;
    let mut outcome = "FAILED";
    if guard::is_on(ctx, Change::RefundNoSeats) {
        ctx.label("W1");
        outcome = if is_refunded { "FAILED" } else { "REFUND_DUE" };
    } else {
        // When the gateway refuses, the exception leaves the transaction marked for rollback.
        if !is_refunded {
            return Err(Refused(500));
        }
        ctx.label("W1");
        ctx.sql("UPDATE showtime_seats SET status = 'AVAILABLE' WHERE id = ANY($1)", [ids]).await?;
    }
    write_payment(ctx, payment, outcome).await?;
    write_booking(ctx, &payment.booking, "REFUNDED").await?;
    Ok(Response::new(200, 300))
}

/// The payment SUCCESS and the booking CONFIRMED, each with all its columns, and loyalty points for a known user.
async fn paid(ctx: &mut Ctx, payment: &Payment) -> Result<(), SqlError> {
    let update =
        "UPDATE payments SET booking_id = $2, transaction_id = 'of the gateway', status = 'SUCCESS' WHERE id = $1";
    ctx.sql(update, [payment.id.clone(), payment.booking[0].clone()]).await?;
    write_booking(ctx, &payment.booking, "CONFIRMED").await?;
    if payment.booking[1] != Value::Null {
        let user = payment.booking[1].clone();
        ctx.sql("UPDATE users SET loyalty_points = loyalty_points + 1 WHERE id = $1", [user]).await?;
    }
    Ok(())
}

/// The customer is told that the seats are paid for.
fn ticket() -> Response {
    Response::new(200, 420).with("ticket", true)
}

/// V: the booking had expired before the money came.
async fn late(ctx: &mut Ctx, payment: &Payment) -> Result<Response, Refused> {
    ctx.label("V2");
    let seats = seats_of(ctx, &payment.booking[0]).await?;
    let ids = Value::List(seats.iter().map(|seat| seat[0].clone()).collect());
    if seats.iter().all(|seat| seat[1] == Value::from("AVAILABLE")) {
        ctx.label("V3");
        ctx.sql("UPDATE showtime_seats SET status = 'BOOKED' WHERE id = ANY($1)", [ids]).await?;
        ctx.label("V4");
        paid(ctx, payment).await?;
        return Ok(ticket());
    }
    refund(ctx, payment, ids).await
}

/// F: the payment failed, and a booking that waits for it gives its seats back.
async fn failure(ctx: &mut Ctx, payment: &Payment) -> Result<Response, Refused> {
    let mut status = payment.booking[3].clone();
    let is_locked = guard::is_on(ctx, Change::LockBookings);
    if is_locked {
        status = guard::booking_status(ctx, &payment.booking[0]).await?;
    }
    let is_pending = status == Value::from("PENDING_PAYMENT");
    if is_pending || !is_locked {
        write_payment(ctx, payment, "FAILED").await?;
    }
    if is_pending {
        let seats = seats_of(ctx, &payment.booking[0]).await?;
        ctx.label("F2");
        let ids = Value::List(seats.iter().map(|seat| seat[0].clone()).collect());
        ctx.sql("UPDATE showtime_seats SET status = 'AVAILABLE' WHERE id = ANY($1)", [ids]).await?;
        ctx.label("F3");
        write_booking(ctx, &payment.booking, "CANCELLED").await?;
    }
    Ok(Response::new(200, 260))
}

/// The seats of a booking: id and status.
pub(super) async fn seats_of(ctx: &mut Ctx, booking: &Value) -> Result<Vec<Row>, SqlError> {
    let of_booking = "SELECT s.id, s.status FROM booking_seats b JOIN showtime_seats s ON s.id = b.showtime_seat_id \
                      WHERE b.booking_id = $1";
    Ok(ctx.sql(of_booking, [booking.clone()]).await?.rows.into_vec())
}

async fn write_payment(ctx: &mut Ctx, payment: &Payment, status: &'static str) -> Result<(), SqlError> {
    let update = "UPDATE payments SET booking_id = $2, transaction_id = $3, status = $4 WHERE id = $1";
    let columns = [payment.id.clone(), payment.booking[0].clone(), payment.transaction.clone(), Value::from(status)];
    ctx.sql(update, columns).await?;
    Ok(())
}

/// Hibernate's write-back of a booking whose status changed: all columns, by id.
pub(super) async fn write_booking(ctx: &mut Ctx, booking: &Row, status: &'static str) -> Result<(), SqlError> {
    let update = "UPDATE bookings SET user_id = $2, showtime_id = $3, status = $4, payment_expires_at = $5 \
                  WHERE id = $1";
    let column = |index: usize| booking[index].clone();
    ctx.sql(update, [column(0), column(1), column(2), Value::from(status), column(4)]).await?;
    Ok(())
}

/// An HTTP call to PayPal or MoMo, with the transaction open.
pub(super) async fn ask_gateway(ctx: &mut Ctx) {
    let range = ctx.params().range("gateway");
    let us = match range.high - range.low {
        0 => u64::try_from(range.low).unwrap_or(0),
        _ => ctx.draw_duration_us("gateway", range).await,
    };
    ctx.sleep_us(us).await;
}
