//! HTTP between a client and the service.

use std::fmt;
use std::rc::Rc;

use serde::{Serialize, Serializer};
use smallvec::SmallVec;

use super::name;
use crate::world::value::Value;

/// Named values of a request or response body, in the order they are written. A message is kept by its sender, by its
/// receiver and on the way, so copies share the values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Fields(Option<Rc<Written>>);

type Written = SmallVec<[(&'static str, Value); 3]>;

impl Fields {
    #[inline]
    fn push(&mut self, name: &'static str, value: Value) {
        Rc::make_mut(self.0.get_or_insert_default()).push((name, value));
    }

    pub(crate) fn as_slice(&self) -> &[(&'static str, Value)] {
        self.0.as_ref().map_or(&[], |written| written.as_slice())
    }

    fn get(&self, name: &str) -> &Value {
        self.as_slice().iter().find(|(known, _)| name::is_same(known, name)).map_or(&Value::Null, |(_, value)| value)
    }
}

/// As the sequence of its values.
impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.as_slice().serialize(serializer)
    }
}

/// A request to the service.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Request {
    /// Method and path pattern: `POST /seat-locks`. Names the handler.
    pub route: &'static str,
    /// k6's `name` tag: `lock_seats`.
    pub name: &'static str,
    /// Headers, path variables and body fields that the handler reads.
    pub fields: Fields,
    /// Bytes on the wire, headers included.
    pub sent_bytes: u32,
}

impl Request {
    /// A request without fields.
    #[must_use]
    pub fn new(route: &'static str, name: &'static str, sent_bytes: u32) -> Self {
        Self { route, name, fields: Fields::default(), sent_bytes }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push(field, value.into());
        self
    }

    /// The value of a field, NULL when it was not sent.
    #[must_use]
    pub fn get(&self, field: &str) -> &Value {
        self.fields.get(field)
    }

    /// The whole numbers of a list field; empty when it was not sent.
    #[inline]
    #[must_use]
    pub fn ints(&self, field: &str) -> SmallVec<[i64; 4]> {
        match self.get(field) {
            Value::List(values) => {
                values.iter().filter_map(|value| if let Value::Int(int) = value { Some(*int) } else { None }).collect()
            }
            _ => SmallVec::new(),
        }
    }
}

/// What the service answers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Response {
    /// HTTP status code.
    pub status: u16,
    /// Body fields that the client reads.
    pub fields: Fields,
    /// Bytes on the wire, headers included.
    pub received_bytes: u32,
}

impl Response {
    /// An answer without fields.
    #[must_use]
    pub fn new(status: u16, received_bytes: u32) -> Self {
        Self { status, fields: Fields::default(), received_bytes }
    }

    /// Adds a field.
    #[must_use]
    pub fn with(mut self, field: &'static str, value: impl Into<Value>) -> Self {
        self.fields.push(field, value.into());
        self
    }

    /// The value of a field, NULL when the answer has none of that name.
    #[must_use]
    pub fn get(&self, field: &str) -> &Value {
        self.fields.get(field)
    }
}

fn write_fields(f: &mut fmt::Formatter<'_>, fields: &Fields) -> fmt::Result {
    for (name, value) in fields.as_slice() {
        write!(f, " {name}={value}")?;
    }
    Ok(())
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.route)?;
        write_fields(f, &self.fields)
    }
}

impl fmt::Display for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status)?;
        write_fields(f, &self.fields)
    }
}
