//! What `why-not` says.

use serde_json::{Value, json};

use super::replay::heading;
use super::table::{Signs, paragraph};
use crate::engines::why_not::{Answer, Before, Heard, Obstacle};
use crate::system::schedule::{Line, Schedule};

/// Possible steps that are named.
const POSSIBLE_SHOWN: usize = 6;

/// Whether the schedule can happen, and what stands in its way.
#[must_use]
pub fn text(schedule: &Schedule, answer: &Answer, signs: Signs) -> String {
    let steps = schedule.steps.len();
    let mut text = heading(schedule).replacen("replay", "why-not", 1);
    for obstacle in &answer.obstacles {
        text.push_str(&told(obstacle));
    }
    if answer.obstacles.is_empty() {
        text.push_str(&format!("CAN HAPPEN  all {steps} steps, in this order\n"));
    } else if answer.followed == steps {
        let more = answer.recording.replay.steps.len() - steps;
        let words = format!("with the {more} step(s) named above put in, all {steps} steps can happen");
        text.push_str(&paragraph("then      ", &words));
    } else {
        let words = format!("the first {} of {steps} steps can happen, and no further", answer.followed);
        text.push_str(&paragraph("then      ", &words));
    }
    for (number, violation) in &answer.recording.replay.violations {
        text.push_str(&format!("{} violated  {} at step {number}\n", signs.fails, violation.property));
        text.push_str(&paragraph("why       ", &violation.reason));
    }
    text
}

fn told(obstacle: &Obstacle) -> String {
    let Obstacle { divergence, heard, before } = obstacle;
    let mut text = paragraph("CANNOT HAPPEN  ", &format!("at step {}: {}", divergence.number, divergence.wanted));
    text.push_str(&paragraph("why       ", &divergence.reason));
    if let Some(heard) = heard {
        text.push_str(&told_heard(heard));
    }
    for (index, step) in divergence.possible.iter().take(POSSIBLE_SHOWN).enumerate() {
        text.push_str(&paragraph(if index == 0 { "instead   " } else { "          " }, step));
    }
    let more = divergence.possible.len().saturating_sub(POSSIBLE_SHOWN);
    if more > 0 {
        text.push_str(&format!("          and {more} more\n"));
    }
    text.push_str(&match before {
        Before::Steps(lines) => {
            let step = |(index, line): (usize, &Line)| {
                let label = if line.label.is_empty() { String::new() } else { format!("{} ", line.label) };
                paragraph(if index == 0 { "first     " } else { "          " }, &format!("{label}{}", line.text))
            };
            let fewest = format!("it becomes possible after these {} step(s), and not sooner", lines.len());
            lines.iter().enumerate().map(step).collect::<String>() + &paragraph("          ", &fewest)
        }
        Before::Nothing(states) => {
            let words = format!(
                "nothing makes it possible: it is in none of the {states} states that can follow within the bounds of \
                 the file"
            );
            paragraph("first     ", &words)
        }
        Before::Unknown(states) => {
            let words = format!("nothing was found that makes it possible, in {states} states; more remain");
            paragraph("first     ", &words)
        }
        Before::NotSought => String::new(),
    });
    text
}

/// What its process was told, and what Redis holds under the keys that were asked for.
fn told_heard(heard: &Heard) -> String {
    let Heard { number, line, outcome, keys } = heard;
    let mut text = paragraph("heard     ", &format!("{outcome} at step {number}: {}", line.text));
    for (key, value, since) in keys {
        let since = since.map_or_else(|| "since the beginning".to_owned(), |since| format!("since step {since}"));
        let value = value.as_deref().unwrap_or("not there");
        text.push_str(&paragraph("redis     ", &format!("{key} is {value} {since}")));
    }
    text
}

/// The answer as a JSON object.
#[must_use]
pub fn json(schedule: &Schedule, answer: &Answer) -> Value {
    let lines = |lines: &[Line]| lines.iter().map(|it| json!({ "label": it.label, "do": it.text })).collect::<Vec<_>>();
    let obstacles = answer.obstacles.iter().map(|Obstacle { divergence, heard, before }| {
        let (kind, first, states) = match before {
            Before::Steps(steps) => ("steps", lines(steps), None),
            Before::Nothing(states) => ("nothing", Vec::new(), Some(states)),
            Before::Unknown(states) => ("unknown", Vec::new(), Some(states)),
            Before::NotSought => ("not sought", Vec::new(), None),
        };
        let heard = heard.as_ref().map(|heard| {
            let keys = heard.keys.iter();
            let keys = keys.map(|(key, value, since)| json!({ "key": key, "value": value, "since_step": since }));
            json!({
                "step": heard.number,
                "do": heard.line.text,
                "outcome": heard.outcome,
                "keys": keys.collect::<Vec<_>>(),
            })
        });
        json!({
            "step": divergence.number,
            "wanted": divergence.wanted,
            "reason": divergence.reason,
            "possible": divergence.possible,
            "heard": heard,
            "becomes_possible_by": kind,
            "first": first,
            "states_looked_at": states,
        })
    });
    let violations = answer.recording.replay.violations.iter();
    let violations = violations
        .map(|(number, it)| json!({ "step": number, "property": it.property, "reason": it.reason }))
        .collect::<Vec<_>>();
    json!({
        "scenario": schedule.scenario,
        "can_happen": answer.obstacles.is_empty(),
        "steps": schedule.steps.len(),
        "followed": answer.followed,
        "obstacles": obstacles.collect::<Vec<_>>(),
        "violations": violations,
    })
}
