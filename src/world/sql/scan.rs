//! Finding the rows that may fulfil a statement's conditions.

use super::super::value::Value;
use super::error::SqlError;
use super::eval::Env;
use super::expr::{Comparison, Expr, Kind};
use super::plan::{Access, Probe};
use super::schema::{Key, TableSchema};
use super::table::{RowKeys, Table};

/// The primary keys that the access path leads to, in order. Rows under some of them may be absent or not fulfil
/// the conditions.
pub(super) fn keys(table: &Table, schema: &TableSchema, access: &Access, env: &Env<'_>) -> Result<RowKeys, SqlError> {
    let mut found = RowKeys::new();
    let (probes, columns) = match access {
        Access::Scan => {
            found.extend(table.slots.keys().cloned());
            return Ok(found);
        }
        Access::Key(probes) => (probes, &schema.key),
        Access::Index { index, probes } => (probes, &schema.indexes[*index].columns),
    };
    let mut prefix = Key::default();
    expand(probes, columns, schema, env, &mut prefix, &mut |prefix| match access {
        Access::Index { index, .. } if prefix.0.len() == columns.len() => {
            found.extend(table.indexes[*index].get(prefix).into_iter().flatten().cloned());
        }
        Access::Index { index, .. } => {
            let entries = table.indexes[*index].range(prefix.clone()..);
            let within = entries.take_while(|(key, _)| key.0.starts_with(&prefix.0));
            found.extend(within.flat_map(|(_, rows)| rows).cloned());
        }
        _ if prefix.0.len() == columns.len() => found.push(prefix.clone()),
        _ => {
            let entries = table.slots.range(prefix.clone()..);
            found.extend(entries.map(|(key, _)| key).take_while(|key| key.0.starts_with(&prefix.0)).cloned());
        }
    })?;
    if found.len() > 1 {
        found.sort_unstable();
        found.dedup();
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
        if *value != Value::Null {
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
