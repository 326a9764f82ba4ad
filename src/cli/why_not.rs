//! `why-not`: whether a schedule that somebody suspects can happen.

use super::args::WhyNot;
use super::console::Console;
use super::{Failure, exit, input};
use crate::engines::why_not::why_not;
use crate::report;

pub(super) fn run(args: &WhyNot, console: &Console) -> Result<u8, Failure> {
    let input::Suspect { schedule, setting, .. } = input::schedule(&args.regressions, &args.schedule)?;
    let answer = why_not(&setting, &schedule)?;
    if console.json {
        console.out_json(&report::why_not::json(&schedule, &answer));
    } else {
        console.out(&report::why_not::text(&schedule, &answer, console.signs));
    }
    let is_violated = !answer.recording.replay.violations.is_empty();
    Ok(match (answer.obstacles.is_empty(), is_violated) {
        (false, _) => exit::DIVERGED,
        (true, true) => exit::VIOLATED,
        (true, false) => exit::OK,
    })
}
