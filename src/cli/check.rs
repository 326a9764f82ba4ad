//! `check`: what was found before, then the scenario's checks: each explored to its end or to its bound, then sampled
//! at full size, then explored by loom under a bound on preemptions, all under one time budget.

use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::args::{Check, Engine};
use super::console::Console;
use super::deadline::Deadline;
use super::input::{self, Loaded};
use super::search_file::SearchFile;
use super::{Failure, exit, interrupt, progress};
use crate::engines::doublecheck::{self, DoublecheckError};
use crate::engines::explore::{self, Keep, Reductions, explore_kept};
use crate::engines::loom;
use crate::engines::portfolio::{self, Permuted, SCHEDULERS, Sample};
use crate::engines::recording::Recording;
use crate::engines::reference::ExploreError;
use crate::engines::regressions::{Outcome, follow_all};
use crate::engines::replay::record;
use crate::engines::shrink::ShrinkOptions;
use crate::engines::shuttle::{MAX_STEPS, Options};
use crate::engines::verdict::{Bound, Exploration, Verdict};
use crate::report;
use crate::report::exploration::{self, Findings};
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::scenario;
use crate::system::schedule::{Schedule, directory};
use crate::system::setting;
use crate::system::{Halves, Setting, System};

/// Executions of a scheduler where the scenario says nothing.
const DEFAULT_EXECUTIONS: u64 = 1000;
/// Permutations of loom where nobody says anything: about a second.
const DEFAULT_PERMUTATIONS: u64 = 5000;
/// Executions that are done twice before every check, to see that the model reads nothing but outcomes.
const WALKS: u64 = 3;
/// Of the time, what these executions may take: one part in so many.
const PHASES: usize = 10;

pub(super) fn run(args: &Check, console: &Console) -> Result<u8, Failure> {
    let loaded = input::load(&args.input.scenario, None, console)?;
    let checks = selected(args, &loaded)?;
    checks.iter().filter(|check| !check.given.is_empty()).try_for_each(|check| begins(&loaded, check))?;
    let deadline = Deadline::new(args.timeout, interrupt::flag());
    let mut codes = Vec::new();
    let mut tally = Tally::default();
    let old = follow_all(&args.regressions, loaded.model)?;
    if !old.is_empty() && !console.json {
        console.out(&report::regressions::text(&old));
    }
    // With expectations the checks say which violations may be there.
    if !args.expect && old.iter().any(|it| it.outcome == Outcome::StillViolates) {
        codes.push(exit::VIOLATED);
    }
    let mut judged = checks.iter().enumerate().map(|(index, check)| {
        let part = deadline.part(checks.len() - index);
        one(args, &loaded, check, &part, &mut tally, console)
    });
    // What the checks before a mistake came to is told all the same.
    let failure = judged.try_for_each(|code| code.map(|code| codes.push(code)));
    codes.append(&mut tally.refused);
    if tally.is_lost {
        console.note("a search begun with --resume would have been kept, to go on with");
    }
    if !tally.not_begun.is_empty() {
        console.note(&format!("! stopped before these checks began: {}", tally.not_begun.join(", ")));
    }
    if console.json {
        console.out_json(&serde_json::json!({
            "scenario": loaded.scenario.path,
            "regressions": report::regressions::json(&old),
            "checks": tally.documents,
        }));
    }
    failure.map(|()| exit::worst(codes))
}

/// What is said of all checks together.
#[derive(Debug, Default)]
struct Tally {
    documents: Vec<serde_json::Value>,
    /// A search of the explorer was cut short, and nothing of it is kept.
    is_lost: bool,
    /// Exit codes for searches that could not be kept.
    refused: Vec<u8>,
    /// Checks of which nothing was done, because somebody asked to stop, or the time was up, before.
    not_begun: Vec<String>,
}

fn selected<'a>(args: &Check, loaded: &'a Loaded) -> Result<Vec<&'a scenario::Check>, Diagnostic> {
    if let Some(option) = args.idle_option() {
        let message = format!("`{option}` is for the explorer, and `--engine` asks for another");
        return Err(Diagnostic::error(&code::ARGUMENT, message).help("leave it out, or ask for `explore` or `all`"));
    }
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

/// A check whose `given` cannot happen shows before any has begun: what the others find is not lost to it.
fn begins(loaded: &Loaded, check: &scenario::Check) -> Result<(), Failure> {
    let setting = setting::of_check(&loaded.scenario, check, loaded.model);
    System::new(Rc::new(setting), Halves::Fused, false).map_err(|error| loaded.failure(check, error))?;
    Ok(())
}

fn one(
    args: &Check,
    loaded: &Loaded,
    check: &scenario::Check,
    deadline: &Deadline,
    tally: &mut Tally,
    console: &Console,
) -> Result<u8, Failure> {
    let is_begun = !deadline.is_over();
    let setting = Rc::new(setting::of_check(&loaded.scenario, check, loaded.model));
    if !console.json {
        console.out(&exploration::heading(&loaded.scenario, check, &setting));
    }
    let (explored, samples, permuted) = if is_begun {
        searched(args, loaded, check, &setting, deadline, tally, console)?
    } else {
        tally.not_begun.push(check.name.clone());
        (portfolio::unexplored(&setting, &Bound::NotBegun), Vec::new(), None)
    };
    let permuted = permuted.as_ref();
    let name = format!("{} [check.{}]", loaded.scenario.model, check.name);
    let schedules = portfolio::schedules(&name, &setting, &explored, &samples, permuted, args.seed)?;
    let recordings = schedules.iter().map(|it| recorded(loaded, it)).collect::<Result<Vec<_>, Failure>>()?;
    let judged = exploration::judge(check, &explored, &schedules);
    let (seed, samples, schedules, recordings) = (args.seed, &samples[..], &schedules[..], &recordings[..]);
    let findings = Findings { exploration: &explored, samples, permuted, seed, schedules, recordings, judged: &judged };
    if console.json {
        let mut document = exploration::json(check, &setting, findings);
        document["begun"] = is_begun.into();
        tally.documents.push(document);
    } else {
        console.out(&exploration::text(&setting, findings, console.signs));
    }
    let mut codes = Vec::new();
    for schedule in schedules {
        let broken = schedule.violation.as_ref().map_or("", |(property, _)| property.as_str());
        let as_found = portfolio::as_found(&name, broken, samples, permuted, seed)?;
        codes.push(keep(args, schedule, as_found.as_ref(), console));
    }
    codes.push(if deadline.is_interrupted() { exit::INTERRUPTED } else { code(args, &explored, &judged) });
    Ok(exit::worst(codes))
}

/// What the engines that were asked for found out about a check.
fn searched(
    args: &Check,
    loaded: &Loaded,
    check: &scenario::Check,
    setting: &Rc<Setting>,
    deadline: &Deadline,
    tally: &mut Tally,
    console: &Console,
) -> Result<(Exploration, Vec<Sample>, Option<Permuted>), Failure> {
    let full = Rc::new(setting::of_sample(&loaded.scenario, check, loaded.model));
    let walks = if args.doublecheck { executions(args, check) } else { WALKS };
    let walked = deadline.part(PHASES).run(|stop| doublecheck::walks(&full, args.seed, walks, stop));
    walked.map_err(|error| match error {
        DoublecheckError::Model(error) => loaded.failure(check, error),
        DoublecheckError::Differs(_) => Failure::from(error),
    })?;
    // The explorer gets half of the time; the schedulers, loom, and what is made small at the end share what it leaves.
    let mut explored = match args.engine {
        Engine::Shuttle | Engine::Loom => portfolio::unexplored(setting, &Bound::Sampled),
        Engine::Explore => deadline.run(|stop| explored(args, loaded, check, setting, stop, tally, console))?,
        Engine::All => deadline.part(2).run(|stop| explored(args, loaded, check, setting, stop, tally, console))?,
    };
    if !deadline.is_interrupted() {
        explored.ran_out_of_time();
    }
    let mut samples = match args.engine {
        Engine::Explore | Engine::Loom => Vec::new(),
        Engine::All | Engine::Shuttle => sampled(args, loaded, check, &full, &mut explored, deadline)?,
    };
    let mut permuted = match args.engine {
        Engine::Explore | Engine::Shuttle => None,
        Engine::All | Engine::Loom => permuted(args, loaded, check, setting, &mut explored, deadline)?,
    };
    if !args.no_shrink {
        shrink(&mut samples, permuted.as_mut(), &mut explored, deadline, console)?;
    }
    Ok((explored, samples, permuted))
}

/// The schedule followed once more, with everything that is seen on the way.
fn recorded(loaded: &Loaded, schedule: &Schedule) -> Result<Recording, Failure> {
    let setting = schedule.resolve(loaded.model).map_err(Failure::Bug)?;
    Ok(record(&Rc::new(setting), schedule, None)?)
}

/// Writes a schedule. Where that is refused the other checks still go on.
fn keep(args: &Check, schedule: &Schedule, as_found: Option<&Schedule>, console: &Console) -> u8 {
    match directory::write(&args.regressions, schedule, as_found) {
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
    permuted: Option<&mut Permuted>,
    explored: &mut Exploration,
    deadline: &Deadline,
    console: &Console,
) -> Result<(), Failure> {
    let untimed = deadline.untimed();
    if let Some(permuted) = permuted {
        untimed.run(|stop| portfolio::shrink_permuted(permuted, &ShrinkOptions::default(), explored, stop))?;
    }
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
    tally: &mut Tally,
    console: &Console,
) -> Result<Exploration, Failure> {
    let max_states = usize::try_from(check.bounds.max_states).unwrap_or(usize::MAX);
    let max_states = args.max_states.unwrap_or(max_states);
    let options = explore::Options {
        max_states,
        max_bytes: args.max_memory,
        threads: args.threads.get(),
        // A pinned number of states is that of the whole space.
        reductions: Reductions::all_if(!(args.no_reduction || args.expect && check.expect_states.is_some())),
        exact: args.exact,
        final_states: false,
    };
    let mut line = progress::Search::new(&check.name, console);
    let directory = args.resume.as_ref();
    let file = directory.map(|it| SearchFile::of(it, &check.name, setting, options.reductions)).transpose()?;
    let kept = file.as_ref().map(|file| file.read(console)).transpose()?.flatten();
    let keep = match (&file, &kept) {
        (None, _) => Keep::No,
        (Some(_), None) => Keep::Yes,
        (Some(_), Some(kept)) => Keep::From(kept),
    };
    let explored = explore_kept(setting, options, keep, stop, &mut |glance| line.show(glance));
    drop(line);
    let explored = explored.map_err(|error| unexplorable(loaded, check, error))?;
    let Some((mut explored, left)) = explored else {
        return Err(file.map_or_else(|| Failure::Bug("nothing was kept".to_owned()), |file| file.foreign().into()));
    };
    let bound = explored.exploration.verdicts.iter().find_map(|(_, verdict)| verdict.bound());
    match &file {
        Some(file) => {
            // What was found out is said all the same.
            if let Err(refused) = file.keep(left.as_deref(), bound, console) {
                console.diagnose(&refused);
                tally.refused.push(refused.exit_code());
            }
        }
        None => tally.is_lost |= bound.is_some(),
    }
    let is_stopped = bound.is_some();
    explored.exploration.only_what_holds_is_vacuous();
    if let Some(reason) = explored.absolute_time.filter(|_| is_stopped) {
        console.note(&format!(
            "note: time has no end here, because {reason}: a later state is another one. Give the check a horizon: \
             bounds = {{ time_steps = N }}"
        ));
    }
    if let Some(reason) = explored.asymmetry {
        console.note(&format!("note: clients that look alike are told apart, because {reason}"));
    }
    Ok(explored.exploration)
}

fn unexplorable(loaded: &Loaded, check: &scenario::Check, error: ExploreError) -> Failure {
    match error {
        ExploreError::Model(error) => loaded.failure(check, error),
        ExploreError::Draw(draw) => {
            let message = format!("check `{}`: {draw}", check.name);
            let help = match draw.remedy() {
                Some(remedy) => format!("name representatives that can: {remedy} in [check.{}]", check.name),
                None => "let it draw from more values, or fewer of them: [params] say how many".to_owned(),
            };
            Failure::Input(Diagnostic::error(&code::CHECK, message).help(help))
        }
    }
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
        // One part is loom's.
        let part = deadline.part(SCHEDULERS.len() + usize::from(args.engine == Engine::All) - index);
        let sampled = part.run(|stop| portfolio::sample(full, options, explored, stop));
        samples.extend(sampled.map_err(|error| loaded.failure(check, error))?);
    }
    Ok(samples)
}

/// loom at the size of the explorer, as far as it has threads.
fn permuted(
    args: &Check,
    loaded: &Loaded,
    check: &scenario::Check,
    setting: &Setting,
    explored: &mut Exploration,
    deadline: &Deadline,
) -> Result<Option<Permuted>, Failure> {
    let max_permutations = args.executions.unwrap_or(DEFAULT_PERMUTATIONS);
    let options = loom::Options { preemptions: Some(args.preemptions), max_permutations };
    let permuted = deadline.run(|stop| portfolio::permute(setting, options, explored, stop));
    let mut permuted = permuted.map_err(|error| unexplorable(loaded, check, error))?;
    if !deadline.is_interrupted() {
        explored.ran_out_of_time();
        if let Some(bound @ Bound::Interrupted) = permuted.as_mut().and_then(|it| it.explored.bound.as_mut()) {
            *bound = Bound::Time;
        }
    }
    Ok(permuted)
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
        _ if args.expect && (judged.is_open() || exploration.is_cut_short()) => exit::INCONCLUSIVE,
        _ if args.expect => exit::OK,
        code => code,
    }
}
