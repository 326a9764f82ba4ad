//! Parameters: what a model declares against what a scenario sets.

use super::de::Table;
use super::fault::Fault;
use super::names;
use super::tree::{At, Kind, Node};
use super::values::{BareNumber, duration_us};
use crate::system::diagnostic::code;
use crate::system::model::{Param, ParamKind, ParamValue};

/// The values of a scenario that sets none.
pub(super) fn defaults(declared: &[Param]) -> Vec<ParamValue> {
    declared.iter().map(|param| param.default).collect()
}

/// `base` with the values of `table` laid over it.
pub(super) fn build(table: &Table<Node>, declared: &[Param], base: &[ParamValue]) -> Result<Vec<ParamValue>, Fault> {
    let known: Vec<&str> = declared.iter().map(|param| param.name).collect();
    let mut values = base.to_vec();
    for (name, node) in &table.0 {
        let index = names::find("parameter", name, &known)?;
        values[index] = value(node, name, &declared[index])?;
    }
    Ok(values)
}

/// The value of one parameter. A range may be written as a single value.
fn value(node: &Node, name: &At<String>, param: &Param) -> Result<ParamValue, Fault> {
    let is_range = matches!(param.kind, ParamKind::CountRange { .. } | ParamKind::DurationRange);
    let (low, high) = match &node.kind {
        Kind::List(ends) if is_range => match ends.as_slice() {
            [low, high] => (single(low, name, param)?, single(high, name, param)?),
            _ => return Err(wrong_kind(node, name, param)),
        },
        _ => {
            let value = single(node, name, param)?;
            (value, value)
        }
    };
    if low > high {
        let message = format!("the range of `{}` ends before it begins", name.value);
        return Err(Fault::new(&code::OUT_OF_BOUNDS, &node.span, message).help("write the lower end first"));
    }
    Ok(ParamValue { low, high })
}

/// A number or duration, alone or as an end of a range.
fn single(node: &Node, name: &At<String>, param: &Param) -> Result<i64, Fault> {
    let value = match (param.kind, &node.kind) {
        (ParamKind::Count { .. } | ParamKind::CountRange { .. }, Kind::Integer(value)) => *value,
        (
            ParamKind::Duration | ParamKind::Ttl | ParamKind::DurationRange,
            Kind::Text(_) | Kind::Integer(_) | Kind::Float(_),
        ) => {
            let us = duration_us(node, BareNumber::Refused)?;
            i64::try_from(us).map_err(|_| wrong_kind(node, name, param))?
        }
        _ => return Err(wrong_kind(node, name, param)),
    };
    if param.admits(ParamValue::one(value)) { Ok(value) } else { Err(not_admitted(node, name, param, value)) }
}

/// The value is of the right kind, and too small, too large or too fine.
fn not_admitted(node: &Node, name: &At<String>, param: &Param, value: i64) -> Fault {
    let name = &name.value;
    let (message, help) = match param.kind {
        ParamKind::Count { min, max } | ParamKind::CountRange { min, max } => {
            (format!("`{name}` must be from {min} to {max}, not {value}"), param.about)
        }
        ParamKind::Ttl => {
            (format!("`{name}` must be in whole milliseconds, and at least one"), "Redis counts in milliseconds")
        }
        ParamKind::Duration | ParamKind::DurationRange => (format!("`{name}` must be at most 292 years"), param.about),
    };
    Fault::new(&code::OUT_OF_BOUNDS, &node.span, message).help(help)
}

/// The value is of a kind that the parameter does not take.
fn wrong_kind(node: &Node, name: &At<String>, param: &Param) -> Fault {
    let kind = match param.kind {
        ParamKind::Count { .. } => "a whole number",
        ParamKind::CountRange { .. } => "a range of whole numbers, such as [1, 3]",
        ParamKind::Duration | ParamKind::Ttl => "a duration, such as \"600s\"",
        ParamKind::DurationRange => "a range of durations, such as [\"1s\", \"4s\"]",
    };
    Fault::new(&code::WRONG_TYPE, &node.span, format!("`{}` takes {kind}", name.value)).help(param.about)
}
