//! Evaluation of resolved expressions, with SQL's three-valued logic.

use std::borrow::Cow;
use std::cmp::Ordering;

use smallvec::SmallVec;

use super::super::value::Value;
use super::Row;
use super::error::SqlError;
use super::expr::{Comparison, Expr, Kind};

/// What an expression may look at.
#[derive(Clone, Debug)]
pub(super) struct Env<'a> {
    pub(super) params: &'a [Value],
    /// When the transaction began, in virtual microseconds.
    pub(super) now_us: i64,
    /// The current row of each table that is bound so far.
    pub(super) rows: SmallVec<[&'a [Value]; 3]>,
}

/// The outcome of a condition: `None` is SQL's unknown.
pub(super) type Truth = Option<bool>;

impl<'a> Env<'a> {
    /// An environment in which no table is bound.
    pub(super) fn new(params: &'a [Value], now_us: i64) -> Self {
        Self { params, now_us, rows: SmallVec::new() }
    }

    /// An environment of one row.
    pub(super) fn of_row(params: &'a [Value], now_us: i64, row: &'a [Value]) -> Self {
        let mut env = Self::new(params, now_us);
        env.rows.push(row);
        env
    }

    /// The same environment with this row alone.
    pub(super) fn with_row<'b>(&self, row: &'b [Value]) -> Env<'b>
    where
        'a: 'b,
    {
        Env::of_row(self.params, self.now_us, row)
    }

    /// The value of an expression that is there already: it needs no computing, and nearly all need none.
    #[inline]
    fn stored<'e>(&self, expr: &'e Expr) -> Option<&'e Value>
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

    fn computed<'e>(&self, expr: &'e Expr) -> Result<Cow<'e, Value>, SqlError>
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

    /// True if the condition is there and does not hold.
    #[inline]
    pub(super) fn rejects(&self, condition: Option<&Expr>) -> Result<bool, SqlError> {
        Ok(match condition {
            Some(condition) => self.truth(condition)? != Some(true),
            None => false,
        })
    }

    /// The values of a result row.
    pub(super) fn project(&self, list: &[Expr]) -> Result<Row, SqlError> {
        let mut row = Row::with_capacity(list.len());
        for expr in list {
            row.push(self.value(expr)?.into_owned());
        }
        Ok(row)
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
