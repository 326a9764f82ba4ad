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

/// A fact that is another than before. A thing that was not there, or is not there any more, has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The thing.
    pub name: String,
    /// What was so.
    pub was: Option<String>,
    /// What is so.
    pub is: Option<String>,
}

/// What changed from one state to the next, by name.
#[must_use]
pub fn changes(before: &Facts, after: &Facts) -> Vec<Change> {
    let gone = before.iter().filter(|(name, _)| !after.contains_key(*name));
    let gone = gone.map(|(name, was)| Change { name: name.clone(), was: Some(was.clone()), is: None });
    let new = after.iter().filter(|(name, is)| before.get(*name) != Some(*is));
    let new = new.map(|(name, is)| Change { name: name.clone(), was: before.get(name).cloned(), is: Some(is.clone()) });
    let mut changes = gone.chain(new).collect::<Vec<_>>();
    changes.sort_unstable_by(|one, other| one.name.cmp(&other.name));
    changes
}

/// The facts after these changes.
pub fn apply(changes: &[Change], facts: &mut Facts) {
    for Change { name, is, .. } in changes {
        match is {
            Some(is) => drop(facts.insert(name.clone(), is.clone())),
            None => drop(facts.remove(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_what_came_what_went_and_what_is_another() {
        let facts = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let (before, after): (Facts, Facts) =
            (facts(&[("a", "1"), ("c", "3"), ("d", "4")]), facts(&[("a", "2"), ("b", "9"), ("d", "4")]));
        let text = |text: &str| Some(text.to_owned());
        let change = |name: &str, was, is| Change { name: name.to_owned(), was, is };
        let wanted =
            [change("a", text("1"), text("2")), change("b", None, text("9")), change("c", text("3"), None)].to_vec();
        assert_eq!(changes(&before, &after), wanted);
        let mut applied = before.clone();
        apply(&wanted, &mut applied);
        assert_eq!(applied, after);
    }
}
