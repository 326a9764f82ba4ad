//! Queries without row locks: nested loops, groups, order, limit.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::super::value::Value;
use super::Row;
use super::error::{SqlError, SqlState};
use super::eval::Env;
use super::expr::Expr;
use super::plan::{Access, Aggregate, AggregateFunction, Aggregation, Select, Sort, Source};
use super::scan;
use super::schema::{Key, Schema};
use super::storage::Storage;
use super::table::{Slot, View};

/// What a query reads.
#[derive(Copy, Clone, Debug)]
pub(super) struct Reader<'a> {
    pub(super) schema: &'a Schema,
    pub(super) storage: &'a Storage,
    pub(super) view: View,
}

/// Sort keys beside the row that they place.
type Sorted<T> = (SmallVec<[Value; 2]>, T);

impl<'a> Reader<'a> {
    /// Runs a query.
    pub(super) fn select(self, select: &Select, params: &'a [Value], now_us: i64) -> Result<Vec<Row>, SqlError> {
        let mut env = Env::new(params, now_us);
        let skip = count(&env, select.offset.as_ref(), "OFFSET")?.unwrap_or(0);
        let limit = count(&env, select.limit.as_ref(), "LIMIT")?;
        let wanted = limit.map_or(usize::MAX, |limit| limit.saturating_add(skip));
        if let Some(aggregation) = &select.aggregation {
            let groups = self.groups(select, aggregation, &mut env)?;
            let rows = groups.iter().map(|group| Env::of_row(params, now_us, group));
            return finish(select, rows, skip, wanted);
        }
        if select.order.is_empty() {
            let mut rows = Vec::new();
            if wanted > 0 {
                self.join(&select.sources, &mut env, &mut |env| {
                    rows.push(env.project(&select.projection)?);
                    Ok(rows.len() < wanted)
                })?;
            }
            rows.drain(..skip.min(rows.len()));
            return Ok(rows);
        }
        let mut found = Vec::new();
        self.join(&select.sources, &mut env, &mut |env| {
            found.push(env.clone());
            Ok(true)
        })?;
        finish(select, found.into_iter(), skip, wanted)
    }

    /// Calls `emit` for each combination of rows that fulfils the conditions, until it returns false.
    fn join(
        self,
        sources: &[Source],
        env: &mut Env<'a>,
        emit: &mut dyn FnMut(&Env<'a>) -> Result<bool, SqlError>,
    ) -> Result<bool, SqlError> {
        let Some((source, rest)) = sources.split_first() else { return emit(env) };
        let table = &self.storage.tables[source.table];
        if matches!(source.access, Access::Scan) {
            return self.join_slots(table.slots.iter(), (source, rest), env, emit);
        }
        let found = scan::slots(table, &self.schema.tables[source.table], &source.access, env)?;
        self.join_slots(found.into_iter(), (source, rest), env, emit)
    }

    fn join_slots(
        self,
        slots: impl Iterator<Item = (&'a Key, &'a Slot)>,
        (source, rest): (&Source, &[Source]),
        env: &mut Env<'a>,
        emit: &mut dyn FnMut(&Env<'a>) -> Result<bool, SqlError>,
    ) -> Result<bool, SqlError> {
        for (_, slot) in slots {
            let filter = source.filter.of_found(slot);
            for row in self.view.rows(slot) {
                env.rows.push(row);
                let goes_on = env.rejects(filter)? || self.join(rest, env, emit)?;
                env.rows.pop();
                if !goes_on {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// The groups that HAVING lets pass, in the order of their keys. Without GROUP BY there is always one.
    fn groups(self, select: &Select, aggregation: &Aggregation, env: &mut Env<'a>) -> Result<Vec<Row>, SqlError> {
        let fresh = || vec![Accumulator::default(); aggregation.aggregates.len()];
        let mut groups: BTreeMap<Row, Vec<Accumulator>> = BTreeMap::new();
        if aggregation.keys.is_empty() {
            groups.insert(Row::new(), fresh());
        }
        self.join(&select.sources, env, &mut |env| {
            let group = groups.entry(env.project(&aggregation.keys)?).or_insert_with(fresh);
            for (aggregate, accumulator) in aggregation.aggregates.iter().zip(group) {
                accumulator.add(aggregate, env)?;
            }
            Ok(true)
        })?;
        let mut rows = Vec::with_capacity(groups.len());
        for (mut row, accumulators) in groups {
            row.extend(aggregation.aggregates.iter().zip(accumulators).map(|(which, sum)| sum.result(which)));
            if !Env::of_row(env.params, env.now_us, &row).rejects(aggregation.having.as_ref())? {
                rows.push(row);
            }
        }
        Ok(rows)
    }
}

/// Orders, cuts and projects.
fn finish<'e>(
    select: &Select,
    found: impl Iterator<Item = Env<'e>>,
    skip: usize,
    wanted: usize,
) -> Result<Vec<Row>, SqlError> {
    let mut sorted = Vec::new();
    for env in found {
        sorted.push((sort_keys(&select.order, &env)?, env));
    }
    sort(&select.order, &mut sorted);
    sorted.iter().take(wanted).skip(skip).map(|(_, env)| env.project(&select.projection)).collect()
}

/// The values that ORDER BY compares.
pub(super) fn sort_keys(order: &[Sort], env: &Env<'_>) -> Result<SmallVec<[Value; 2]>, SqlError> {
    order.iter().map(|item| Ok(env.value(&item.expr)?.into_owned())).collect()
}

/// Sorts; equal rows keep their order, which is that of the primary key.
pub(super) fn sort<T>(order: &[Sort], rows: &mut [Sorted<T>]) {
    let compare = |item: &Sort, one: &Value, other: &Value| match (one, other) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Null, _) if item.nulls_first => Ordering::Less,
        (Value::Null, _) => Ordering::Greater,
        (_, Value::Null) if item.nulls_first => Ordering::Greater,
        (_, Value::Null) => Ordering::Less,
        _ if item.descending => other.cmp(one),
        _ => one.cmp(other),
    };
    rows.sort_by(|(one, _), (other, _)| {
        let parts = order.iter().zip(one.iter().zip(other));
        parts.map(|(item, (one, other))| compare(item, one, other)).find(|o| o.is_ne()).unwrap_or(Ordering::Equal)
    });
}

/// The number of rows that LIMIT or OFFSET asks for; NULL asks for nothing.
pub(super) fn count(env: &Env<'_>, expr: Option<&Expr>, clause: &str) -> Result<Option<usize>, SqlError> {
    let Some(expr) = expr else { return Ok(None) };
    match &*env.value(expr)? {
        Value::Null => Ok(None),
        Value::Int(number) => match usize::try_from(*number) {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(SqlError::new(SqlState::InvalidRowCount, format!("{clause} must not be negative"))),
        },
        other => {
            Err(SqlError::new(SqlState::DatatypeMismatch, format!("argument of {clause} must be bigint: {other}")))
        }
    }
}

/// One aggregate over one group.
#[derive(Clone, Debug, Default)]
struct Accumulator {
    count: i64,
    /// Sum, least or greatest value; none before the first.
    value: Option<Value>,
    /// For DISTINCT: what was met already.
    seen: BTreeSet<Value>,
}

impl Accumulator {
    fn add(&mut self, aggregate: &Aggregate, env: &Env<'_>) -> Result<(), SqlError> {
        let Some(argument) = &aggregate.argument else {
            self.count += 1;
            return Ok(());
        };
        let value = env.value(argument)?.into_owned();
        if value == Value::Null || (aggregate.distinct && !self.seen.insert(value.clone())) {
            return Ok(());
        }
        self.count += 1;
        self.value = Some(match (aggregate.function, self.value.take()) {
            (AggregateFunction::Sum, Some(Value::Int(sum))) => match value {
                Value::Int(value) => {
                    Value::Int(sum.checked_add(value).ok_or_else(|| SqlError::out_of_range("bigint"))?)
                }
                other => other,
            },
            (AggregateFunction::Min, Some(least)) => least.min(value),
            (AggregateFunction::Max, Some(greatest)) => greatest.max(value),
            _ => value,
        });
        Ok(())
    }

    fn result(self, aggregate: &Aggregate) -> Value {
        match aggregate.function {
            AggregateFunction::Count => Value::Int(self.count),
            _ => self.value.unwrap_or(Value::Null),
        }
    }
}
