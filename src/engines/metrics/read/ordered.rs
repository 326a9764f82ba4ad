//! JSON objects as lists: k6's order of keys is kept, and errors inside keep their line and column.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

/// An object's entries in the order of the file.
#[derive(Debug)]
pub(super) struct Ordered<V>(pub(super) Vec<(String, V)>);

impl<V> Default for Ordered<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Ordered<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries { is_list_allowed: false, values: PhantomData }).map(Self)
    }
}

/// The elements of a list, or the values of an object whose keys repeat what the values say: groups and checks are a
/// list in handleSummary data, and an object by name in `--summary-export`.
#[derive(Debug)]
pub(super) struct Listed<V>(pub(super) Vec<V>);

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Listed<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = deserializer.deserialize_any(Entries { is_list_allowed: true, values: PhantomData })?;
        Ok(Self(entries.into_iter().map(|(_, value)| value).collect()))
    }
}

struct Entries<V> {
    is_list_allowed: bool,
    values: PhantomData<V>,
}

impl<'de, V: Deserialize<'de>> Visitor<'de> for Entries<V> {
    type Value = Vec<(String, V)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_list_allowed { "a list or an object" } else { "an object" })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        if !self.is_list_allowed {
            return Err(serde::de::Error::invalid_type(serde::de::Unexpected::Seq, &self));
        }
        let mut entries = Vec::new();
        while let Some(value) = list.next_element()? {
            entries.push((String::new(), value));
        }
        Ok(entries)
    }
}
