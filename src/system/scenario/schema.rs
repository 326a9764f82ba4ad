//! The JSON schema of the scenario file, for editors; `docs/scenario.schema.json` is its published copy.

use schemars::generate::SchemaSettings;
use schemars::transform::{Transform, transform_subschemas};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::check::REPRESENTATIVES_MAX;
use super::de::Table;
use super::form;

/// The schema as pretty JSON, ending in a newline.
#[must_use]
pub fn schema() -> String {
    let settings = SchemaSettings::draft2020_12().with_transform(WithoutNull);
    let schema = settings.into_generator().into_root_schema_for::<form::File>();
    format!("{:#}\n", schema.to_value())
}

/// Takes `null` out of all types: a TOML value is there or it is not.
#[derive(Clone, Debug)]
struct WithoutNull;

impl Transform for WithoutNull {
    fn transform(&mut self, schema: &mut Schema) {
        if let Some(Value::Array(types)) = schema.get_mut("type") {
            types.retain(|name| name != "null");
            if let [only] = types.as_slice() {
                let only = only.clone();
                schema.insert("type".to_owned(), only);
            }
        }
        if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
            choices.retain(|choice| choice.get("type").is_none_or(|name| name != "null"));
            if let [Value::Object(only)] = choices.as_slice() {
                let only = only.clone();
                schema.remove("anyOf");
                for (key, value) in only {
                    schema.insert(key, value);
                }
            }
        }
        transform_subschemas(self, schema);
    }
}

/// A duration.
pub(super) fn duration(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "type": "string", "pattern": r"^\+?(0|((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h|d))+)$" })
}

/// A list of durations.
pub(super) fn durations(generator: &mut SchemaGenerator) -> Schema {
    let duration = duration(generator);
    json_schema!({ "type": "array", "items": duration })
}

/// The values of a model's parameters; which one takes which kind is the model's to say.
pub(super) fn params(generator: &mut SchemaGenerator) -> Schema {
    let duration = duration(generator);
    json_schema!({
        "type": "object",
        "additionalProperties": { "anyOf": [
            { "type": "integer" },
            duration,
            { "type": "array", "minItems": 2, "maxItems": 2, "items": { "type": "integer" } },
            { "type": "array", "minItems": 2, "maxItems": 2, "items": duration },
        ] },
    })
}

/// Representatives of draws.
pub(super) fn draws(_: &mut SchemaGenerator) -> Schema {
    let representative = json_schema!({ "type": "array", "items": { "type": "integer" } });
    json_schema!({
        "type": "object",
        "additionalProperties": {
            "type": "array", "minItems": 1, "maxItems": REPRESENTATIVES_MAX, "items": representative,
        },
    })
}

/// One threshold or a list of them per metric.
pub(super) fn thresholds(generator: &mut SchemaGenerator) -> Schema {
    let one = json_schema!({ "anyOf": [{ "type": "string" }, generator.subschema_for::<form::Threshold>()] });
    json_schema!({
        "type": "object",
        "additionalProperties": { "anyOf": [one, { "type": "array", "items": one }] },
    })
}

/// Statuses and ranges of them.
pub(super) fn statuses(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array",
        "items": { "anyOf": [
            { "type": "integer", "minimum": 100, "maximum": 599 },
            { "type": "string", "pattern": r"^\d{3}(-\d{3})?$" },
        ] },
    })
}

/// An expected verdict per property, and the number of states.
pub(super) fn expect(generator: &mut SchemaGenerator) -> Schema {
    let verdict = json_schema!({ "anyOf": [
        generator.subschema_for::<form::Verdict>(),
        generator.subschema_for::<form::Expect>(),
    ] });
    let mut schema = Table::<()>::json_schema(generator);
    schema.insert(
        "properties".to_owned(),
        serde_json::json!({
            "states": { "type": "integer", "minimum": 1, "description": "Pinned number of distinct states." },
        }),
    );
    schema.insert("additionalProperties".to_owned(), verdict.to_value());
    schema
}
