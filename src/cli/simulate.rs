//! `simulate`: one run of the load test.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::args::{Format, Seed, Simulate};
use super::console::Console;
use super::input::{self, Loaded};
use super::{Failure, exit, interrupt, sweep};
use crate::engines::DEFAULT_SEED;
use crate::engines::simulate::{LoadTest, Run};
use crate::report::{k6, run};
use crate::system::diagnostic::write::write_file;
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::scenario::duration;
use crate::system::schedule::directory;

pub(super) fn run(args: &Simulate, console: &Console) -> Result<u8, Failure> {
    let loaded = input::load(&args.input.scenario, args.options.as_ref(), console)?;
    loaded.load()?;
    if args.find.is_some() || args.seeds.is_some() {
        return sweep::run(args, &loaded, console);
    }
    let seed = seed(args.seed, &loaded)?;
    let test = load_test(&loaded)?;
    console.note(&header(&loaded, &test, &format!("seed {seed}"))?);
    let stop = interrupt::flag();
    let run = test.run_until(seed, Arc::clone(&stop))?;
    let mut codes = vec![exit::OK];
    if run.interrupted_at_us.is_some() {
        codes.push(exit::INTERRUPTED);
    } else if args.doublecheck {
        codes.push(doublecheck(&test, &run, console)?);
    }
    print(&loaded, &run, args.format, console);
    if run.violation.is_some() {
        codes.push(report_violation(&test, seed, args.no_shrink, &stop, console)?);
    }
    let crossed = run.summary.crossed().collect::<Vec<_>>();
    if !crossed.is_empty() {
        console.note(&format!("thresholds crossed: {} (exit 99, as k6)", crossed.join(", ")));
        codes.push(exit::THRESHOLDS);
    }
    // Last, so that what was found out is said also where this is refused.
    if let Some(path) = &args.summary_export {
        write_file(path, k6::summary_export(&run.summary))?;
        console.note(&format!("wrote {}", path.display()));
    }
    Ok(exit::worst(codes))
}

/// What is about to run, the seed first of all.
pub(super) fn header(loaded: &Loaded, test: &LoadTest, seeds: &str) -> Result<String, Failure> {
    let load = loaded.load()?;
    let total_ns = load.stages.iter().map(|stage| stage.duration_ns).sum();
    let (stages, vus) = (load.stages.len(), test.vus_max());
    let stages = if stages == 1 { "1 stage".to_owned() } else { format!("{stages} stages") };
    let length = duration::print_ns(total_ns);
    Ok(format!("{seeds}; {}, virtual time: {stages}, {length}, up to {vus} VUs", loaded.scenario.model))
}

pub(super) fn load_test(loaded: &Loaded) -> Result<LoadTest, Failure> {
    let test = LoadTest::new(&loaded.scenario, loaded.load()?, loaded.model);
    // The loader has judged every threshold already.
    test.map_err(|error| Failure::Bug(error.to_string()))
}

fn seed(wanted: Option<Seed>, loaded: &Loaded) -> Result<u64, Failure> {
    match wanted {
        None => Ok(DEFAULT_SEED),
        Some(Seed::Number(seed)) => Ok(seed),
        Some(Seed::Measured) => loaded.load()?.measured_seed.ok_or_else(|| {
            let message = format!("{} names no measured_seed", loaded.scenario.path.display());
            Diagnostic::error(&code::MISSING_KEY, message)
                .help("find one with: seatproof simulate --find 'FIGURE==NUMBER && ...' and note it under [load]")
                .into()
        }),
    }
}

fn doublecheck(test: &LoadTest, run: &Run, console: &Console) -> Result<u8, Failure> {
    let again = test.run(run.seed)?;
    if again == *run {
        console.note(&format!("doublecheck: seed {} ran twice with the same digest {}", run.seed, run.digest));
        return Ok(exit::OK);
    }
    console.note(&format!(
        "doublecheck FAILED: seed {} gave digest {} and then {}; the model reads something that is not an outcome",
        run.seed, run.digest, again.digest
    ));
    Ok(exit::BUG)
}

fn print(loaded: &Loaded, run: &Run, format: Format, console: &Console) {
    let judgement = run::judgement(&loaded.scenario, loaded.model, run);
    if console.json {
        console.out_json(&run::json(&loaded.scenario, run, judgement.as_ref()));
    } else {
        let options = k6::Options { is_coloured: console.colour, ..k6::Options::default() };
        match format {
            Format::K6 => console.out(&k6::summary(&run.summary, &options)),
            Format::K6Legacy => console.out(&k6::legacy(&run.summary, &options)),
            Format::HandleSummary => console.out(&k6::handle_summary(&run.summary)),
        }
    }
    console.note(run::notes(run, judgement.as_ref(), console.signs).trim_end());
}

/// Runs the seed again with every step noted, names the step that broke the property, and keeps the schedule, made
/// small where that is possible. Ctrl-C ends only the latter.
fn report_violation(
    test: &LoadTest,
    seed: u64,
    no_shrink: bool,
    stop: &AtomicBool,
    console: &Console,
) -> Result<u8, Failure> {
    let mut code = exit::VIOLATED;
    let (run, mut schedule) = test.record(seed)?;
    if let (Some(violation), Some(step)) = (&run.violation, schedule.steps.last()) {
        console.note(&run::violation(violation, seed, schedule.steps.len(), step, console.signs));
        if !no_shrink {
            let begun = Instant::now();
            let small = test.shrink(&schedule, violation, stop)?;
            let is_interrupted = stop.load(Ordering::Relaxed);
            let shrunk = small.as_ref().map(|(_, shrunk)| shrunk);
            console.note(&run::shrunk(shrunk, begun.elapsed(), is_interrupted));
            code = if is_interrupted { exit::INTERRUPTED } else { code };
            schedule = small.map_or(schedule, |(small, _)| small);
        }
    }
    let path = directory::write(Path::new(directory::REGRESSIONS), &schedule, None)?;
    console.note(&format!("wrote {}\nnext  seatproof replay {}", path.display(), path.display()));
    Ok(code)
}
