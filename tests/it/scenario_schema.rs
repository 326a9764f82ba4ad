//! The published JSON schema is the generated one, and the manual mentions every key of it.
//!
//! `UPDATE_EXPECT=1 cargo test scenario_schema` writes `docs/scenario.schema.json` anew.

use std::collections::BTreeSet;
use std::fs;

use crate::support::golden;
use crate::support::scenario::{FULL, read};
use seatproof::system::scenario::schema;
use serde_json::Value;

#[test]
fn the_published_schema_is_up_to_date() {
    golden::assert_file("docs/scenario.schema.json", &schema());
}

#[test]
fn the_schema_knows_no_null() {
    assert!(!schema().contains("null"), "TOML has no null");
}

/// What an editor accepts by the schema and the tool then refuses is found late.
#[test]
fn a_list_that_may_not_be_empty_has_an_entry_in_the_schema_too() {
    let schema: Value = serde_json::from_str(&schema()).expect("the schema is JSON");
    for (table, key) in [("Load", "stages"), ("Check", "journeys"), ("Check", "properties")] {
        assert_eq!(schema["$defs"][table]["properties"][key]["minItems"], 1, "{table}.{key}");
    }
    for table in ["Check", "Sample"] {
        let draw = &schema["$defs"][table]["properties"]["draws"]["additionalProperties"];
        assert_eq!((&draw["minItems"], &draw["maxItems"]), (&Value::from(1), &Value::from(16)), "{table}");
    }
}

#[test]
fn the_manual_mentions_every_key() {
    let keys = schema_keys();
    let manual = fs::read_to_string(golden::project("docs/scenario.md")).expect("the manual is there");
    let missing: Vec<_> = keys.iter().filter(|key| !manual.contains(&format!("`{key}`"))).collect();
    assert_eq!(missing, Vec::<&String>::new(), "docs/scenario.md does not mention these keys in backticks");
}

#[test]
fn the_manuals_examples_are_one_valid_scenario() {
    let manual = fs::read_to_string(golden::project("docs/scenario.md")).expect("the manual is there");
    let examples: Vec<&str> = manual.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert!(examples.len() >= 5, "the manual has {} examples", examples.len());
    let text = format!("model = \"moviebooking\"\ntitle = \"The manual\"\n{}", examples.join("\n"));
    let (scenario, warnings) = read(&text).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(warnings, []);
    assert!(scenario.load.is_some() && scenario.thresholds.len() == 4 && scenario.checks.len() == 1);
}

#[test]
fn the_test_scenario_uses_every_key() {
    let missing: Vec<_> = schema_keys().into_iter().filter(|key| !FULL.contains(key.as_str())).collect();
    assert_eq!(missing, Vec::<String>::new(), "the tests read no such key");
}

/// All keys of the scenario file.
fn schema_keys() -> BTreeSet<String> {
    let schema: Value = serde_json::from_str(&schema()).expect("the schema is JSON");
    let mut keys = BTreeSet::new();
    collect_keys(&schema, &mut keys);
    assert!(keys.len() > 40, "the schema has more keys than {}", keys.len());
    keys
}

/// The keys that `schema` and the schemas inside it allow.
fn collect_keys(schema: &Value, keys: &mut BTreeSet<String>) {
    for part in ["properties", "$defs"] {
        for (name, inner) in schema[part].as_object().into_iter().flatten() {
            if part == "properties" {
                keys.insert(name.clone());
            }
            collect_keys(inner, keys);
        }
    }
    for part in ["items", "additionalProperties"] {
        if schema[part].is_object() {
            collect_keys(&schema[part], keys);
        }
    }
    for part in ["anyOf", "oneOf"] {
        schema[part].as_array().into_iter().flatten().for_each(|inner| collect_keys(inner, keys));
    }
}
