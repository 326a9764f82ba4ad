//! Who believed what and what Redis and the database said, thing by thing, with the numbers of the steps.

use std::collections::BTreeMap;

use super::replay::difference;
use super::table::{hanging, paragraph};
use crate::engines::recording::{Frame, Held, Recording};
use crate::system::facts::{Change, Kind, Thing};
use crate::world::identity::ProcessId;

/// Things of Redis, and of the database, that are told; more are counted.
const THINGS_SHOWN: usize = 8;

/// What the steps did to what clients believe, to the keys of Redis, and to committed rows.
pub(super) fn story(recording: &Recording) -> String {
    let frames = &recording.frames;
    let mut text = listed("believed  ", &beliefs(recording), "no client was told that it holds a seat");
    text.push_str(&listed("redis     ", &changes(frames, Kind::Key), "no key was written"));
    text.push_str(&listed("database  ", &changes(frames, Kind::Row), "no row was committed"));
    text
}

/// Each line behind the heading, or what is said if there is none.
fn listed(heading: &str, lines: &[String], none: &str) -> String {
    if lines.is_empty() {
        return paragraph(heading, none);
    }
    let indent = " ".repeat(heading.len());
    let shown = lines.iter().take(THINGS_SHOWN).enumerate();
    // Further lines stand deeper, so that things are told apart.
    let told = |(index, line): (usize, &String)| {
        let first = if index == 0 { heading } else { &indent };
        hanging(first, indent.len() + 2, line)
    };
    let mut text = shown.map(told).collect::<String>();
    if lines.len() > THINGS_SHOWN {
        text.push_str(&format!("{indent}and {} more\n", lines.len() - THINGS_SHOWN));
    }
    text
}

/// From which step to which each client held a seat by its own knowledge, in the order in which that began.
fn beliefs(recording: &Recording) -> Vec<String> {
    let claim = |held: &Held| (held.client, held.seat);
    // What was told before the first step has step 0.
    let mut spans: Vec<((u16, i64), usize, Option<usize>)> =
        recording.held.iter().map(|held| (claim(held), 0, None)).collect();
    for frame in &recording.frames {
        let held = frame.held.iter().map(claim).collect::<Vec<_>>();
        for (claim, _, until) in &mut spans {
            if until.is_none() && !held.contains(claim) {
                *until = Some(frame.number);
            }
        }
        for claim in held {
            if !spans.iter().any(|(known, _, until)| *known == claim && until.is_none()) {
                spans.push((claim, frame.number, None));
            }
        }
    }
    let told = |((client, seat), from, until): ((u16, i64), usize, Option<usize>)| {
        let from = if from == 0 { "from the beginning".to_owned() } else { format!("from step {from}") };
        let until = until.map_or_else(|| "on".to_owned(), |until| format!("to step {until}"));
        format!("{} that it holds seat {seat}: {from} {until}", ProcessId::client(client))
    };
    spans.into_iter().map(told).collect()
}

/// What the steps changed of things of this kind, thing by thing in the order of their first change.
fn changes(frames: &[Frame], kind: Kind) -> Vec<String> {
    let mut things: Vec<&Thing> = Vec::new();
    let mut said: BTreeMap<&Thing, Vec<String>> = BTreeMap::new();
    for frame in frames {
        for change in frame.changed.iter().filter(|change| change.thing.kind == kind) {
            if !said.contains_key(&change.thing) {
                things.push(&change.thing);
            }
            let entry = format!("step {}: {}", frame.number, became(change));
            said.entry(&change.thing).or_default().push(entry);
        }
    }
    let line = |thing: &Thing| {
        let name = thing.name.strip_prefix("redis ").unwrap_or(&thing.name);
        format!("{name}  {}", said[thing].join("; "))
    };
    things.into_iter().map(line).collect()
}

/// What a thing is after a change.
fn became(change: &Change) -> String {
    match (&change.was, &change.is) {
        (_, None) => "gone".to_owned(),
        (Some(_), Some(_)) if change.thing.kind == Kind::Row => difference(change),
        (_, Some(is)) => is.clone(),
    }
}
