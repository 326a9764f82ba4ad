//! Commands that set and read deadlines.

use super::args::{ExpireConditions, TimeForm};
use super::call::{Answer, Call};
use super::errors::CommandError;
use crate::world::reply::Reply;

/// `EXPIRE key seconds [NX | XX | GT | LT]`
pub(super) fn expire(call: &mut Call<'_>) -> Answer {
    set_deadline(call, TimeForm::EX)
}

/// `PEXPIRE key milliseconds [NX | XX | GT | LT]`
pub(super) fn pexpire(call: &mut Call<'_>) -> Answer {
    set_deadline(call, TimeForm::PX)
}

/// `EXPIREAT key unix-seconds [NX | XX | GT | LT]`
pub(super) fn expireat(call: &mut Call<'_>) -> Answer {
    set_deadline(call, TimeForm::EXAT)
}

/// `PEXPIREAT key unix-milliseconds [NX | XX | GT | LT]`
pub(super) fn pexpireat(call: &mut Call<'_>) -> Answer {
    set_deadline(call, TimeForm::PXAT)
}

/// A deadline of this very millisecond or earlier deletes at once, although a key whose deadline is now still
/// lives: the two rules differ in Redis itself.
fn set_deadline(call: &mut Call<'_>, form: TimeForm) -> Answer {
    let conditions = ExpireConditions::parse(call)?;
    let number = call.integer(2)?;
    let deadline_ms = form.instant_ms(number, call.now_ms()).ok_or(CommandError::InvalidExpireTime(call.command))?;
    let key = call.word(1);
    let allowed = call.with(key, |entry| conditions.allow(entry.deadline_ms, deadline_ms));
    if allowed != Some(true) {
        return Ok(Reply::Int(0));
    }
    if deadline_ms <= call.now_ms() {
        call.delete(key);
    } else {
        call.with(key, |entry| entry.deadline_ms = Some(deadline_ms));
        call.touch(key);
    }
    Ok(Reply::Int(1))
}

/// `PERSIST key`
pub(super) fn persist(call: &mut Call<'_>) -> Answer {
    let key = call.word(1);
    let had_deadline = call.with(key, |entry| entry.deadline_ms.take().is_some()) == Some(true);
    if had_deadline {
        call.touch(key);
    }
    Ok(Reply::Int(i64::from(had_deadline)))
}

/// `TTL key`
pub(super) fn ttl(call: &mut Call<'_>) -> Answer {
    let now_ms = call.now_ms();
    read_deadline(call, |deadline_ms| rounded_seconds(deadline_ms - now_ms))
}

/// `PTTL key`
pub(super) fn pttl(call: &mut Call<'_>) -> Answer {
    let now_ms = call.now_ms();
    read_deadline(call, |deadline_ms| deadline_ms - now_ms)
}

/// `EXPIRETIME key`
pub(super) fn expiretime(call: &mut Call<'_>) -> Answer {
    read_deadline(call, rounded_seconds)
}

/// `PEXPIRETIME key`
pub(super) fn pexpiretime(call: &mut Call<'_>) -> Answer {
    read_deadline(call, |deadline_ms| deadline_ms)
}

/// -2 for an absent key, -1 for one without a deadline, else what `show` makes of it.
fn read_deadline(call: &mut Call<'_>, show: impl FnOnce(i64) -> i64) -> Answer {
    let deadline_ms = call.with(call.word(1), |entry| entry.deadline_ms);
    Ok(Reply::Int(match deadline_ms {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline_ms)) => show(deadline_ms),
    }))
}

/// Rounds half up, and wraps round just below 2^63 as the C code does.
fn rounded_seconds(ms: i64) -> i64 {
    ms.wrapping_add(500) / 1000
}
