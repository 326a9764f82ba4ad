//! Finding the rows that may fulfil a statement's conditions.

use super::super::value::Value;
use super::error::SqlError;
use super::eval::Env;
use super::expr::{Comparison, Expr, Kind};
use super::hash::KeyHash;
use super::plan::Probe;
use super::table::{RowIds, Table};

/// Adds the slots that an index leads to, in no order. Their rows may be out of sight or not fulfil the conditions,
/// except those that a whole primary key of one column implies ([`super::plan::Filter::of_found`]).
#[inline(always)]
pub(super) fn candidates(
    table: &Table,
    (index, probes): (usize, &[(Kind, Probe)]),
    env: &Env<'_>,
    found: &mut RowIds,
) -> Result<(), SqlError> {
    match probes {
        [(kind, probe)] => each_value(*kind, probe, env, |value| {
            table.look_up_value(index, value, found);
            Ok(())
        })?,
        _ => expand(table, (index, probes.len()), probes, env, KeyHash::default(), found)?,
    }
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
    each_value(*kind, probe, env, |value| expand(table, level, rest, env, hash.with(value), found))
}

/// Calls `f` for each value that the column may have. NULL equals nothing and leads nowhere.
#[inline(always)]
fn each_value(
    kind: Kind,
    probe: &Probe,
    env: &Env<'_>,
    mut f: impl FnMut(&Value) -> Result<(), SqlError>,
) -> Result<(), SqlError> {
    let mut with = |value: &Value| match value {
        Value::Null => Ok(()),
        value if kind.admits(value) => f(value),
        other => Err(SqlError::no_operator(kind.name(), Comparison::Equal.symbol(), Kind::of(other).name())),
    };
    match probe {
        Probe::One(expr) => match env.stored(expr) {
            Some(value) => with(value),
            None => with(&*env.value(expr)?),
        },
        Probe::List(list) => list.iter().try_for_each(|expr: &Expr| with(&*env.value(expr)?)),
        Probe::Any(expr) => match &*env.value(expr)? {
            Value::List(items) => items.iter().try_for_each(with),
            Value::Null => Ok(()),
            other => Err(SqlError::no_operator(kind.name(), "= ANY", Kind::of(other).name())),
        },
    }
}
