//! A TOML or JSON text as a tree whose every value knows where it stands.
//!
//! Both formats end here, so that one set of forms, checks and messages serves the scenario and the k6 options.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fault::Fault;
use crate::system::diagnostic::code;

/// A value of a known type and the bytes it was read from.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    /// Where it stands.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) value: T,
}

/// A value of any type and the bytes it was read from.
#[derive(Clone, Debug)]
pub(super) struct Node {
    /// Where it stands.
    pub(super) span: Range<usize>,
    /// What it is.
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Kind {
    /// JSON's `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Integer(i64),
    /// Any other number.
    Float(f64),
    /// A string.
    Text(String),
    /// TOML's array.
    List(Vec<Node>),
    /// Key and value, in the order of the text.
    Table(Vec<(At<String>, Node)>),
}

impl Node {
    /// Reads TOML.
    pub(super) fn from_toml(text: &str) -> Result<Self, Fault> {
        let table = DeTable::parse(text).map_err(|error| {
            let span = error.span().unwrap_or_default();
            Fault::new(&code::SYNTAX, &span, format!("not TOML: {}", error.message().trim().replace('\n', ", ")))
        })?;
        let span = table.span();
        Ok(Self { kind: Kind::Table(entries(table.into_inner())?), span })
    }
}

/// The entries of a TOML table in the order of the text (the parser sorts them by name).
fn entries(table: DeTable<'_>) -> Result<Vec<(At<String>, Node)>, Fault> {
    let entry = |(key, value): (Spanned<_>, Spanned<_>)| {
        Ok((At { span: key.span(), value: String::from(key.into_inner()) }, node(value)?))
    };
    let mut entries = table.into_iter().map(entry).collect::<Result<Vec<_>, Fault>>()?;
    entries.sort_by_key(|(key, _)| key.span.start);
    Ok(entries)
}

/// A TOML value. The parser bounds the depth of nesting.
fn node(value: Spanned<DeValue<'_>>) -> Result<Node, Fault> {
    let span = value.span();
    let refuse = |what: &str| Fault::new(&code::WRONG_TYPE, &span, what);
    let kind = match value.into_inner() {
        DeValue::String(text) => Kind::Text(text.into_owned()),
        DeValue::Integer(digits) => i64::from_str_radix(digits.as_str(), digits.radix())
            .map(Kind::Integer)
            .map_err(|_| refuse("a whole number must lie within 64 bits"))?,
        DeValue::Float(digits) => {
            digits.as_str().parse().map(Kind::Float).map_err(|_| refuse("not a number that can be kept"))?
        }
        DeValue::Boolean(value) => Kind::Bool(value),
        DeValue::Datetime(_) => return Err(refuse("a date has no meaning in a scenario")),
        DeValue::Array(items) => Kind::List(items.into_iter().map(node).collect::<Result<_, _>>()?),
        DeValue::Table(table) => Kind::Table(entries(table)?),
    };
    Ok(Node { span, kind })
}
