//! Strings that count.

use super::args::parse_integer;
use super::call::{Answer, Call};
use super::errors::CommandError;
use super::keyspace::NewDeadline;
use crate::world::argv::ByteString;
use crate::world::reply::Reply;

/// `INCR key`
pub(super) fn incr(call: &mut Call<'_>) -> Answer {
    add(call, 1)
}

/// `DECR key`
pub(super) fn decr(call: &mut Call<'_>) -> Answer {
    add(call, -1)
}

/// `INCRBY key increment`
pub(super) fn incrby(call: &mut Call<'_>) -> Answer {
    let increment = call.integer(2)?;
    add(call, increment)
}

/// `DECRBY key decrement`
pub(super) fn decrby(call: &mut Call<'_>) -> Answer {
    let decrement = call.integer(2)?;
    add(call, decrement.checked_neg().ok_or(CommandError::DecrementOverflow)?)
}

/// Adds to the number at the key, an absent key being 0. The TTL stays.
fn add(call: &mut Call<'_>, increment: i64) -> Answer {
    let key = call.word(1);
    let current = match call.with(key, |entry| parse_integer(entry.string().as_bytes())) {
        None => 0,
        Some(number) => number.ok_or(CommandError::NotAnInteger)?,
    };
    let sum = current.checked_add(increment).ok_or(CommandError::CounterOverflow)?;
    call.store(key, ByteString::from(sum.to_string().as_str()), NewDeadline::Keep);
    Ok(Reply::Int(sum))
}
