//! Resolved expressions: columns and parameters are numbers, so that evaluation never looks at a name.

use super::super::value::Value;

/// The type of a column or an expression.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Kind {
    /// `integer`, `smallint`, `serial`: 32 bits.
    Integer,
    /// `bigint`, `bigserial`: 64 bits.
    Bigint,
    /// `text`, `varchar`, `uuid`, `jsonb`: compared byte by byte.
    Text,
    /// `timestamp`, with or without time zone: microseconds.
    Timestamp,
    /// `boolean`.
    Boolean,
    /// A parameter or NULL whose context says nothing.
    Unknown,
}

impl Kind {
    const BOOL: u8 = 1;
    const NUMBER: u8 = 2;
    const TIMESTAMP: u8 = 4;
    const TEXT: u8 = 8;

    /// PostgreSQL's name, as its error messages write it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Bigint => "bigint",
            Self::Text => "text",
            Self::Timestamp => "timestamp without time zone",
            Self::Boolean => "boolean",
            Self::Unknown => "unknown",
        }
    }

    /// True if the value may stand in a column of this type.
    #[inline(always)]
    pub(super) const fn admits(self, value: &Value) -> bool {
        let admitted = match self {
            Self::Integer | Self::Bigint => Self::NUMBER,
            Self::Text => Self::TEXT,
            Self::Timestamp => Self::TIMESTAMP,
            Self::Boolean => Self::BOOL,
            Self::Unknown => Self::NUMBER | Self::TEXT | Self::TIMESTAMP | Self::BOOL,
        };
        // Two look-ups and no branch: which variant the next value has is hard to foresee.
        let variant = match value {
            Value::Null => u8::MAX,
            Value::Bool(_) => Self::BOOL,
            Value::Int(_) | Value::Serial(_) => Self::NUMBER,
            Value::Timestamp(_) => Self::TIMESTAMP,
            Value::Text(_) => Self::TEXT,
            Value::List(_) => 0,
        };
        admitted & variant != 0
    }

    /// The type of a value.
    pub(super) const fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::List(_) => Self::Unknown,
            Value::Bool(_) => Self::Boolean,
            Value::Int(_) => Self::Integer,
            Value::Serial(_) => Self::Bigint,
            Value::Timestamp(_) => Self::Timestamp,
            Value::Text(_) => Self::Text,
        }
    }

    pub(super) const fn is_number(self) -> bool {
        matches!(self, Self::Integer | Self::Bigint)
    }

    /// True if `=` and `<` exist between the two types.
    pub(super) fn comparable(self, other: Self) -> bool {
        self == other || self == Self::Unknown || other == Self::Unknown || (self.is_number() && other.is_number())
    }
}

/// A comparison operator.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) const fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// The operator that says the same with its operands exchanged.
    pub(super) const fn turned(self) -> Self {
        match self {
            Self::Equal | Self::NotEqual => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }

    #[inline]
    pub(super) fn holds(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}

/// An expression over the rows of a statement's tables.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Expr {
    Constant(Value),
    /// `$1` is 0.
    Param(usize),
    /// `source` counts the tables of the statement; in ON CONFLICT DO UPDATE 1 is `excluded`, after GROUP BY
    /// 0 is the group.
    Column {
        source: usize,
        column: usize,
    },
    /// `now()`: when the transaction began (PostgreSQL, 9.9.5).
    Now,
    /// Sum or difference of integers; `kind` is the type whose range the result must keep.
    Add {
        left: Box<Expr>,
        right: Box<Expr>,
        negate: bool,
        kind: Kind,
    },
    /// A timestamp moved by an interval.
    Shift {
        base: Box<Expr>,
        by_us: i64,
    },
    Compare(Comparison, Box<Expr>, Box<Expr>),
    And(Vec<Expr>),
    Or(Vec<Expr>),
    Not(Box<Expr>),
    IsNull(Box<Expr>),
    /// `expr IN (list)`.
    In(Box<Expr>, Vec<Expr>),
    /// `expr = ANY (array parameter)`.
    Any(Box<Expr>, Box<Expr>),
    /// `CASE WHEN condition THEN result ... ELSE otherwise END`.
    Case(Vec<(Expr, Expr)>, Box<Expr>),
    /// `COALESCE`: the first value that is not NULL.
    Coalesce(Vec<Expr>),
}

impl Expr {
    /// Calls `f` for each part of the expression that has no parts.
    fn for_each_leaf(&self, f: &mut impl FnMut(&Self)) {
        match self {
            Self::Constant(_) | Self::Param(_) | Self::Now | Self::Column { .. } => f(self),
            Self::Add { left, right, .. } | Self::Compare(_, left, right) | Self::Any(left, right) => {
                left.for_each_leaf(f);
                right.for_each_leaf(f);
            }
            Self::Shift { base, .. } => base.for_each_leaf(f),
            Self::And(list) | Self::Or(list) | Self::Coalesce(list) => list.iter().for_each(|e| e.for_each_leaf(f)),
            Self::Not(inner) | Self::IsNull(inner) => inner.for_each_leaf(f),
            Self::In(inner, list) => {
                inner.for_each_leaf(f);
                list.iter().for_each(|e| e.for_each_leaf(f));
            }
            Self::Case(arms, otherwise) => {
                for (condition, result) in arms {
                    condition.for_each_leaf(f);
                    result.for_each_leaf(f);
                }
                otherwise.for_each_leaf(f);
            }
        }
    }

    /// The number of tables that must be bound before the expression can be evaluated.
    pub(super) fn sources_needed(&self) -> usize {
        let mut needed = 0;
        self.for_each_leaf(&mut |leaf| {
            if let Self::Column { source, .. } = leaf {
                needed = needed.max(source + 1);
            }
        });
        needed
    }

    /// True if the expression asks for the time.
    pub(super) fn reads_clock(&self) -> bool {
        let mut reads = false;
        self.for_each_leaf(&mut |leaf| reads |= *leaf == Self::Now);
        reads
    }

    /// Splits `a AND b AND c` into its parts.
    pub(super) fn into_conjuncts(self, out: &mut Vec<Self>) {
        match self {
            Self::And(list) => list.into_iter().for_each(|part| part.into_conjuncts(out)),
            other => out.push(other),
        }
    }
}
