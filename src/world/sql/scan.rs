//! Finding the rows that may fulfil a statement's conditions.

use smallvec::SmallVec;

use super::super::value::Value;
use super::error::SqlError;
use super::eval::Env;
use super::expr::{Comparison, Expr, Kind};
use super::plan::{Access, Probe};
use super::schema::{Key, TableSchema};
use super::table::{RowKeys, Slot, Table};

/// Calls `visit` for each slot that the access path leads to, in the order of the primary key, until it returns
/// false.
pub(super) fn visit<'t>(
    table: &'t Table,
    schema: &TableSchema,
    access: &Access,
    env: &Env<'_>,
    visit: &mut dyn FnMut(&'t Key, &'t Slot) -> Result<bool, SqlError>,
) -> Result<(), SqlError> {
    if matches!(access, Access::Scan) {
        return each(table.slots.iter(), visit);
    }
    let keys = keys(table, schema, access, env)?;
    for key in &keys {
        if let Some((key, slot)) = table.slots.get_key_value(key)
            && !visit(key, slot)?
        {
            break;
        }
    }
    Ok(())
}

fn each<'t>(
    slots: impl Iterator<Item = (&'t Key, &'t Slot)>,
    visit: &mut dyn FnMut(&'t Key, &'t Slot) -> Result<bool, SqlError>,
) -> Result<(), SqlError> {
    for (key, slot) in slots {
        if !visit(key, slot)? {
            break;
        }
    }
    Ok(())
}

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
    let mut prefix = Key::new();
    expand(probes, columns, schema, env, &mut prefix, &mut |prefix| match access {
        Access::Index { index, .. } if prefix.len() == columns.len() => {
            found.extend(table.indexes[*index].get(prefix).into_iter().flatten().cloned());
        }
        Access::Index { index, .. } => {
            let entries = table.indexes[*index].range(prefix.clone()..);
            let within = entries.take_while(|(key, _)| key.starts_with(prefix));
            found.extend(within.flat_map(|(_, rows)| rows).cloned());
        }
        _ if prefix.len() == columns.len() => found.push(prefix.clone()),
        _ => {
            let entries = table.slots.range(prefix.clone()..);
            found.extend(entries.map(|(key, _)| key).take_while(|key| key.starts_with(prefix)).cloned());
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
    let kind = schema.columns[columns[prefix.len()]].kind;
    for value in values(probe, kind, env)? {
        if value != Value::Null {
            prefix.push(value);
            expand(rest, columns, schema, env, prefix, f)?;
            prefix.pop();
        }
    }
    Ok(())
}

fn values(probe: &Probe, kind: Kind, env: &Env<'_>) -> Result<SmallVec<[Value; 1]>, SqlError> {
    let one = |expr: &Expr| Ok(env.value(expr)?.into_owned());
    let values: SmallVec<[Value; 1]> = match probe {
        Probe::One(expr) => smallvec::smallvec![one(expr)?],
        Probe::List(list) => list.iter().map(one).collect::<Result<_, SqlError>>()?,
        Probe::Any(expr) => match &*env.value(expr)? {
            Value::List(items) => items.iter().cloned().collect(),
            Value::Null => SmallVec::new(),
            other => return Err(SqlError::no_operator(kind.name(), "= ANY", Kind::of(other).name())),
        },
    };
    match values.iter().find(|value| !kind.admits(value)) {
        Some(odd) => Err(SqlError::no_operator(kind.name(), Comparison::Equal.symbol(), Kind::of(odd).name())),
        None => Ok(values),
    }
}
