//! What goes wrong in a script, on its way through Lua.

use mlua::{Lua, Value};

use super::convert::field;

/// The chunk name of what is no script's own.
pub(super) const PRELUDE_CHUNK: &str = "=prelude";

/// A failure of `redis.call` on its way through Lua.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Raised(String);

pub(super) fn raised(text: impl Into<String>) -> mlua::Error {
    mlua::Error::external(Raised(text.into()))
}

/// What `pcall` gives a script for a problem. Problems that no script may survive are raised again.
pub(super) fn explain(lua: &Lua, problem: Value) -> mlua::Result<Value> {
    match &problem {
        Value::Error(error) => match error.downcast_ref::<Raised>() {
            Some(Raised(text)) => Ok(Value::String(lua.create_string(text)?)),
            None => Err((**error).clone()),
        },
        Value::Table(table) => match table.get::<Value>("err")? {
            text @ Value::String(_) => Ok(text),
            _ => Ok(problem),
        },
        _ => Ok(problem),
    }
}

/// The handler of a script's own error: a table that says what and on which line.
pub(super) fn locate(lua: &Lua, problem: Value) -> mlua::Result<Value> {
    let table = match &problem {
        Value::Table(table) => table.clone(),
        Value::Error(error) => match error.downcast_ref::<Raised>() {
            Some(Raised(text)) => field(lua, "err", text)?,
            None => return Ok(problem),
        },
        other => {
            let text = lua.coerce_string(other.clone())?.map_or_else(|| "nil".into(), |text| text.as_bytes().to_vec());
            let table = lua.create_table()?;
            table.raw_set("err", lua.create_string([b"ERR ", text.as_slice()].concat())?)?;
            table
        }
    };
    if let Some((source, line)) = place(lua) {
        table.raw_set("source", source)?;
        table.raw_set("line", line)?;
    }
    Ok(Value::Table(table))
}

/// Source and line of the innermost function that a script defines.
fn place(lua: &Lua) -> Option<(String, usize)> {
    // Level 0 is the handler itself.
    for level in 1.. {
        let found = lua.inspect_stack(level, |frame| {
            let source = frame.source();
            let is_of_script = matches!(source.what, "Lua" | "main") && source.source.as_deref() != Some(PRELUDE_CHUNK);
            is_of_script.then(|| Some((source.source?.into_owned(), frame.current_line()?))).flatten()
        })?;
        if found.is_some() {
            return found;
        }
    }
    None
}
