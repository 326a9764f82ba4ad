//! `compare`: a measured run against the distribution over seeds.

use super::args::{Compare, CompareFormat};
use super::console::Console;
use super::{Failure, exit, input, sweep};
use crate::engines::figures;
use crate::engines::measured::judge::{Level, comparable, judge};
use crate::engines::measured::{ReadError, read_text as read_measured};
use crate::report;
use crate::system::diagnostic::read::{REPORT_LIMIT_BYTES, read_text};
use crate::system::diagnostic::{Diagnostic, Source, code};

pub(super) fn run(args: &Compare, console: &Console) -> Result<u8, Failure> {
    let text = read_text(&args.report, REPORT_LIMIT_BYTES)?;
    let file = args.report.display().to_string();
    let refused = |error: ReadError| unreadable(&error, &file, &text);
    let measured = read_measured(&text, &file).map_err(refused)?;
    let loaded = input::load(&args.input.scenario, None, console)?;
    let load = loaded.load()?;
    // Before hundreds of runs that would have nothing to say.
    let figures = figures::figures(&loaded.scenario, loaded.model);
    comparable(&measured, figures.iter().map(|figure| (figure.name.as_str(), figure.unit))).map_err(refused)?;
    let stages = load.stages.iter().map(|stage| (stage.duration_ns / 1_000_000, u64::from(stage.target)));
    let stages = stages.collect::<Vec<_>>();
    let finished = sweep::distributions(&loaded, args.seeds.clone(), args.threads, console)?;
    if finished.sweep.runs() == 0 {
        console.note("no run was finished, so there is nothing to compare with");
        return Ok(exit::INTERRUPTED);
    }
    // Latencies of links are inputs of a scenario: that the model reproduces them says nothing about the service.
    let names = finished.sweep.figures.iter().map(|figure| figure.name.as_str());
    let inputs = names.filter(|name| name.starts_with("http_req_duration")).collect::<Vec<_>>();
    let level = Level::parse(&args.level).unwrap_or_default();
    let comparison = judge(&measured, &finished.sweep, level, &inputs, &stages).map_err(refused)?;
    if console.json {
        console.out_json(&report::compare::json(&comparison));
    } else {
        match args.format {
            CompareFormat::Table => console.out(&report::compare::text(&comparison, console.signs)),
            CompareFormat::Md => console.out(&report::compare::markdown(&comparison)),
        }
    }
    let interrupted = if finished.is_interrupted { exit::INTERRUPTED } else { exit::OK };
    Ok(exit::worst([comparison.exit_code(), interrupted]))
}

fn unreadable(error: &ReadError, file: &str, text: &str) -> Diagnostic {
    let code = code::find(error.code()).unwrap_or(&code::REPORT_UNKNOWN);
    let diagnostic = Diagnostic::error(code, error.to_string());
    let diagnostic = match error.place() {
        Some((line, column)) => {
            let start = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum::<usize>();
            let before = text.get(start..).unwrap_or_default().chars().take(column.saturating_sub(1));
            let at = start + before.map(char::len_utf8).sum::<usize>();
            diagnostic.at(Source { file, text }, at..at)
        }
        None => diagnostic,
    };
    diagnostic.help(error.help())
}
