//! Commands on string values.

use super::args::{Existence, SetOptions, TimeForm, Ttl, TtlOption};
use super::call::{Answer, Call, bulk_or_nil, count};
use super::errors::CommandError;
use super::keyspace::NewDeadline;
use crate::world::argv::ByteString;
use crate::world::reply::Reply;

/// Redis' default `proto-max-bulk-len`: no string grows beyond 512 MiB.
const STRING_BYTES_MAX: usize = 512 * 1024 * 1024;

/// `GET key`
pub(super) fn get(call: &mut Call<'_>) -> Answer {
    Ok(bulk_or_nil(call.string(call.word(1))))
}

/// `SET key value [NX | XX] [GET] [EX s | PX ms | EXAT s | PXAT ms | KEEPTTL]`
pub(super) fn set(call: &mut Call<'_>) -> Answer {
    let options = SetOptions::parse(call)?;
    let deadline = options.ttl.deadline(NewDeadline::Never, call)?;
    let key = call.word(1);
    let old = if options.get { Some(call.string(key)) } else { None };
    let refused = match options.existence {
        None => false,
        Some(Existence::Absent) => call.exists(key),
        Some(Existence::Present) => !call.exists(key),
    };
    if !refused {
        call.store(key, ByteString::new(call.word(2)), deadline);
    }
    Ok(match old {
        Some(old) => bulk_or_nil(old),
        None if refused => Reply::Nil,
        None => Reply::OK,
    })
}

/// `SETNX key value`
pub(super) fn setnx(call: &mut Call<'_>) -> Answer {
    let key = call.word(1);
    if call.exists(key) {
        return Ok(Reply::Int(0));
    }
    call.store(key, ByteString::new(call.word(2)), NewDeadline::Never);
    Ok(Reply::Int(1))
}

/// `SETEX key seconds value`
pub(super) fn setex(call: &mut Call<'_>) -> Answer {
    set_with_ttl(call, TimeForm::EX)
}

/// `PSETEX key milliseconds value`
pub(super) fn psetex(call: &mut Call<'_>) -> Answer {
    set_with_ttl(call, TimeForm::PX)
}

fn set_with_ttl(call: &mut Call<'_>, form: TimeForm) -> Answer {
    let deadline_ms = Ttl { form, number: call.word(2) }.deadline_ms(call)?;
    call.store(call.word(1), ByteString::new(call.word(3)), NewDeadline::At(deadline_ms));
    Ok(Reply::OK)
}

/// `GETSET key value`
pub(super) fn getset(call: &mut Call<'_>) -> Answer {
    let key = call.word(1);
    let old = call.string(key);
    call.store(key, ByteString::new(call.word(2)), NewDeadline::Never);
    Ok(bulk_or_nil(old))
}

/// `GETDEL key`
pub(super) fn getdel(call: &mut Call<'_>) -> Answer {
    let key = call.word(1);
    let old = call.string(key);
    call.delete(key);
    Ok(bulk_or_nil(old))
}

/// `GETEX key [EX s | PX ms | EXAT s | PXAT ms | PERSIST]`
pub(super) fn getex(call: &mut Call<'_>) -> Answer {
    let option = TtlOption::parse_getex(call)?;
    let key = call.word(1);
    let Some(value) = call.string(key) else {
        return Ok(Reply::Nil);
    };
    let deadline = option.deadline(NewDeadline::Keep, call)?;
    match deadline {
        NewDeadline::At(deadline_ms) if deadline_ms <= call.now_ms() => {
            call.delete(key);
        }
        _ => {
            let old_ms = call.with(key, |entry| entry.deadline_ms).flatten();
            call.with(key, |entry| entry.deadline_ms = deadline.after(old_ms));
            // Unlike an equal deadline, PERSIST without one and plain GETEX change nothing for watchers.
            if matches!(deadline, NewDeadline::At(_)) || deadline.after(old_ms) != old_ms {
                call.touch(key);
            }
        }
    }
    Ok(Reply::Bulk(value))
}

/// `MGET key [key ...]`
pub(super) fn mget(call: &mut Call<'_>) -> Answer {
    let keys = call.words_from(1);
    Ok(Reply::Array(keys.map(|key| bulk_or_nil(call.string(key))).collect()))
}

/// `MSET key value [key value ...]`
pub(super) fn mset(call: &mut Call<'_>) -> Answer {
    require_pairs(call)?;
    store_pairs(call);
    Ok(Reply::OK)
}

/// `MSETNX key value [key value ...]`
pub(super) fn msetnx(call: &mut Call<'_>) -> Answer {
    require_pairs(call)?;
    if call.words_from(1).step_by(2).any(|key| call.exists(key)) {
        return Ok(Reply::Int(0));
    }
    store_pairs(call);
    Ok(Reply::Int(1))
}

fn require_pairs(call: &Call<'_>) -> Result<(), CommandError> {
    if call.len() % 2 == 1 { Ok(()) } else { Err(CommandError::WrongArity(call.command)) }
}

fn store_pairs(call: &mut Call<'_>) {
    for index in (1..call.len()).step_by(2) {
        call.store(call.word(index), ByteString::new(call.word(index + 1)), NewDeadline::Never);
    }
}

/// `APPEND key value`
pub(super) fn append(call: &mut Call<'_>) -> Answer {
    let (key, tail) = (call.word(1), call.word(2));
    let old = call.string(key).unwrap_or_default();
    write_at(call, key, &old, old.as_bytes().len(), tail)
}

/// `SETRANGE key offset value`
pub(super) fn setrange(call: &mut Call<'_>) -> Answer {
    let offset = usize::try_from(call.integer(2)?).map_err(|_| CommandError::OffsetOutOfRange)?;
    let (key, patch) = (call.word(1), call.word(3));
    let old = call.string(key).unwrap_or_default();
    if patch.is_empty() {
        return Ok(count(old.as_bytes().len()));
    }
    write_at(call, key, &old, offset, patch)
}

/// Stores `old` overwritten by `patch` from `offset` on, zero bytes filling a gap. The TTL stays.
fn write_at(call: &mut Call<'_>, key: &[u8], old: &ByteString, offset: usize, patch: &[u8]) -> Answer {
    let end = offset.saturating_add(patch.len());
    if end > STRING_BYTES_MAX {
        return Err(CommandError::StringTooLong);
    }
    let mut bytes = old.as_bytes().to_vec();
    bytes.resize(bytes.len().max(end), 0);
    bytes[offset..end].copy_from_slice(patch);
    call.store(key, ByteString::new(&bytes), NewDeadline::Keep);
    Ok(count(bytes.len()))
}

/// `STRLEN key`
pub(super) fn strlen(call: &mut Call<'_>) -> Answer {
    Ok(count(call.with(call.word(1), |entry| entry.string().as_bytes().len()).unwrap_or(0)))
}

/// `GETRANGE key start end`: both ends included, negative ones counted from the end.
pub(super) fn getrange(call: &mut Call<'_>) -> Answer {
    let (start, end) = (call.integer(2)?, call.integer(3)?);
    let value = call.string(call.word(1)).unwrap_or_default();
    Ok(Reply::Bulk(ByteString::new(slice(value.as_bytes(), start, end))))
}

fn slice(bytes: &[u8], start: i64, end: i64) -> &[u8] {
    if start < 0 && end < 0 && start > end {
        return &[];
    }
    let from_front = |index: i64| match usize::try_from(index) {
        Ok(index) => index,
        Err(_) => bytes.len().saturating_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let past_end = from_front(end).saturating_add(1).min(bytes.len());
    bytes.get(from_front(start)..past_end).unwrap_or_default()
}
