//! The measured service: a Spring Boot cinema booking service with Redis locks (github.com/Ama2352/MovieBooking at
//! 2c237f6), its handlers, clean-up jobs and price recalculation statement by statement and command by command.
//!
//! - Every transaction is READ COMMITTED, no SELECT locks, every dirty entity is written back with all its columns.
//! - Seat status changes are bulk updates `set status where id in (...)`: no guard on the old status, row count
//!   ignored. A second such UPDATE waits for the first writer and then overwrites.
//! - The gate of a booking is the `seat_locks` row alone; CONFIRM reads neither Redis nor the seat status.
//! - Redis errors are swallowed: EXISTS reads as "free", SET as "not acquired", GET and DEL as "not released".
//!
//! Expected: LOCK and RELEASE alone never give a seat to two clients while no request is paused for the lock's
//! TTL. With CONFIRM, payments, clean-up and recalculation a seat can be booked twice in many ways; the scenario file
//! has a check for each, and docs/moviebooking.md says what they have in common.

use compact_str::ToCompactString;
use smallvec::SmallVec;

use crate::process::{Ctx, Request, Response, started};
use crate::system::model::{CustomMetric, Handler, MetricKind, Model, Param, ParamKind, ParamValue, SeatMap};
use crate::world::argv::ByteString;
use crate::world::reply::Reply;
use crate::world::sql::{SqlError, SqlState};
use crate::world::value::Value;

mod background;
mod clients;
mod confirm;
mod guard;
mod judge;
mod payment;
mod release;

use guard::Change;
use release::Freed;

/// The tables of both models, as a macro because `concat!` takes literals alone.
macro_rules! tables {
    () => {
        "
CREATE TABLE showtimes (id bigint PRIMARY KEY, movie text NOT NULL);
CREATE TABLE ticket_types (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE showtime_seats (id bigint PRIMARY KEY, showtime_id bigint NOT NULL, status text NOT NULL,
    price text);
CREATE TABLE seat_locks (id bigserial PRIMARY KEY, lock_key text NOT NULL UNIQUE, owner_id text NOT NULL,
    showtime_id bigint NOT NULL, active boolean NOT NULL, expires_at timestamp NOT NULL);
CREATE INDEX seat_locks_by_owner ON seat_locks (owner_id);
CREATE TABLE seat_lock_seats (id bigserial PRIMARY KEY, seat_lock_id bigint NOT NULL, showtime_seat_id bigint NOT NULL);
CREATE INDEX seat_lock_seats_by_lock ON seat_lock_seats (seat_lock_id);
CREATE TABLE users (id bigserial PRIMARY KEY, email text NOT NULL UNIQUE,
    loyalty_points bigint NOT NULL DEFAULT 0);
CREATE TABLE bookings (id bigserial PRIMARY KEY, user_id bigint, showtime_id bigint NOT NULL, status text NOT NULL,
    payment_expires_at timestamp NOT NULL, lock_id bigint);
CREATE TABLE booking_seats (id bigserial PRIMARY KEY, booking_id bigint NOT NULL, showtime_seat_id bigint NOT NULL);
CREATE TABLE payments (id bigserial PRIMARY KEY, booking_id bigint NOT NULL UNIQUE,
    transaction_id text NOT NULL, status text NOT NULL);
"
    };
}

/// The catalogue entry.
pub const MODEL: Model = Model {
    name: "moviebooking",
    about: "Cinema seats: Redis SET NX EX plus a seat_locks row, bulk status updates, confirm without a guard.",
    params: &params(0),
    schema: SCHEMA,
    rows: |params| {
        let mut rows = vec![
            ("INSERT INTO showtimes (id, movie) VALUES ($1, 'Metropolis')", vec![Value::Int(SHOWTIME)]),
            ("INSERT INTO ticket_types (id, name) VALUES (1, 'adult')", vec![]),
        ];
        let seat = "INSERT INTO showtime_seats (id, showtime_id, status) VALUES ($1, $2, 'AVAILABLE')";
        rows.extend((1..=params.get("seats")).map(|id| (seat, vec![Value::Int(id), Value::Int(SHOWTIME)])));
        rows
    },
    setup: Some(clients::SETUP),
    journeys: &clients::JOURNEYS,
    handlers: &[
        Handler { route: "GET /movies", run: |ctx, _| Box::pin(list(ctx, "SELECT id, movie FROM showtimes", 900)) },
        Handler { route: "GET /showtimes", run: |ctx, _| Box::pin(list(ctx, "SELECT id FROM showtimes", 400)) },
        Handler {
            route: "GET /ticket-types",
            run: |ctx, _| Box::pin(list(ctx, "SELECT id, name FROM ticket_types", 300)),
        },
        Handler {
            route: "GET /showtime-seats",
            run: |ctx, _| Box::pin(list(ctx, "SELECT id, status FROM showtime_seats WHERE showtime_id = 1", 9_000)),
        },
        Handler { route: LOCK, run: |ctx, request| started(|| lock(ctx, request)) },
        Handler { route: RELEASE, run: |ctx, request| started(|| release::release(ctx, request)) },
        Handler { route: confirm::CONFIRM, run: |ctx, request| Box::pin(confirm::confirm(ctx, request)) },
        Handler { route: confirm::CHECKOUT, run: |ctx, request| Box::pin(confirm::checkout(ctx, request)) },
        Handler { route: payment::MOMO, run: |ctx, request| Box::pin(payment::momo(ctx, request)) },
        Handler { route: payment::PAYPAL, run: |ctx, request| Box::pin(payment::paypal(ctx, request)) },
        Handler { route: background::RECALCULATE, run: |ctx, request| Box::pin(background::recalculate(ctx, request)) },
    ],
    children: &[],
    jobs: &background::JOBS,
    seats: SeatMap {
        key: seat_key,
        asked: |request| (request.route == LOCK).then(|| request.ints("seats")),
        sold: judge::is_sold,
        done: judge::is_done_unheard,
        probe: Some("lock_release"),
    },
    metrics: &[
        CustomMetric { name: "seat_lock_success", kind: MetricKind::Counter, is_time: false },
        CustomMetric { name: "seat_lock_conflict", kind: MetricKind::Counter, is_time: false },
        CustomMetric { name: "seat_lock_error", kind: MetricKind::Counter, is_time: false },
        CustomMetric { name: "seat_lock_success_rate", kind: MetricKind::Rate, is_time: false },
        CustomMetric { name: "seat_lock_duration_ms", kind: MetricKind::Trend, is_time: false },
    ],
    attempts: Some("seat_lock_success_rate"),
    conflicts: &[409, 423],
    checks: &["lock object is valid", "locked seat count is correct", "conflict answered 409 or 423"],
    request_names: &["lock_seats", "release_seats", "confirm_booking", "checkout", "payment", "prices", "setup"],
    draws: &["seat_count", "seats", "hold", "think", "gateway"],
    properties: &judge::PROPERTIES,
};

/// The same service with every race mended.
pub const FIXED: Model = Model {
    name: "moviebooking_fixed",
    about: "The cinema service with the fewest changes that make every property hold.",
    params: &params(1),
    schema: FIXED_SCHEMA,
    ..MODEL
};

/// Parameters, with or without the guards of [`guard`].
const fn params(guarded: i64) -> [Param; 8] {
    [
        Param {
            name: "seats",
            about: "Seats of the showtime.",
            kind: ParamKind::Count { min: 1, max: SEATS_OF_SHOWTIME },
            default: ParamValue::one(100),
        },
        Param {
            name: "seats_per_request",
            about: "How many seats one request asks for, drawn uniformly.",
            kind: ParamKind::CountRange { min: 1, max: 10 },
            default: ParamValue { low: 1, high: 3 },
        },
        Param {
            name: "lock_ttl",
            about: "Lifetime of a lock, in Redis and in its row.",
            kind: ParamKind::Ttl,
            default: ParamValue::one(600_000_000),
        },
        Param {
            name: "hold",
            about: "How long a successful client keeps its lock.",
            kind: ParamKind::DurationRange,
            default: ParamValue { low: 1_000_000, high: 4_000_000 },
        },
        Param {
            name: "think",
            about: "Pause at the end of an iteration.",
            kind: ParamKind::DurationRange,
            default: ParamValue { low: 500_000, high: 2_500_000 },
        },
        Param {
            name: "gateway",
            about: "How long a call to the payment gateway takes.",
            kind: ParamKind::DurationRange,
            default: ParamValue { low: 300_000, high: 3_000_000 },
        },
        Param {
            name: "guarded",
            about: "0: the service as it is; 1: as mended. Each of the two models has its own.",
            kind: ParamKind::Count { min: guarded, max: guarded },
            default: ParamValue::one(guarded),
        },
        Param {
            name: "without",
            about: "The change that the mended service leaves out, by its number in docs/moviebooking.md; 0: none.",
            kind: ParamKind::Count { min: 0, max: 8 * guarded },
            default: ParamValue::one(0),
        },
    ]
}

/// Tables as the service's entities map them. No index beyond the constraints exists there; the two below change no
/// result and spare the simulator a scan over dead locks.
const SCHEMA: &str = tables!();

/// With one active lock per owner and showtime.
const FIXED_SCHEMA: &str = concat!(
    tables!(),
    "CREATE UNIQUE INDEX one_active_lock ON seat_locks (owner_id, showtime_id) WHERE active = true;"
);

/// The showtime that is on sale.
const SHOWTIME: i64 = 1;
/// Numbers of seats of one showtime; those of the next one follow.
const SEATS_OF_SHOWTIME: i64 = 100_000;
const LOCK: &str = "POST /seat-locks";
const RELEASE: &str = "DELETE /seat-locks/showtime/{id}";
/// `booking.max.seats` as the code reads it; the property files set another name.
const SEATS_MAX: usize = 10;

fn showtime_of(seat: i64) -> i64 {
    1 + (seat - 1) / SEATS_OF_SHOWTIME
}

fn seat_key(seat: i64) -> ByteString {
    const PLACE: usize = "lock:seat:1:".len();
    let mut key = *b"lock:seat:1:0000000000";
    let width = seat.checked_ilog10().map_or(1, |digits| digits as usize + 1);
    write_digits(&mut key[PLACE - 2..PLACE - 1], showtime_of(seat));
    write_digits(&mut key[PLACE..PLACE + width], seat);
    ByteString::new(&key[..PLACE + width])
}

/// Writes the last decimal digits of a number, as many as there is room for.
fn write_digits(place: &mut [u8], mut number: i64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
}

/// The failure of a handler: the status it answers after its transaction was rolled back.
struct Refused(u16);

impl From<SqlError> for Refused {
    /// A unique index refuses what the service refuses by a look beforehand; else the service has no answer.
    fn from(error: SqlError) -> Self {
        Self(if error.code == SqlState::UniqueViolation && error.message.contains("one_active_lock") {
            409
        } else {
            500
        })
    }
}

/// Ends a `@Transactional` method: COMMIT happens after it returned, outside its own error handling.
async fn end_transaction(ctx: &mut Ctx, result: Result<Response, Refused>) -> Response {
    match result {
        Ok(response) => match ctx.sql("COMMIT", []).await {
            Ok(_) => response,
            Err(_) => Response::new(500, 280),
        },
        Err(Refused(status)) => {
            // The client's answer does not wait for anything that ROLLBACK could still report.
            let _ = ctx.sql("ROLLBACK", []).await;
            Response::new(status, 280)
        }
    }
}

async fn list(mut ctx: Ctx, statement: &'static str, received_bytes: u32) -> Response {
    match ctx.sql(statement, []).await {
        Ok(_) => Response::new(200, received_bytes),
        Err(_) => Response::new(500, 280),
    }
}

async fn lock(mut ctx: Ctx, request: Request) -> Response {
    ctx.label("L0");
    if ctx.sql("BEGIN", []).await.is_err() {
        return Response::new(500, 280);
    }
    let mut freed = Vec::new();
    let result = lock_in_transaction(&mut ctx, &request, &mut freed).await;
    let response = end_transaction(&mut ctx, result).await;
    if response.status == 201 {
        for other in &freed {
            other.remove_keys(&mut ctx).await;
        }
    }
    if response.status == 409 && guard::is_on(&ctx, Change::RecogniseRepeats) {
        let owner = guard::owner(&ctx, &request);
        return guard::own_lock(&mut ctx, &owner, &request.ints("seats")).await.unwrap_or(response);
    }
    response
}

async fn lock_in_transaction(ctx: &mut Ctx, request: &Request, freed: &mut Vec<Freed>) -> Result<Response, Refused> {
    let owner = guard::owner(ctx, request);
    let seats = request.ints("seats");
    if seats.len() > SEATS_MAX {
        return Err(Refused(400));
    }
    let showtime = seats.first().map_or(SHOWTIME, |seat| showtime_of(*seat));
    ctx.label("L1");
    let active = "SELECT id, lock_key, owner_id, showtime_id, active, expires_at FROM seat_locks \
                  WHERE owner_id = $1 AND active = true";
    for held in ctx.sql(active, [owner.clone()]).await?.rows {
        if held[3] == Value::Int(showtime) {
            return Err(Refused(409));
        }
        let of_lock = "SELECT showtime_seat_id FROM seat_lock_seats WHERE seat_lock_id = $1";
        let other = ctx.sql(of_lock, [held[0].clone()]).await?.rows;
        let other = other.iter().filter_map(|row| int(&row[0])).collect::<SmallVec<[i64; 4]>>();
        // Rare and large: boxed, so that what every request starts is a third smaller.
        freed.extend(Box::pin(release::give_up(ctx, &held, &other)).await?);
    }
    ctx.label("L2");
    let wanted = request.get("seats").clone();
    ctx.sql("SELECT id, movie FROM showtimes WHERE id = $1", [Value::Int(showtime)]).await?;
    let by_ids = "SELECT id, status FROM showtime_seats WHERE id = ANY($1) AND showtime_id = $2";
    let found = ctx.sql(by_ids, [wanted.clone(), Value::Int(showtime)]).await?.rows;
    ctx.sql("SELECT id, name FROM ticket_types WHERE id = $1", [Value::Int(1)]).await?;
    if found.len() != seats.len() {
        return Err(Refused(404));
    }
    if !found.iter().all(|seat| matches!(&seat[1], Value::Text(status) if status == "AVAILABLE")) {
        return Err(Refused(409));
    }
    ctx.label("L3");
    for seat in &seats {
        if let Ok(Reply::Int(1)) = ctx.redis([b"EXISTS", seat_key(*seat).as_bytes()]).await {
            return Err(Refused(409));
        }
    }
    let token = ctx.token();
    ctx.label("L4");
    for seat in &seats {
        if !acquire(ctx, *seat, &token).await {
            remove_own(ctx, &seats, &token).await;
            return Err(Refused(409));
        }
    }
    match write_lock(ctx, &owner, &seats, wanted, &token).await {
        Ok(response) => Ok(response),
        Err(refused) => {
            remove_own(ctx, &seats, &token).await;
            Err(refused)
        }
    }
}

/// L4: SET NX EX; an error reads as "not acquired".
async fn acquire(ctx: &mut Ctx, seat: i64, token: &[u8]) -> bool {
    let ttl_us = ctx.params().get("lock_ttl");
    let (unit, ttl) = if ttl_us % 1_000_000 == 0 { ("EX", ttl_us / 1_000_000) } else { ("PX", ttl_us / 1_000) };
    let key = seat_key(seat);
    let ttl = ttl.to_compact_string();
    ctx.redis([b"SET", key.as_bytes(), token, b"NX", unit.as_bytes(), ttl.as_bytes()]).await == Ok(Reply::OK)
}

/// GET, compare in the service, DEL: two commands, and errors are swallowed.
async fn remove_own(ctx: &mut Ctx, seats: &[i64], token: &[u8]) {
    if guard::is_on(ctx, Change::FreeRedisLast) {
        return guard::remove_own(ctx, seats, token).await;
    }
    for seat in seats {
        let key = seat_key(*seat);
        ctx.label("R2");
        let value = ctx.redis([b"GET", key.as_bytes()]).await;
        if matches!(&value, Ok(Reply::Bulk(owner)) if owner.as_bytes() == token) {
            ctx.label("R3");
            let _ = ctx.redis([b"DEL", key.as_bytes()]).await;
        }
    }
}

/// L5 and L6 up to the COMMIT.
async fn write_lock(
    ctx: &mut Ctx,
    owner: &Value,
    seats: &[i64],
    wanted: Value,
    token: &[u8],
) -> Result<Response, Refused> {
    ctx.label("L5");
    if guard::is_on(ctx, Change::GuardStatus) {
        if !guard::lock(ctx, wanted.clone(), seats.len()).await? {
            return Err(Refused(409));
        }
    } else {
        ctx.sql("UPDATE showtime_seats SET status = 'LOCKED' WHERE id = ANY($1)", [wanted.clone()]).await?;
    }
    ctx.label("L6");
    let showtime = seats.first().map_or(SHOWTIME, |seat| showtime_of(*seat));
    let ttl_us = u64::try_from(ctx.params().get("lock_ttl")).unwrap_or(0);
    let expires_at = Value::from(ctx.now().await.plus_us(ttl_us));
    let insert = "INSERT INTO seat_locks (lock_key, owner_id, showtime_id, active, expires_at) \
                  VALUES ($1, $2, $3, true, $4) RETURNING id";
    let inserted =
        ctx.sql(insert, [Value::text(token), owner.clone(), Value::Int(showtime), expires_at.clone()]).await?;
    let id = inserted.rows[0][0].clone();
    let insert_seat = "INSERT INTO seat_lock_seats (seat_lock_id, showtime_seat_id) VALUES ($1, $2)";
    for seat in seats {
        ctx.sql(insert_seat, [id.clone(), Value::Int(*seat)]).await?;
    }
    let bytes = 430 + 60 * u32::try_from(seats.len()).unwrap_or(0);
    Ok(Response::new(201, bytes).with("lock", id).with("seats", wanted).with("expires_at", expires_at))
}

fn int(value: &Value) -> Option<i64> {
    if let Value::Int(int) = value { Some(*int) } else { None }
}
