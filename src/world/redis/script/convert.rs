//! Redis replies as Lua values and back.

use mlua::{Function, Lua, Result, Table, Value};

use super::super::errors::one_line;
use crate::world::argv::ByteString;
use crate::world::reply::Reply;

/// How deep a returned table may nest. Redis stops where its Lua stack is full, at some thousands.
const DEPTH_MAX: usize = 1_000;

/// What a script sees of a reply. Nil is `false`; a status and an error are tables.
pub(super) fn to_lua(lua: &Lua, reply: &Reply) -> Result<Value> {
    Ok(match reply {
        Reply::Status(text) => Value::Table(field(lua, "ok", text)?),
        Reply::Error(text) => Value::Table(field(lua, "err", text)?),
        // Lua 5.1 has doubles only.
        Reply::Int(number) => Value::Number(*number as f64),
        Reply::Bulk(bytes) => Value::String(lua.create_string(bytes.as_bytes())?),
        Reply::Nil | Reply::NilArray => Value::Boolean(false),
        Reply::Array(items) => {
            let table = lua.create_table_with_capacity(items.len(), 0)?;
            for (index, item) in items.iter().enumerate() {
                table.raw_set(index + 1, to_lua(lua, item)?)?;
            }
            Value::Table(table)
        }
    })
}

/// A table with this one field.
pub(super) fn field(lua: &Lua, name: &str, text: &str) -> Result<Table> {
    let table = lua.create_table_with_capacity(0, 1)?;
    table.raw_set(name, text)?;
    Ok(table)
}

/// What a client gets of a value that a script returns.
pub(super) fn from_lua(value: &Value, depth: usize) -> Result<Reply> {
    Ok(match value {
        Value::String(text) => Reply::Bulk(ByteString::new(&text.as_bytes())),
        Value::Integer(number) => Reply::Int(*number),
        Value::Number(number) => Reply::Int(truncated(*number)),
        Value::Boolean(true) => Reply::Int(1),
        Value::Table(_) if depth >= DEPTH_MAX => Reply::error("ERR reached lua stack limit"),
        Value::Table(table) => from_table(table, depth)?,
        _ => Reply::Nil,
    })
}

fn from_table(table: &Table, depth: usize) -> Result<Reply> {
    if let Value::String(text) = table.raw_get("err")? {
        return Ok(Reply::Error(one_line(&text.as_bytes())));
    }
    if let Value::String(text) = table.raw_get("ok")? {
        return Ok(Reply::Status(one_line(&text.as_bytes())));
    }
    let mut items = Vec::new();
    loop {
        match table.raw_get(items.len() + 1)? {
            Value::Nil => return Ok(Reply::Array(items)),
            item => items.push(from_lua(&item, depth + 1)?),
        }
    }
}

/// C's conversion on x86-64: toward zero, and the least number for whatever does not fit.
fn truncated(number: f64) -> i64 {
    // 2^63, the first double that does not fit.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    let fits = (-LIMIT..LIMIT).contains(&number);
    #[allow(clippy::cast_possible_truncation, reason = "the range is checked")]
    if fits { number as i64 } else { i64::MIN }
}

/// The bytes that `redis.call` sends for an argument; `None` if it is neither a string nor a number.
pub(super) fn argument(value: &Value, format: &Function) -> Result<Option<Vec<u8>>> {
    // From here on `%.17g` has an exponent.
    const SHORT_INTEGERS: std::ops::Range<i64> = -99_999_999_999_999_999..100_000_000_000_000_000;
    Ok(match value {
        Value::String(text) => Some(text.as_bytes().to_vec()),
        Value::Integer(number) if SHORT_INTEGERS.contains(number) => Some(number.to_string().into_bytes()),
        Value::Integer(_) | Value::Number(_) => {
            Some(format.call::<mlua::LuaString>(("%.17g", value))?.as_bytes().to_vec())
        }
        _ => None,
    })
}
