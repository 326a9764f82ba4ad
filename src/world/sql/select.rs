//! Queries without row locks: nested loops, groups, order, limit.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use smallvec::SmallVec;

use super::super::value::Value;
use super::condition::{Condition, all_hold};
use super::error::{SqlError, SqlState};
use super::eval::Env;
use super::expr::Expr;
use super::outcome::ResultRows;
use super::plan::{Access, Aggregate, AggregateFunction, Aggregation, Probe, Select, Sort, Source};
use super::scan;
use super::slot::{Busy, Slot, Values, View};
use super::storage::Storage;
use super::table::{RowIds, Table};

/// What a query reads.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) storage: &'a Storage,
    pub(super) view: View,
    pub(super) params: &'a [Value],
    /// When the transaction began, in virtual microseconds.
    pub(super) now_us: i64,
}

/// A row of each source that is bound so far.
type Bound<'a> = SmallVec<[&'a [Value]; 4]>;

/// Rows that fulfil the conditions of a source.
type Matches<'a> = SmallVec<[&'a Values; 4]>;

/// What becomes of a row; false ends the query.
type EachRow<'f, 'a> = dyn FnMut(&'a Values) -> Result<bool, SqlError> + 'f;

/// What becomes of a combination of rows, of which the last one is given as it is stored too; false ends the query.
type EachCombination<'f, 'a> = dyn FnMut(&[&'a [Value]], Option<&'a Values>) -> Result<bool, SqlError> + 'f;

/// Sort keys beside the row that they place.
type Sorted<T> = (SmallVec<[Value; 2]>, T);

impl<'a> Reader<'a> {
    #[inline]
    fn env<'b>(&self, rows: &'b [&'b [Value]]) -> Env<'b>
    where
        'a: 'b,
    {
        Env { params: self.params, now_us: self.now_us, rows }
    }

    /// Runs a query.
    #[inline]
    pub(super) fn select(&self, select: &Select, rows: &mut ResultRows) -> Result<(), SqlError> {
        let [source] = select.sources.as_slice() else { return self.select_rarer(select, rows) };
        if !select.is_plain {
            return self.select_rarer(select, rows);
        }
        // Nearly half of all queries ask for one row, and nobody is at work on it.
        let (table, env) = (&*self.storage.tables[source.table], self.env(&[]));
        if let Access::Key(kind, Probe::One(expr)) = &source.access
            && let Some(id) = scan::by_key(table, *kind, expr, &env)?
            && let Slot::Settled(row) = table.slot(id)
        {
            if all_hold(source.filter.of_found(), &env, row)? {
                rows.push(self.env(&[row]).project(&select.projection, Some(row))?);
            }
            return Ok(());
        }
        let mut emit = |row: &'a Values| {
            self.emit(select, &[row], Some(row), rows)?;
            Ok(true)
        };
        self.each_row(source, &[], &mut emit).map(|_| ())
    }

    /// A query of several tables or none, with groups, an order or a limit.
    #[inline(never)]
    fn select_rarer(&self, select: &Select, rows: &mut ResultRows) -> Result<(), SqlError> {
        let skip = match &select.offset {
            Some(offset) => count(&self.env(&[]), offset, "OFFSET")?.unwrap_or(0),
            None => 0,
        };
        let wanted = match &select.limit {
            Some(limit) => {
                count(&self.env(&[]), limit, "LIMIT")?.map_or(usize::MAX, |limit| limit.saturating_add(skip))
            }
            None => usize::MAX,
        };
        if let Some(aggregation) = &select.aggregation {
            let groups = self.groups(select, aggregation)?;
            *rows =
                self.finish(select, groups.iter().map(|group| (Bound::from_slice(&[group]), None)), skip, wanted)?;
        } else if !select.order.is_empty() {
            let mut found: Vec<(Bound<'a>, Option<&'a Values>)> = Vec::new();
            self.join(&select.sources, &[], None, &mut |bound, last| {
                found.push((Bound::from_slice(bound), last));
                Ok(true)
            })?;
            *rows = self.finish(select, found.into_iter(), skip, wanted)?;
        } else if wanted > 0 {
            self.join(&select.sources, &[], None, &mut |bound, last| {
                self.emit(select, bound, last, rows)?;
                Ok(rows.len() < wanted)
            })?;
            if skip > 0 {
                rows.drain(..skip.min(rows.len()));
            }
        }
        Ok(())
    }

    /// Adds a row to the result.
    fn emit(
        &self,
        select: &Select,
        bound: &[&'a [Value]],
        last: Option<&'a Values>,
        rows: &mut ResultRows,
    ) -> Result<(), SqlError> {
        if rows.len() == 1 {
            rows.reserve(3);
        }
        rows.push(self.env(bound).project(&select.projection, last)?);
        Ok(())
    }

    /// Calls `emit` for each combination of rows that fulfils the conditions, until it returns false. `last` is the row
    /// that was bound last.
    fn join(
        &self,
        sources: &[Source],
        bound: &[&'a [Value]],
        last: Option<&'a Values>,
        emit: &mut EachCombination<'_, 'a>,
    ) -> Result<bool, SqlError> {
        let Some((source, rest)) = sources.split_first() else { return emit(bound, last) };
        let mut more = Bound::from_slice(bound);
        more.push(&[]);
        self.each_row(source, bound, &mut |row| {
            more[bound.len()] = row;
            if rest.is_empty() { emit(&more, Some(row)) } else { self.join(rest, &more, Some(row), emit) }
        })
    }

    /// Calls `f` for each row of a source that fulfils its conditions, in the order of the primary key, until it
    /// returns false. All queries share this code: of a copy for each `f` most would be out of the processor's reach
    /// whenever it is wanted.
    fn each_row(&self, source: &Source, bound: &[&'a [Value]], f: &mut EachRow<'_, 'a>) -> Result<bool, SqlError> {
        let (table, env) = (&*self.storage.tables[source.table], self.env(bound));
        if let Access::Scan = source.access {
            return self.scan(table, source.filter.all(), &env, f);
        }
        let (mut buffer, mut rows) = (RowIds::new(), Matches::new());
        let filter = source.filter.of_found();
        for &id in scan::find(table, &source.access, &env, &mut buffer)? {
            match table.slot(id) {
                Slot::Settled(row) if all_hold(filter, &env, row)? => rows.push(row),
                Slot::Settled(_) | Slot::Free => {}
                Slot::Busy(busy) => self.gather(busy, filter, &env, &mut rows)?,
            }
        }
        // They are few now, and what does not fulfil the conditions need not be sorted.
        if rows.len() > 1 && matches!(source.access, Access::Index { .. }) {
            rows.sort_by(|one, other| table.compare_keys(one, other));
        }
        for &row in &rows {
            if !f(row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The same over the whole table.
    #[inline(never)]
    fn scan(
        &self,
        table: &'a Table,
        filter: &[Condition],
        env: &Env<'_>,
        f: &mut EachRow<'_, 'a>,
    ) -> Result<bool, SqlError> {
        for row in table.in_order().flat_map(|(_, slot)| self.view.rows(slot)) {
            if all_hold(filter, env, row)? && !f(row)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Adds the rows of a history that are in sight and fulfil the conditions.
    #[inline(never)]
    fn gather(
        &self,
        busy: &'a Busy,
        filter: &[Condition],
        env: &Env<'_>,
        rows: &mut Matches<'a>,
    ) -> Result<(), SqlError> {
        for version in busy.versions.iter().filter(|version| self.view.shows(version)) {
            if all_hold(filter, env, &version.row)? {
                rows.push(&version.row);
            }
        }
        Ok(())
    }

    /// The groups that HAVING lets pass, in the order of their keys. Without GROUP BY there is always one.
    fn groups(&self, select: &Select, aggregation: &Aggregation) -> Result<Vec<Vec<Value>>, SqlError> {
        let fresh = || vec![Accumulator::default(); aggregation.aggregates.len()];
        let mut groups: BTreeMap<Vec<Value>, Vec<Accumulator>> = BTreeMap::new();
        if aggregation.keys.is_empty() {
            groups.insert(Vec::new(), fresh());
        }
        self.join(&select.sources, &[], None, &mut |bound, _| {
            let env = self.env(bound);
            let key = aggregation.keys.iter().map(|key| env.owned(key)).collect::<Result<_, _>>()?;
            for (aggregate, accumulator) in aggregation.aggregates.iter().zip(groups.entry(key).or_insert_with(fresh)) {
                accumulator.add(aggregate, &env)?;
            }
            Ok(true)
        })?;
        let mut rows = Vec::with_capacity(groups.len());
        for (mut row, accumulators) in groups {
            row.extend(aggregation.aggregates.iter().zip(accumulators).map(|(which, sum)| sum.result(which)));
            if all_hold(&aggregation.having, &self.env(&[]), &row)? {
                rows.push(row);
            }
        }
        Ok(rows)
    }

    /// Orders, cuts and projects.
    fn finish<'b>(
        &self,
        select: &Select,
        found: impl Iterator<Item = (Bound<'b>, Option<&'b Values>)>,
        skip: usize,
        wanted: usize,
    ) -> Result<ResultRows, SqlError> {
        let mut sorted = Vec::new();
        for (rows, last) in found {
            sorted.push((sort_keys(&select.order, &self.env(&rows))?, (rows, last)));
        }
        sort(&select.order, &mut sorted);
        let kept = sorted.iter().take(wanted).skip(skip);
        kept.map(|(_, (rows, last))| self.env(rows).project(&select.projection, *last)).collect()
    }
}

/// The values that ORDER BY compares.
pub(super) fn sort_keys(order: &[Sort], env: &Env<'_>) -> Result<SmallVec<[Value; 2]>, SqlError> {
    order.iter().map(|item| env.owned(&item.expr)).collect()
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
pub(super) fn count(env: &Env<'_>, expr: &Expr, clause: &str) -> Result<Option<usize>, SqlError> {
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
        let value = env.owned(argument)?;
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
