//! Options of a k6 script, as JSON, laid over a scenario.

use std::path::Path;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::de::Table;
use super::fault::Fault;
use super::tree::{At, Kind, Node};
use super::values::BareNumber;
use super::{Declaration, Load, MetricThresholds, Scenario, form, load, thresholds};
use crate::system::diagnostic::{Diagnostic, Severity, Source, code, suggest};

/// The options of k6 that shape a run here.
const USED: [&str; 4] = ["stages", "vus", "thresholds", "scenarios"];
/// Those of one entry of k6's `scenarios`.
const USED_IN_SCENARIO: [&str; 6] = ["executor", "exec", "startVUs", "stages", "gracefulRampDown", "gracefulStop"];

/// What k6's options say about the load.
#[derive(Debug)]
struct Shape {
    /// The script's function, which may be the name of a journey.
    exec: Option<At<String>>,
    start_vus: Option<At<i64>>,
    stages: At<Vec<At<form::Stage>>>,
    graceful_ramp_down: Option<Node>,
    graceful_stop: Option<Node>,
}

/// Lays k6 options (JSON) over a scenario: its `[load]` and `[thresholds]` give way to what the options say, the rest
/// stays. `path` is only what messages call the text. The warnings name every option that has no effect.
///
/// # Errors
/// The text is not JSON, or asks for what cannot be simulated.
pub fn apply_k6_options(
    scenario: &mut Scenario,
    path: &Path,
    text: &str,
    model: &Declaration<'_>,
) -> Result<Vec<Diagnostic>, Diagnostic> {
    let file = path.display().to_string();
    let source = Source { file: &file, text };
    let mut warnings = Vec::new();
    let (load, thresholds) = Node::from_json(text)
        .and_then(|root| changes(scenario, &root, model, &mut warnings))
        .map_err(|fault| fault.diagnostic(Severity::Error, source))?;
    scenario.load = load;
    scenario.thresholds = thresholds;
    Ok(warnings.into_iter().map(|fault| fault.diagnostic(Severity::Warning, source)).collect())
}

/// The load and thresholds that `scenario` has under the options.
fn changes(
    scenario: &Scenario,
    root: &Node,
    model: &Declaration<'_>,
    warnings: &mut Vec<Fault>,
) -> Result<(Option<Load>, Vec<MetricThresholds>), Fault> {
    let options = entries(root)?;
    refuse_other_executors(options)?;
    warn_ignored(options, &USED, warnings);
    let thresholds = match find(options, "thresholds") {
        Some((_, node)) => {
            refuse_bare_thresholds(node)?;
            thresholds::build(&Table::deserialize(node.clone())?, model, BareNumber::Milliseconds, warnings)?
        }
        None => scenario.thresholds.clone(),
    };
    let load = match shape(options, warnings)? {
        Some(shape) => Some(reshape(scenario.load.as_ref(), shape, model, warnings)?),
        None => scenario.load.clone(),
    };
    Ok((load, thresholds))
}

/// k6 takes the thresholds of a metric as a list alone; a scenario file may do without one.
fn refuse_bare_thresholds(node: &Node) -> Result<(), Fault> {
    for (metric, thresholds) in entries(node)? {
        if !matches!(thresholds.kind, Kind::List(_)) {
            let message = format!("k6 takes a list of thresholds for `{}`", metric.value);
            let help = "write it in brackets, as in [\"p(95)<2000\"]";
            return Err(Fault::new(&code::WRONG_TYPE, &thresholds.span, message).help(help));
        }
    }
    Ok(())
}

/// k6 derives other executors from these options.
fn refuse_other_executors(options: &[(At<String>, Node)]) -> Result<(), Fault> {
    let shortcuts = [("iterations", "shared-iterations"), ("duration", "constant-vus"), ("vus", "per-vu-iterations")];
    for (option, executor) in shortcuts {
        if let Some((key, _)) = find(options, option)
            && (option != "vus" || find(options, "stages").is_none())
        {
            let message = format!("`{option}` selects the executor `{executor}`, which cannot be simulated");
            return Err(Fault::new(&code::EXECUTOR, &key.span, message)
                .help("only `ramping-vus` can; a constant load is one stage whose target equals startVUs"));
        }
    }
    Ok(())
}

/// The shape of the load, from `stages` or from the only entry of `scenarios`.
fn shape(options: &[(At<String>, Node)], warnings: &mut Vec<Fault>) -> Result<Option<Shape>, Fault> {
    match (find(options, "stages"), find(options, "scenarios")) {
        (None, None) => Ok(None),
        (Some((_, stages)), None) => Ok(Some(Shape {
            exec: None,
            start_vus: optional(options, "vus")?,
            stages: At::deserialize(stages.clone())?,
            graceful_ramp_down: None,
            graceful_stop: None,
        })),
        (None, Some((key, scenarios))) => match entries(scenarios)? {
            [(_, only)] => ramping_vus(only, warnings).map(Some),
            several => {
                let message = format!("{} scenarios, but exactly one can be simulated", several.len());
                Err(Fault::new(&code::EXECUTOR, &key.span, message).help("keep the one whose journey is modelled"))
            }
        },
        (Some((key, _)), Some(_)) => {
            let message = "k6 takes either `stages` or `scenarios`, not both";
            Err(Fault::new(&code::EXECUTOR, &key.span, message).help("remove `stages`"))
        }
    }
}

/// One entry of k6's `scenarios`.
fn ramping_vus(node: &Node, warnings: &mut Vec<Fault>) -> Result<Shape, Fault> {
    let options = entries(node)?;
    warn_ignored(options, &USED_IN_SCENARIO, warnings);
    let missing = |key: &str| Fault::new(&code::MISSING_KEY, &node.span, format!("the key `{key}` is missing"));
    load::executor(&optional(options, "executor")?.ok_or_else(|| missing("executor"))?)?;
    Ok(Shape {
        exec: optional(options, "exec")?,
        start_vus: optional(options, "startVUs")?,
        stages: optional(options, "stages")?.ok_or_else(|| missing("stages"))?,
        graceful_ramp_down: optional(options, "gracefulRampDown")?,
        graceful_stop: optional(options, "gracefulStop")?,
    })
}

/// The load in its new shape. What the options do not speak of (journey, expected statuses) stays; the seed that
/// reproduces the measured run does not, because it belongs to the old shape.
fn reshape(
    old: Option<&Load>,
    shape: Shape,
    model: &Declaration<'_>,
    warnings: &mut Vec<Fault>,
) -> Result<Load, Fault> {
    let bare = BareNumber::Milliseconds;
    let start_vus = load::start_vus(shape.start_vus.as_ref())?;
    let named = shape.exec.as_ref().and_then(|exec| model.journeys.iter().position(|name| *name == exec.value));
    let only = (model.journeys.len() == 1).then_some(0);
    let journey = named.or(old.map(|load| load.journey)).or(only).ok_or_else(|| {
        let message = "neither the scenario nor the options say which journey the virtual users run";
        let help = format!("name it as `exec`: {}", suggest::choose("", &model.journeys));
        Fault::new(&code::MISSING_KEY, &shape.stages.span, message).help(help)
    })?;
    if let (Some(exec), None) = (&shape.exec, named)
        && exec.value != "default"
    {
        let message =
            format!("`{}` is no journey of the model; the virtual users run `{}`", exec.value, model.journeys[journey]);
        warnings.push(Fault::new(&code::OPTION_IGNORED, &exec.span, message));
    }
    Ok(Load {
        journey,
        start_vus,
        stages: load::stages(&shape.stages, start_vus, bare)?,
        graceful_ramp_down_ns: load::graceful(shape.graceful_ramp_down.as_ref(), bare)?,
        graceful_stop_ns: load::graceful(shape.graceful_stop.as_ref(), bare)?,
        jobs: old.map_or_else(Vec::new, |load| load.jobs.clone()),
        expected_statuses: old.map_or_else(load::default_statuses, |load| load.expected_statuses.clone()),
        measured_seed: None,
    })
}

/// The options of a JSON object.
fn entries(node: &Node) -> Result<&[(At<String>, Node)], Fault> {
    match &node.kind {
        Kind::Table(entries) => Ok(entries),
        _ => Err(Fault::new(&code::WRONG_TYPE, &node.span, "expected an object with k6 options")),
    }
}

/// Key and value of the option with this name. `null` is how k6 prints an option that is not set.
fn find<'a>(options: &'a [(At<String>, Node)], name: &str) -> Option<&'a (At<String>, Node)> {
    options.iter().find(|(key, value)| key.value == name && !matches!(value.kind, Kind::Null))
}

/// The value of an option that may be left out.
fn optional<T: DeserializeOwned>(options: &[(At<String>, Node)], name: &str) -> Result<Option<T>, Fault> {
    find(options, name).map(|(_, value)| T::deserialize(value.clone())).transpose()
}

/// Warns of every option that is set and not used.
fn warn_ignored(options: &[(At<String>, Node)], used: &[&str], warnings: &mut Vec<Fault>) {
    for (key, value) in options {
        let name = key.value.as_str();
        if used.contains(&name) || matches!(value.kind, Kind::Null) {
            continue;
        }
        let warning = Fault::new(&code::OPTION_IGNORED, &key.span, format!("the option `{name}` has no effect here"));
        warnings.push(match suggest::nearest(name, used) {
            Some(near) => warning.help(format!("did you mean `{near}`?")),
            None => warning,
        });
    }
}
