//! `simulate --seeds` and `simulate --find`: the load test under many seeds.

use std::ops::Range;

use super::args::{Simulate, Threads};
use super::console::Console;
use super::input::Loaded;
use super::{Failure, exit, interrupt, progress, simulate};
use crate::engines::distribution::Sweep;
use crate::engines::figures;
use crate::engines::find::{Query, QueryError};
use crate::engines::simulate::Run;
use crate::engines::sweep::{Recipe, SweepError, Swept, sweep};
use crate::report;
use crate::system::diagnostic::{Diagnostic, code};

/// Seeds that `--find` searches when `--seeds` says nothing.
const FIND_SEEDS: Range<u64> = 0..1_000_000;

pub(super) fn run(args: &Simulate, loaded: &Loaded, console: &Console) -> Result<u8, Failure> {
    match &args.find {
        Some(conditions) => find(args, conditions, loaded, console),
        None => many(args, loaded, console),
    }
}

/// What a sweep leaves behind, beside its distributions.
pub(super) struct Finished {
    pub(super) sweep: Sweep,
    pub(super) is_interrupted: bool,
    /// The least seed that broke a property.
    violated_by: Option<u64>,
}

/// The distributions over these seeds, as far as they got.
pub(super) fn distributions(
    loaded: &Loaded,
    seeds: Range<u64>,
    threads: Threads,
    console: &Console,
) -> Result<Finished, Failure> {
    let figures = figures::figures(&loaded.scenario, loaded.model);
    let values = |run: &Run| figures::values(&figures, &run.summary);
    let swept = swept(loaded, seeds.clone(), threads, |run| run.violation.is_some(), values, console)?;
    let is_interrupted = swept.stopped_at.is_none() && swept.seeds.end < seeds.end;
    if swept.seeds.end < seeds.end {
        let Range { start, end } = swept.seeds;
        console.note(&format!("! seeds {start}..{end} are finished and shown; the others were not run"));
    }
    let sweep = figures::by_figure(&figures, seeds, &swept.collected).distributions();
    Ok(Finished { sweep, is_interrupted, violated_by: swept.stopped_at })
}

fn many(args: &Simulate, loaded: &Loaded, console: &Console) -> Result<u8, Failure> {
    let seeds = args.seeds.clone().unwrap_or(FIND_SEEDS);
    let title = format!("seeds {}..{}", seeds.start, seeds.end);
    console.note(&simulate::header(loaded, &simulate::load_test(loaded)?, &title)?);
    let finished = distributions(loaded, seeds, args.threads, console)?;
    if console.json {
        console.out_json(&report::sweep::json(&finished.sweep));
    } else {
        console.out(&report::sweep::text(&finished.sweep, console.signs));
    }
    let mut codes = vec![exit::OK];
    if let Some(seed) = finished.violated_by {
        console.note(&format!("! seed {seed} breaks a property\nnext  seatproof simulate --seed {seed}"));
        codes.push(exit::VIOLATED);
    }
    if finished.is_interrupted {
        codes.push(exit::INTERRUPTED);
    }
    Ok(exit::worst(codes))
}

fn find(args: &Simulate, conditions: &str, loaded: &Loaded, console: &Console) -> Result<u8, Failure> {
    let figures = figures::figures(&loaded.scenario, loaded.model);
    let query = Query::parse(conditions, &figures).map_err(|error| wrong_query(&error))?;
    let seeds = args.seeds.clone().unwrap_or(FIND_SEEDS);
    let title = format!("seeds {}..{} until {conditions}", seeds.start, seeds.end);
    console.note(&simulate::header(loaded, &simulate::load_test(loaded)?, &title)?);
    let matches = |run: &Run| query.matches(&figures, &figures::values(&figures, &run.summary));
    let swept = swept(loaded, seeds.clone(), args.threads, matches, |_| (), console)?;
    if console.json {
        let searched = serde_json::json!({ "from": seeds.start, "to": swept.seeds.end });
        console.out_json(&serde_json::json!({ "find": conditions, "seed": swept.stopped_at, "searched": searched }));
    }
    match swept.stopped_at {
        Some(seed) => {
            if !console.json {
                console.out(&format!("{seed}\n"));
            }
            console.note(&format!("next  seatproof simulate --seed {seed}"));
            Ok(exit::OK)
        }
        None => {
            let searched = swept.seeds.end - swept.seeds.start;
            console.note(&format!("no seed among the {searched} searched satisfies {conditions}"));
            Ok(if swept.seeds.end < seeds.end { exit::INTERRUPTED } else { exit::INCONCLUSIVE })
        }
    }
}

fn wrong_query(error: &QueryError) -> Diagnostic {
    let help = "join conditions with &&; shares are in percent, durations in milliseconds";
    Diagnostic::error(&code::QUERY, error.to_string()).help(help)
}

fn swept<T: Send>(
    loaded: &Loaded,
    seeds: Range<u64>,
    threads: Threads,
    stops: impl Fn(&Run) -> bool + Sync,
    collect: impl Fn(&Run) -> T + Sync,
    console: &Console,
) -> Result<Swept<T>, Failure> {
    let recipe = Recipe { scenario: &loaded.scenario, load: loaded.load()?, model: loaded.model };
    let bar = progress::bar(seeds.end - seeds.start, console);
    let interrupt = interrupt::flag();
    let swept = sweep(recipe, seeds, threads.get(), &interrupt, stops, collect, || bar.inc(1));
    bar.finish_and_clear();
    swept.map_err(|error| match error {
        SweepError::Model(error) => error.into(),
        SweepError::Threshold(error) => Failure::Bug(error.to_string()),
    })
}
