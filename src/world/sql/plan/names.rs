//! Resolution of names: turns the parser's expressions into [`Expr`]s and finds their types, as PostgreSQL does.

use std::cell::{Cell, RefCell};

use sqlparser::ast;

use super::super::super::value::Value;
use super::super::expr::{Comparison, Expr, Kind};
use super::super::schema::Schema;
use super::interval;
use super::{Aggregate, AggregateFunction, Aggregation};

/// What names mean in one statement.
#[derive(Debug)]
pub(in super::super) struct Names<'a> {
    schema: &'a Schema,
    /// Alias and table of each source.
    pub(super) sources: Vec<(String, usize)>,
    /// Number of parameters met so far.
    params: Cell<usize>,
    /// Where groups are formed: group keys and the aggregates met so far.
    grouped: RefCell<Option<Aggregation>>,
}

/// An expression and its type.
pub(super) type Typed = (Expr, Kind);

impl<'a> Names<'a> {
    pub(in super::super) fn new(schema: &'a Schema, sources: Vec<(String, usize)>) -> Self {
        Self { schema, sources, params: Cell::new(0), grouped: RefCell::new(None) }
    }

    /// Number of parameters that the expressions resolved so far need.
    pub(in super::super) fn params(&self) -> usize {
        self.params.get()
    }

    /// From here on, expressions are over groups.
    pub(super) fn group_by(&self, keys: Vec<Expr>) {
        *self.grouped.borrow_mut() = Some(Aggregation { keys, aggregates: Vec::new(), having: Vec::new() });
    }

    /// True if expressions are over groups.
    pub(super) fn is_grouped(&self) -> bool {
        self.grouped.borrow().is_some()
    }

    /// The groups and the aggregates that expressions asked for.
    pub(super) fn take_groups(&self) -> Option<Aggregation> {
        self.grouped.borrow_mut().take()
    }

    /// A condition: its type is boolean.
    pub(in super::super) fn condition(&self, ast: &ast::Expr) -> Result<Expr, String> {
        self.typed(ast, Kind::Boolean)
    }

    /// An expression that must have, or can be read as, the given type.
    pub(in super::super) fn typed(&self, ast: &ast::Expr, kind: Kind) -> Result<Expr, String> {
        let (expr, found) = self.resolve(ast)?;
        if !found.comparable(kind) {
            return Err(format!("{ast} is of type {}, but {} is needed here", found.name(), kind.name()));
        }
        coerce(expr, found, kind)
    }

    /// Any expression.
    pub(in super::super) fn resolve(&self, ast: &ast::Expr) -> Result<Typed, String> {
        use ast::Expr as A;
        Ok(match ast {
            A::Nested(inner) => self.resolve(inner)?,
            A::Identifier(name) => self.column(None, name)?,
            A::CompoundIdentifier(parts) => match parts.as_slice() {
                [table, column] => self.column(Some(table), column)?,
                _ => return Err(format!("{ast}: write table.column")),
            },
            A::Value(value) => self.literal(&value.value)?,
            A::TypedString(_) => return Err(format!("{ast}: pass a timestamp as a parameter")),
            A::IsNull(inner) => (Expr::IsNull(Box::new(self.resolve(inner)?.0)), Kind::Boolean),
            A::IsNotNull(inner) => (not(Expr::IsNull(Box::new(self.resolve(inner)?.0))), Kind::Boolean),
            A::IsTrue(inner) => (known(self.condition(inner)?, true), Kind::Boolean),
            A::IsNotFalse(inner) => (not(known(self.condition(inner)?, false)), Kind::Boolean),
            A::IsFalse(inner) => (known(self.condition(inner)?, false), Kind::Boolean),
            A::IsNotTrue(inner) => (not(known(self.condition(inner)?, true)), Kind::Boolean),
            A::UnaryOp { op: ast::UnaryOperator::Not, expr } => (not(self.condition(expr)?), Kind::Boolean),
            A::UnaryOp { op: ast::UnaryOperator::Minus, expr } => self.minus(expr)?,
            A::BinaryOp { left, op, right } => self.binary(left, op, right)?,
            A::Between { expr, negated, low, high } => {
                let inside = Expr::And(vec![
                    self.compare(expr, Comparison::GreaterOrEqual, low)?,
                    self.compare(expr, Comparison::LessOrEqual, high)?,
                ]);
                (negate_if(*negated, inside), Kind::Boolean)
            }
            A::InList { expr, list, negated } => (negate_if(*negated, self.in_list(expr, list)?), Kind::Boolean),
            A::AnyOp { left, compare_op: ast::BinaryOperator::Eq, right, .. } => {
                let (needle, list) = (self.resolve(left)?.0, self.resolve(right)?.0);
                if !matches!(list, Expr::Param(_)) {
                    return Err(format!("{ast}: ANY takes an array parameter, such as ANY($1)"));
                }
                (Expr::Any(Box::new(needle), Box::new(list)), Kind::Boolean)
            }
            A::Case { operand: None, conditions, else_result, .. } => self.case(conditions, else_result.as_deref())?,
            A::Function(function) => self.function(function)?,
            A::Cast { expr, data_type, .. } => {
                let kind = super::super::ddl::kind_of(data_type)?;
                (self.typed(expr, kind)?, kind)
            }
            other => return Err(format!("{other} is not supported")),
        })
    }

    fn column(&self, table: Option<&ast::Ident>, name: &ast::Ident) -> Result<Typed, String> {
        let (table, name) = (table.map(fold_case), fold_case(name));
        let mut found = None;
        for (source, (alias, number)) in self.sources.iter().enumerate() {
            if table.as_ref().is_some_and(|table| table != alias) {
                continue;
            }
            let schema = &self.schema.tables[*number];
            if let Some(column) = schema.column(&name)
                && found.replace((Expr::Column { source, column }, schema.columns[column].kind)).is_some()
            {
                return Err(format!("column reference \"{name}\" is ambiguous"));
            }
        }
        let (expr, kind) = found.ok_or_else(|| format!("column \"{name}\" does not exist"))?;
        match &*self.grouped.borrow() {
            None => Ok((expr, kind)),
            Some(groups) => match groups.keys.iter().position(|key| *key == expr) {
                Some(column) => Ok((Expr::Column { source: 0, column }, kind)),
                None => Err(format!(
                    "column \"{name}\" must appear in the GROUP BY clause or be used in an aggregate function"
                )),
            },
        }
    }

    fn literal(&self, value: &ast::Value) -> Result<Typed, String> {
        Ok(match value {
            ast::Value::Number(digits, _) => {
                let number: i64 =
                    digits.parse().map_err(|_| format!("{digits}: only 64-bit integers are supported"))?;
                let kind = if i32::try_from(number).is_ok() { Kind::Integer } else { Kind::Bigint };
                (Expr::Constant(Value::Int(number)), kind)
            }
            ast::Value::SingleQuotedString(text) => (Expr::Constant(Value::from(text.as_str())), Kind::Unknown),
            ast::Value::Boolean(value) => (Expr::Constant(Value::Bool(*value)), Kind::Boolean),
            ast::Value::Null => (Expr::Constant(Value::Null), Kind::Unknown),
            ast::Value::Placeholder(name) => {
                let number = name.strip_prefix('$').and_then(|digits| digits.parse::<usize>().ok());
                let number = number.filter(|number| (1..=999).contains(number));
                let number = number.ok_or_else(|| format!("{name}: parameters are written $1, $2, ..."))?;
                self.params.set(self.params.get().max(number));
                (Expr::Param(number - 1), Kind::Unknown)
            }
            other => return Err(format!("the literal {other} is not supported")),
        })
    }

    fn minus(&self, inner: &ast::Expr) -> Result<Typed, String> {
        match self.resolve(inner)? {
            (Expr::Constant(Value::Int(number)), kind) => Ok((Expr::Constant(Value::Int(-number)), kind)),
            (expr, kind) if kind.is_number() => {
                let zero = Box::new(Expr::Constant(Value::Int(0)));
                Ok((Expr::Add { left: zero, right: Box::new(expr), negate: true, kind }, kind))
            }
            _ => Err(format!("-{inner} needs a number")),
        }
    }

    fn binary(&self, left: &ast::Expr, op: &ast::BinaryOperator, right: &ast::Expr) -> Result<Typed, String> {
        use ast::BinaryOperator as B;
        let comparison = match op {
            B::And => return Ok((Expr::And(vec![self.condition(left)?, self.condition(right)?]), Kind::Boolean)),
            B::Or => return Ok((Expr::Or(vec![self.condition(left)?, self.condition(right)?]), Kind::Boolean)),
            B::Plus => return self.add(left, right, false),
            B::Minus => return self.add(left, right, true),
            B::Eq => Comparison::Equal,
            B::NotEq => Comparison::NotEqual,
            B::Lt => Comparison::Less,
            B::LtEq => Comparison::LessOrEqual,
            B::Gt => Comparison::Greater,
            B::GtEq => Comparison::GreaterOrEqual,
            other => return Err(format!("the operator {other} is not supported")),
        };
        Ok((self.compare(left, comparison, right)?, Kind::Boolean))
    }

    fn compare(&self, left: &ast::Expr, comparison: Comparison, right: &ast::Expr) -> Result<Expr, String> {
        let ((left, left_kind), (right, right_kind)) = (self.resolve(left)?, self.resolve(right)?);
        if !left_kind.comparable(right_kind) {
            let (left, right) = (left_kind.name(), right_kind.name());
            return Err(format!("operator does not exist: {left} {} {right}", comparison.symbol()));
        }
        let left = coerce(left, left_kind, right_kind)?;
        let right = coerce(right, right_kind, left_kind)?;
        // `active = TRUE` and `active` are one condition, so that a partial index serves both.
        Ok(match (comparison, left, right) {
            (Comparison::Equal, expr, Expr::Constant(Value::Bool(true))) => expr,
            (Comparison::Equal, expr, Expr::Constant(Value::Bool(false))) => not(expr),
            (_, left, right) => Expr::Compare(comparison, Box::new(left), Box::new(right)),
        })
    }

    fn in_list(&self, needle: &ast::Expr, list: &[ast::Expr]) -> Result<Expr, String> {
        let (needle, kind) = self.resolve(needle)?;
        let items = list.iter().map(|item| self.typed(item, kind)).collect::<Result<_, _>>()?;
        Ok(Expr::In(Box::new(needle), items))
    }

    fn add(&self, left: &ast::Expr, right: &ast::Expr, negate: bool) -> Result<Typed, String> {
        if let ast::Expr::Interval(interval) = right {
            let by_us = interval::microseconds(interval, negate)?;
            let base = Box::new(self.typed(left, Kind::Timestamp)?);
            return Ok((Expr::Shift { base, by_us }, Kind::Timestamp));
        }
        let ((left, left_kind), (right, right_kind)) = (self.resolve(left)?, self.resolve(right)?);
        let kind = match (left_kind, right_kind) {
            (one, Kind::Unknown) | (Kind::Unknown, one) if one.is_number() => one,
            (Kind::Integer, Kind::Integer) => Kind::Integer,
            (one, other) if one.is_number() && other.is_number() => Kind::Bigint,
            (one, other) => return Err(format!("no sum or difference of {} and {}", one.name(), other.name())),
        };
        Ok((Expr::Add { left: Box::new(left), right: Box::new(right), negate, kind }, kind))
    }

    fn case(&self, arms: &[ast::CaseWhen], otherwise: Option<&ast::Expr>) -> Result<Typed, String> {
        let mut resolved = Vec::with_capacity(arms.len());
        let mut kind = Kind::Unknown;
        for arm in arms {
            let (result, found) = self.resolve(&arm.result)?;
            kind = if kind == Kind::Unknown { found } else { kind };
            resolved.push((self.condition(&arm.condition)?, result));
        }
        let otherwise = match otherwise {
            Some(expr) => self.typed(expr, kind)?,
            None => Expr::Constant(Value::Null),
        };
        Ok((Expr::Case(resolved, Box::new(otherwise)), kind))
    }

    fn function(&self, function: &ast::Function) -> Result<Typed, String> {
        let name = function.name.to_string().to_lowercase();
        let (args, distinct) = arguments(function)?;
        match (name.as_str(), args.as_slice()) {
            ("now" | "current_timestamp" | "transaction_timestamp" | "localtimestamp", []) => {
                Ok((Expr::Now, Kind::Timestamp))
            }
            ("coalesce", [first, rest @ ..]) => {
                let (first, kind) = self.resolve(first.ok_or("COALESCE(*) means nothing")?)?;
                let mut list = vec![first];
                for arg in rest.iter().flatten() {
                    list.push(self.typed(arg, kind)?);
                }
                Ok((Expr::Coalesce(list), kind))
            }
            ("count", [arg]) => self.aggregate(AggregateFunction::Count, *arg, distinct),
            ("sum", [Some(arg)]) => self.aggregate(AggregateFunction::Sum, Some(arg), distinct),
            ("min", [Some(arg)]) => self.aggregate(AggregateFunction::Min, Some(arg), distinct),
            ("max", [Some(arg)]) => self.aggregate(AggregateFunction::Max, Some(arg), distinct),
            _ => Err(format!("the function {function} is not supported")),
        }
    }

    fn aggregate(
        &self,
        function: AggregateFunction,
        argument: Option<&ast::Expr>,
        distinct: bool,
    ) -> Result<Typed, String> {
        let mut groups = self.grouped.borrow_mut().take().ok_or("aggregate functions are not allowed here")?;
        let argument = argument.map(|argument| self.resolve(argument)).transpose();
        let (argument, found) = match argument? {
            Some((argument, kind)) => (Some(argument), kind),
            None => (None, Kind::Unknown),
        };
        let kind = match function {
            AggregateFunction::Count | AggregateFunction::Sum => Kind::Bigint,
            AggregateFunction::Min | AggregateFunction::Max => found,
        };
        let aggregate = Aggregate { function, argument, distinct };
        let place = groups.aggregates.iter().position(|known| *known == aggregate).unwrap_or_else(|| {
            groups.aggregates.push(aggregate);
            groups.aggregates.len() - 1
        });
        let column = groups.keys.len() + place;
        *self.grouped.borrow_mut() = Some(groups);
        Ok((Expr::Column { source: 0, column }, kind))
    }
}

/// The arguments of a call; `None` is `*`.
fn arguments(function: &ast::Function) -> Result<(Vec<Option<&ast::Expr>>, bool), String> {
    if function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty() {
        return Err(format!("{function}: window functions and FILTER are not supported"));
    }
    let ast::FunctionArguments::List(list) = &function.args else { return Ok((Vec::new(), false)) };
    let mut args = Vec::new();
    for arg in &list.args {
        args.push(match arg {
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Some(expr),
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard) => None,
            other => return Err(format!("the argument {other} is not supported")),
        });
    }
    Ok((args, list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct)))
}

/// PostgreSQL folds unquoted names to lower case.
pub(in super::super) fn fold_case(name: &ast::Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

fn not(expr: Expr) -> Expr {
    Expr::Not(Box::new(expr))
}

fn negate_if(negated: bool, expr: Expr) -> Expr {
    if negated { not(expr) } else { expr }
}

/// `expr IS TRUE` and `expr IS FALSE`: never unknown.
fn known(expr: Expr, truth: bool) -> Expr {
    Expr::Coalesce(vec![negate_if(!truth, expr), Expr::Constant(Value::Bool(false))])
}

/// Reads a quoted literal as the type that its context asks for, as PostgreSQL does while it plans.
fn coerce(expr: Expr, from: Kind, to: Kind) -> Result<Expr, String> {
    let Expr::Constant(Value::Text(text)) = &expr else { return Ok(expr) };
    if from != Kind::Unknown {
        return Ok(expr);
    }
    let invalid = || format!("invalid input syntax for type {}: \"{text}\"", to.name());
    Ok(Expr::Constant(match to {
        Kind::Text | Kind::Unknown => return Ok(expr),
        Kind::Integer | Kind::Bigint => Value::Int(text.trim().parse().map_err(|_| invalid())?),
        Kind::Boolean => match text.trim().to_lowercase().as_str() {
            "t" | "true" | "yes" | "on" | "1" => Value::Bool(true),
            "f" | "false" | "no" | "off" | "0" => Value::Bool(false),
            _ => return Err(invalid()),
        },
        Kind::Timestamp => return Err(format!("'{text}': pass a timestamp as a parameter")),
    }))
}
