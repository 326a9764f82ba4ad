//! Planning of queries.

use sqlparser::ast;

use super::super::condition::Condition;
use super::super::ddl::object_name;
use super::super::expr::{Expr, Kind};
use super::super::schema::Schema;
use super::names::{Names, fold_case};
use super::{Access, Action, LockWait, Modify, Projection, Select, Sort, Source, Statement, access};

/// Plans a SELECT.
pub(super) fn query(schema: &Schema, query: &ast::Query) -> Result<(Statement, usize), String> {
    let ast::SetExpr::Select(select) = &*query.body else {
        return Err("only a plain SELECT is supported, no UNION, VALUES or nested query".to_owned());
    };
    refuse_extras(query, select)?;
    let (sources, joins) = sources(schema, &select.from)?;
    let names = Names::new(schema, sources);
    let mut conditions = Vec::new();
    for condition in joins.iter().copied().chain(&select.selection) {
        names.condition(condition)?.into_conjuncts(&mut conditions);
    }
    begin_groups(&names, select)?;
    if names.sources.is_empty() && !conditions.is_empty() {
        return Err("WHERE needs a FROM".to_owned());
    }
    let items = output_items(schema, &names, &select.projection)?;
    let having = select.having.as_ref().map(|having| names.condition(having)).transpose()?;
    let order = sorts(&names, query.order_by.as_ref(), &select.projection)?;
    let (limit, offset) = limits(&names, query.limit_clause.as_ref())?;
    let mut aggregation = names.take_groups();
    if let Some(aggregation) = &mut aggregation {
        aggregation.having = having.map_or_else(Vec::new, |having| Condition::each_of(having, 0));
    }
    let params = names.params();
    let projection = match &aggregation {
        // The groups are no rows of a table.
        Some(_) => Projection::new(items, &[]),
        None => projection(schema, &names, items),
    };
    let mut found = place_conditions(schema, &names, &conditions);
    let Some(wait) = lock_of(query)? else {
        let is_plain = aggregation.is_none() && order.is_empty() && limit.is_none() && offset.is_none();
        let select = Select { sources: found, aggregation, projection, order, limit, offset, is_plain };
        return Ok((Statement::Select(select), params));
    };
    let (Some(source), true, None, None) = (found.pop(), found.is_empty(), aggregation, offset) else {
        return Err("FOR UPDATE is supported for one table, without aggregates and OFFSET".to_owned());
    };
    let Source { table, access, filter } = source;
    let action = Action::Lock { wait, order, limit };
    Ok((Statement::Modify(Modify { table, access, filter, action, output: Some(projection) }), params))
}

fn refuse_extras(query: &ast::Query, select: &ast::Select) -> Result<(), String> {
    let refused = [
        ("WITH", query.with.is_some()),
        ("FETCH", query.fetch.is_some()),
        ("DISTINCT", select.distinct.is_some()),
        ("INTO", select.into.is_some()),
        ("WINDOW", !select.named_window.is_empty()),
        ("QUALIFY", select.qualify.is_some()),
    ];
    match refused.iter().find(|(_, used)| *used) {
        Some((word, _)) => Err(format!("{word} is not supported")),
        None => Ok(()),
    }
}

/// A table's alias and its number.
type NamedTable = (String, usize);

/// The tables of FROM and the conditions of their joins.
fn sources<'q>(
    schema: &Schema,
    from: &'q [ast::TableWithJoins],
) -> Result<(Vec<NamedTable>, Vec<&'q ast::Expr>), String> {
    let (mut sources, mut conditions) = (Vec::new(), Vec::new());
    for item in from {
        sources.push(table(schema, &item.relation)?);
        for join in &item.joins {
            sources.push(table(schema, &join.relation)?);
            match &join.join_operator {
                ast::JoinOperator::Join(ast::JoinConstraint::On(condition))
                | ast::JoinOperator::Inner(ast::JoinConstraint::On(condition)) => conditions.push(condition),
                ast::JoinOperator::CrossJoin(ast::JoinConstraint::None) => {}
                _ => return Err(format!("{join}: only INNER JOIN ... ON is supported")),
            }
        }
    }
    Ok((sources, conditions))
}

/// One table of FROM, UPDATE or DELETE.
pub(super) fn table(schema: &Schema, factor: &ast::TableFactor) -> Result<NamedTable, String> {
    let ast::TableFactor::Table { name, alias, args: None, .. } = factor else {
        return Err(format!("{factor}: only plain tables are supported"));
    };
    let name = object_name(name)?;
    let number = schema.table(&name).ok_or_else(|| format!("relation \"{name}\" does not exist"))?;
    Ok((alias.as_ref().map_or(name, |alias| fold_case(&alias.name)), number))
}

fn begin_groups(names: &Names<'_>, select: &ast::Select) -> Result<(), String> {
    let ast::GroupByExpr::Expressions(keys, modifiers) = &select.group_by else {
        return Err("GROUP BY ALL is not supported".to_owned());
    };
    if !modifiers.is_empty() {
        return Err("GROUP BY takes plain columns".to_owned());
    }
    let keys: Vec<Expr> = keys.iter().map(|key| Ok(names.resolve(key)?.0)).collect::<Result<_, String>>()?;
    if keys.iter().any(|key| !matches!(key, Expr::Column { .. })) {
        return Err("GROUP BY takes plain columns".to_owned());
    }
    if !keys.is_empty() || select.having.is_some() || select.projection.iter().any(has_aggregate) {
        names.group_by(keys);
    }
    Ok(())
}

/// True if an item of the select list calls an aggregate function. They are only looked for where PostgreSQL
/// services write them: alone, or as an argument of COALESCE or of an operator.
fn has_aggregate(item: &ast::SelectItem) -> bool {
    fn within(expr: &ast::Expr) -> bool {
        match expr {
            ast::Expr::Function(function) => {
                let name = function.name.to_string().to_lowercase();
                let args = match &function.args {
                    ast::FunctionArguments::List(list) => list.args.as_slice(),
                    _ => &[],
                };
                ["count", "sum", "min", "max"].contains(&name.as_str())
                    || args.iter().any(|arg| {
                        matches!(arg, ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) if within(expr))
                    })
            }
            ast::Expr::BinaryOp { left, right, .. } => within(left) || within(right),
            ast::Expr::Nested(inner) | ast::Expr::Cast { expr: inner, .. } => within(inner),
            _ => false,
        }
    }
    match item {
        ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. } => within(expr),
        _ => false,
    }
}

/// RETURNING.
pub(super) fn output(schema: &Schema, names: &Names<'_>, items: &[ast::SelectItem]) -> Result<Projection, String> {
    Ok(projection(schema, names, output_items(schema, names, items)?))
}

fn projection(schema: &Schema, names: &Names<'_>, items: Vec<Expr>) -> Projection {
    let sources: Vec<_> = names.sources.iter().map(|(_, table)| &schema.tables[*table]).collect();
    Projection::new(items, &sources)
}

fn output_items(schema: &Schema, names: &Names<'_>, items: &[ast::SelectItem]) -> Result<Vec<Expr>, String> {
    let mut list = Vec::new();
    for item in items {
        match item {
            ast::SelectItem::UnnamedExpr(expr) | ast::SelectItem::ExprWithAlias { expr, .. } => {
                list.push(names.resolve(expr)?.0);
            }
            ast::SelectItem::Wildcard(_) => {
                for source in 0..names.sources.len() {
                    push_all_columns(schema, names, source, &mut list)?;
                }
            }
            ast::SelectItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let name = object_name(name)?;
                let source = names.sources.iter().position(|(alias, _)| *alias == name);
                let source = source.ok_or_else(|| format!("missing FROM-clause entry for table \"{name}\""))?;
                push_all_columns(schema, names, source, &mut list)?;
            }
            other => return Err(format!("{other} is not supported in a select list")),
        }
    }
    Ok(list)
}

fn push_all_columns(schema: &Schema, names: &Names<'_>, source: usize, list: &mut Vec<Expr>) -> Result<(), String> {
    if names.is_grouped() {
        return Err("* cannot stand beside groups: name the columns".to_owned());
    }
    let columns = schema.tables[names.sources[source].1].columns.len();
    list.extend((0..columns).map(|column| Expr::Column { source, column }));
    Ok(())
}

fn sorts(names: &Names<'_>, order: Option<&ast::OrderBy>, projection: &[ast::SelectItem]) -> Result<Vec<Sort>, String> {
    let Some(order) = order else { return Ok(Vec::new()) };
    let ast::OrderByKind::Expressions(items) = &order.kind else {
        return Err("ORDER BY ALL is not supported".to_owned());
    };
    let mut sorts = Vec::with_capacity(items.len());
    for item in items {
        let descending = match &item.options.sort {
            None | Some(ast::OrderBySort::Asc) => false,
            Some(ast::OrderBySort::Desc) => true,
            Some(ast::OrderBySort::Using(_)) => return Err("ORDER BY ... USING is not supported".to_owned()),
        };
        let (expr, _) = names.resolve(output_name(&item.expr, projection))?;
        if matches!(expr, Expr::Constant(_)) {
            return Err(format!("ORDER BY {}: name the column instead", item.expr));
        }
        // PostgreSQL sorts NULL as if it were larger than every value.
        sorts.push(Sort { expr, descending, nulls_first: item.options.nulls_first.unwrap_or(descending) });
    }
    Ok(sorts)
}

/// ORDER BY may name an item of the select list; then that item is meant.
fn output_name<'q>(expr: &'q ast::Expr, projection: &'q [ast::SelectItem]) -> &'q ast::Expr {
    let ast::Expr::Identifier(name) = expr else { return expr };
    let named = projection.iter().find_map(|item| match item {
        ast::SelectItem::ExprWithAlias { expr, alias } if fold_case(alias) == fold_case(name) => Some(expr),
        _ => None,
    });
    named.unwrap_or(expr)
}

fn limits(names: &Names<'_>, clause: Option<&ast::LimitClause>) -> Result<(Option<Expr>, Option<Expr>), String> {
    let number = |ast: &ast::Expr| match names.typed(ast, Kind::Bigint)? {
        expr if expr.sources_needed() == 0 => Ok(expr),
        _ => Err(format!("{ast}: LIMIT and OFFSET may not depend on a row")),
    };
    match clause {
        None => Ok((None, None)),
        Some(ast::LimitClause::LimitOffset { limit, offset, .. }) => {
            let offset = offset.as_ref().map(|offset| number(&offset.value)).transpose()?;
            Ok((limit.as_ref().map(number).transpose()?, offset))
        }
        Some(other) => Err(format!("{other}: write LIMIT n OFFSET m")),
    }
}

/// Judges each condition as early as possible and gives each source its access path.
pub(super) fn place_conditions(schema: &Schema, names: &Names<'_>, conditions: &[Expr]) -> Vec<Source> {
    let last = names.sources.len().saturating_sub(1);
    let mut sources = Vec::with_capacity(names.sources.len());
    for (source, (_, table)) in names.sources.iter().enumerate() {
        let decidable = |condition: &&Expr| condition.sources_needed().saturating_sub(1).min(last) == source;
        let placed: Vec<&Expr> = conditions.iter().filter(decidable).collect();
        let schema = &schema.tables[*table];
        let access = if placed.is_empty() { Access::Scan } else { access::choose(schema, source, conditions) };
        let filter = access::filter(schema, source, &access, &placed);
        sources.push(Source { table: *table, access, filter });
    }
    sources
}

fn lock_of(query: &ast::Query) -> Result<Option<LockWait>, String> {
    let lock = match query.locks.as_slice() {
        [] => return Ok(None),
        [lock] => lock,
        _ => return Err("write one locking clause".to_owned()),
    };
    if !matches!(lock.lock_type, ast::LockType::Update) {
        return Err("FOR SHARE is not supported: use FOR UPDATE".to_owned());
    }
    Ok(Some(match lock.nonblock {
        None => LockWait::Wait,
        Some(ast::NonBlock::Nowait) => LockWait::NoWait,
        Some(ast::NonBlock::SkipLocked) => LockWait::SkipLocked,
    }))
}
