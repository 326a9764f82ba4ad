//! A counterexample as `check` prints it: the diagram, each step with what it changed, and the reason in words.

use super::diagram::diagram;
use super::replay::{StateDetail, step};
use super::steps;
use super::story::story;
use super::table::{Signs, paragraph};
use crate::engines::recording::Recording;
use crate::system::facts::Facts;
use crate::system::schedule::Schedule;

/// The way to the violation of a schedule, and why it is one. Of a long way the first and the last steps are shown.
#[must_use]
pub fn counterexample(schedule: &Schedule, recording: &Recording, signs: Signs) -> String {
    let frames = &recording.frames;
    let mut text = diagram(frames, signs);
    text.push_str("\n   #  step and what it changed\n");
    let (first, last) = steps::shown(frames.len());
    for index in first.chain(last.clone()) {
        if index == last.start {
            text.push_str(&steps::left_out(frames.len()));
        }
        text.push_str(&step(&frames[index], &Facts::new(), StateDetail::Diff, signs));
    }
    text.push('\n');
    if let Some((_, reason)) = &schedule.violation {
        text.push_str(&paragraph("why       ", reason));
    }
    text + &story(recording)
}
