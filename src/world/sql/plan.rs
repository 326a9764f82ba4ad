//! Planning: a statement's text is parsed, its names resolved and its index chosen once; execution only follows.

mod access;
mod interval;
pub(super) mod modify;
pub(super) mod names;
mod select;

use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::error::PlanError;
use super::expr::Expr;
use super::schema::Schema;
use super::table::Slot;

/// A statement, ready to be executed any number of times.
#[derive(Clone, Debug)]
pub struct Plan {
    text: &'static str,
    /// Number of parameters that the statement needs.
    pub(super) params: usize,
    pub(super) statement: Statement,
}

impl Plan {
    /// The statement as it was given.
    #[must_use]
    pub const fn text(&self) -> &'static str {
        self.text
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
    pub(super) projection: Vec<Expr>,
    pub(super) order: Vec<Sort>,
    pub(super) limit: Option<Expr>,
    pub(super) offset: Option<Expr>,
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
    pub(super) all: Option<Expr>,
    /// Those that the access path does not imply already. An index lists a slot under the keys of all its versions,
    /// so this is enough where a slot has one version, as nearly every one has.
    pub(super) rest: Option<Expr>,
}

impl Filter {
    /// What is left to judge of a row that was just found by the access path in this slot.
    pub(super) fn of_found(&self, slot: &Slot) -> Option<&Expr> {
        if slot.versions.len() == 1 { self.rest.as_ref() } else { self.all.as_ref() }
    }
}

/// How the rows that may fulfil a condition are found.
#[derive(Clone, Debug)]
pub(super) enum Access {
    /// All rows, in the order of the primary key.
    Scan,
    /// Values for the first columns of the primary key.
    Key(Vec<Probe>),
    /// Values for the first columns of a secondary index.
    Index { index: usize, probes: Vec<Probe> },
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
    pub(super) having: Option<Expr>,
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
    pub(super) output: Option<Vec<Expr>>,
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
    Update(Vec<Assignment>),
    Delete,
}

/// What SELECT ... FOR UPDATE does at a row that another transaction has locked.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum LockWait {
    Wait,
    NoWait,
    SkipLocked,
}

/// `column = value` of SET; no value is DEFAULT.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    pub(super) column: usize,
    pub(super) value: Option<Expr>,
}

/// INSERT.
#[derive(Clone, Debug)]
pub(super) struct Insert {
    pub(super) table: usize,
    /// For each row, the value of each column of the table; none is the column's default.
    pub(super) rows: Vec<Vec<Option<Expr>>>,
    pub(super) conflict: Option<Conflict>,
    pub(super) returning: Option<Vec<Expr>>,
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
    pub(super) assignments: Vec<Assignment>,
    pub(super) filter: Option<Expr>,
}

/// Plans one statement.
pub(super) fn plan(schema: &Schema, text: &'static str) -> Result<Plan, PlanError> {
    let (statement, params) = parse(schema, text).map_err(|message| PlanError { message, statement: text })?;
    Ok(Plan { text, params, statement })
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
