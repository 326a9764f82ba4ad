//! Choice of an index: the longest run of leading columns that the conditions give values for.

use super::super::super::value::Value;
use super::super::condition::Condition;
use super::super::expr::{Comparison, Expr};
use super::super::schema::{Index, TableSchema};
use super::{Access, Filter, Probe};

/// How the rows of source number `source` that fulfil all `conditions` are found, when the sources before it are
/// bound.
pub(super) fn choose(table: &TableSchema, source: usize, conditions: &[Expr]) -> Access {
    let probe = |column: usize| {
        let probe = conditions.iter().find_map(|condition| probe_of(condition, source, column))?;
        Some((table.columns[column].kind, probe))
    };
    let probes = |columns: &[usize]| -> Vec<_> { columns.iter().map_while(|&column| probe(column)).collect() };
    let by_key = probes(&table.key);
    let mut best = Access::Scan;
    // A full key finds at most one row; otherwise more columns, then uniqueness, then a partial index narrow most.
    let mut best_rank = (0, 0, 0);
    if !by_key.is_empty() {
        best_rank = (usize::from(by_key.len() == table.key.len()) * 2, by_key.len(), 2);
        best = Access::Index { index: 0, probes: by_key };
    }
    for (index, number) in table.indexes.iter().zip(1..) {
        if !implied(index, source, conditions) {
            continue;
        }
        let probes = probes(&index.columns);
        let partial = usize::from(!index.predicate.is_empty());
        let full = usize::from(index.unique && probes.len() == index.columns.len());
        let rank = (full, probes.len() + partial, partial);
        if rank > best_rank {
            best_rank = rank;
            best = Access::Index { index: number, probes };
        }
    }
    match best {
        Access::Index { index: 0, mut probes } if table.key.len() == 1 => {
            let (kind, probe) = probes.remove(0);
            Access::Key(kind, probe)
        }
        best => best,
    }
}

/// The conditions of a source, those last that the access path implies. It leaves nothing of them to be judged where it
/// looks for whole primary keys of one column, which are compared then.
pub(super) fn filter(table: &TableSchema, source: usize, access: &Access, conditions: &[&Expr]) -> Filter {
    let columns = match access {
        Access::Scan => &[],
        Access::Key(..) => &table.key[..],
        Access::Index { index, probes } => &table.columns_of(*index)[..probes.len()],
    };
    let mut probed: Vec<&Expr> = Vec::new();
    for &column in columns {
        probed.extend(conditions.iter().find(|condition| probe_of(condition, source, column).is_some()));
    }
    let (implied, others): (Vec<&Expr>, Vec<&Expr>) = conditions.iter().partition(|it| probed.contains(it));
    let left = if matches!(access, Access::Key(..)) { others.len() } else { conditions.len() };
    let all = others.into_iter().chain(implied);
    Filter { conditions: all.map(|condition| Condition::new(condition.clone(), source)).collect(), left }
}

/// The values that the condition gives the column, if it gives any.
fn probe_of(condition: &Expr, source: usize, column: usize) -> Option<Probe> {
    let wanted = Expr::Column { source, column };
    let known = |expr: &Expr| expr.sources_needed() <= source;
    match condition {
        Expr::Compare(Comparison::Equal, left, right) if **left == wanted && known(right) => {
            Some(Probe::One((**right).clone()))
        }
        Expr::Compare(Comparison::Equal, left, right) if **right == wanted && known(left) => {
            Some(Probe::One((**left).clone()))
        }
        Expr::In(needle, list) if **needle == wanted && list.iter().all(known) => Some(Probe::List(list.clone())),
        Expr::Any(needle, list) if **needle == wanted && known(list) => Some(Probe::Any((**list).clone())),
        Expr::Not(inner) if **inner == wanted => Some(Probe::One(Expr::Constant(Value::Bool(false)))),
        expr if *expr == wanted => Some(Probe::One(Expr::Constant(Value::Bool(true)))),
        _ => None,
    }
}

/// True if each condition of a partial index stands among the statement's conditions.
fn implied(index: &Index, source: usize, conditions: &[Expr]) -> bool {
    index.predicate.iter().all(|wanted| {
        let wanted = at_source(wanted.clone(), source);
        conditions.contains(&wanted)
    })
}

/// A predicate is written over source 0; the same condition over another source.
fn at_source(expr: Expr, to: usize) -> Expr {
    let boxed = |expr: Box<Expr>| Box::new(at_source(*expr, to));
    let all = |list: Vec<Expr>| list.into_iter().map(|expr| at_source(expr, to)).collect();
    match expr {
        Expr::Column { column, .. } => Expr::Column { source: to, column },
        Expr::Compare(comparison, left, right) => Expr::Compare(comparison, boxed(left), boxed(right)),
        Expr::And(list) => Expr::And(all(list)),
        Expr::Or(list) => Expr::Or(all(list)),
        Expr::Coalesce(list) => Expr::Coalesce(all(list)),
        Expr::Not(inner) => Expr::Not(boxed(inner)),
        Expr::IsNull(inner) => Expr::IsNull(boxed(inner)),
        Expr::In(inner, list) => Expr::In(boxed(inner), all(list)),
        other => other,
    }
}
