//! Progress on stderr: a bar on a terminal, nothing where nobody watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::console::Console;

/// A bar over so many runs. It appears on a terminal only and leaves nothing behind.
pub(super) fn bar(runs: u64, console: &Console) -> ProgressBar {
    let target = if console.quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr_with_hz(10) };
    let style = ProgressStyle::with_template("{prefix} [{bar:30}] {pos}/{len} runs, {per_sec}, {eta} left");
    let style = style.expect("a constant template").progress_chars("=> ");
    ProgressBar::with_draw_target(Some(runs), target).with_style(style).with_prefix("simulate")
}
