//! Commands on keys, whatever they hold.

use super::call::{Answer, Call, count};
use super::errors::{CommandError, until_nul};
use super::glob;
use super::keyspace::{NewDeadline, Value};
use crate::world::argv::ByteString;
use crate::world::reply::Reply;

/// `DEL key [key ...]`, and `UNLINK` alike: that one differs only in which thread frees the memory.
pub(super) fn del(call: &mut Call<'_>) -> Answer {
    Ok(count(call.words_from(1).filter(|key| call.delete(key)).count()))
}

/// `EXISTS key [key ...]`, and `TOUCH` alike: access times, which alone set them apart, are not kept.
pub(super) fn exists(call: &mut Call<'_>) -> Answer {
    Ok(count(call.words_from(1).filter(|key| call.exists(key)).count()))
}

/// `TYPE key`
pub(super) fn type_name(call: &mut Call<'_>) -> Answer {
    let name = call.with(call.word(1), |entry| match entry.value {
        Value::String(_) => "string",
    });
    Ok(Reply::status(name.unwrap_or("none")))
}

/// `KEYS pattern`: in the order of the keys, where Redis gives that of its hash table. Dead keys stay.
pub(super) fn keys(call: &mut Call<'_>) -> Answer {
    let pattern = call.word(1);
    let live = call.node.keyspace.live(call.now_ms()).map(|(key, _)| key);
    // Only this pattern finds the empty key.
    let matching = live.filter(|key| pattern == b"*" || glob::matches(pattern, key.as_bytes()));
    Ok(Reply::Array(matching.cloned().map(Reply::Bulk).collect()))
}

/// `DBSIZE`: dead keys that nobody has named since count too.
pub(super) fn dbsize(call: &mut Call<'_>) -> Answer {
    Ok(count(call.node.keyspace.len()))
}

/// `FLUSHALL [ASYNC | SYNC]`, and `FLUSHDB` alike, since there is one database.
pub(super) fn flush(call: &mut Call<'_>) -> Answer {
    let option = until_nul(call.word(1));
    let known = option.eq_ignore_ascii_case(b"ASYNC") || option.eq_ignore_ascii_case(b"SYNC");
    if call.len() > 2 || (call.len() == 2 && !known) {
        return Err(CommandError::Syntax);
    }
    let flushed = std::mem::take(&mut call.node.keyspace);
    call.node.sessions.touch_flushed(|key| flushed.contains(key));
    call.removed.extend(flushed.live(call.now_ms()).map(|(key, entry)| (key.clone(), entry.string().clone())));
    Ok(Reply::OK)
}

/// `RENAME key newkey`
pub(super) fn rename(call: &mut Call<'_>) -> Answer {
    let (from, to) = (call.word(1), call.word(2));
    if !call.exists(from) {
        return Err(CommandError::NoSuchKey);
    }
    if from != to {
        move_key(call, from, to);
    }
    Ok(Reply::OK)
}

/// `RENAMENX key newkey`
pub(super) fn renamenx(call: &mut Call<'_>) -> Answer {
    let (from, to) = (call.word(1), call.word(2));
    if !call.exists(from) {
        return Err(CommandError::NoSuchKey);
    }
    if call.exists(to) {
        return Ok(Reply::Int(0));
    }
    move_key(call, from, to);
    Ok(Reply::Int(1))
}

fn move_key(call: &mut Call<'_>, from: &[u8], to: &[u8]) {
    duplicate(call, from, to);
    call.delete(from);
}

/// Gives `to` the value and the deadline of `from`; false if `from` is absent.
fn duplicate(call: &mut Call<'_>, from: &[u8], to: &[u8]) -> bool {
    let Some(entry) = call.with(from, |entry| entry.clone()) else {
        return false;
    };
    let deadline = entry.deadline_ms.map_or(NewDeadline::Never, NewDeadline::At);
    call.store(to, entry.into_string(), deadline);
    true
}

/// `COPY source destination [DB 0] [REPLACE]`
pub(super) fn copy(call: &mut Call<'_>) -> Answer {
    let mut replace = false;
    let mut index = 3;
    while index < call.len() {
        let word = until_nul(call.word(index));
        if word.eq_ignore_ascii_case(b"REPLACE") {
            replace = true;
        } else if word.eq_ignore_ascii_case(b"DB") && index + 1 < call.len() {
            index += 1;
            require_database(call, index)?;
        } else {
            return Err(CommandError::Syntax);
        }
        index += 1;
    }
    let (from, to) = (call.word(1), call.word(2));
    if from == to {
        return Err(CommandError::SameObject);
    }
    let refused = !call.exists(from) || (call.exists(to) && !replace);
    Ok(Reply::Int(i64::from(!refused && duplicate(call, from, to))))
}

/// `SELECT 0`: a node has one database, as under `databases 1`.
pub(super) fn select(call: &mut Call<'_>) -> Answer {
    require_database(call, 1)?;
    Ok(Reply::OK)
}

fn require_database(call: &Call<'_>, index: usize) -> Result<(), CommandError> {
    match i32::try_from(call.integer(index)?) {
        Ok(0) => Ok(()),
        Ok(_) => Err(CommandError::DbIndexOutOfRange),
        Err(_) => Err(CommandError::NotAnInt32),
    }
}

/// `PING [message]`
pub(super) fn ping(call: &mut Call<'_>) -> Answer {
    match call.len() {
        1 => Ok(Reply::status("PONG")),
        2 => echo(call),
        _ => Err(CommandError::WrongArity(call.command)),
    }
}

/// `ECHO message`
pub(super) fn echo(call: &mut Call<'_>) -> Answer {
    Ok(Reply::Bulk(ByteString::new(call.word(1))))
}

/// `PUBLISH channel message`: nobody listens.
pub(super) fn publish(_: &mut Call<'_>) -> Answer {
    Ok(Reply::Int(0))
}

/// `TIME`: seconds and microseconds of the node's clock.
pub(super) fn time(call: &mut Call<'_>) -> Answer {
    let parts = [call.now_us / 1_000_000, call.now_us % 1_000_000];
    Ok(Reply::Array(parts.map(|part| Reply::Bulk(ByteString::from(part.to_string().as_str()))).into()))
}
