//! `check`: the scenario's checks, each explored to its end or to its bound.

use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use super::args::Check;
use super::console::Console;
use super::input::{self, Loaded};
use super::{Failure, exit, interrupt, output};
use crate::engines::reference::{ExploreError, explore};
use crate::engines::verdict::{Exploration, Verdict};
use crate::report::exploration;
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::scenario;
use crate::system::schedule::{Schedule, of_steps};
use crate::system::setting;

pub(super) fn run(args: &Check, console: &Console) -> Result<u8, Failure> {
    let loaded = input::load(&args.input.scenario, None, console)?;
    let checks = selected(args, &loaded)?;
    let interrupt = interrupt::flag();
    let mut codes = Vec::new();
    let mut documents = Vec::new();
    for check in checks {
        codes.push(one(args, &loaded, check, &interrupt, &mut documents, console)?);
    }
    if console.json {
        console.out_json(&serde_json::json!({ "scenario": loaded.scenario.path, "checks": documents }));
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
    interrupt: &AtomicBool,
    documents: &mut Vec<serde_json::Value>,
    console: &Console,
) -> Result<u8, Failure> {
    let setting = Rc::new(setting::of_check(&loaded.scenario, check, loaded.model));
    let max_states = usize::try_from(check.bounds.max_states).unwrap_or(usize::MAX);
    let max_states = args.max_states.unwrap_or(usize::MAX).min(max_states);
    if !console.json {
        console.out(&exploration::heading(&loaded.scenario, check, &setting));
    }
    let exploration = explore(&setting, max_states, interrupt).map_err(|error| match error {
        ExploreError::Model(error) => Failure::Model(error),
        ExploreError::Draw(draw) => {
            let message = format!("check `{}`: {}", check.name, ExploreError::Draw(draw));
            let help = format!("name representatives: draws = {{ {draw} = [[1], [2]] }} in [check.{}]", check.name);
            Failure::Input(Diagnostic::error(&code::CHECK, message).help(help))
        }
    })?;
    let schedules = schedules(loaded, check, &setting, &exploration)?;
    let judged = exploration::judge(check, &exploration, &schedules);
    if console.json {
        documents.push(exploration::json(check, &setting, &exploration, &schedules, &judged));
    } else {
        console.out(&exploration::text(&setting, &exploration, &schedules, &judged, console.signs));
    }
    for schedule in &schedules {
        let path = output::write_regression(&args.regressions, schedule)?;
        console.note(&format!("wrote {}   (commit this file)", path.display()));
        console.note(&format!("next  seatproof replay {}", path.display()));
    }
    Ok(code(args, &exploration, &judged))
}

/// The schedules of the violations found, in the order of the properties.
fn schedules(
    loaded: &Loaded,
    check: &scenario::Check,
    setting: &Rc<crate::system::Setting>,
    exploration: &Exploration,
) -> Result<Vec<Schedule>, Failure> {
    let name = format!("{} [check.{}]", loaded.scenario.model, check.name);
    let mut schedules = Vec::new();
    for (property, verdict) in &exploration.verdicts {
        if let Verdict::Violated(found) = verdict {
            let violation = Some(((*property).to_owned(), found.reason.clone()));
            schedules.push(of_steps(setting, &found.steps, "reference", &name, violation)?);
        }
    }
    Ok(schedules)
}

fn code(args: &Check, exploration: &Exploration, judged: &exploration::Judged) -> u8 {
    let verdicts = exploration.verdicts.iter().map(|(_, verdict)| verdict);
    let codes = verdicts.map(|verdict| match verdict {
        Verdict::Holds => exit::OK,
        Verdict::Violated(_) => exit::VIOLATED,
        Verdict::Unknown(crate::engines::verdict::Bound::Interrupted) => exit::INTERRUPTED,
        Verdict::Unknown(_) => exit::INCONCLUSIVE,
    });
    match exit::worst(codes) {
        exit::INTERRUPTED => exit::INTERRUPTED,
        _ if args.expect && judged.is_as_expected() => exit::OK,
        _ if args.expect => exit::VIOLATED,
        code => code,
    }
}
