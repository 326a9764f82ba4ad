//! `check`: what was found before, then the scenario's checks: each explored to its end or to its bound, then sampled
//! at full size, all under one time budget.

use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::args::{Check, Engine};
use super::console::Console;
use super::deadline::Deadline;
use super::input::{self, Loaded};
use super::{Failure, exit, interrupt};
use crate::engines::doublecheck::{self, DoublecheckError};
use crate::engines::explore::{self, explore};
use crate::engines::portfolio::{self, SCHEDULERS, Sample};
use crate::engines::reference::ExploreError;
use crate::engines::regressions::{Outcome, follow_all};
use crate::engines::shrink::ShrinkOptions;
use crate::engines::shuttle::{MAX_STEPS, Options};
use crate::engines::verdict::{Bound, Exploration, Verdict};
use crate::report;
use crate::report::exploration::{self, Findings};
use crate::system::Setting;
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::scenario;
use crate::system::schedule::{Schedule, directory};
use crate::system::setting;

/// Executions of a scheduler where the scenario says nothing.
const DEFAULT_EXECUTIONS: u64 = 1000;
/// Executions that are done twice before every check, to see that the model reads nothing but outcomes.
const WALKS: u64 = 3;
/// Of the time, what these executions may take: one part in so many.
const PHASES: usize = 10;

pub(super) fn run(args: &Check, console: &Console) -> Result<u8, Failure> {
    let loaded = input::load(&args.input.scenario, None, console)?;
    let checks = selected(args, &loaded)?;
    let deadline = Deadline::new(args.timeout, interrupt::flag());
    let mut codes = Vec::new();
    let mut documents = Vec::new();
    let old = follow_all(&args.regressions, loaded.model)?;
    if !old.is_empty() && !console.json {
        console.out(&report::regressions::text(&old));
    }
    // With expectations the checks say which violations may be there.
    if !args.expect && old.iter().any(|it| it.outcome == Outcome::StillViolates) {
        codes.push(exit::VIOLATED);
    }
    for (index, check) in checks.iter().enumerate() {
        let part = deadline.part(checks.len() - index);
        codes.push(one(args, &loaded, check, &part, &mut documents, console)?);
    }
    if console.json {
        console.out_json(&serde_json::json!({
            "scenario": loaded.scenario.path,
            "regressions": report::regressions::json(&old),
            "checks": documents,
        }));
    }
    Ok(exit::worst(codes))
}

fn selected<'a>(args: &Check, loaded: &'a Loaded) -> Result<Vec<&'a scenario::Check>, Diagnostic> {
    let checks = &loaded.scenario.checks;
    let path = loaded.scenario.path.display();
    let names = || checks.iter().map(|check| check.name.as_str()).collect::<Vec<_>>().join(", ");
    if checks.is_empty() {
        let message = format!("{path} has no check");
        return Err(Diagnostic::error(&code::MISSING_KEY, message).help("add a table [check.NAME]"));
    }
    if let Some(unknown) = args.only.iter().find(|name| checks.iter().all(|check| check.name != **name)) {
        let message = format!("{path} has no check `{unknown}`");
        return Err(Diagnostic::error(&code::ARGUMENT, message).help(format!("it has {}", names())));
    }
    Ok(checks.iter().filter(|check| args.only.is_empty() || args.only.contains(&check.name)).collect())
}

fn one(
    args: &Check,
    loaded: &Loaded,
    check: &scenario::Check,
    deadline: &Deadline,
    documents: &mut Vec<serde_json::Value>,
    console: &Console,
) -> Result<u8, Failure> {
    let setting = Rc::new(setting::of_check(&loaded.scenario, check, loaded.model));
    let full = Rc::new(setting::of_sample(&loaded.scenario, check, loaded.model));
    if !console.json {
        console.out(&exploration::heading(&loaded.scenario, check, &setting));
    }
    let walks = if args.doublecheck { executions(args, check) } else { WALKS };
    let walked = deadline.part(PHASES).run(|stop| doublecheck::walks(&full, args.seed, walks, stop));
    walked.map_err(|error| match error {
        DoublecheckError::Model(error) => loaded.failure(check, error),
        DoublecheckError::Differs(_) => Failure::from(error),
    })?;
    // The explorer gets half of the time; the schedulers and what is made small at the end share what it leaves.
    let mut explored = match args.engine {
        Engine::Shuttle => portfolio::unexplored(&setting),
        Engine::Explore => deadline.run(|stop| explored(args, loaded, check, &setting, stop))?,
        Engine::All => deadline.part(2).run(|stop| explored(args, loaded, check, &setting, stop))?,
    };
    if !deadline.is_interrupted() {
        explored.ran_out_of_time();
    }
    let mut samples = match args.engine {
        Engine::Explore => Vec::new(),
        Engine::All | Engine::Shuttle => sampled(args, loaded, check, &full, &mut explored, deadline)?,
    };
    if !args.no_shrink {
        shrink(&mut samples, &mut explored, deadline, console)?;
    }
    let name = format!("{} [check.{}]", loaded.scenario.model, check.name);
    let schedules = portfolio::schedules(&name, &setting, &explored, &samples, args.seed)?;
    let judged = exploration::judge(check, &explored, &samples, &schedules);
    let findings =
        Findings { exploration: &explored, samples: &samples, seed: args.seed, schedules: &schedules, judged: &judged };
    if console.json {
        documents.push(exploration::json(check, &setting, findings));
    } else {
        console.out(&exploration::text(&setting, findings, console.signs));
    }
    let written = schedules.iter().map(|schedule| keep(args, schedule, &samples, console)).collect::<Vec<_>>();
    let judged = if deadline.is_interrupted() { exit::INTERRUPTED } else { code(args, &explored, &judged) };
    Ok(exit::worst(written.into_iter().chain([judged])))
}

/// Writes a schedule. Where that is refused the other checks still go on.
fn keep(args: &Check, schedule: &Schedule, samples: &[Sample], console: &Console) -> u8 {
    let found = samples.iter().filter_map(|sample| sample.sampled.found.as_ref());
    let broken = schedule.violation.as_ref().map(|(property, _)| property.as_str());
    let native = found.filter(|found| Some(found.property) == broken).find_map(|found| found.native.as_deref());
    match directory::write(&args.regressions, schedule, native) {
        Ok(path) => {
            console.note(&format!("wrote {}   (commit this file)", path.display()));
            console.note(&format!("next  seatproof replay {}", path.display()));
            exit::OK
        }
        Err(refused) => {
            console.diagnose(&refused);
            refused.exit_code()
        }
    }
}

/// Makes small what the schedulers found, and says how long that took. It goes on after the time is up: the budget of
/// shrinking is counted in steps, and what is as large as it was found helps nobody.
fn shrink(
    samples: &mut [Sample],
    explored: &mut Exploration,
    deadline: &Deadline,
    console: &Console,
) -> Result<(), Failure> {
    let untimed = deadline.untimed();
    for sample in samples {
        let begun = Instant::now();
        untimed.run(|stop| portfolio::shrink_sample(sample, &ShrinkOptions::default(), explored, stop))?;
        if let Some(shrunk) = &sample.shrunk {
            console.note(&exploration::shrunk_in(sample, shrunk, begun.elapsed()));
        }
    }
    Ok(())
}

fn explored(
    args: &Check,
    loaded: &Loaded,
    check: &scenario::Check,
    setting: &Rc<Setting>,
    stop: &AtomicBool,
) -> Result<Exploration, Failure> {
    let max_states = usize::try_from(check.bounds.max_states).unwrap_or(usize::MAX);
    let max_states = args.max_states.unwrap_or(usize::MAX).min(max_states);
    let options = explore::Options {
        max_states,
        max_bytes: args.max_memory,
        threads: args.threads.get(),
        // A pinned number of states is that of the whole space.
        reduction: !args.no_reduction && !(args.expect && check.expect_states.is_some()),
        final_states: false,
    };
    let explored = explore(setting, options, stop).map_err(|error| match error {
        ExploreError::Model(error) => loaded.failure(check, error),
        ExploreError::Draw(draw) => {
            let message = format!("check `{}`: {}", check.name, ExploreError::Draw(draw));
            let help = format!("name representatives: draws = {{ {draw} = [[1], [2]] }} in [check.{}]", check.name);
            Failure::Input(Diagnostic::error(&code::CHECK, message).help(help))
        }
    })?;
    Ok(explored.exploration)
}

/// Executions of each scheduler.
fn executions(args: &Check, check: &scenario::Check) -> u64 {
    let executions = check.sample.as_ref().map_or(DEFAULT_EXECUTIONS, |sample| sample.executions);
    args.executions.unwrap_or(executions)
}

/// Every scheduler of the portfolio at full size, each with an equal share of the time.
fn sampled(
    args: &Check,
    loaded: &Loaded,
    check: &scenario::Check,
    full: &Setting,
    explored: &mut Exploration,
    deadline: &Deadline,
) -> Result<Vec<Sample>, Failure> {
    let executions = executions(args, check);
    let mut samples = Vec::new();
    for (index, scheduler) in SCHEDULERS.into_iter().enumerate() {
        let threads = args.threads.get();
        let options = Options { scheduler, seed: args.seed, executions, max_steps: MAX_STEPS, threads };
        let part = deadline.part(SCHEDULERS.len() - index);
        let sampled = part.run(|stop| portfolio::sample(full, options, explored, stop));
        samples.extend(sampled.map_err(|error| loaded.failure(check, error))?);
    }
    Ok(samples)
}

fn code(args: &Check, exploration: &Exploration, judged: &exploration::Judged) -> u8 {
    let verdicts = exploration.verdicts.iter().map(|(_, verdict)| verdict);
    let codes = verdicts.map(|verdict| match verdict {
        Verdict::Holds => exit::OK,
        Verdict::Violated(_) => exit::VIOLATED,
        Verdict::Unknown(Bound::Interrupted) => exit::INTERRUPTED,
        Verdict::Unknown(_) => exit::INCONCLUSIVE,
    });
    match exit::worst(codes) {
        exit::INTERRUPTED => exit::INTERRUPTED,
        _ if args.expect && !judged.is_as_expected() => exit::VIOLATED,
        _ if args.expect && exploration.is_cut_short() => exit::INCONCLUSIVE,
        _ if args.expect => exit::OK,
        code => code,
    }
}
