//! A schedule as a table of steps that fits 80 columns.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;

use super::table::WIDTH;
use crate::engines::recording::Frame;
use crate::system::scenario::duration;
use crate::system::schedule::Line;

/// Steps shown of a long schedule: so many from its beginning, and so many from its end.
const HEAD: usize = 40;
const TAIL: usize = 10;

/// Which of so many steps are shown: the first ones and the last ones, which are none where the first are all.
pub(super) fn shown(count: usize) -> (Range<usize>, Range<usize>) {
    if count <= HEAD + TAIL { (0..count, count..count) } else { (0..HEAD, count - TAIL..count) }
}

/// The line between the first and the last steps shown of so many.
pub(super) fn left_out(count: usize) -> String {
    format!("      ... {} steps left out; the file has them all\n", count - HEAD - TAIL)
}

/// What a step does, and what came of it: the outcome that its process hears, and what others hear.
pub(super) fn said(frame: &Frame) -> (String, String) {
    let Line { label, text, .. } = &frame.line;
    let done = if label.is_empty() { text.clone() } else { format!("{label} {text}") };
    let actor = text.split(':').next().unwrap_or_default();
    // Of these nothing comes but that they are done, which the outcome tells in the same word.
    let is_plain = |outcome: &str| ["BEGIN", "COMMIT", "ROLLBACK"].contains(&outcome) && text.ends_with(outcome);
    let mut came = String::new();
    if text.starts_with("time ") {
        came.push_str(&format!(" = {}", duration::print_ns(frame.at_us.saturating_mul(1_000))));
    }
    for (process, outcome) in &frame.heard {
        if process.to_string() != actor {
            came.push_str(&format!("; {process} hears {outcome}"));
        } else if !is_plain(outcome) {
            came.push_str(&format!(" = {outcome}"));
        }
    }
    (done, came)
}

/// One line per step: number, label, name. The middle of a long schedule is left out, and its length said.
#[must_use]
pub(super) fn table(steps: &[Line]) -> String {
    let label_width = steps.iter().map(|step| step.label.len()).max().unwrap_or(0).max(5);
    let mut text = format!("   #  {:label_width$}  step\n", "label");
    let (first, last) = shown(steps.len());
    for index in first.chain(last.clone()) {
        if index == last.start {
            text.push_str(&left_out(steps.len()));
        }
        let step = &steps[index];
        let at = step.at_us.map_or_else(String::new, |at_us| format!("{at_us} us  "));
        let line = format!("{:4}  {:label_width$}  {at}{}", index + 1, step.label, step.text);
        text.push_str(&cut(&line));
        text.push('\n');
    }
    text
}

/// The line, shortened to the page's width.
fn cut(line: &str) -> String {
    let shown = line.nfkc().count();
    if shown <= WIDTH {
        return line.to_owned();
    }
    let head = line.chars().take(WIDTH - 3).collect::<String>();
    format!("{}...", head.trim_end())
}

/// How many steps carry a label of the service's documentation, each step of that documentation counted once per
/// process: the length by which the documentation counts.
#[must_use]
pub(super) fn labelled(steps: &[Line]) -> usize {
    let mut seen = Vec::new();
    for step in steps.iter().filter(|step| !step.label.is_empty()) {
        let process = step.text.split(':').next().unwrap_or_default();
        let process = process.rsplit(' ').next().unwrap_or_default();
        let entry = (process, step.label.as_str());
        if !seen.contains(&entry) {
            seen.push(entry);
        }
    }
    seen.len()
}
