//! Finding the rows that may fulfil a statement's conditions.

use smallvec::SmallVec;

use super::super::value::Value;
use super::error::SqlError;
use super::eval::Env;
use super::expr::{Comparison, Expr, Kind};
use super::plan::{Access, Probe};
use super::schema::{Key, TableSchema};
use super::table::{Slot, Table};

/// Slots with their primary keys, in order.
pub(super) type Found<'t> = SmallVec<[(&'t Key, &'t Slot); 4]>;

/// The slots that the access path leads to. Their rows may be out of sight, or not fulfil the conditions: the path
/// alone is only right for a slot of one version ([`super::plan::Filter`]).
pub(super) fn slots<'t>(
    table: &'t Table,
    schema: &TableSchema,
    access: &Access,
    env: &Env<'_>,
) -> Result<Found<'t>, SqlError> {
    let mut found = Found::new();
    let (probes, columns) = match access {
        Access::Scan => {
            found.extend(table.slots.iter());
            return Ok(found);
        }
        Access::Key(probes) => (probes, &schema.key),
        Access::Index { index, probes } => (probes, &schema.indexes[*index].columns),
    };
    // Within a run the slots are in order.
    let mut runs = 0;
    expand(probes, columns, schema, env, &mut Key::default(), &mut |prefix| {
        let is_full = prefix.0.len() == columns.len();
        runs += 1;
        match access {
            Access::Index { index, .. } if is_full => {
                found.extend(table.indexes[*index].rows(prefix).iter().map(|id| table.slots.at(*id)));
            }
            Access::Index { index, .. } => {
                for rows in table.indexes[*index].beginning_with(prefix) {
                    runs += 1;
                    found.extend(rows.iter().map(|id| table.slots.at(*id)));
                }
            }
            _ if is_full => found.extend(table.slots.id(prefix).map(|id| table.slots.at(id))),
            _ => found.extend(table.slots.from(prefix).take_while(|(key, _)| key.0.starts_with(&prefix.0))),
        }
    })?;
    if runs > 1 && found.len() > 1 {
        found.sort_unstable_by_key(|(key, _)| *key);
        found.dedup_by_key(|(key, _)| *key);
    }
    Ok(found)
}

/// Calls `f` for each combination of the probes' values. NULL equals nothing and leads nowhere.
fn expand(
    probes: &[Probe],
    columns: &[usize],
    schema: &TableSchema,
    env: &Env<'_>,
    prefix: &mut Key,
    f: &mut dyn FnMut(&Key),
) -> Result<(), SqlError> {
    let Some((probe, rest)) = probes.split_first() else {
        f(prefix);
        return Ok(());
    };
    let kind = schema.columns[columns[prefix.0.len()]].kind;
    let mut with = |value: &Value| {
        if !kind.admits(value) {
            return Err(SqlError::no_operator(kind.name(), Comparison::Equal.symbol(), Kind::of(value).name()));
        }
        if !matches!(value, Value::Null) {
            prefix.0.push(value.clone());
            expand(rest, columns, schema, env, prefix, f)?;
            prefix.0.pop();
        }
        Ok(())
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
