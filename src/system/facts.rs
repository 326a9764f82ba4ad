//! A state in words: what a person who follows a schedule wants to see change.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Serialize, Serializer};

use super::System;
use super::name::describe;
use super::state::Whereabouts;
use crate::process::token::readable;
use crate::world::identity::{ProcessId, SessionId};

/// What is true in a state: the thing's name and what is so. `redis lock:seat:1:7` is `vu1#1 until 600000000us`.
pub type Facts = BTreeMap<Thing, String>;

/// What a fact is about. Things are in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Thing {
    /// Its name, unique in a state.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What can be said something about.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The clock.
    Time,
    /// A live key of Redis.
    Key,
    /// A committed row.
    Row,
    /// A seat, and who was told to hold it.
    Told,
    /// A process.
    Process,
    /// An open transaction.
    Transaction,
}

impl fmt::Display for Thing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Serialize for Thing {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name)
    }
}

/// The facts of the present state: the clock, live keys, committed rows, open transactions, who holds what by its own
/// knowledge, and where every process is.
#[must_use]
pub fn facts(system: &System) -> Facts {
    let state = system.state();
    let mut facts = Facts::new();
    let mut tell = |kind: Kind, name: String, what: String| {
        facts.insert(Thing { name: readable(&name), kind }, readable(&what));
    };
    tell(Kind::Time, "time".to_owned(), format!("{}us", state.now_us));
    for (number, node) in state.world.redis.iter().enumerate() {
        let node_name = if number == 0 { "redis".to_owned() } else { format!("redis {number}") };
        for (key, value, deadline_ms) in node.live_keys(state.now_us) {
            let until = deadline_ms.map_or_else(String::new, |ms| format!(" until {}us", ms.saturating_mul(1000)));
            tell(Kind::Key, format!("{node_name} {key}"), format!("{value}{until}"));
        }
    }
    for row in state.world.sql.described_rows() {
        tell(Kind::Row, row.name, row.content);
    }
    for (seat, holders) in &state.world.ghost.holders {
        let holders = holders.iter().map(|(client, until_us)| match *until_us {
            u64::MAX => ProcessId::client(*client).to_string(),
            until_us => format!("{} until {until_us}us", ProcessId::client(*client)),
        });
        tell(Kind::Told, format!("told seat {seat}"), holders.collect::<Vec<_>>().join(", "));
    }
    for process in state.processes().filter(|process| *process != ProcessId::SETUP) {
        tell(Kind::Process, process.to_string(), whereabouts(system, process));
        if state.world.sql.in_transaction(SessionId::Own(process)) {
            tell(Kind::Transaction, format!("transaction {process}"), "open".to_owned());
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
    pub thing: Thing,
    /// What was so.
    pub was: Option<String>,
    /// What is so.
    pub is: Option<String>,
}

/// What changed from one state to the next, by name.
#[must_use]
pub fn changes(before: &Facts, after: &Facts) -> Vec<Change> {
    let gone = before.iter().filter(|(thing, _)| !after.contains_key(*thing));
    let gone = gone.map(|(thing, was)| Change { thing: thing.clone(), was: Some(was.clone()), is: None });
    let new = after.iter().filter(|(thing, is)| before.get(*thing) != Some(*is));
    let change = |(thing, is): (&Thing, &String)| (thing.clone(), before.get(thing).cloned(), Some(is.clone()));
    let new = new.map(change).map(|(thing, was, is)| Change { thing, was, is });
    let mut changes = gone.chain(new).collect::<Vec<_>>();
    changes.sort_unstable_by(|one, other| one.thing.cmp(&other.thing));
    changes
}

/// The facts after these changes.
pub fn apply(changes: &[Change], facts: &mut Facts) {
    for Change { thing, is, .. } in changes {
        match is {
            Some(is) => drop(facts.insert(thing.clone(), is.clone())),
            None => drop(facts.remove(thing)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_what_came_what_went_and_what_is_another() {
        let thing = |name: &str| Thing { name: name.to_owned(), kind: Kind::Key };
        let facts = |pairs: &[(&str, &str)]| pairs.iter().map(|(a, b)| (thing(a), (*b).to_owned())).collect();
        let (before, after): (Facts, Facts) =
            (facts(&[("a", "1"), ("c", "3"), ("d", "4")]), facts(&[("a", "2"), ("b", "9"), ("d", "4")]));
        let text = |text: &str| Some(text.to_owned());
        let change = |name: &str, was, is| Change { thing: thing(name), was, is };
        let wanted =
            [change("a", text("1"), text("2")), change("b", None, text("9")), change("c", text("3"), None)].to_vec();
        assert_eq!(changes(&before, &after), wanted);
        let mut applied = before.clone();
        apply(&wanted, &mut applied);
        assert_eq!(applied, after);
    }
}
