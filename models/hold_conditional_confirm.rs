//! A hold in Redis, and a confirmation that the database decides: `UPDATE ... WHERE status = 'FREE'`, row count
//! checked.
//!
//! - `hold_confirm` holds the seat in Redis while the customer decides, then confirms at once.
//! - `reserve_pay` holds the seat in its row instead, for as long as the customer may pay, and sells it only if the
//!   reservation is still its own. Reservations that nobody paid are freed by a background job: `sweep` by one
//!   conditional UPDATE, `sweep_by_id` as an object-relational mapper does it, which reads the expired rows and later
//!   writes them back by their ids.
//!
//! Claimed: a broken hold costs a customer a seat, never a double sale. Expected: true, unless a job writes without
//! the condition. Seen in the field: hoangdaochuz/booking issues 27 and 31, event-espresso-core issue 2060.

use super::common::{self, LOCK_TTL, SEATS, buys, holds_for_ttl, pick_seat, release_own, seat_key, set_nx_px};
use crate::process::{Ctx, Flow, Mark};
use crate::system::model::{Journey, Model, Param, ParamKind, ParamValue};
use crate::world::sql::SqlError;
use crate::world::value::Value;

/// The catalogue entry.
pub const MODEL: Model = Model {
    schema: "
CREATE TABLE seats (id bigint PRIMARY KEY, status text NOT NULL, holder text, held_until timestamp);
CREATE TABLE bookings (id bigserial PRIMARY KEY, seat_id bigint NOT NULL);
",
    rows: |params| {
        let seat = "INSERT INTO seats (id, status) VALUES ($1, 'FREE')";
        (1..=params.get(SEATS.name)).map(|id| (seat, vec![Value::Int(id)])).collect()
    },
    ..common::protocol(
        "hold_conditional_confirm",
        "Seat hold by SET NX PX; confirmed by an UPDATE with the old status in its condition.",
        &[SEATS, LOCK_TTL, PAY_WITHIN, SWEEP_EVERY],
        &[
            Journey {
                name: "hold_confirm",
                about: "Hold a seat in Redis, confirm it or walk away, release the hold.",
                run: |ctx| Box::pin(hold_confirm(ctx)),
            },
            Journey {
                name: "reserve_pay",
                about: "Reserve a seat in its row, without Redis, then pay or walk away.",
                run: |ctx| Box::pin(reserve_pay(ctx)),
            },
            Journey {
                name: "sweep",
                about: "Background job: free reservations that have expired, by one conditional UPDATE.",
                run: |ctx| Box::pin(sweep(ctx)),
            },
            Journey {
                name: "sweep_by_id",
                about: "Background job: read the reservations that have expired, then free them by their ids.",
                run: |ctx| Box::pin(sweep_by_id(ctx)),
            },
        ],
    )
};

const PAY_WITHIN: Param = Param {
    name: "pay_within",
    about: "How long a reservation waits for its payment.",
    kind: ParamKind::Duration,
    default: ParamValue::one(900_000_000),
};
const SWEEP_EVERY: Param = Param {
    name: "sweep_every",
    about: "Period of the job that frees expired reservations.",
    kind: ParamKind::Duration,
    default: ParamValue::one(60_000_000),
};

async fn hold_confirm(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if let Some(asked_at) = set_nx_px(&mut ctx, &key, &token).await {
        holds_for_ttl(&mut ctx, &seats, asked_at);
        if buys(&mut ctx).await {
            let sale = "UPDATE seats SET status = 'SOLD' WHERE id = $1 AND status = 'FREE'";
            sell_if(&mut ctx, seats[0], sale, [Value::Int(seats[0])]).await;
        }
        ctx.mark(Mark::GivesUp { seats });
        ctx.label("R1");
        release_own(&mut ctx, &key, &token).await;
    }
    Flow::Again
}

async fn reserve_pay(mut ctx: Ctx) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let holder = Value::text(&ctx.token());
    ctx.label("A1");
    let pay_within_us = u64::try_from(ctx.params().get(PAY_WITHIN.name)).expect("durations are not negative");
    let held_until = ctx.now().await.plus_us(pay_within_us);
    let reserve =
        "UPDATE seats SET status = 'RESERVED', holder = $2, held_until = $3 WHERE id = $1 AND status = 'FREE'";
    let reserved = ctx.sql(reserve, [Value::Int(seats[0]), holder.clone(), Value::from(held_until)]).await;
    if reserved.is_ok_and(|rows| rows.affected == 1) {
        ctx.mark(Mark::Holds { seats: seats.clone(), until_us: held_until.0 });
        // Who walks away leaves the reservation to the job.
        if buys(&mut ctx).await {
            let sale = "UPDATE seats SET status = 'SOLD' WHERE id = $1 AND status = 'RESERVED' AND holder = $2";
            sell_if(&mut ctx, seats[0], sale, [Value::Int(seats[0]), holder]).await;
        }
        ctx.mark(Mark::GivesUp { seats });
    }
    Flow::Again
}

/// Sells the seat in one transaction if the conditional UPDATE finds it as it must be; else the customer is told that
/// the seat is gone.
async fn sell_if<const N: usize>(ctx: &mut Ctx, seat: i64, sale: &'static str, params: [Value; N]) {
    if sell(ctx, seat, sale, params).await.is_err() {
        // The connection goes back to its pool clean, whatever this answers.
        let _ = ctx.sql("ROLLBACK", []).await;
    }
}

async fn sell<const N: usize>(
    ctx: &mut Ctx,
    seat: i64,
    sale: &'static str,
    params: [Value; N],
) -> Result<(), SqlError> {
    ctx.label("C1");
    ctx.sql("BEGIN", []).await?;
    ctx.label("C2");
    if ctx.sql(sale, params).await?.affected == 1 {
        ctx.label("C3");
        ctx.sql("INSERT INTO bookings (seat_id) VALUES ($1)", [Value::Int(seat)]).await?;
    }
    ctx.label("C4");
    ctx.sql("COMMIT", []).await?;
    Ok(())
}

async fn sweep(mut ctx: Ctx) -> Flow {
    wait_for_period(&mut ctx).await;
    ctx.label("S1");
    let now = ctx.now().await;
    let free = "UPDATE seats SET status = 'FREE', holder = NULL, held_until = NULL \
                WHERE status = 'RESERVED' AND held_until < $1";
    // A run that fails is made good by the next one.
    let _ = ctx.sql(free, [Value::from(now)]).await;
    Flow::Again
}

async fn sweep_by_id(mut ctx: Ctx) -> Flow {
    wait_for_period(&mut ctx).await;
    ctx.label("S1");
    let now = ctx.now().await;
    let expired = "SELECT id FROM seats WHERE status = 'RESERVED' AND held_until < $1";
    let Ok(expired) = ctx.sql(expired, [Value::from(now)]).await else { return Flow::Again };
    ctx.label("S2");
    let ids = Value::List(expired.rows.into_iter().map(|row| row[0].clone()).collect());
    let free = "UPDATE seats SET status = 'FREE', holder = NULL, held_until = NULL WHERE id = ANY($1)";
    // A run that fails is made good by the next one.
    let _ = ctx.sql(free, [ids]).await;
    Flow::Again
}

async fn wait_for_period(ctx: &mut Ctx) {
    let period_us = u64::try_from(ctx.params().get(SWEEP_EVERY.name)).expect("durations are not negative");
    ctx.sleep_us(period_us).await;
}
