//! Conditions on the row that a statement has just found.

use smallvec::SmallVec;

use super::super::value::Value;
use super::error::SqlError;
use super::eval::Env;
use super::expr::{Comparison, Expr};

/// A condition on a row, in two forms with one meaning: nearly all conditions compare a column with what is there
/// already, and nearly all such values are of the types that need no conversion.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    shortcut: Shortcut,
    expr: Expr,
}

#[derive(Clone, Debug)]
enum Shortcut {
    /// A column of the row beside a value.
    Compare(usize, Comparison, Operand),
    /// A column of the row among the values of an array parameter.
    Any(usize, usize),
    None,
}

#[derive(Clone, Debug)]
enum Operand {
    Constant(Value),
    Param(usize),
    /// Of the row itself, which is not bound yet.
    Own(usize),
    /// Of a source before it.
    Column {
        source: usize,
        column: usize,
    },
}

impl Condition {
    /// The parts of a condition, all of which must hold.
    pub(super) fn each_of(expr: Expr, source: usize) -> Vec<Self> {
        let mut parts = Vec::new();
        expr.into_conjuncts(&mut parts);
        parts.into_iter().map(|part| Self::new(part, source)).collect()
    }

    /// The condition over the rows of a statement, to be judged when this source has a row.
    pub(super) fn new(expr: Expr, source: usize) -> Self {
        let column_of = |expr: &Expr| match expr {
            Expr::Column { source: of, column } if *of == source => Some(*column),
            _ => None,
        };
        let shortcut = match &expr {
            Expr::Compare(comparison, left, right) => {
                let beside = |one, comparison, other| Some((column_of(one)?, comparison, Operand::of(other, source)?));
                let straight = beside(left, *comparison, right);
                let turned = || beside(right, comparison.turned(), left);
                let found = straight.or_else(turned);
                found.map(|(column, comparison, operand)| Shortcut::Compare(column, comparison, operand))
            }
            Expr::Any(needle, list) => match (column_of(needle), &**list) {
                (Some(column), Expr::Param(param)) => Some(Shortcut::Any(column, *param)),
                _ => None,
            },
            Expr::Not(inner) => column_of(inner).map(|column| Shortcut::is(column, false)),
            other => column_of(other).map(|column| Shortcut::is(column, true)),
        };
        Self { shortcut: shortcut.unwrap_or(Shortcut::None), expr }
    }

    /// Whether the condition holds for this row of its source, where that takes no conversion and no error.
    #[inline(always)]
    fn at_a_glance(&self, env: &Env<'_>, row: &[Value]) -> Option<bool> {
        match &self.shortcut {
            Shortcut::Compare(column, comparison, operand) => {
                let value = match operand {
                    Operand::Param(param) => &env.params[*param],
                    Operand::Constant(value) => value,
                    Operand::Own(column) => &row[*column],
                    Operand::Column { source, column } => &env.rows[*source][*column],
                };
                compare(*comparison, &row[*column], value)
            }
            Shortcut::Any(column, param) => match (&row[*column], &env.params[*param]) {
                (Value::Int(needle), Value::List(items)) => is_among(*needle, items),
                _ => None,
            },
            Shortcut::None => None,
        }
    }

    #[cold]
    fn at_length(&self, env: &Env<'_>, row: &[Value]) -> Result<bool, SqlError> {
        let rows: SmallVec<[&[Value]; 4]> = env.rows.iter().copied().chain([row]).collect();
        Ok(env.with(&rows).truth(&self.expr)? == Some(true))
    }
}

/// True if all conditions hold for this row of their source, when the sources before it are bound. The first one that
/// does not hold, or is unknown, decides.
#[inline(always)]
pub(super) fn all_hold(conditions: &[Condition], env: &Env<'_>, row: &[Value]) -> Result<bool, SqlError> {
    // A key leaves most statements no other condition.
    if conditions.is_empty() { Ok(true) } else { judge(conditions, env, row) }
}

#[inline(never)]
fn judge(conditions: &[Condition], env: &Env<'_>, row: &[Value]) -> Result<bool, SqlError> {
    for condition in conditions {
        let holds = match condition.at_a_glance(env, row) {
            Some(holds) => holds,
            None => condition.at_length(env, row)?,
        };
        if !holds {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Shortcut {
    fn is(column: usize, truth: bool) -> Self {
        Self::Compare(column, Comparison::Equal, Operand::Constant(Value::Bool(truth)))
    }
}

impl Operand {
    /// What a condition on the rows of this source has beside a column.
    fn of(expr: &Expr, source: usize) -> Option<Self> {
        match expr {
            Expr::Constant(value) => Some(Self::Constant(value.clone())),
            Expr::Param(param) => Some(Self::Param(*param)),
            Expr::Column { source: of, column } if *of == source => Some(Self::Own(*column)),
            Expr::Column { source, column } => Some(Self::Column { source: *source, column: *column }),
            _ => None,
        }
    }
}

/// The outcome where it needs no conversion and no error.
#[inline(always)]
fn compare(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    if comparison == Comparison::Equal {
        return match (left, right) {
            (Value::Int(left), Value::Int(right)) => Some(left == right),
            (Value::Serial(left), Value::Serial(right)) => Some(left == right),
            (Value::Text(left), Value::Text(right)) => Some(left == right),
            (Value::Bool(left), Value::Bool(right)) => Some(left == right),
            _ => None,
        };
    }
    match (left, right) {
        (Value::Int(left), Value::Int(right)) => Some(comparison.holds(left.cmp(right))),
        _ => None,
    }
}

/// The outcome where all items are integers, as far as they are looked at.
fn is_among(needle: i64, items: &[Value]) -> Option<bool> {
    for item in items {
        match item {
            Value::Int(item) if *item == needle => return Some(true),
            Value::Int(_) => {}
            _ => return None,
        }
    }
    Some(false)
}
