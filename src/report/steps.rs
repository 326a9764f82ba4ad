//! A schedule as a table of steps that fits 80 columns.

use unicode_normalization::UnicodeNormalization;

use super::table::WIDTH;
use crate::system::schedule::Line;

/// Steps shown of a long schedule: so many from its beginning, and so many from its end.
const HEAD: usize = 40;
const TAIL: usize = 10;

/// One line per step: number, label, name. The middle of a long schedule is left out, and its length said.
#[must_use]
pub(super) fn table(steps: &[Line]) -> String {
    let label_width = steps.iter().map(|step| step.label.len()).max().unwrap_or(0).max(5);
    let mut text = format!("   #  {:label_width$}  step\n", "label");
    let is_long = steps.len() > HEAD + TAIL;
    for (index, step) in steps.iter().enumerate() {
        if is_long && index == HEAD {
            text.push_str(&format!("      ... {} steps left out; the file has them all\n", steps.len() - HEAD - TAIL));
        }
        if is_long && (HEAD..steps.len() - TAIL).contains(&index) {
            continue;
        }
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
