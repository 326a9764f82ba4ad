//! The tables of `docs/protocols.md`, from what the scenarios of the protocols expect; `models.rs` proves that the
//! explorer finds exactly that.

use std::fmt::Write as _;

use seatproof::models::CATALOG;
use seatproof::system::scenario::{Check, ExpectedVerdict, Scenario};

use crate::support::built_in::scenario;
use crate::support::golden;

const MANUAL: &str = "docs/protocols.md";
const BEGIN: &str = "<!-- tables: written by `UPDATE_EXPECT=1 cargo test protocol_table` -->\n";
const END: &str = "<!-- end of tables -->\n";

/// The checks that are columns, in the order of the tables.
const COLUMNS: [&str; 8] = ["none", "pause", "lose-reply", "crash", "redis-restart", "failover", "evict", "clock-jump"];
const PROPERTIES: [&str; 3] = ["one-booking-per-seat", "one-holder-per-seat", "release-own-only"];

/// The scenarios of the models that have every column: the protocols.
fn protocols() -> Vec<Scenario> {
    let scenarios = CATALOG.into_iter().map(|entry| scenario(entry.scenario).expect("the scenario is right").0);
    scenarios.filter(|it| COLUMNS.iter().all(|column| check(it, column).is_some())).collect()
}

fn check<'a>(scenario: &'a Scenario, name: &str) -> Option<&'a Check> {
    scenario.checks.iter().find(|check| check.name == name)
}

/// `ok`, or `X` and the length of the shortest counterexample in operations.
fn verdict(check: &Check, property: &str) -> String {
    let expected = check.expect.iter().find(|it| it.property == property).map(|it| it.verdict);
    match expected {
        Some(ExpectedVerdict::Holds) => "ok".to_owned(),
        Some(ExpectedVerdict::Violated { ops: Some(ops), .. }) => format!("X {ops}"),
        other => panic!("check {} pins no verdict with its length for {property}: {other:?}", check.name),
    }
}

fn table(heading: &str, protocols: &[Scenario], cell: impl Fn(&Check) -> String) -> String {
    let mut text = format!("### {heading}\n\n| protocol | {} |\n|---|", COLUMNS.join(" | "));
    text.push_str(&"---|".repeat(COLUMNS.len()));
    text.push('\n');
    for scenario in protocols {
        let cells = COLUMNS.map(|column| cell(check(scenario, column).expect("a protocol has every column")));
        writeln!(text, "| `{}` | {} |", scenario.model, cells.join(" | ")).expect("text can be written");
    }
    text
}

fn tables() -> String {
    let protocols = protocols();
    let of_property = |property: &&str| table(&format!("`{property}`"), &protocols, |check| verdict(check, property));
    let states = table("Distinct states", &protocols, |check| {
        check.expect_states.expect("a check of a protocol pins its states").to_string()
    });
    PROPERTIES.iter().map(of_property).chain([states]).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_manual_shows_what_the_scenarios_expect() {
    let manual = std::fs::read_to_string(golden::project(MANUAL)).expect("the manual is there");
    let (head, rest) = manual.split_once(BEGIN).expect("the tables begin");
    let (_, tail) = rest.split_once(END).expect("the tables end");
    golden::assert_file(MANUAL, &format!("{head}{BEGIN}\n{}\n{END}{tail}", tables()));
}

/// A protocol that does not have every column would silently be left out of the tables.
#[test]
fn every_protocol_is_in_the_tables() {
    // The measured service, its repair, and the model on which model checkers are compared.
    const OTHERS: [&str; 3] = ["moviebooking", "moviebooking_fixed", "seatlock"];
    let shown = protocols().into_iter().map(|scenario| scenario.model).collect::<Vec<_>>();
    let all = CATALOG.map(|entry| entry.model.name);
    assert_eq!(all.iter().filter(|name| !OTHERS.contains(name)).collect::<Vec<_>>(), shown.iter().collect::<Vec<_>>());
}
