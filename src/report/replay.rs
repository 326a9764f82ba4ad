//! What `replay` says.

use serde_json::{Value, json};

use super::steps::{said, table};
use super::table::{Signs, paragraph};
use crate::engines::recording::Frame;
use crate::engines::replay::Replay;
use crate::system::facts::{Change, Facts, Kind};
use crate::system::schedule::Schedule;

/// Possible steps that a divergence names.
const POSSIBLE_SHOWN: usize = 6;

/// True when the replay broke the schedule's property at its last step and ended in the same state.
#[must_use]
pub fn is_reproduced(schedule: &Schedule, replay: &Replay) -> bool {
    let is_same = |wanted: &str| replay.violations.iter().any(|(_, violation)| violation.property == wanted);
    let broke = schedule.violation.as_ref().is_none_or(|(property, _)| is_same(property));
    replay.divergence.is_none() && broke && replay.fingerprint.to_string() == schedule.fingerprint
}

/// What is replayed.
#[must_use]
pub fn heading(schedule: &Schedule) -> String {
    let seed = schedule.seed.map_or_else(String::new, |seed| format!(", seed {seed}"));
    let steps = schedule.steps.len();
    format!("replay {}, engine {}{seed}, {steps} steps\n", schedule.scenario, schedule.engine)
}

/// The steps that were fired, one line for each.
#[must_use]
pub fn steps(schedule: &Schedule, replay: &Replay) -> String {
    table(&schedule.steps[..replay.steps.len()])
}

/// How much of the state after a step is told.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum StateDetail {
    /// Every fact.
    Full,
    /// The facts that the step changed.
    Diff,
    /// Nothing.
    None,
}

/// One step, what came of it, and the state after it.
#[must_use]
pub fn step(frame: &Frame, facts: &Facts, detail: StateDetail, signs: Signs) -> String {
    let (done, came) = said(frame);
    let mut text = paragraph(&format!("{:4}  ", frame.number), &format!("{done}{came}"));
    match detail {
        StateDetail::Full => {
            for (thing, what) in facts {
                text.push_str(&paragraph("        ", &format!("{thing}: {what}")));
            }
        }
        StateDetail::Diff => text.push_str(&changes(frame)),
        StateDetail::None => {}
    }
    for property in &frame.broken {
        text.push_str(&format!("      {} violated  {property}\n", signs.fails));
    }
    text
}

/// What a step changed, one line for each thing. The time is in the name of the step by which it passes.
fn changes(frame: &Frame) -> String {
    let is_shown = |change: &&Change| match change.thing.kind {
        Kind::Time => false,
        Kind::Process => is_stuck(change),
        _ => true,
    };
    let changed = frame.changed.iter().filter(is_shown);
    changed.map(|change| paragraph("        ", &format!("{}: {}", change.thing, difference(change)))).collect()
}

/// True for a process that cannot go on by itself now. What others do next is in their next steps.
fn is_stuck(change: &Change) -> bool {
    change.is.as_deref().is_some_and(|is| is.starts_with("blocked") || is.starts_with("asleep"))
}

/// What was so and what is so; of rows only the columns that differ.
pub(super) fn difference(change: &Change) -> String {
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let whole = || format!("{} -> {}", known(&change.was), known(&change.is));
    if change.thing.kind == Kind::Process {
        return known(&change.is);
    }
    let (Kind::Row, Some(was), Some(is)) = (change.thing.kind, &change.was, &change.is) else { return whole() };
    let columns = was.split(", ").zip(is.split(", "));
    let differing = columns.filter(|(was, is)| was != is).map(|(was, is)| format!("{was} -> {is}"));
    // A text that holds a comma may differ in length: then the columns are not told apart.
    if was.matches(", ").count() == is.matches(", ").count() {
        differing.collect::<Vec<_>>().join(", ")
    } else {
        whole()
    }
}

/// What the steps broke, and whether that is what the schedule says.
#[must_use]
pub fn result(schedule: &Schedule, replay: &Replay, signs: Signs) -> String {
    let mut text = String::new();
    for (number, violation) in &replay.violations {
        text.push_str(&format!("{} violated  {} at step {number}\n", signs.fails, violation.property));
        text.push_str(&paragraph("why   ", &violation.reason));
    }
    if let Some(divergence) = &replay.divergence {
        let wanted = format!("DIVERGED at step {}: {}", divergence.number, divergence.wanted);
        text.push_str(&paragraph("", &wanted));
        text.push_str(&paragraph("why   ", &divergence.reason));
        let shown = divergence.possible.iter().take(POSSIBLE_SHOWN);
        for step in shown {
            text.push_str(&paragraph("      possible here: ", step));
        }
        let more = divergence.possible.len().saturating_sub(POSSIBLE_SHOWN);
        if more > 0 {
            text.push_str(&format!("      and {more} more\n"));
        }
        text.push_str("more: seatproof explain SP0404\n");
        return text;
    }
    if is_cut_short(schedule, replay) {
        let (done, all) = (replay.steps.len(), schedule.steps.len());
        text.push_str(&format!("STOPPED  after step {done} of {all}, as asked\n"));
    } else {
        text.push_str(&conclusion(schedule, replay));
    }
    text
}

/// True when the replay was stopped before the schedule's end.
#[must_use]
pub fn is_cut_short(schedule: &Schedule, replay: &Replay) -> bool {
    replay.divergence.is_none() && replay.steps.len() < schedule.steps.len()
}

/// Why a schedule that can be followed comes to another end.
const EDITED: &str = "the steps were edited or the model changed";

fn conclusion(schedule: &Schedule, replay: &Replay) -> String {
    let steps = replay.steps.len();
    let has_same_state = replay.fingerprint.to_string() == schedule.fingerprint;
    let state = if has_same_state { "equal" } else { "DIFFERENT" };
    // The steps were followed to their end, so it is the setting or the labels that are not those recorded.
    let hash = if replay.model_hash == schedule.model_hash { "" } else { ", model hash DIFFERENT" };
    let fingerprint = format!("state fingerprint {} {state}{hash}", &replay.fingerprint.to_string()[..8]);
    let words = match (&schedule.violation, is_reproduced(schedule, replay)) {
        (Some((property, _)), true) => format!("REPRODUCED  {property}, same {steps} steps, {fingerprint}"),
        (None, true) => format!("REPLAYED  {steps} steps, {fingerprint}"),
        (Some((property, _)), false) if replay.violations.iter().all(|(_, found)| found.property != property) => {
            format!("NOT REPRODUCED  {property} holds after {steps} steps, {fingerprint}: {EDITED}")
        }
        _ => format!("CHANGED  {steps} steps, {fingerprint}: {EDITED}"),
    };
    paragraph("", &words)
}

/// The replay as a JSON object.
#[must_use]
pub fn json(schedule: &Schedule, replay: &Replay) -> Value {
    let violations = replay.violations.iter().map(
        |(number, violation)| json!({ "step": number, "property": violation.property, "reason": violation.reason }),
    );
    let divergence = replay
        .divergence
        .as_ref()
        .map(|it| json!({ "step": it.number, "wanted": it.wanted, "reason": it.reason, "possible": it.possible }));
    json!({
        "scenario": schedule.scenario,
        "engine": schedule.engine,
        "seed": schedule.seed,
        "steps": replay.steps.len(),
        "reproduced": is_reproduced(schedule, replay),
        "violations": violations.collect::<Vec<_>>(),
        "divergence": divergence,
        "fingerprint": replay.fingerprint.to_string(),
        "model_hash": replay.model_hash,
    })
}
