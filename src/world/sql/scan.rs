//! Finding the rows that may fulfil a statement's conditions.

use super::super::value::Value;
use super::error::SqlError;
use super::eval::Env;
use super::expr::{Comparison, Expr, Kind};
use super::hash::KeyHash;
use super::plan::Probe;
use super::table::{RowIds, Table};

/// Adds the slots that an index leads to, in no order. Their rows may be out of sight or not fulfil the conditions.
#[inline]
pub(super) fn candidates(
    table: &Table,
    (index, probes): (usize, &[(Kind, Probe)]),
    env: &Env<'_>,
    found: &mut RowIds,
) -> Result<(), SqlError> {
    if let [(kind, Probe::One(expr))] = probes
        && let Some(value) = env.stored(expr)
    {
        // One value of one column: most statements.
        return match hash_of(value, *kind, KeyHash::default())? {
            Some(hash) => Ok(table.look_up((index, 1), hash, found)),
            None => Ok(()),
        };
    }
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
    let mut with = |value: &Value| match hash_of(value, *kind, hash)? {
        Some(hash) if rest.is_empty() => Ok(table.look_up(level, hash, found)),
        Some(hash) => expand(table, level, rest, env, hash, found),
        None => Ok(()),
    };
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

/// The hash with this value of a column behind it. NULL equals nothing and leads nowhere.
#[inline]
fn hash_of(value: &Value, kind: Kind, hash: KeyHash) -> Result<Option<KeyHash>, SqlError> {
    match value {
        Value::Null => Ok(None),
        value if kind.admits(value) => Ok(Some(hash.with(value))),
        other => Err(SqlError::no_operator(kind.name(), Comparison::Equal.symbol(), Kind::of(other).name())),
    }
}
