//! Everything that a recording has, as one JSON document.

use serde_json::{Value, json};

use crate::engines::recording::{Frame, Recording};
use crate::report::replay;
use crate::system::schedule::Schedule;

/// The replay's own figures, and each step with its time, lanes, outcomes and the facts that it changed.
#[must_use]
pub fn json(schedule: &Schedule, recording: &Recording) -> Value {
    let mut document = replay::json(schedule, &recording.replay);
    document["start"] = json!(recording.start);
    document["trace"] = recording.frames.iter().map(step).collect();
    document
}

/// One step with its time, lanes, outcomes and the facts that it changed.
pub(in crate::report) fn step(frame: &Frame) -> Value {
    let heard = frame.heard.iter();
    let heard = heard.map(|(process, outcome)| json!({ "process": process.to_string(), "outcome": outcome }));
    let changed = frame.changed.iter();
    let changed = changed.map(|it| json!({ "fact": it.thing, "was": it.was, "is": it.is }));
    let held = frame.held.iter();
    let held = held.map(|it| json!({ "client": it.client, "seat": it.seat, "locked": it.is_locked }));
    json!({
        "step": frame.number,
        "at_us": frame.at_us,
        "label": frame.line.label,
        "do": frame.line.text,
        "lane": frame.lane.to_string(),
        "reaches": frame.reaches.map(|lane| lane.to_string()),
        "heard": heard.collect::<Vec<_>>(),
        "changed": changed.collect::<Vec<_>>(),
        "held": held.collect::<Vec<_>>(),
        "broken": frame.broken,
    })
}
