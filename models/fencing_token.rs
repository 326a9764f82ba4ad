//! SET NX PX with a fencing token: a number that grows with every lock, minted by the script that acquires it. The
//! database keeps the greatest token it was shown for a seat and refuses smaller ones (Kleppmann, "How to do
//! distributed locking", 2016).
//!
//! - `fence_on_write`: the token is shown when the booking is written. Expected: too late. Both customers have read
//!   that the seat is free, and the writes come in the order of the tokens.
//! - `fence_on_read`: it is shown before the first read too, so whoever reads later has shut out those before it.
//!   Expected: safe as long as tokens grow. But the counter lives in Redis, and what loses the lock may lose the
//!   counter with it. `refuses_equal` makes the database refuse a token that another has shown.

use super::common::{
    self, LOCK_TTL, SEATS, buys, holds_for_ttl, pick_seat, release_own, seat_key, send_script, ttl_ms,
};
use crate::process::{Ctx, Flow, Instant, Mark};
use crate::system::model::{Insert, Journey, Model, Param, ParamKind, ParamValue, Params};
use crate::world::argv::ByteString;
use crate::world::reply::Reply;
use crate::world::sql::SqlError;
use crate::world::value::Value;

/// The catalogue entry that shows its token with the booking.
pub const ON_WRITE: Model = Model {
    schema: SCHEMA,
    rows,
    ..common::protocol(
        "fence_on_write",
        "Seat lock with a fencing token that the database checks when the booking is written.",
        &[SEATS, LOCK_TTL],
        &[Journey {
            name: "contend",
            about: "Lock a seat, sell it under its fencing token, unlock it.",
            run: |ctx| Box::pin(contend(ctx, None)),
        }],
    )
};

/// The catalogue entry that shows its token before it reads.
pub const ON_READ: Model = Model {
    schema: SCHEMA,
    rows,
    ..common::protocol(
        "fence_on_read",
        "Seat lock with a fencing token that the database checks before the first read and with the booking.",
        &[SEATS, LOCK_TTL, REFUSES_EQUAL],
        &[Journey {
            name: "contend",
            about: "Lock a seat, show its fencing token, sell the seat, unlock it.",
            run: |ctx| {
                let refuses_equal = ctx.params().get(REFUSES_EQUAL.name) == 1;
                Box::pin(contend(ctx, Some(if refuses_equal { REGISTER_GREATER } else { REGISTER })))
            },
        }],
    )
};

const SCHEMA: &str = "
CREATE TABLE seats (id bigint PRIMARY KEY, fence bigint NOT NULL);
CREATE TABLE bookings (id bigserial PRIMARY KEY, seat_id bigint NOT NULL);
";

fn rows(params: &Params) -> Vec<Insert> {
    let seat = "INSERT INTO seats (id, fence) VALUES ($1, 0)";
    (1..=params.get(SEATS.name)).map(|id| (seat, vec![Value::Int(id)])).collect()
}

const REFUSES_EQUAL: Param = Param {
    name: "refuses_equal",
    about: "1: the database refuses also a token that it was shown before.",
    kind: ParamKind::Count { min: 0, max: 1 },
    default: ParamValue::one(0),
};

const REGISTER: &str = "UPDATE seats SET fence = $2 WHERE id = $1 AND fence <= $2";
const REGISTER_GREATER: &str = "UPDATE seats SET fence = $2 WHERE id = $1 AND fence < $2";

/// `register` is the statement that shows the token before the first read.
async fn contend(mut ctx: Ctx, register: Option<&'static str>) -> Flow {
    let seats = pick_seat(&mut ctx).await;
    let key = seat_key(seats[0]);
    let token = ctx.token();
    ctx.label("A1");
    if let Some((asked_at, fence)) = acquire(&mut ctx, &key, &token).await {
        holds_for_ttl(&mut ctx, &seats, asked_at);
        if buys(&mut ctx).await && sell(&mut ctx, seats[0], fence, register).await.is_err() {
            // The connection goes back to its pool clean, whatever this answers.
            let _ = ctx.sql("ROLLBACK", []).await;
        }
        ctx.mark(Mark::GivesUp { seats });
        ctx.label("R1");
        release_own(&mut ctx, &key, &token).await;
    }
    Flow::Again
}

/// The lock and its fencing token, in one script.
async fn acquire(ctx: &mut Ctx, key: &ByteString, token: &[u8]) -> Option<(Instant, i64)> {
    let script = "if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then \
                  return redis.call('INCR', KEYS[2]) end return false";
    let asked_at = ctx.now().await;
    let counter = [key.as_bytes(), b":fence"].concat();
    let ttl = ttl_ms(ctx);
    match send_script(ctx, script, &[key.as_bytes(), &counter], &[token, ttl.as_bytes()]).await {
        Ok(Reply::Int(fence)) => Some((asked_at, fence)),
        _ => None,
    }
}

/// Reads whether the seat is booked, then books it, if the database still takes the token.
async fn sell(ctx: &mut Ctx, seat: i64, fence: i64, register: Option<&'static str>) -> Result<(), SqlError> {
    let (seat, fence) = (Value::Int(seat), Value::Int(fence));
    if let Some(register) = register {
        ctx.label("F1");
        if ctx.sql(register, [seat.clone(), fence.clone()]).await?.affected == 0 {
            return Ok(());
        }
    }
    ctx.label("B1");
    let booked = ctx.sql("SELECT id FROM bookings WHERE seat_id = $1", [seat.clone()]).await?;
    if !booked.rows.is_empty() {
        return Ok(());
    }
    ctx.label("B2");
    ctx.sql("BEGIN", []).await?;
    if ctx.sql(REGISTER, [seat.clone(), fence]).await?.affected == 1 {
        ctx.sql("INSERT INTO bookings (seat_id) VALUES ($1)", [seat]).await?;
    }
    ctx.label("B3");
    ctx.sql("COMMIT", []).await.map(|_| ())
}
