//! Informal Trace Format of Apalache, for its trace viewers (Apalache ADR 15: `#meta`, `vars`, `states`; a map is
//! `{"#map": [[key, value], ...]}`).

use serde_json::{Value, json};

use crate::engines::recording::Recording;
use crate::system::facts::Facts;
use crate::system::schedule::Schedule;

/// One state before the first step and one after each. `action` is the step that led to the state, `facts` is what is
/// true in it.
#[must_use]
pub fn itf(schedule: &Schedule, recording: &Recording) -> Value {
    let first = state(0, "init", &[], &recording.start);
    let others = recording.states();
    let others = others.map(|(frame, facts)| state(frame.number, &frame.line.text, &frame.broken, &facts));
    json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "source": schedule.scenario,
            "description": format!("seatproof {}, engine {}", schedule.tool, schedule.engine),
        },
        "vars": ["action", "broken", "facts"],
        "states": std::iter::once(first).chain(others).collect::<Vec<_>>(),
    })
}

fn state(index: usize, action: &str, broken: &[&str], facts: &Facts) -> Value {
    let facts = facts.iter().map(|(name, what)| json!([name, what])).collect::<Vec<_>>();
    json!({
        "#meta": { "index": index },
        "action": action,
        "broken": { "#set": broken },
        "facts": { "#map": facts },
    })
}
