//! Planning: a statement's text is parsed, its names resolved and its index chosen once; execution only follows.

mod access;
mod interval;
pub(super) mod modify;
pub(super) mod names;
mod select;

use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::condition::Condition;
use super::error::PlanError;
use super::expr::{Expr, Kind};
use super::row::Shown;
use super::schema::{Schema, TableSchema};

/// A statement, ready to be executed any number of times.
#[derive(Clone, Debug)]
pub struct Plan {
    text: &'static str,
    /// Number of parameters that the statement needs.
    pub(super) params: usize,
    pub(super) statement: Statement,
    /// What the tables must keep for it.
    pub(super) needs: Vec<Need>,
}

impl Plan {
    /// The statement as it was given.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
    }
}

/// What a table keeps only once a statement asks for it.
#[derive(Clone, Debug)]
pub(super) enum Need {
    /// The order of this table's rows.
    Order(usize),
    /// This table's rows by the first columns of an index: its number, and how many columns.
    Level(usize, (usize, usize)),
}

impl Need {
    fn of(schema: &Schema, table: usize, access: &Access) -> Option<Self> {
        match access {
            Access::Scan => Some(Self::Order(table)),
            Access::Index { index, probes } => {
                // Whole keys are always kept.
                let is_part = probes.len() < schema.tables[table].columns_of(*index).len();
                is_part.then_some(Self::Level(table, (*index, probes.len())))
            }
            Access::Key(..) => None,
        }
    }
}

/// What a statement does.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    /// BEGIN; without a level it asks for the default, or for no change inside a transaction.
    Begin(Option<Isolation>),
    Commit,
    Rollback,
    Select(Select),
    /// SELECT ... FOR UPDATE, UPDATE and DELETE: find rows, lock them one by one, act on each.
    Modify(Modify),
    Insert(Insert),
}

/// Isolation level of a transaction (PostgreSQL, 13.2).
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub enum Isolation {
    /// Each statement sees what was committed when it began.
    #[default]
    ReadCommitted,
    /// All statements see what was committed when the first one began.
    RepeatableRead,
}

/// A query without row locks.
#[derive(Clone, Debug)]
pub(super) struct Select {
    pub(super) sources: Vec<Source>,
    pub(super) aggregation: Option<Aggregation>,
    pub(super) projection: Projection,
    pub(super) order: Vec<Sort>,
    pub(super) limit: Option<Expr>,
    pub(super) offset: Option<Expr>,
    /// True without all of these but sources and a projection.
    pub(super) is_plain: bool,
}

/// A select list or RETURNING.
#[derive(Clone, Debug)]
pub(super) enum Projection {
    /// Columns of the last source: its row is shared.
    Shared(Shown),
    /// Anything else: the row is made.
    Made(Items),
}

impl Projection {
    /// These items over the rows of these tables.
    fn new(items: Vec<Expr>, sources: &[&TableSchema]) -> Self {
        Self::columns(&items, sources).map_or_else(|| Self::Made(Items::new(items)), Self::Shared)
    }

    /// The items as columns of the last source, if they are nothing else.
    fn columns(items: &[Expr], sources: &[&TableSchema]) -> Option<Shown> {
        let (table, others) = sources.split_last()?;
        let column_of = |item: &Expr| match item {
            Expr::Column { source, column } if *source == others.len() => Some(*column),
            _ => None,
        };
        let columns: Vec<usize> = items.iter().map(column_of).collect::<Option<_>>()?;
        let is_whole = columns.iter().copied().eq(0..table.width());
        if is_whole { Some(Shown::ALL) } else { Shown::columns(&columns) }
    }
}

/// Where the values of a row that is made come from.
#[derive(Clone, Debug)]
pub(super) enum Items {
    /// Columns, parameters and constants.
    Stored(Vec<Expr>),
    /// At least one value has to be computed.
    Computed(Vec<Expr>),
}

impl Items {
    fn new(items: Vec<Expr>) -> Self {
        let is_stored = |item: &Expr| matches!(item, Expr::Constant(_) | Expr::Param(_) | Expr::Column { .. });
        if items.iter().all(is_stored) { Self::Stored(items) } else { Self::Computed(items) }
    }
}

/// One table of a query; a join is a nested loop over its sources.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) table: usize,
    pub(super) access: Access,
    pub(super) filter: Filter,
}

/// The conditions that can be judged once a source has a row.
#[derive(Clone, Debug)]
pub(super) struct Filter {
    /// Those that the access path implies stand last.
    conditions: Vec<Condition>,
    /// How many of them the access path leaves to be judged.
    left: usize,
}

impl Filter {
    /// All conditions.
    pub(super) fn all(&self) -> &[Condition] {
        &self.conditions
    }

    /// What is left to judge of a row that was just found by the access path.
    #[inline(always)]
    pub(super) fn of_found(&self) -> &[Condition] {
        &self.conditions[..self.left]
    }
}

/// How the rows that may fulfil a condition are found.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// All rows, in the order of the primary key.
    Scan,
    /// Values for the primary key, which is one column of this type: nearly every statement. Each leads to one slot or
    /// none, so that the slots have an order and the condition that gave the values is fulfilled.
    Key(Kind, Probe),
    /// Values for the first columns of an index: 0 is the primary key, `n + 1` the secondary index `n`. Each comes with
    /// the type of its column.
    Index { index: usize, probes: Vec<(Kind, Probe)> },
}

/// The values that a column of an index may have.
#[derive(Clone, Debug)]
pub(super) enum Probe {
    One(Expr),
    List(Vec<Expr>),
    /// An array parameter.
    Any(Expr),
}

/// GROUP BY and aggregate functions. Their results form a row: first the keys, then the aggregates.
#[derive(Clone, Debug)]
pub(super) struct Aggregation {
    pub(super) keys: Vec<Expr>,
    pub(super) aggregates: Vec<Aggregate>,
    pub(super) having: Vec<Condition>,
}

/// One aggregate; without an argument it counts rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aggregate {
    pub(super) function: AggregateFunction,
    pub(super) argument: Option<Expr>,
    pub(super) distinct: bool,
}

/// Which aggregate.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum AggregateFunction {
    Count,
    Sum,
    Min,
    Max,
}

/// One item of ORDER BY.
#[derive(Clone, Debug)]
pub(super) struct Sort {
    pub(super) expr: Expr,
    pub(super) descending: bool,
    pub(super) nulls_first: bool,
}

/// A statement that locks rows of one table.
#[derive(Clone, Debug)]
pub(super) struct Modify {
    pub(super) table: usize,
    pub(super) access: Access,
    pub(super) filter: Filter,
    pub(super) action: Action,
    /// What a row adds to the result: the select list or RETURNING.
    pub(super) output: Option<Projection>,
}

/// What happens to a locked row.
#[derive(Clone, Debug)]
pub(super) enum Action {
    /// SELECT ... FOR UPDATE.
    Lock {
        wait: LockWait,
        order: Vec<Sort>,
        limit: Option<Expr>,
    },
    Update(NewRow),
    Delete,
}

/// What SELECT ... FOR UPDATE does at a row that another transaction has locked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum LockWait {
    Wait,
    NoWait,
    SkipLocked,
}

/// A row that is written: VALUES or SET.
#[derive(Clone, Debug)]
pub(super) struct NewRow {
    /// The value of every column, the kept ones included.
    pub(super) values: Items,
    /// Columns whose values are drawn from a sequence.
    pub(super) serials: Vec<usize>,
    /// Columns that are written and may get what they do not admit.
    pub(super) checked: Vec<usize>,
    /// True if the primary key of a row that there is already may change.
    pub(super) moves: bool,
}

/// INSERT.
#[derive(Clone, Debug)]
pub(super) struct Insert {
    pub(super) table: usize,
    pub(super) rows: Vec<NewRow>,
    pub(super) conflict: Option<Conflict>,
    pub(super) returning: Option<Projection>,
}

/// ON CONFLICT.
#[derive(Clone, Debug)]
pub(super) struct Conflict {
    /// Unique indexes that are asked first; 0 is the primary key, `n + 1` the secondary index `n`.
    pub(super) arbiters: Vec<usize>,
    /// DO UPDATE; none is DO NOTHING.
    pub(super) update: Option<ConflictUpdate>,
}

/// DO UPDATE SET ... WHERE.
#[derive(Clone, Debug)]
pub(super) struct ConflictUpdate {
    pub(super) row: NewRow,
    pub(super) filter: Vec<Condition>,
}

/// Plans one statement.
pub(super) fn plan(schema: &Schema, text: &'static str) -> Result<Plan, PlanError> {
    let (statement, params) = parse(schema, text).map_err(|message| PlanError { message, statement: text })?;
    let needs = match &statement {
        Statement::Select(select) => {
            select.sources.iter().filter_map(|source| Need::of(schema, source.table, &source.access)).collect()
        }
        Statement::Modify(modify) => Need::of(schema, modify.table, &modify.access).into_iter().collect(),
        _ => Vec::new(),
    };
    Ok(Plan { text, params, statement, needs })
}

fn parse(schema: &Schema, text: &str) -> Result<(Statement, usize), String> {
    let mut parsed = Parser::parse_sql(&PostgreSqlDialect {}, text).map_err(|error| error.to_string())?;
    let (Some(statement), true) = (parsed.pop(), parsed.is_empty()) else {
        return Err("write exactly one statement".to_owned());
    };
    match statement {
        ast::Statement::StartTransaction { modes, .. } => Ok((Statement::Begin(isolation(&modes)?), 0)),
        ast::Statement::Commit { chain: false, .. } => Ok((Statement::Commit, 0)),
        ast::Statement::Rollback { chain: false, savepoint: None } => Ok((Statement::Rollback, 0)),
        ast::Statement::Query(query) => select::query(schema, &query),
        ast::Statement::Insert(insert) => modify::insert(schema, &insert),
        ast::Statement::Update(update) => modify::update(schema, &update),
        ast::Statement::Delete(delete) => modify::delete(schema, &delete),
        _ => Err("only SELECT, INSERT, UPDATE, DELETE, BEGIN, COMMIT and ROLLBACK are supported".to_owned()),
    }
}

fn isolation(modes: &[ast::TransactionMode]) -> Result<Option<Isolation>, String> {
    use ast::TransactionIsolationLevel as Level;
    let mut isolation = None;
    for mode in modes {
        isolation = match mode {
            ast::TransactionMode::IsolationLevel(Level::ReadCommitted | Level::ReadUncommitted) => {
                Some(Isolation::ReadCommitted)
            }
            ast::TransactionMode::IsolationLevel(Level::RepeatableRead) => Some(Isolation::RepeatableRead),
            ast::TransactionMode::AccessMode(ast::TransactionAccessMode::ReadWrite) => isolation,
            other => {
                return Err(format!("{other} is not supported: use READ COMMITTED or REPEATABLE READ"));
            }
        };
    }
    Ok(isolation)
}
