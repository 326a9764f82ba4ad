//! The published JSON schema is the generated one, and the manual mentions every key of it.
//!
//! `UPDATE=1 cargo test --test scenario_schema` writes `docs/scenario.schema.json` anew.

mod scenario_support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use scenario_support::{FULL, read};
use seatproof::system::scenario::schema;
use serde_json::Value;

/// A file of the project.
fn project(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

#[test]
fn the_published_schema_is_up_to_date() {
    let path = project("docs/scenario.schema.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, schema()).expect("the schema is writable");
    }
    let published = fs::read_to_string(&path).unwrap_or_default();
    assert!(published == schema(), "stale: run `UPDATE=1 cargo test --test scenario_schema` and commit the result");
}

#[test]
fn the_schema_knows_no_null() {
    assert!(!schema().contains("null"), "TOML has no null");
}

#[test]
fn the_manual_mentions_every_key() {
    let keys = schema_keys();
    let manual = fs::read_to_string(project("docs/scenario.md")).expect("the manual is there");
    let missing: Vec<_> = keys.iter().filter(|key| !manual.contains(&format!("`{key}`"))).collect();
    assert_eq!(missing, Vec::<&String>::new(), "docs/scenario.md does not mention these keys in backticks");
}

#[test]
fn the_manuals_examples_are_one_valid_scenario() {
    let manual = fs::read_to_string(project("docs/scenario.md")).expect("the manual is there");
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
