//! What came of the schedules that were found before.

use serde_json::{Value, json};

use super::table::paragraph;
use crate::engines::regressions::{Followed, Outcome};

/// A line on all of them, and one on each that a person has to look at.
#[must_use]
pub fn text(followed: &[Followed]) -> String {
    let count = |wanted: fn(&Outcome) -> bool| followed.iter().filter(|it| wanted(&it.outcome)).count();
    let violating = count(|outcome| *outcome == Outcome::StillViolates);
    let passing = count(|outcome| *outcome == Outcome::Passes);
    let mut text = format!("regressions  {} replay(s): {violating} still violate, {passing} pass\n", followed.len());
    for Followed { path, outcome, .. } in followed {
        let file = path.display();
        let words = match outcome {
            Outcome::Passes => continue,
            Outcome::StillViolates => format!("{file} still violates"),
            Outcome::Diverged(number) => {
                format!("{file} diverges at step {number}: the model changed or the file was edited; it proves nothing")
            }
        };
        text.push_str(&paragraph("  ", &words));
    }
    text.push('\n');
    text
}

/// The same as JSON.
#[must_use]
pub fn json(followed: &[Followed]) -> Value {
    let one = |Followed { path, outcome, .. }: &Followed| {
        let (word, step) = match outcome {
            Outcome::StillViolates => ("violated", None),
            Outcome::Passes => ("passes", None),
            Outcome::Diverged(number) => ("diverged", Some(number)),
        };
        json!({ "file": path.display().to_string(), "outcome": word, "diverged_at": step })
    };
    followed.iter().map(one).collect()
}
