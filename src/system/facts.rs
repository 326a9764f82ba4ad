//! A state in words: what a person who follows a schedule wants to see change.

use std::collections::BTreeMap;

use super::System;
use super::name::describe;
use super::state::Whereabouts;
use crate::process::token::readable;
use crate::world::identity::{ProcessId, SessionId};

/// What is true in a state: the thing's name and what is so. `redis lock:seat:1:7` is `vu1#1 until 600000000us`.
pub type Facts = BTreeMap<String, String>;

/// The facts of the present state: the clock, live keys, committed rows, open transactions, who holds what by its own
/// knowledge, and where every process is.
#[must_use]
pub fn facts(system: &System) -> Facts {
    let state = system.state();
    let mut facts = Facts::from([("time".to_owned(), format!("{}us", state.now_us))]);
    let mut tell = |name: String, what: String| {
        facts.insert(readable(&name), readable(&what));
    };
    for (number, node) in state.world.redis.iter().enumerate() {
        let node_name = if number == 0 { "redis".to_owned() } else { format!("redis {number}") };
        for (key, value, deadline_ms) in node.live_keys(state.now_us) {
            let until = deadline_ms.map_or_else(String::new, |ms| format!(" until {}us", ms.saturating_mul(1000)));
            tell(format!("{node_name} {key}"), format!("{value}{until}"));
        }
    }
    for row in state.world.sql.described_rows() {
        tell(row.name, row.content);
    }
    for (seat, holders) in &state.world.ghost.holders {
        let holders = holders.iter().map(|(client, until_us)| match *until_us {
            u64::MAX => ProcessId::client(*client).to_string(),
            until_us => format!("{} until {until_us}us", ProcessId::client(*client)),
        });
        tell(format!("told seat {seat}"), holders.collect::<Vec<_>>().join(", "));
    }
    for process in state.processes().filter(|process| *process != ProcessId::SETUP) {
        tell(process.to_string(), whereabouts(system, process));
        if state.world.sql.in_transaction(SessionId::Own(process)) {
            tell(format!("transaction {process}"), "open".to_owned());
        }
    }
    facts
}

fn whereabouts(system: &System, process: ProcessId) -> String {
    match system.state().slot(process).whereabouts() {
        Whereabouts::Idle => "has not begun".to_owned(),
        Whereabouts::Issued(op) => format!("next: {}", describe(op)),
        Whereabouts::Blocked(op) => format!("blocked in {}", describe(op)),
        Whereabouts::Calling(_, call) => format!("waits for call {call}"),
        Whereabouts::Applied(_, outcome) => format!("on its way: {outcome}"),
        Whereabouts::Asleep(until_us) => format!("asleep until {until_us}us"),
        Whereabouts::Ended => "has ended".to_owned(),
    }
}

/// What changed from one state to the next: the name, what was so, what is so. A thing that was not there, or is not
/// there any more, has none.
#[must_use]
pub fn changes<'a>(before: &'a Facts, after: &'a Facts) -> Vec<(&'a str, Option<&'a str>, Option<&'a str>)> {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let mut changes = names
        .map(|name| (name.as_str(), before.get(name).map(String::as_str), after.get(name).map(String::as_str)))
        .filter(|(_, was, is)| was != is)
        .collect::<Vec<_>>();
    changes.sort_unstable();
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_what_came_what_went_and_what_is_another() {
        let facts = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let (before, after): (Facts, Facts) =
            (facts(&[("a", "1"), ("c", "3"), ("d", "4")]), facts(&[("a", "2"), ("b", "9"), ("d", "4")]));
        let wanted = vec![("a", Some("1"), Some("2")), ("b", None, Some("9")), ("c", Some("3"), None)];
        assert_eq!(changes(&before, &after), wanted);
    }
}
