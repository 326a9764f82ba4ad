//! Finding the rows that may fulfil a statement's conditions.

use super::super::value::Value;
use super::error::SqlError;
use super::eval::Env;
use super::expr::{Comparison, Expr, Kind};
use super::hash::KeyHash;
use super::plan::Probe;
use super::slots::RowId;
use super::table::{RowIds, Table};

/// Slots, each once. Their rows may be out of sight.
pub(super) enum Found<'t> {
    One(Option<RowId>),
    /// As an index lists them.
    Listed(&'t [RowId]),
    Several(RowIds),
}

impl Found<'_> {
    #[inline]
    pub(super) fn as_slice(&self) -> &[RowId] {
        match self {
            Self::One(id) => id.as_slice(),
            Self::Listed(ids) => ids,
            Self::Several(ids) => ids,
        }
    }
}

impl From<Found<'_>> for RowIds {
    #[inline]
    fn from(found: Found<'_>) -> Self {
        match found {
            Found::Several(ids) => ids,
            few => Self::from_slice(few.as_slice()),
        }
    }
}

/// The slots that have such values as their primary key, which is one column, in its order.
#[inline(always)]
pub(super) fn by_key<'t>(table: &'t Table, kind: Kind, probe: &Probe, env: &Env<'_>) -> Result<Found<'t>, SqlError> {
    let Probe::One(expr) = probe else { return by_keys(table, kind, probe, env) };
    let find = |value: &Value| Ok(if is_sought(kind, value)? { table.find_value(value) } else { None });
    at_value(expr, env, find).map(Found::One)
}

/// The same for a list of values.
#[inline(never)]
fn by_keys<'t>(table: &'t Table, kind: Kind, probe: &Probe, env: &Env<'_>) -> Result<Found<'t>, SqlError> {
    let mut found = RowIds::new();
    each_value(kind, probe, env, |value| {
        if let Some(id) = table.find_value(value) {
            found.push(id);
        }
        Ok(())
    })?;
    if found.len() > 1 {
        table.sort(&mut found);
        found.dedup();
    }
    Ok(Found::Several(found))
}

/// The slots that an index leads to, in no order. Their rows need not fulfil the conditions.
#[inline(always)]
pub(super) fn by_index<'t>(
    table: &'t Table,
    index: usize,
    probes: &[(Kind, Probe)],
    env: &Env<'_>,
) -> Result<Found<'t>, SqlError> {
    let [(kind, Probe::One(expr))] = probes else { return by_columns(table, index, probes, env) };
    let listed = |value: &Value| Ok(if is_sought(*kind, value)? { table.listed_under(index, value) } else { &[] });
    at_value(expr, env, listed).map(Found::Listed)
}

/// The same for several columns or a list of values.
#[inline(never)]
fn by_columns<'t>(
    table: &'t Table,
    index: usize,
    probes: &[(Kind, Probe)],
    env: &Env<'_>,
) -> Result<Found<'t>, SqlError> {
    let mut found = RowIds::new();
    expand(table, (index, probes.len()), probes, env, KeyHash::default(), &mut found)?;
    // Only lists of values can lead to a slot twice.
    if found.len() > 1 && probes.iter().any(|(_, probe)| !matches!(probe, Probe::One(_))) {
        found.sort_unstable();
        found.dedup();
    }
    Ok(Found::Several(found))
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

/// Calls `f` for each value that the column may have.
#[inline(always)]
fn each_value(
    kind: Kind,
    probe: &Probe,
    env: &Env<'_>,
    mut f: impl FnMut(&Value) -> Result<(), SqlError>,
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

/// What `f` makes of the value of an expression.
#[inline(always)]
fn at_value<T>(expr: &Expr, env: &Env<'_>, f: impl Fn(&Value) -> Result<T, SqlError>) -> Result<T, SqlError> {
    match env.stored(expr) {
        Some(value) => f(value),
        None => f(&*env.computed(expr)?),
    }
}

/// True if a column of this type may have the value. NULL equals nothing and leads nowhere.
#[inline(always)]
fn is_sought(kind: Kind, value: &Value) -> Result<bool, SqlError> {
    match value {
        Value::Null => Ok(false),
        value if kind.admits(value) => Ok(true),
        other => Err(SqlError::no_operator(kind.name(), Comparison::Equal.symbol(), Kind::of(other).name())),
    }
}
