//! Planning of INSERT, UPDATE and DELETE.

use sqlparser::ast;

use super::super::super::value::Value;
use super::super::condition::Condition;
use super::super::ddl::object_name;
use super::super::expr::Expr;
use super::super::schema::{DefaultValue, Schema, TableSchema};
use super::names::{Names, fold_case};
use super::{Action, Conflict, ConflictUpdate, Insert, Items, Modify, NewRow, Source, Statement, select};

/// Plans an UPDATE.
pub(super) fn update(schema: &Schema, update: &ast::Update) -> Result<(Statement, usize), String> {
    if update.from.is_some() || !update.table.joins.is_empty() {
        return Err("UPDATE ... FROM is not supported".to_owned());
    }
    let source = select::table(schema, &update.table.relation)?;
    let table = &schema.tables[source.1];
    let names = Names::new(schema, vec![source]);
    let action = Action::Update(assignments(table, &names, &update.assignments)?);
    modify(schema, &names, update.selection.as_ref(), action, update.returning.as_deref())
}

/// Plans a DELETE.
pub(super) fn delete(schema: &Schema, delete: &ast::Delete) -> Result<(Statement, usize), String> {
    let (ast::FromTable::WithFromKeyword(from) | ast::FromTable::WithoutKeyword(from)) = &delete.from;
    let ([item], None) = (from.as_slice(), &delete.using) else {
        return Err("DELETE from one table, without USING".to_owned());
    };
    if !item.joins.is_empty() {
        return Err("DELETE from one table, without a join".to_owned());
    }
    let names = Names::new(schema, vec![select::table(schema, &item.relation)?]);
    modify(schema, &names, delete.selection.as_ref(), Action::Delete, delete.returning.as_deref())
}

fn modify(
    schema: &Schema,
    names: &Names<'_>,
    selection: Option<&ast::Expr>,
    action: Action,
    returning: Option<&[ast::SelectItem]>,
) -> Result<(Statement, usize), String> {
    let mut conditions = Vec::new();
    if let Some(selection) = selection {
        names.condition(selection)?.into_conjuncts(&mut conditions);
    }
    let output = returning.map(|items| select::output(schema, names, items)).transpose()?;
    let mut sources = select::place_conditions(schema, names, &conditions);
    let Some(Source { table, access, filter }) = sources.pop() else { return Err("a table is missing".to_owned()) };
    Ok((Statement::Modify(Modify { table, access, filter, action, output }), names.params()))
}

fn assignments(table: &TableSchema, names: &Names<'_>, list: &[ast::Assignment]) -> Result<NewRow, String> {
    let mut values: Vec<Expr> = (0..table.width()).map(|column| Expr::Column { source: 0, column }).collect();
    let (mut serials, mut written) = (Vec::new(), Vec::with_capacity(list.len()));
    for item in list {
        let ast::AssignmentTarget::ColumnName(target) = &item.target else {
            return Err(format!("{item}: assign one column at a time"));
        };
        let column = column_number(table, &object_name(target)?)?;
        if written.contains(&column) {
            return Err(format!("multiple assignments to same column \"{}\"", table.columns[column].name));
        }
        values[column] = value(table, names, column, &item.value, &mut serials)?;
        written.push(column);
    }
    let moves = written.iter().any(|column| table.key.contains(column));
    let checked = unknown(table, &values, &serials, written);
    Ok(NewRow { values: Items::new(values), serials, checked, moves })
}

/// Those of the `written` columns whose values are only known to fit, or not to, when there is a row.
fn unknown(table: &TableSchema, values: &[Expr], serials: &[usize], mut written: Vec<usize>) -> Vec<usize> {
    written.retain(|column| match &values[*column] {
        Expr::Constant(value) => !serials.contains(column) && !table.columns[*column].fits(value),
        _ => true,
    });
    written
}

fn column_number(table: &TableSchema, name: &str) -> Result<usize, String> {
    table.column(name).ok_or_else(|| format!("column \"{name}\" of relation \"{}\" does not exist", table.name))
}

/// A value to store; what comes from a sequence is put in its place when it is drawn.
fn value(
    table: &TableSchema,
    names: &Names<'_>,
    column: usize,
    ast: &ast::Expr,
    serials: &mut Vec<usize>,
) -> Result<Expr, String> {
    match ast {
        ast::Expr::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default") => {
            Ok(default(table, column, serials))
        }
        _ => names.typed(ast, table.columns[column].kind),
    }
}

/// A column's default.
fn default(table: &TableSchema, column: usize, serials: &mut Vec<usize>) -> Expr {
    match &table.columns[column].default {
        DefaultValue::Expr(expr) => expr.clone(),
        DefaultValue::Serial => {
            serials.push(column);
            Expr::Constant(Value::Null)
        }
    }
}

/// Plans an INSERT.
pub(super) fn insert(schema: &Schema, insert: &ast::Insert) -> Result<(Statement, usize), String> {
    let ast::TableObject::TableName(name) = &insert.table else {
        return Err(format!("{}: only plain tables are supported", insert.table));
    };
    let name = object_name(name)?;
    let number = schema.table(&name).ok_or_else(|| format!("relation \"{name}\" does not exist"))?;
    let table = &schema.tables[number];
    let columns: Vec<usize> = if insert.columns.is_empty() {
        (0..table.columns.len()).collect()
    } else {
        let number = |name| column_number(table, &object_name(name)?);
        insert.columns.iter().map(number).collect::<Result<_, _>>()?
    };
    // Values see no table, DO UPDATE sees the existing row and the proposed one.
    let values = Names::new(schema, Vec::new());
    let rows = rows(table, &values, &columns, insert.source.as_deref())?;
    let existing = Names::new(schema, vec![(name.clone(), number), ("excluded".to_owned(), number)]);
    let conflict = insert.on.as_ref().map(|on| conflict(table, &existing, on)).transpose()?;
    let stored = Names::new(schema, vec![(name, number)]);
    let returning = insert.returning.as_ref().map(|items| select::output(schema, &stored, items)).transpose()?;
    let params = values.params().max(existing.params()).max(stored.params());
    Ok((Statement::Insert(Insert { table: number, rows, conflict, returning }), params))
}

fn rows(
    table: &TableSchema,
    names: &Names<'_>,
    columns: &[usize],
    source: Option<&ast::Query>,
) -> Result<Vec<NewRow>, String> {
    let Some(source) = source else { return Ok(vec![row(table, names, columns, &[])?]) };
    let ast::SetExpr::Values(values) = &*source.body else {
        return Err("INSERT ... SELECT is not supported: write VALUES".to_owned());
    };
    values.rows.iter().map(|given| row(table, names, columns, &given.content)).collect()
}

/// One row of VALUES. Without a primary key it has room for its number behind the last column.
fn row(table: &TableSchema, names: &Names<'_>, columns: &[usize], given: &[ast::Expr]) -> Result<NewRow, String> {
    if given.len() > columns.len() {
        return Err("INSERT has more expressions than target columns".to_owned());
    }
    let mut serials = Vec::new();
    let mut values = vec![Expr::Constant(Value::Null); table.width()];
    for (column, place) in values.iter_mut().enumerate().take(table.columns.len()) {
        // A column that is named twice takes the last value.
        let ast = columns.iter().zip(given).rfind(|(named, _)| **named == column);
        *place = match ast {
            Some((_, ast)) => value(table, names, column, ast, &mut serials)?,
            None => default(table, column, &mut serials),
        };
    }
    let written = (0..table.columns.len()).collect();
    let checked = unknown(table, &values, &serials, written);
    Ok(NewRow { values: Items::new(values), serials, checked, moves: false })
}

fn conflict(table: &TableSchema, names: &Names<'_>, on: &ast::OnInsert) -> Result<Conflict, String> {
    let ast::OnInsert::OnConflict(on) = on else { return Err("write ON CONFLICT".to_owned()) };
    let arbiters = match &on.conflict_target {
        None => all_unique(table),
        Some(ast::ConflictTarget::Columns(columns)) => {
            let number = |name| column_number(table, &fold_case(name));
            let mut wanted = columns.iter().map(number).collect::<Result<Vec<_>, _>>()?;
            wanted.sort_unstable();
            all_unique(table).into_iter().filter(|&arbiter| covers_exactly(table, arbiter, &wanted)).collect()
        }
        Some(ast::ConflictTarget::OnConstraint(name)) => {
            let name = object_name(name)?;
            let named = |arbiter: &usize| constraint_name(table, *arbiter) == name;
            all_unique(table).into_iter().filter(named).collect()
        }
    };
    if arbiters.is_empty() {
        let text = "there is no unique or exclusion constraint matching the ON CONFLICT specification";
        return Err(text.to_owned());
    }
    let update = match &on.action {
        ast::OnConflictAction::DoNothing => None,
        ast::OnConflictAction::DoUpdate(update) => {
            if on.conflict_target.is_none() {
                return Err("ON CONFLICT DO UPDATE requires inference specification or constraint name".to_owned());
            }
            let row = assignments(table, names, &update.assignments)?;
            if row.moves {
                return Err("DO UPDATE of a primary key column is not supported".to_owned());
            }
            let filter = update.selection.as_ref().map(|filter| names.condition(filter)).transpose()?;
            let filter = filter.map_or_else(Vec::new, |filter| Condition::each_of(filter, 0));
            Some(ConflictUpdate { row, filter })
        }
    };
    Ok(Conflict { arbiters, update })
}

/// The primary key (0) and each unique secondary index (its number + 1).
fn all_unique(table: &TableSchema) -> Vec<usize> {
    let key = (!table.is_keyless()).then_some(0);
    let unique = table.indexes.iter().enumerate().filter(|(_, index)| index.unique);
    key.into_iter().chain(unique.map(|(number, _)| number + 1)).collect()
}

/// The parser knows no `ON CONFLICT (columns) WHERE`, so a partial index can only be an arbiter when none is named.
fn covers_exactly(table: &TableSchema, arbiter: usize, wanted: &[usize]) -> bool {
    let mut columns = match arbiter.checked_sub(1) {
        None => table.key.clone(),
        Some(index) if table.indexes[index].predicate.is_empty() => table.indexes[index].columns.clone(),
        Some(_) => return false,
    };
    columns.sort_unstable();
    columns == wanted
}

/// The name of the constraint behind an arbiter.
pub(in super::super) fn constraint_name(table: &TableSchema, arbiter: usize) -> &str {
    arbiter.checked_sub(1).map_or(&table.key_name, |index| &table.indexes[index].name)
}
