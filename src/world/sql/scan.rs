//! Finding the rows that may fulfil a statement's conditions.

use smallvec::SmallVec;

use super::super::value::Value;
use super::error::SqlError;
use super::eval::Env;
use super::expr::{Comparison, Expr, Kind};
use super::hash::KeyHash;
use super::plan::{Access, Probe};
use super::slots::RowId;
use super::table::{RowIds, Table};

/// The slots that an access path leads to, each once: as an index lists them or else in the buffer. Their rows may be
/// out of sight. Primary keys lead to them in order; what an index leads to need not fulfil the conditions.
#[inline]
pub(super) fn find<'t>(
    table: &'t Table,
    access: &Access,
    env: &Env<'_>,
    buffer: &'t mut RowIds,
) -> Result<&'t [RowId], SqlError> {
    if let Access::Index { index, probes } = access
        && let [(kind, Probe::One(expr))] = probes.as_slice()
    {
        let mut listed: &[RowId] = &[];
        at_value(*kind, expr, env, |value| listed = table.listed_under(*index, value))?;
        return Ok(listed);
    }
    collect(table, access, env, buffer)?;
    Ok(buffer)
}

/// The same, all of them put into a buffer that is empty.
pub(super) fn collect(table: &Table, access: &Access, env: &Env<'_>, found: &mut RowIds) -> Result<(), SqlError> {
    match access {
        Access::Key(kind, Probe::One(expr)) => {
            found.extend(by_key(table, *kind, expr, env)?);
            Ok(())
        }
        Access::Key(kind, probe) => by_keys(table, *kind, probe, env, found),
        Access::Index { index, probes } => by_columns(table, *index, probes, env, found),
        Access::Scan => {
            found.extend(table.in_order().map(|(id, _)| id));
            Ok(())
        }
    }
}

/// The slot that has the value of an expression as its primary key, which is one column.
#[inline]
pub(super) fn by_key(table: &Table, kind: Kind, expr: &Expr, env: &Env<'_>) -> Result<Option<RowId>, SqlError> {
    let mut found = None;
    at_value(kind, expr, env, |value| found = table.find_value(value))?;
    Ok(found)
}

/// The slots that have one of these values as their primary key, in its order.
#[inline(never)]
fn by_keys(table: &Table, kind: Kind, probe: &Probe, env: &Env<'_>, found: &mut RowIds) -> Result<(), SqlError> {
    if let Probe::Any(expr) = probe
        && let Some(Value::List(items)) = env.stored(expr)
    {
        // By far the most frequent list. Its values are sorted sooner than the rows they lead to.
        let mut keys: SmallVec<[&Value; 8]> = SmallVec::new();
        for item in items.iter() {
            if is_sought(kind, item)? {
                keys.push(item);
            }
        }
        keys.sort_unstable();
        keys.dedup();
        for key in &keys {
            if let Some(id) = table.find_value(key) {
                found.push(id);
            }
        }
        return Ok(());
    }
    each_value(kind, probe, env, &mut |value| {
        found.extend(table.find_value(value));
        Ok(())
    })?;
    table.sort(found);
    found.dedup();
    Ok(())
}

/// The slots that may have these values in the first columns of an index, in no order.
#[inline(never)]
fn by_columns(
    table: &Table,
    index: usize,
    probes: &[(Kind, Probe)],
    env: &Env<'_>,
    found: &mut RowIds,
) -> Result<(), SqlError> {
    expand(table, (index, probes.len()), probes, env, KeyHash::default(), found)?;
    // Only lists of values can lead to a slot twice.
    if found.len() > 1 && probes.iter().any(|(_, probe)| !matches!(probe, Probe::One(_))) {
        found.sort_unstable();
        found.dedup();
    }
    Ok(())
}

/// Looks up each combination of the probes' values behind those that are hashed already, in a level of an index.
fn expand(
    table: &Table,
    level: (usize, usize),
    probes: &[(Kind, Probe)],
    env: &Env<'_>,
    hash: KeyHash,
    found: &mut RowIds,
) -> Result<(), SqlError> {
    let Some(((kind, probe), rest)) = probes.split_first() else {
        table.look_up(level, hash, found);
        return Ok(());
    };
    each_value(*kind, probe, env, &mut |value| expand(table, level, rest, env, hash.with(value), found))
}

/// Calls `f` for each value that the column may have.
fn each_value(
    kind: Kind,
    probe: &Probe,
    env: &Env<'_>,
    f: &mut dyn FnMut(&Value) -> Result<(), SqlError>,
) -> Result<(), SqlError> {
    let mut with = |value: &Value| if is_sought(kind, value)? { f(value) } else { Ok(()) };
    match probe {
        Probe::One(expr) => with(&*env.value(expr)?),
        Probe::List(list) => list.iter().try_for_each(|expr: &Expr| with(&*env.value(expr)?)),
        Probe::Any(expr) => match &*env.value(expr)? {
            Value::List(items) => items.iter().try_for_each(with),
            Value::Null => Ok(()),
            other => Err(SqlError::no_operator(kind.name(), "= ANY", Kind::of(other).name())),
        },
    }
}

/// Calls `f` with the value of an expression, if the column may have it.
#[inline(always)]
fn at_value(kind: Kind, expr: &Expr, env: &Env<'_>, f: impl FnOnce(&Value)) -> Result<(), SqlError> {
    let computed;
    let value = match env.stored(expr) {
        Some(value) => value,
        None => {
            computed = env.computed(expr)?;
            &*computed
        }
    };
    if is_sought(kind, value)? {
        f(value);
    }
    Ok(())
}

/// True if a column of this type may have the value. NULL equals nothing and leads nowhere.
#[inline(always)]
fn is_sought(kind: Kind, value: &Value) -> Result<bool, SqlError> {
    match value {
        Value::Null => Ok(false),
        value if kind.admits(value) => Ok(true),
        other => Err(not_sought(kind, other)),
    }
}

#[cold]
fn not_sought(kind: Kind, value: &Value) -> SqlError {
    SqlError::no_operator(kind.name(), Comparison::Equal.symbol(), Kind::of(value).name())
}
