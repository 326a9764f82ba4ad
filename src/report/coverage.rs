//! Which clients, handlers and jobs a check exercised and how, what went wrong on the way, and what never happened.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::table::{Signs, paragraph};
use crate::engines::portfolio::{Permuted, Sample};
use crate::engines::verdict::Exploration;
use crate::system::Setting;
use crate::system::exercised::{Came, Exercised, What, Who};

/// What each engine that had a turn exercised.
#[must_use]
pub fn by_engine(
    exploration: &Exploration,
    samples: &[Sample],
    permuted: Option<&Permuted>,
) -> Vec<(&'static str, Exercised)> {
    let mut sampled = Exercised::default();
    for sample in samples {
        sampled.merge(sample.sampled.exercised.clone());
    }
    let permuted = permuted.map(|it| it.explored.exercised.clone()).unwrap_or_default();
    let all = [("explore", exploration.exercised.clone()), ("shuttle", sampled), ("loom", permuted)];
    all.into_iter().filter(|(_, exercised)| !exercised.is_empty()).collect()
}

/// The table: one entry for each kind of process, first of what the first engine exercised, then of what others
/// exercised beyond that; and what none of them did.
#[must_use]
pub fn text(setting: &Setting, by_engine: &[(&str, Exercised)], signs: Signs) -> String {
    let mut text = String::new();
    let mut known = Exercised::default();
    for (engine, exercised) in by_engine {
        let beyond = if known.is_empty() { "" } else { " beyond that" };
        let new = exercised.beyond(&known);
        if !new.is_empty() {
            text.push_str(&format!("exercised by {engine}{beyond}\n{}", table(&new)));
        }
        known.merge(new);
    }
    if !by_engine.is_empty() {
        text.push_str(&never(setting, &known, signs));
    }
    text
}

/// Columns of the names of processes.
const NAME_COLUMNS: usize = 24;

fn table(exercised: &Exercised) -> String {
    let entry = |(who, what): (Who, Vec<What>)| {
        let (kind, name) = named(who);
        let name = if kind == "handler" { name.to_owned() } else { format!("{kind} {name}") };
        let row = paragraph(&format!("  {name:NAME_COLUMNS$}  "), &did(&what));
        // A name that is too long for its column stands above.
        if name.chars().count() > NAME_COLUMNS {
            let indent = " ".repeat(NAME_COLUMNS + 4);
            format!("  {name}\n{}", paragraph(&indent, &did(&what)))
        } else {
            row
        }
    };
    let mut text = by_process(exercised).into_iter().map(entry).collect::<String>();
    if !exercised.faults.is_empty() {
        let faults = exercised.faults.iter().map(|name| readable_fault(name)).collect::<Vec<_>>();
        text.push_str(&paragraph(&format!("  {:NAME_COLUMNS$}  ", "what befell them"), &faults.join(", ")));
    }
    text
}

fn by_process(exercised: &Exercised) -> BTreeMap<Who, Vec<What>> {
    let mut processes: BTreeMap<Who, Vec<What>> = BTreeMap::new();
    for (who, what) in &exercised.events {
        processes.entry(*who).or_default().push(*what);
    }
    processes
}

fn named(who: Who) -> (&'static str, &'static str) {
    match who {
        Who::Client(name) => ("client", name),
        Who::Handler(name) => ("handler", name),
        Who::Job(name) => ("job", name),
    }
}

fn readable_fault(name: &'static str) -> &'static str {
    if name == "time_steps" { "time passes" } else { name }
}

/// Labels, answers, then commands and statements with what came of them; statements by verb and table.
fn did(what: &[What]) -> String {
    let mut labels = Vec::new();
    let mut answers = Vec::new();
    let mut operations: BTreeMap<(u8, String), BTreeSet<Came>> = BTreeMap::new();
    let mut others = Vec::new();
    for what in what {
        match what {
            What::Label(label) => labels.push(*label),
            What::Answer(status) => answers.push(status.to_string()),
            What::Redis(command, came) => {
                operations.entry((0, command.to_uppercase())).or_default().insert(*came);
            }
            What::Sql(statement, came) => {
                operations.entry((1, verb_and_table(statement))).or_default().insert(*came);
            }
            What::Panic => others.push("panics".to_owned()),
        }
    }
    let mut parts = Vec::new();
    if !labels.is_empty() {
        parts.push(labels.join(" "));
    }
    if !answers.is_empty() {
        parts.push(format!("answers {}", answers.join(", ")));
    }
    parts.extend(operations.into_iter().map(|((_, name), came)| format!("{name}: {}", outcomes(&came).join(", "))));
    parts.extend(others);
    parts.join("; ")
}

fn outcomes(came: &BTreeSet<Came>) -> Vec<String> {
    came.iter().map(ToString::to_string).collect()
}

/// `UPDATE seats`: the first word of a statement and the table that it is about.
fn verb_and_table(statement: &str) -> String {
    let words = statement.split_whitespace().collect::<Vec<_>>();
    let verb = words.first().copied().unwrap_or_default();
    let before = match verb {
        "SELECT" | "DELETE" => "FROM",
        "INSERT" => "INTO",
        _ => verb,
    };
    let table = words.iter().position(|word| *word == before).and_then(|at| words.get(at + 1));
    let table = table.map(|word| word.split(['(', ';']).next().unwrap_or_default());
    match table {
        Some(table) if ["SELECT", "DELETE", "INSERT", "UPDATE"].contains(&verb) => format!("{verb} {table}"),
        _ => verb.to_owned(),
    }
}

/// What the setting allows and nothing exercised.
struct Never {
    handlers: Vec<&'static str>,
    jobs: Vec<&'static str>,
    faults: Vec<&'static str>,
}

impl Never {
    fn of(setting: &Setting, exercised: &Exercised) -> Self {
        let is_at_work = |who: Who| exercised.events.iter().any(|(known, _)| *known == who);
        let handlers = setting.model.handlers.iter().chain(setting.model.children).map(|handler| handler.route);
        let jobs = setting.model.jobs.iter().zip(&setting.jobs).filter(|(_, runs)| **runs > 0);
        let faults = setting.budgets.entries().into_iter().filter(|(_, budget)| *budget > 0);
        Self {
            handlers: handlers.filter(|route| !is_at_work(Who::Handler(route))).collect(),
            jobs: jobs.map(|(job, _)| job.name).filter(|name| !is_at_work(Who::Job(name))).collect(),
            faults: faults.map(|(name, _)| name).filter(|name| !exercised.faults.contains(name)).collect(),
        }
    }
}

/// A job or a fault that is allowed and never came is vacuous: nothing is known about it. Handlers that these clients
/// do not call are named.
fn never(setting: &Setting, exercised: &Exercised, signs: Signs) -> String {
    let Never { handlers, jobs, faults } = Never::of(setting, exercised);
    let mut text = String::new();
    for (kind, names) in [("job", jobs), ("fault", faults.into_iter().map(readable_fault).collect())] {
        for name in names {
            let words = format!("{kind} {name}: allowed, and nothing ever came of it");
            text.push_str(&paragraph(&format!("  {} vacuous  ", signs.vacuous), &words));
        }
    }
    if !handlers.is_empty() {
        text.push_str(&paragraph("  never called  ", &handlers.join(", ")));
    }
    text
}

/// The same as JSON, each engine with all that it exercised.
#[must_use]
pub fn json(setting: &Setting, by_engine: &[(&str, Exercised)]) -> Value {
    let mut engines = serde_json::Map::new();
    for (engine, exercised) in by_engine {
        let Never { handlers, jobs, faults } = Never::of(setting, exercised);
        let processes = by_process(exercised).into_iter().map(process).collect::<Vec<_>>();
        let never = json!({ "handlers": handlers, "jobs": jobs, "faults": faults });
        let document = json!({ "processes": processes, "faults": exercised.faults, "never": never });
        engines.insert((*engine).to_owned(), document);
    }
    Value::Object(engines)
}

fn process((who, what): (Who, Vec<What>)) -> Value {
    let (kind, name) = named(who);
    let mut operations: BTreeMap<(&str, &str), BTreeSet<Came>> = BTreeMap::new();
    for what in &what {
        match what {
            What::Redis(command, came) => operations.entry(("redis", command)).or_default().insert(*came),
            What::Sql(statement, came) => operations.entry(("sql", statement)).or_default().insert(*came),
            _ => continue,
        };
    }
    let of = |server: &str| {
        let own = operations.iter().filter(|((kind, _), _)| *kind == server);
        own.map(|((_, text), came)| json!({ "text": text, "outcomes": outcomes(came) })).collect::<Vec<_>>()
    };
    let labels = what.iter().filter_map(|what| if let What::Label(label) = what { Some(*label) } else { None });
    let answers = what.iter().filter_map(|what| if let What::Answer(status) = what { Some(*status) } else { None });
    json!({
        "kind": kind,
        "name": name,
        "labels": labels.collect::<Vec<_>>(),
        "answers": answers.collect::<Vec<_>>(),
        "redis": of("redis"),
        "sql": of("sql"),
        "panics": what.contains(&What::Panic),
    })
}
