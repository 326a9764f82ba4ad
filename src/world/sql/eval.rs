//! Evaluation of resolved expressions, with SQL's three-valued logic.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use super::super::value::Value;
use super::Row;
use super::error::SqlError;
use super::expr::{Comparison, Expr, Kind};
use super::plan::{Items, Projection};
use super::slot::Values;

/// What an expression may look at.
#[derive(Copy, Clone, Debug)]
pub(super) struct Env<'a> {
    pub(super) params: &'a [Value],
    /// When the transaction began, in virtual microseconds.
    pub(super) now_us: i64,
    /// The current row of each table that is bound so far.
    pub(super) rows: &'a [&'a [Value]],
}

/// The outcome of a condition: `None` is SQL's unknown.
pub(super) type Truth = Option<bool>;

impl<'a> Env<'a> {
    /// An environment in which no table is bound.
    #[inline]
    pub(super) fn new(params: &'a [Value], now_us: i64) -> Self {
        Self { params, now_us, rows: &[] }
    }

    /// The same environment with these rows.
    #[inline]
    pub(super) fn with<'b>(self, rows: &'b [&'b [Value]]) -> Env<'b>
    where
        'a: 'b,
    {
        Env { rows, ..self }
    }

    /// The value of an expression that is there already: it needs no computing, and nearly all need none.
    #[inline(always)]
    pub(super) fn stored<'e>(&self, expr: &'e Expr) -> Option<&'e Value>
    where
        'a: 'e,
    {
        match expr {
            Expr::Constant(value) => Some(value),
            Expr::Param(index) => Some(&self.params[*index]),
            Expr::Column { source, column } => Some(&self.rows[*source][*column]),
            _ => None,
        }
    }

    /// The expression's value.
    #[inline]
    pub(super) fn value<'e>(&self, expr: &'e Expr) -> Result<Cow<'e, Value>, SqlError>
    where
        'a: 'e,
    {
        match self.stored(expr) {
            Some(value) => Ok(Cow::Borrowed(value)),
            None => self.computed(expr),
        }
    }

    /// The value of an expression that is not there already.
    #[inline(never)]
    pub(super) fn computed<'e>(&self, expr: &'e Expr) -> Result<Cow<'e, Value>, SqlError>
    where
        'a: 'e,
    {
        Ok(match expr {
            Expr::Now => Cow::Owned(Value::Timestamp(self.now_us)),
            Expr::Add { left, right, negate, kind } => {
                Cow::Owned(add(&*self.value(left)?, &*self.value(right)?, *negate, *kind)?)
            }
            Expr::Shift { base, by_us } => Cow::Owned(shift(&*self.value(base)?, *by_us)?),
            Expr::Case(arms, otherwise) => {
                for (condition, result) in arms {
                    if self.truth(condition)? == Some(true) {
                        return self.value(result);
                    }
                }
                return self.value(otherwise);
            }
            Expr::Coalesce(list) => {
                for item in list {
                    let value = self.value(item)?;
                    if *value != Value::Null {
                        return Ok(value);
                    }
                }
                Cow::Owned(Value::Null)
            }
            condition => Cow::Owned(self.truth(condition)?.map_or(Value::Null, Value::Bool)),
        })
    }

    /// The truth of a condition.
    pub(super) fn truth(&self, expr: &Expr) -> Result<Truth, SqlError> {
        match expr {
            Expr::Compare(comparison, left, right) => {
                if let (Some(left), Some(right)) = (self.stored(left), self.stored(right)) {
                    return Ok(compare(*comparison, left, right)?.map(|ordering| comparison.holds(ordering)));
                }
                let (left, right) = (self.value(left)?, self.value(right)?);
                Ok(compare(*comparison, &left, &right)?.map(|ordering| comparison.holds(ordering)))
            }
            Expr::And(list) => self.fold(list, false),
            Expr::Or(list) => self.fold(list, true),
            Expr::Not(inner) => Ok(self.truth(inner)?.map(|truth| !truth)),
            Expr::IsNull(inner) => Ok(Some(*self.value(inner)? == Value::Null)),
            Expr::In(inner, list) => {
                let needle = self.value(inner)?;
                member(&needle, list.iter().map(|item| self.value(item)))
            }
            Expr::Any(inner, list) => {
                let needle = self.value(inner)?;
                match &*self.value(list)? {
                    Value::List(items) => member(&needle, items.iter().map(|item| Ok(Cow::Borrowed(item)))),
                    Value::Null => Ok(None),
                    other => Err(SqlError::no_operator(Kind::of(&needle).name(), "= ANY", Kind::of(other).name())),
                }
            }
            other => match &*self.value(other)? {
                Value::Bool(truth) => Ok(Some(*truth)),
                Value::Null => Ok(None),
                value => Err(SqlError::no_operator("boolean", "=", Kind::of(value).name())),
            },
        }
    }

    /// A result row; `last` is the row of the last source.
    #[inline(always)]
    pub(super) fn project(&self, projection: &Projection, last: Option<&Values>) -> Result<Row, SqlError> {
        match (projection, last) {
            (Projection::Shared(shown), Some(row)) => Ok(Row::new(row.clone(), *shown)),
            (Projection::Shared(_), None) => Ok(Row::default()),
            (Projection::Made(items), _) => Ok(self.made(items)?.into()),
        }
    }

    /// A row that is made of these items.
    #[inline(always)]
    pub(super) fn made(&self, items: &Items) -> Result<Values, SqlError> {
        match items {
            Items::Stored(items) => Ok(self.stored_row(items)),
            Items::Computed(items) => self.computed_row(items),
        }
    }

    /// A row of values that are there already.
    #[inline(never)]
    fn stored_row(&self, items: &[Expr]) -> Values {
        let mut row = blank(items.len());
        for (place, item) in fresh(&mut row).iter_mut().zip(items) {
            if let Some(value) = self.stored(item) {
                place.overwrite(value);
            }
        }
        row
    }

    /// A row of values of which some are computed.
    #[inline(never)]
    fn computed_row(&self, items: &[Expr]) -> Result<Values, SqlError> {
        items.iter().map(|item| self.owned(item)).collect()
    }

    /// The expression's value, to keep.
    #[inline]
    pub(super) fn owned(&self, expr: &Expr) -> Result<Value, SqlError> {
        Ok(match self.stored(expr) {
            Some(value) => value.clone(),
            None => self.computed(expr)?.into_owned(),
        })
    }

    /// AND (`decisive` false) and OR (`decisive` true): a decisive operand decides, an unknown one makes the rest
    /// unknown.
    fn fold(&self, list: &[Expr], decisive: bool) -> Result<Truth, SqlError> {
        let mut truth = Some(!decisive);
        for item in list {
            match self.truth(item)? {
                Some(value) if value == decisive => return Ok(Some(decisive)),
                Some(_) => {}
                None => truth = None,
            }
        }
        Ok(truth)
    }
}

/// A row to be filled in place. Collecting its values would take each out of an iterator first, and a copy in several
/// pieces of what was written a moment before stalls the processor.
#[inline]
fn blank(width: usize) -> Values {
    (0..width).map(|_| Value::Null).collect()
}

/// The values of a row that was made a moment before.
#[inline]
pub(super) fn fresh(row: &mut Values) -> &mut [Value] {
    Arc::get_mut(row).expect("nobody else has the row yet")
}

fn member<'v>(
    needle: &Value,
    items: impl Iterator<Item = Result<Cow<'v, Value>, SqlError>>,
) -> Result<Truth, SqlError> {
    let mut truth = Some(false);
    for item in items {
        match compare(Comparison::Equal, needle, &*item?)? {
            Some(Ordering::Equal) => return Ok(Some(true)),
            Some(_) => {}
            None => truth = None,
        }
    }
    Ok(truth)
}

/// Orders two values; `None` if one of them is NULL.
fn compare(comparison: Comparison, left: &Value, right: &Value) -> Result<Option<Ordering>, SqlError> {
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Ok(Some(left.cmp(right))),
        (Value::Text(left), Value::Text(right)) => Ok(Some(left.cmp(right))),
        (Value::Null, _) | (_, Value::Null) => Ok(None),
        _ if Kind::of(left).comparable(Kind::of(right)) => Ok(Some(left.cmp(right))),
        _ => Err(SqlError::no_operator(Kind::of(left).name(), comparison.symbol(), Kind::of(right).name())),
    }
}

fn add(left: &Value, right: &Value, negate: bool, kind: Kind) -> Result<Value, SqlError> {
    match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Ok(Value::Null),
        (Value::Int(left), Value::Int(right)) => {
            let sum = if negate { left.checked_sub(*right) } else { left.checked_add(*right) };
            let in_range = |sum: &i64| kind != Kind::Integer || i32::try_from(*sum).is_ok();
            sum.filter(in_range).map(Value::Int).ok_or_else(|| SqlError::out_of_range(kind.name()))
        }
        // A named sequence value has no place on the number line.
        _ => {
            let symbol = if negate { "-" } else { "+" };
            Err(SqlError::no_operator(Kind::of(left).name(), symbol, Kind::of(right).name()))
        }
    }
}

fn shift(base: &Value, by_us: i64) -> Result<Value, SqlError> {
    match base {
        Value::Null => Ok(Value::Null),
        Value::Timestamp(us) => {
            us.checked_add(by_us).map(Value::Timestamp).ok_or_else(|| SqlError::out_of_range("timestamp"))
        }
        other => Err(SqlError::no_operator(Kind::of(other).name(), "+", "interval")),
    }
}
