//! One metric of the two forms that name its type: handleSummary data and `--new-machine-readable-summary`.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

use super::figures::{self, ContainsWord, KindWord};
use super::ordered::Ordered;
use crate::engines::metrics::summary::{Contains, Values};

/// A metric as found. Its checks run while the reader still stands in it, so that errors have its place.
#[derive(Debug)]
pub(super) struct TypedMetric {
    /// Only where metrics are a list; else it is the key.
    pub(super) name: Option<String>,
    pub(super) contains: Contains,
    /// A counter in a list has no rate: 0 here.
    pub(super) values: Values,
    /// Thresholds as written, and whether each held.
    pub(super) verdicts: Vec<(String, bool)>,
}

#[derive(serde::Deserialize)]
struct Verdict {
    ok: bool,
}

impl<'de> Deserialize<'de> for TypedMetric {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MetricVisitor)
    }
}

struct MetricVisitor;

impl<'de> Visitor<'de> for MetricVisitor {
    type Value = TypedMetric;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a metric")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TypedMetric, A::Error> {
        let (mut name, mut kind, mut contains, mut found) = (None, None, None, None);
        let mut verdicts = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "name" => name = Some(map.next_value::<String>()?),
                "type" => kind = Some(map.next_value::<KindWord>()?),
                "contains" => contains = Some(map.next_value::<ContainsWord>()?),
                "values" => found = Some(map.next_value::<Ordered<f64>>()?.0),
                "thresholds" => {
                    let judged: Ordered<Verdict> = map.next_value()?;
                    verdicts = judged.0.into_iter().map(|(source, verdict)| (source, verdict.ok)).collect();
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        let kind = kind.ok_or_else(|| A::Error::missing_field("type"))?;
        let mut found = found.ok_or_else(|| A::Error::missing_field("values"))?;
        if name.is_some() && matches!(kind, KindWord::Counter) {
            found.push(("rate".to_owned(), 0.0));
        }
        Ok(TypedMetric {
            name,
            contains: contains.ok_or_else(|| A::Error::missing_field("contains"))?.into(),
            values: figures::values(kind.into(), &found).map_err(A::Error::custom)?,
            verdicts,
        })
    }
}
