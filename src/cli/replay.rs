//! `replay`: a schedule again, step by step.

use std::io::{BufRead, IsTerminal};
use std::path::Path;

use super::args::{Export, Replay, StateShown};
use super::console::Console;
use super::{Failure, exit, input};
use crate::engines::doublecheck;
use crate::engines::recording::Recording;
use crate::engines::replay::{record, replay_to};
use crate::report::replay::{StateDetail, heading, is_cut_short, is_reproduced, result, step, steps};
use crate::report::{self, diagram, export};
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::schedule::Schedule;

pub(super) fn run(args: &Replay, console: &Console) -> Result<u8, Failure> {
    if args.step && !std::io::stdin().is_terminal() {
        let message = "--step waits for keys, and stdin is no terminal";
        let help = "--state diff prints every step with what it changed";
        return Err(Diagnostic::error(&code::ARGUMENT, message).help(help).into());
    }
    let input::Suspect { path, schedule, setting } = input::schedule(&args.regressions, &args.schedule)?;
    if schedule.native.is_some() {
        console.note(&format!("{}'s own replayer took these {} steps", schedule.engine, schedule.steps.len()));
    }
    let to = checked_to(args, &path, &schedule)?;
    let is_watched = args.step || args.diagram || args.export.is_some() || shown(args) != StateDetail::None;
    let recording = if is_watched {
        record(&setting, &schedule, to)?
    } else {
        Recording::of_replay(replay_to(&setting, &schedule, to)?)
    };
    if !recording.replay.steps.is_empty() {
        let times = schedule.steps.iter().map(|line| line.at_us);
        doublecheck::steps(&setting, schedule.halves, times.zip(&recording.replay.steps))?;
    }
    match args.export {
        Some(format) => {
            console.out(&exported(format, &schedule, &recording));
            if recording.replay.divergence.is_some() {
                console.note(result(&schedule, &recording.replay, console.signs).trim_end());
            }
        }
        None if console.json => console.out_json(&report::replay::json(&schedule, &recording.replay)),
        None => show(args, &schedule, &recording, console),
    }
    Ok(code(&schedule, &recording))
}

/// The last step that is wanted; it must exist.
fn checked_to(args: &Replay, path: &Path, schedule: &Schedule) -> Result<Option<usize>, Diagnostic> {
    let Some(to) = args.to else { return Ok(None) };
    let last = schedule.steps.len();
    if to as usize > last {
        let message = format!("--to {to}: {} has {last} steps", path.display());
        return Err(Diagnostic::error(&code::ARGUMENT, message).help(format!("name a step from 1 to {last}")));
    }
    Ok(Some(to as usize))
}

fn code(schedule: &Schedule, recording: &Recording) -> u8 {
    let replay = &recording.replay;
    if replay.divergence.is_some() {
        return exit::DIVERGED;
    }
    match replay.violations.is_empty() {
        _ if !is_cut_short(schedule, replay) && !is_reproduced(schedule, replay) => exit::DIVERGED,
        true => exit::OK,
        false => exit::VIOLATED,
    }
}

fn exported(format: Export, schedule: &Schedule, recording: &Recording) -> String {
    match format {
        Export::Itf => format!("{:#}\n", export::itf(schedule, recording)),
        Export::Json => format!("{:#}\n", export::json(schedule, recording)),
        Export::Mermaid => export::mermaid(recording),
        Export::Shiviz => export::shiviz(recording),
    }
}

/// How much of each state is printed.
fn shown(args: &Replay) -> StateDetail {
    match args.state.unwrap_or(if args.step { StateShown::Diff } else { StateShown::None }) {
        StateShown::Full => StateDetail::Full,
        StateShown::Diff => StateDetail::Diff,
        StateShown::None => StateDetail::None,
    }
}

fn show(args: &Replay, schedule: &Schedule, recording: &Recording, console: &Console) {
    console.out(&heading(schedule));
    let detail = shown(args);
    if args.diagram {
        console.out(&diagram::diagram(&recording.frames, console.signs));
    } else if detail == StateDetail::None && !args.step {
        console.out(&steps(schedule, &recording.replay));
    } else if !one_by_one(args.step, detail, recording, console) {
        return;
    }
    console.out(&result(schedule, &recording.replay, console.signs));
}

/// Every step with its state. With `waits` the next one comes at a key; false when the user ended it.
fn one_by_one(waits: bool, detail: StateDetail, recording: &Recording, console: &Console) -> bool {
    for (frame, facts) in recording.states() {
        console.out(&step(frame, &facts, detail, console.signs));
        if waits {
            console.note("Enter: next step, q: end");
            let mut line = String::new();
            let read = std::io::stdin().lock().read_line(&mut line);
            if !read.is_ok_and(|bytes| bytes > 0) || line.trim() == "q" {
                return false;
            }
        }
    }
    true
}
