//! RELEASE, and what else gives a lock up: Redis is freed before the database.

use smallvec::SmallVec;

use super::guard::Change;
use super::{Refused, SHOWTIME, end_transaction, guard, int, remove_own};
use crate::process::{Ctx, Request, Response};
use crate::world::sql::{Row, SqlError};
use crate::world::value::Value;

pub(super) async fn release(mut ctx: Ctx, request: Request) -> Response {
    ctx.label("R1");
    if ctx.sql("BEGIN", []).await.is_err() {
        return Response::new(500, 280);
    }
    let mut freed = Freed::default();
    let result = release_in_transaction(&mut ctx, &request, &mut freed).await;
    let response = end_transaction(&mut ctx, result).await;
    if response.status == 200 {
        ctx.label("R3");
        freed.remove_keys(&mut ctx).await;
    }
    response
}

/// Keys that go once the transaction has committed: what the mended service does.
#[derive(Default)]
pub(super) struct Freed {
    seats: SmallVec<[i64; 4]>,
    token: Option<Value>,
}

impl Freed {
    pub(super) fn of(lock: &Row, seats: &[i64]) -> Self {
        Self { seats: seats.into(), token: Some(lock[1].clone()) }
    }

    pub(super) async fn remove_keys(&self, ctx: &mut Ctx) {
        if let Some(Value::Text(token)) = &self.token {
            guard::remove_own(ctx, &self.seats, token.as_bytes()).await;
        }
    }
}

async fn release_in_transaction(ctx: &mut Ctx, request: &Request, freed: &mut Freed) -> Result<Response, Refused> {
    let active = "SELECT l.id, l.lock_key, l.owner_id, l.showtime_id, l.active, l.expires_at, s.showtime_seat_id \
                  FROM seat_locks l JOIN seat_lock_seats s ON s.seat_lock_id = l.id \
                  WHERE l.owner_id = $1 AND l.showtime_id = $2 AND l.active = true";
    let held = ctx.sql(active, [guard::owner(ctx, request), Value::Int(SHOWTIME)]).await?.rows;
    let Some(first) = held.first() else { return Ok(Response::new(200, 240)) };
    if held.iter().any(|row| row[0] != first[0]) {
        // JPA's getSingleResult: NonUniqueResultException.
        return Err(Refused(500));
    }
    let seats = held.iter().filter_map(|row| int(&row[6])).collect::<SmallVec<[i64; 4]>>();
    if let Some(given_up) = give_up(ctx, first, &seats).await? {
        *freed = given_up;
    }
    Ok(Response::new(200, 240))
}

/// R2 to R5 without the COMMIT: Redis is freed before the database. The mended service claims the lock first, and what
/// is returned frees Redis after the COMMIT.
pub(super) async fn give_up(ctx: &mut Ctx, lock: &Row, seats: &[i64]) -> Result<Option<Freed>, SqlError> {
    let is_claimed = guard::is_on(ctx, Change::ClaimLocks);
    if is_claimed {
        ctx.label("R5");
        if !guard::claim(ctx, lock).await? {
            return Ok(None);
        }
    }
    let is_redis_last = guard::is_on(ctx, Change::FreeRedisLast);
    if !is_redis_last && let Value::Text(token) = &lock[1] {
        remove_own(ctx, seats, token.as_bytes()).await;
    }
    ctx.label("R4");
    let ids = Value::ints(seats);
    if guard::is_on(ctx, Change::GuardStatus) {
        guard::unlock(ctx, ids).await?;
    } else {
        ctx.sql("UPDATE showtime_seats SET status = 'AVAILABLE' WHERE id = ANY($1)", [ids]).await?;
    }
    if !is_claimed {
        ctx.label("R5");
        deactivate(ctx, lock).await?;
    }
    Ok(is_redis_last.then(|| Freed::of(lock, seats)))
}

/// Hibernate's write-back of a `seat_locks` entity whose `active` became false: all columns, by id.
pub(super) async fn deactivate(ctx: &mut Ctx, lock: &Row) -> Result<(), SqlError> {
    let update = "UPDATE seat_locks SET active = false, lock_key = $2, owner_id = $3, showtime_id = $4, \
                  expires_at = $5 WHERE id = $1";
    let column = |index: usize| lock[index].clone();
    ctx.sql(update, [column(0), column(1), column(2), column(3), column(5)]).await?;
    Ok(())
}
