//! Reads CREATE TABLE and CREATE INDEX statements.

use sqlparser::ast;
use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::parser::Parser;

use super::super::value::Value;
use super::error::SchemaError;
use super::expr::{Expr, Kind};
use super::plan::names::{Names, fold_case};
use super::schema::{Column, DefaultValue, Index, Schema, TableSchema};

/// Reads a script of definitions.
pub(super) fn read(ddl: &str) -> Result<Schema, SchemaError> {
    let statements = Parser::parse_sql(&PostgreSqlDialect {}, ddl)
        .map_err(|error| SchemaError { message: error.to_string(), statement: String::new() })?;
    let mut schema = Schema::default();
    for statement in &statements {
        let outcome = match statement {
            ast::Statement::CreateTable(table) => create_table(&mut schema, table),
            ast::Statement::CreateIndex(index) => create_index(&mut schema, index),
            _ => Err("only CREATE TABLE and CREATE INDEX are supported here".to_owned()),
        };
        outcome.map_err(|message| SchemaError { message, statement: statement.to_string() })?;
    }
    Ok(schema)
}

/// The store's type for a declared one.
pub(super) fn kind_of(declared: &ast::DataType) -> Result<Kind, String> {
    use ast::DataType as D;
    Ok(match declared {
        D::SmallInt(_) | D::Int(_) | D::Integer(_) | D::Int4(_) => Kind::Integer,
        D::BigInt(_) | D::Int8(_) => Kind::Bigint,
        D::Text | D::Varchar(_) | D::CharacterVarying(_) | D::Uuid | D::JSON | D::JSONB => Kind::Text,
        D::Timestamp(..) => Kind::Timestamp,
        D::Boolean | D::Bool => Kind::Boolean,
        D::Custom(name, _) => match name.to_string().to_lowercase().as_str() {
            "serial" => Kind::Integer,
            "bigserial" => Kind::Bigint,
            "timestamptz" => Kind::Timestamp,
            other => return Err(unknown_type(other)),
        },
        other => return Err(unknown_type(&other.to_string())),
    })
}

fn unknown_type(name: &str) -> String {
    let known = "integer, bigint, serial, bigserial, text, varchar, uuid, jsonb, timestamp or boolean";
    format!("type {name} is not supported: use {known}")
}

fn create_table(schema: &mut Schema, ast: &ast::CreateTable) -> Result<(), String> {
    let name = object_name(&ast.name)?;
    if schema.table(&name).is_some() {
        return Err(format!("relation \"{name}\" already exists"));
    }
    let mut table = TableSchema {
        key_name: format!("{name}_pkey"),
        name,
        columns: Vec::with_capacity(ast.columns.len()),
        key: Vec::new(),
        indexes: Vec::new(),
    };
    for definition in &ast.columns {
        add_column(&mut table, definition)?;
    }
    for constraint in &ast.constraints {
        match constraint {
            ast::TableConstraint::PrimaryKey(key) => {
                let columns = index_columns(&table, &key.columns)?;
                set_key(&mut table, columns, key.name.as_ref())?;
            }
            ast::TableConstraint::Unique(unique) => {
                let columns = index_columns(&table, &unique.columns)?;
                add_unique(&mut table, columns, unique.name.as_ref());
            }
            other => return Err(format!("the constraint {other} is not supported")),
        }
    }
    if table.key.is_empty() {
        table.key = vec![table.columns.len()];
    }
    schema.tables.push(table);
    Ok(())
}

fn add_column(table: &mut TableSchema, definition: &ast::ColumnDef) -> Result<(), String> {
    let number = table.columns.len();
    let kind = kind_of(&definition.data_type)?;
    let serial = matches!(&definition.data_type, ast::DataType::Custom(name, _)
        if name.to_string().to_lowercase().ends_with("serial"));
    let length = match &definition.data_type {
        ast::DataType::Varchar(Some(ast::CharacterLength::IntegerLength { length, .. }))
        | ast::DataType::CharacterVarying(Some(ast::CharacterLength::IntegerLength { length, .. })) => {
            Some(usize::try_from(*length).map_err(|error| error.to_string())?)
        }
        _ => None,
    };
    let default = if serial { DefaultValue::Serial } else { DefaultValue::Expr(Expr::Constant(Value::Null)) };
    let name = fold_case(&definition.name);
    table.columns.push(Column { name, kind, length, not_null: serial, default });
    for option in &definition.options {
        match &option.option {
            ast::ColumnOption::Null => {}
            ast::ColumnOption::NotNull => table.columns[number].not_null = true,
            ast::ColumnOption::Default(expr) => {
                let (nothing, no_table) = (Vec::new(), Schema::default());
                let names = Names::new(&no_table, nothing);
                let value = names.typed(expr, kind)?;
                if names.params() > 0 {
                    return Err("a default may not have parameters".to_owned());
                }
                table.columns[number].default = DefaultValue::Expr(value);
            }
            ast::ColumnOption::PrimaryKey(_) => set_key(table, vec![number], option.name.as_ref())?,
            ast::ColumnOption::Unique(_) => add_unique(table, vec![number], option.name.as_ref()),
            other => return Err(format!("the column option {other} is not supported")),
        }
    }
    Ok(())
}

fn set_key(table: &mut TableSchema, columns: Vec<usize>, name: Option<&ast::Ident>) -> Result<(), String> {
    if !table.key.is_empty() {
        return Err(format!("multiple primary keys for table \"{}\" are not allowed", table.name));
    }
    columns.iter().for_each(|&column| table.columns[column].not_null = true);
    table.key = columns;
    if let Some(name) = name {
        table.key_name = fold_case(name);
    }
    Ok(())
}

fn add_unique(table: &mut TableSchema, columns: Vec<usize>, name: Option<&ast::Ident>) {
    let name = name.map_or_else(|| default_name(table, &columns, "key"), fold_case);
    table.indexes.push(Index { name, columns, unique: true, predicate: Vec::new() });
}

fn create_index(schema: &mut Schema, ast: &ast::CreateIndex) -> Result<(), String> {
    if !ast.include.is_empty() || ast.nulls_distinct == Some(false) {
        return Err("INCLUDE and NULLS NOT DISTINCT are not supported".to_owned());
    }
    let table_name = object_name(&ast.table_name)?;
    let number = schema.table(&table_name).ok_or_else(|| format!("relation \"{table_name}\" does not exist"))?;
    let columns = index_columns(&schema.tables[number], &ast.columns)?;
    let name = match &ast.name {
        Some(name) => object_name(name)?,
        None => default_name(&schema.tables[number], &columns, "idx"),
    };
    let mut predicate = Vec::new();
    if let Some(condition) = &ast.predicate {
        let names = Names::new(schema, vec![(table_name, number)]);
        names.condition(condition)?.into_conjuncts(&mut predicate);
        if names.params() > 0 || predicate.iter().any(Expr::reads_clock) {
            return Err("an index predicate may only depend on the row".to_owned());
        }
    }
    schema.tables[number].indexes.push(Index { name, columns, unique: ast.unique, predicate });
    Ok(())
}

fn default_name(table: &TableSchema, columns: &[usize], suffix: &str) -> String {
    let columns: Vec<&str> = columns.iter().map(|&column| table.columns[column].name.as_str()).collect();
    format!("{}_{}_{suffix}", table.name, columns.join("_"))
}

fn index_columns(table: &TableSchema, columns: &[ast::IndexColumn]) -> Result<Vec<usize>, String> {
    let number = |column: &ast::IndexColumn| match &column.column.expr {
        ast::Expr::Identifier(name) => {
            let name = fold_case(name);
            table.column(&name).ok_or_else(|| format!("column \"{name}\" does not exist"))
        }
        other => Err(format!("an index on the expression {other} is not supported")),
    };
    columns.iter().map(number).collect()
}

/// The last part of a name; schemas do not matter here.
pub(super) fn object_name(name: &ast::ObjectName) -> Result<String, String> {
    let last = name.0.last().and_then(ast::ObjectNamePart::as_ident);
    last.map(fold_case).ok_or_else(|| format!("{name} is not a plain name"))
}
