//! What `check` says about loom's turn.

use serde_json::{Value, json};

use super::bounds::bounds;
use super::exploration::{shrinking, why};
use super::table::paragraph;
use crate::engines::loom::Explored;
use crate::engines::portfolio::Permuted;

/// How much loom tried, whether that was all, and what it met.
pub(super) fn text(permuted: &Permuted) -> String {
    let Explored { permutations, dead_ends, steps, final_states, found, .. } = &permuted.explored;
    let met = found.iter().map(|found| format!("{} broken in permutation {}", found.property, found.execution));
    let met = met.collect::<Vec<_>>().join(", ");
    let line = format!(
        "{}: {permutations} permutation(s), {dead_ends} of them dead ends, {steps} steps, {} different ends: {}",
        scope(permuted),
        final_states.len(),
        if met.is_empty() { "no violation" } else { &met },
    );
    let shrunk = permuted.shrunk.iter().map(|shrunk| paragraph("shrunk      ", &shrinking(shrunk)));
    paragraph("loom        ", &line) + &shrunk.collect::<String>()
}

/// `complete` only for what loom explored to its end.
fn scope(permuted: &Permuted) -> String {
    let clients = permuted.setting.journeys.len();
    let preemptions = permuted.options.preemptions.map_or("none".to_owned(), |bound| bound.to_string());
    let within = format!("for {clients} client(s), preemption bound {preemptions}");
    let Explored { bound, found, .. } = &permuted.explored;
    match bound {
        Some(bound) => format!("{within}, {}", why(bound)),
        None if found.len() == permuted.setting.properties.len() => format!("{within}, until all is decided"),
        None => format!("complete {within}"),
    }
}

/// Who found a violation.
pub(super) fn found_by(permuted: &Permuted) -> String {
    format!("loom at {} clients", permuted.setting.journeys.len())
}

/// The same as JSON.
pub(super) fn json(permuted: &Permuted) -> Value {
    let Permuted { setting, options, explored, shrunk } = permuted;
    let found = explored.found.iter().enumerate().map(|(index, found)| {
        json!({
            "property": found.property,
            "permutation": found.execution,
            "shrunk": shrunk.get(index).map(shrinking),
            "native": found.native,
        })
    });
    json!({
        "bounds": bounds(setting),
        "clients": setting.journeys.len(),
        "preemptions": options.preemptions,
        "permutations": explored.permutations,
        "dead_ends": explored.dead_ends,
        "complete": explored.bound.is_none(),
        "stopped": explored.bound.as_ref().map(why),
        "steps": explored.steps,
        "distinct_final_states": explored.final_states.len(),
        "found": found.collect::<Vec<_>>(),
    })
}
