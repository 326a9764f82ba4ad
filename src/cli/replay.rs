//! `replay`: a schedule again, step by step.

use std::rc::Rc;

use super::args::Replay;
use super::console::Console;
use super::{Failure, exit};
use crate::engines::replay::replay;
use crate::models;
use crate::report;
use crate::system::diagnostic::read::{REPORT_LIMIT_BYTES, read_text};
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::schedule;

pub(super) fn run(args: &Replay, console: &Console) -> Result<u8, Failure> {
    let text = read_text(&args.schedule, REPORT_LIMIT_BYTES).map_err(foreign)?;
    let schedule = schedule::parse(&args.schedule, &text)?;
    let unknown = |reason: String| {
        let message = format!("{}: {reason}", args.schedule.display());
        Diagnostic::error(&code::SCHEDULE_MODEL, message).help("`seatproof list` names the models and their journeys")
    };
    let entry = models::find(&schedule.setting.model);
    let entry = entry.ok_or_else(|| unknown(format!("there is no model `{}`", schedule.setting.model)))?;
    let setting = Rc::new(schedule.setting.resolve(entry.model).map_err(unknown)?);
    let replayed = replay(&setting, &schedule)?;
    if console.json {
        console.out_json(&report::replay::json(&schedule, &replayed));
    } else {
        console.out(&report::replay::text(&schedule, &replayed, console.signs));
    }
    if replayed.divergence.is_some() {
        return Ok(exit::DIVERGED);
    }
    Ok(match (&schedule.violation, report::replay::is_reproduced(&schedule, &replayed)) {
        (Some(_), false) => exit::DIVERGED,
        _ if replayed.violations.is_empty() => exit::OK,
        _ => exit::VIOLATED,
    })
}

/// A file that cannot be read as text is no schedule, whatever else is wrong with it.
fn foreign(diagnostic: Diagnostic) -> Diagnostic {
    match diagnostic.code {
        code if *code == code::FILE_NOT_UTF8 || *code == code::FILE_EMPTY => {
            Diagnostic { code: &code::SCHEDULE_DAMAGED, ..diagnostic }
        }
        _ => diagnostic,
    }
}
