//! shuttle depth first and the reference explorer see the same, for every model of the catalogue: two contenders, one
//! seat, one round, and then one time step, or one fault of a kind that a check of the model names.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::support::built_in::scenario;
use seatproof::engines::reference;
use seatproof::engines::shuttle;
use seatproof::engines::verdict::{Exploration, Verdict};
use seatproof::models;
use seatproof::process::ParamValue;
use seatproof::system::model::Model;
use seatproof::system::property::{Property, Reads, Rule, Subject};
use seatproof::system::scenario::{Check, Scenario};
use seatproof::system::state::{Budgets, State};
use seatproof::system::{Setting, setting};

/// More states than these are not compared: shuttle starts anew for every transition, so they would take too long.
const STATES_MAX: usize = 6_000;

/// Never broken. With it both searches go through everything, whatever else breaks on the way.
const EXHAUSTS: Property = Property {
    name: "exhausts",
    about: "Holds.",
    reads: Reads::Ghost,
    subject: Subject::Always,
    rule: Rule::Never(|_: &State| None),
    is_default: true,
};

/// One time step, or one fault: its name in scenario files and the budgets.
fn budgets(scenario: &Scenario) -> Vec<(&'static str, Budgets)> {
    let none = Budgets::default();
    let all = [
        ("time_steps", Budgets { time_steps: 1, ..none }),
        ("lose_request", Budgets { lose_request: 1, ..none }),
        ("lose_reply", Budgets { lose_reply: 1, ..none }),
        ("crash", Budgets { crash: 1, ..none }),
        ("redis_restart", Budgets { redis_restart: 1, ..none }),
        ("failover", Budgets { failover: 1, ..none }),
        ("evict", Budgets { evict: 1, ..none }),
        ("clock_jump", Budgets { clock_jump: 1, ..none }),
    ];
    let is_used = |check: &Check, name: &str| name == "time_steps" || check.budgets.get(name) > 0;
    all.into_iter().filter(|(name, _)| scenario.checks.iter().any(|check| is_used(check, name))).collect()
}

/// The settings of a model so reduced, by name; checks that come to the same setting count once.
fn reduced(scenario: &Scenario, model: &'static Model) -> BTreeMap<String, Setting> {
    let mut settings = BTreeMap::new();
    for check in &scenario.checks {
        let journeys = check.journeys.iter().copied().cycle().take(2).collect::<Vec<_>>();
        let seats = |(value, param): (&ParamValue, &seatproof::system::model::Param)| {
            if param.name == "seats" { ParamValue::one(1) } else { *value }
        };
        let params = check.params.iter().zip(model.params).map(seats).collect();
        let named = |index: &usize| model.journeys[*index].name;
        let who = journeys.iter().map(named).collect::<Vec<_>>().join(" and ");
        let check = Check { journeys, params, draws: Vec::new(), ..check.clone() };
        for (budget, budgets) in budgets(scenario) {
            let properties = model.all_properties().into_iter().chain([EXHAUSTS]).collect();
            let whole = setting::of_check(scenario, &check, model);
            let replicas = u8::from(budgets.failover > 0);
            let setting = Setting { budgets, replicas, properties, rounds: Some(1), ..whole };
            settings.insert(format!("{}: {who}, {budget} = 1", model.name), setting);
        }
    }
    settings
}

fn words(exploration: &Exploration) -> Vec<(&'static str, &'static str)> {
    let word = |verdict: &Verdict| match verdict {
        Verdict::Holds => "holds",
        Verdict::Violated(_) => "violated",
        Verdict::Unknown(_) => "unknown",
    };
    exploration.verdicts.iter().map(|(property, verdict)| (*property, word(verdict))).collect()
}

/// States compared; none when there are too many.
fn compare(what: &str, setting: &Setting) -> Option<usize> {
    let never = Arc::new(AtomicBool::new(false));
    let oracle = reference::explore(&Rc::new(setting.clone()), STATES_MAX, &never);
    let oracle = oracle.unwrap_or_else(|error| panic!("{what}: {error}"));
    if oracle.verdicts.iter().any(|(_, verdict)| matches!(verdict, Verdict::Unknown(_))) {
        return None;
    }
    let dfs = shuttle::explore(setting, usize::MAX, &never).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(words(&dfs), words(&oracle), "{what}");
    assert_eq!((dfs.states, dfs.transitions), (oracle.states, oracle.transitions), "{what}");
    assert_eq!(dfs.final_states, oracle.final_states, "{what}");
    assert_eq!(dfs.exercised, oracle.exercised, "{what}");
    Some(oracle.states)
}

#[test]
fn depth_first_search_agrees_with_the_reference_explorer_on_every_model() {
    let of_model = |entry: &models::Entry| {
        let (scenario, _) = scenario(entry.scenario).expect("it is valid");
        let settings = reduced(&scenario, entry.model);
        settings.into_iter().map(|(what, setting)| (compare(&what, &setting), what)).collect::<Vec<_>>()
    };
    let compared = std::thread::scope(|scope| {
        let threads = models::CATALOG.iter().map(|entry| scope.spawn(move || of_model(entry))).collect::<Vec<_>>();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.flat_map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
    });
    let omitted = compared.iter().filter(|(states, _)| states.is_none()).map(|(_, what)| what).collect::<Vec<_>>();
    println!("{} settings compared, {} omitted", compared.len() - omitted.len(), omitted.len());
    omitted.iter().for_each(|what| println!("omitted, more than {STATES_MAX} states: {what}"));
    for entry in models::CATALOG {
        let is_its = |what: &str| what.starts_with(&format!("{}:", entry.model.name));
        let count = compared.iter().filter(|(states, what)| states.is_some() && is_its(what)).count();
        assert!(count > 0, "nothing of {} was compared", entry.model.name);
    }
}
