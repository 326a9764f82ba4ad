//! `check`: the scenario's checks, each explored to its end or to its bound, then sampled at full size.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::args::{Check, Engine};
use super::console::Console;
use super::input::{self, Loaded};
use super::{Failure, exit, interrupt};
use crate::engines::explore::{self, explore};
use crate::engines::portfolio::{self, SCHEDULERS};
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
use crate::system::schedule::directory;
use crate::system::setting;

/// Executions of a scheduler where the scenario says nothing.
const DEFAULT_EXECUTIONS: u64 = 1000;

pub(super) fn run(args: &Check, console: &Console) -> Result<u8, Failure> {
    let loaded = input::load(&args.input.scenario, None, console)?;
    let checks = selected(args, &loaded)?;
    let interrupt = interrupt::flag();
    let mut codes = Vec::new();
    let mut documents = Vec::new();
    let old = follow_all(&args.regressions, loaded.model)?;
    if !old.is_empty() && !console.json {
        console.out(&report::regressions::text(&old));
    }
    // With expectations the checks say which violations may be there.
    if !args.expect && old.iter().any(|(_, outcome)| *outcome == Outcome::StillViolates) {
        codes.push(exit::VIOLATED);
    }
    for check in checks {
        codes.push(one(args, &loaded, check, &interrupt, &mut documents, console)?);
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
    interrupt: &Arc<AtomicBool>,
    documents: &mut Vec<serde_json::Value>,
    console: &Console,
) -> Result<u8, Failure> {
    let setting = Rc::new(setting::of_check(&loaded.scenario, check, loaded.model));
    if !console.json {
        console.out(&exploration::heading(&loaded.scenario, check, &setting));
    }
    let mut explored = match args.engine {
        Engine::Shuttle => portfolio::unexplored(&setting),
        Engine::All | Engine::Explore => explored(args, check, &setting, interrupt)?,
    };
    let samples = match args.engine {
        Engine::Explore => Vec::new(),
        Engine::All | Engine::Shuttle => {
            let full = setting::of_sample(&loaded.scenario, check, loaded.model);
            let shrinking = (!args.no_shrink).then(ShrinkOptions::default);
            portfolio::sample(&full, options(args, check), shrinking, &mut explored, interrupt)?
        }
    };
    let schedules = {
        let name = format!("{} [check.{}]", loaded.scenario.model, check.name);
        portfolio::schedules(&name, &setting, &explored, &samples, args.seed)?
    };
    let judged = exploration::judge(check, &explored, &samples, &schedules);
    let findings =
        Findings { exploration: &explored, samples: &samples, seed: args.seed, schedules: &schedules, judged: &judged };
    if console.json {
        documents.push(exploration::json(check, &setting, findings));
    } else {
        console.out(&exploration::text(&setting, findings, console.signs));
    }
    for schedule in &schedules {
        let found = samples.iter().filter_map(|sample| sample.sampled.found.as_ref());
        let broken = schedule.violation.as_ref().map(|(property, _)| property.as_str());
        let native = found.filter(|found| Some(found.property) == broken).find_map(|found| found.native.as_deref());
        let path = directory::write(&args.regressions, schedule, native)?;
        console.note(&format!("wrote {}   (commit this file)", path.display()));
        console.note(&format!("next  seatproof replay {}", path.display()));
    }
    let is_interrupted = interrupt.load(Ordering::Relaxed);
    Ok(if is_interrupted { exit::INTERRUPTED } else { code(args, &explored, &judged) })
}

fn explored(
    args: &Check,
    check: &scenario::Check,
    setting: &Rc<Setting>,
    interrupt: &AtomicBool,
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
    let explored = explore(setting, options, interrupt).map_err(|error| match error {
        ExploreError::Model(error) => Failure::Model(error),
        ExploreError::Draw(draw) => {
            let message = format!("check `{}`: {}", check.name, ExploreError::Draw(draw));
            let help = format!("name representatives: draws = {{ {draw} = [[1], [2]] }} in [check.{}]", check.name);
            Failure::Input(Diagnostic::error(&code::CHECK, message).help(help))
        }
    })?;
    Ok(explored.exploration)
}

/// How the schedulers sample; which one it is the portfolio says.
fn options(args: &Check, check: &scenario::Check) -> Options {
    let executions = check.sample.as_ref().map_or(DEFAULT_EXECUTIONS, |sample| sample.executions);
    Options {
        scheduler: SCHEDULERS[0],
        seed: args.seed,
        executions: args.executions.unwrap_or(executions),
        max_steps: MAX_STEPS,
        threads: args.threads.get(),
    }
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
        _ if args.expect && judged.is_as_expected() => exit::OK,
        _ if args.expect => exit::VIOLATED,
        code => code,
    }
}
