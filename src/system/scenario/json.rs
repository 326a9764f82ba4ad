//! JSON into the tree that TOML is read into.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

use super::fault::Fault;
use super::tree::{At, Kind, Node};
use crate::system::diagnostic::code;

/// Deepest nesting of lists and tables; k6's options need six levels.
const DEPTH_MAX: u32 = 64;

impl Node {
    /// Reads JSON. `serde_json` reads it, and hands out each value as the slice of text it came from: where that slice
    /// lies is where the value stands.
    pub(super) fn from_json(text: &str) -> Result<Self, Fault> {
        let root: &RawValue = serde_json::from_str(text).map_err(|error| syntax(text, 0, &error))?;
        node(text, root.get(), DEPTH_MAX)
    }
}

/// The value that `part`, a slice of `text`, spells.
fn node(text: &str, part: &str, depth: u32) -> Result<Node, Fault> {
    let start = offset(text, part);
    let span = start..start + part.len();
    let wrong = |error: serde_json::Error| syntax(text, start, &error);
    let below =
        || depth.checked_sub(1).ok_or_else(|| Fault::new(&code::SYNTAX, &(start..start + 1), "nested too deeply"));
    let kind = match part.as_bytes().first() {
        Some(b'{') => {
            let depth = below()?;
            let Entries(entries) = serde_json::from_str(part).map_err(wrong)?;
            let entry = |(key, value): (&RawValue, &RawValue)| {
                let name = serde_json::from_str(key.get()).map_err(wrong)?;
                let start = offset(text, key.get());
                Ok((At { span: start..start + key.get().len(), value: name }, node(text, value.get(), depth)?))
            };
            Kind::Table(entries.into_iter().map(entry).collect::<Result<_, Fault>>()?)
        }
        Some(b'[') => {
            let depth = below()?;
            let items: Vec<&RawValue> = serde_json::from_str(part).map_err(wrong)?;
            Kind::List(items.into_iter().map(|item| node(text, item.get(), depth)).collect::<Result<_, _>>()?)
        }
        _ => match serde_json::from_str(part).map_err(wrong)? {
            Value::Bool(value) => Kind::Bool(value),
            Value::String(value) => Kind::Text(value),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Kind::Integer(integer),
                (None, float) => Kind::Float(float.unwrap_or(f64::INFINITY)),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => Kind::Null,
        },
    };
    Ok(Node { span, kind })
}

/// Where `part`, a slice of `text`, begins.
fn offset(text: &str, part: &str) -> usize {
    part.as_ptr().addr() - text.as_ptr().addr()
}

/// A syntax error of `serde_json`, which counts lines and columns (in bytes, from 1) of the slice that it was given.
fn syntax(text: &str, start: usize, error: &serde_json::Error) -> Fault {
    let part = &text[start..];
    let line_start = part.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let offset = start + line_start + error.column().saturating_sub(1);
    let words = error.to_string();
    let words = words.split(" at line ").next().unwrap_or_default();
    Fault::new(&code::SYNTAX, &(offset..offset + 1), format!("not JSON: {words}"))
}

/// The entries of a JSON object as slices of the text, in its order.
struct Entries<'a>(Vec<(&'a RawValue, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor)
    }
}

struct EntriesVisitor;

impl<'de> Visitor<'de> for EntriesVisitor {
    type Value = Entries<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(&RawValue, &RawValue)> = Vec::new();
        let mut seen = BTreeSet::new();
        while let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? {
            if !seen.insert(key.get()) {
                return Err(de::Error::custom(format_args!("the key {} stands here twice", key.get())));
            }
            entries.push((key, value));
        }
        Ok(Entries(entries))
    }
}
