//! Progress on stderr: a bar or a line on a terminal, a line now and then where nobody watches.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;
use crate::engines::explore::Glance;

/// A bar over so many runs. It appears on a terminal only and leaves nothing behind.
pub(super) fn bar(runs: u64, console: &Console) -> ProgressBar {
    let target = if console.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} runs, {per_sec}, {eta} left");
    let style = style.expect("a constant template").progress_chars("=> ");
    ProgressBar::with_draw_target(Some(runs), target).with_style(style).with_prefix("simulate")
}

/// The progress of a search of unknown size: one line, redrawn on a terminal, repeated rarely elsewhere.
#[derive(Debug)]
pub(super) struct Search<'a> {
    name: &'a str,
    console: &'a Console,
    line: ProgressBar,
    began: Instant,
    is_terminal: bool,
    /// When to speak next.
    due: Duration,
}

impl<'a> Search<'a> {
    pub(super) fn new(name: &'a str, console: &'a Console) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let target = if console.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
        let style = ProgressStyle::with_template("{msg}").expect("a constant template");
        let line = ProgressBar::with_draw_target(None, target).with_style(style);
        let due = if is_terminal { Duration::from_millis(300) } else { Duration::from_secs(10) };
        Self { name, console, line, began: Instant::now(), is_terminal, due }
    }

    /// How far the search has come now.
    pub(super) fn show(&mut self, glance: Glance) {
        let elapsed = self.began.elapsed();
        if elapsed < self.due {
            return;
        }
        let Glance { depth, states, queue } = glance;
        let rate = u128::from(states as u64) * 1000 / elapsed.as_millis().max(1);
        let seconds = elapsed.as_secs();
        let text = format!(
            "check {}  depth {depth}  {} states  {}/s  queue {}  {:02}:{:02}",
            self.name,
            short(states as u128),
            short(rate),
            short(queue as u128),
            seconds / 60,
            seconds % 60
        );
        if self.is_terminal {
            self.line.set_message(text);
            self.due = elapsed + Duration::from_millis(100);
        } else {
            self.console.note(&text);
            self.due = elapsed + Duration::from_secs(10);
        }
    }
}

impl Drop for Search<'_> {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}

/// `88 k`, `1.2 M`.
fn short(number: u128) -> String {
    match number {
        0..10_000 => number.to_string(),
        10_000..1_000_000 => format!("{} k", number / 1_000),
        _ => format!("{}.{} M", number / 1_000_000, number / 100_000 % 10),
    }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn large_numbers_are_short() {
        let texts = [7, 9_999, 88_400, 1_249_999, 312_000_000].map(short);
        assert_eq!(texts, ["7", "9999", "88 k", "1.2 M", "312.0 M"]);
    }
}
