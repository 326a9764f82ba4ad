//! Named checks: clients, journeys, faults, bounds, and the verdicts expected of them.

use serde::Deserialize;

use super::de::Table;
use super::fault::Fault;
use super::tree::{At, Kind, Node};
use super::values::{BareNumber, duration_us, number, number_or, title};
use super::{
    Bounds, Check, Declaration, Draw, Expectation, ExpectedVerdict, Sample, Service, build, form, given, names, params,
};
use crate::system::diagnostic::{code, suggest};
use crate::system::mishap::Clocks;
use crate::system::model::ParamValue;
use crate::system::pace::Pace;
use crate::system::setting::REPLICAS_MAX;
use crate::system::state::Budgets;

/// Most clients of a check; exhaustive search ends long before.
const CLIENTS_MAX: i64 = 1000;
/// Most of anything that is counted per execution.
const COUNT_MAX: i64 = 1_000_000;
/// Most representatives of a draw: more would be no abstraction, and the search would not end.
pub(super) const REPRESENTATIVES_MAX: usize = 16;
/// The key of `expect` that is not a property.
const STATES: &str = "states";

/// Builds all checks; `base` holds the scenario's parameters, `service` its resources.
pub(super) fn build(
    table: &Table<At<form::Check>>,
    model: &Declaration<'_>,
    base: &[ParamValue],
    service: Service,
) -> Result<Vec<Check>, Fault> {
    table.0.iter().map(|(name, form)| check(name, form, model, base, service)).collect()
}

/// Builds one check.
fn check(
    name: &At<String>,
    at: &At<form::Check>,
    model: &Declaration<'_>,
    base: &[ParamValue],
    service: Service,
) -> Result<Check, Fault> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.value.is_empty() || !name.value.chars().all(allowed) {
        let words = "the name of a check should contain only numbers, latin letters, underscores, and dashes";
        return Err(Fault::new(&code::CHECK, &name.span, words));
    }
    let form = &at.value;
    let properties = properties(form, model)?;
    let (expect, expect_states) = expect(&form.expect, &properties, model)?;
    let journeys = journeys(name, form, model)?;
    let whole = Check {
        name: name.value.clone(),
        title: title(&form.title)?,
        about: form.about.clone(),
        given: given::build(form.given.as_ref(), journeys.len(), model)?,
        jobs: given::jobs(&form.jobs, model)?,
        replicas: number_or(form.replicas.as_ref(), 0, "replicas", 0, REPLICAS_MAX.into())?,
        clocks: clocks(&form.clocks, journeys.len())?,
        journeys,
        params: params::build(&form.params, model.params, base)?,
        service: form.service.as_ref().map(|own| build::service(own, service)).transpose()?,
        draws: draws(&form.draws, model)?,
        budgets: budgets(&form.faults, time_steps(form.bounds.time_steps.as_ref(), u32::MAX)?)?,
        bounds: Bounds {
            rounds: rounds(form.bounds.rounds.as_ref(), 1)?,
            pace: pace(&form.bounds)?,
            max_states: number_or(form.bounds.max_states.as_ref(), 2_000_000, "max_states", 1, i64::MAX)?,
        },
        properties,
        sample: None,
        expect,
        expect_states,
    };
    let sampled = form.sample.as_ref().and_then(|at| at.value.faults.as_ref());
    failover_has_a_replica(&form.faults, sampled, whole.replicas)?;
    let sample = form.sample.as_ref().map(|at| sample(&at.value, &whole, model)).transpose()?;
    Ok(Check { sample, ..whole })
}

/// What the schedulers sample: the check with what the table says laid over it.
fn sample(form: &form::Sample, check: &Check, model: &Declaration<'_>) -> Result<Sample, Fault> {
    let clients = number_or(form.clients.as_ref(), check.journeys.len(), "clients", 1, CLIENTS_MAX)?;
    let time_steps = time_steps(form.time_steps.as_ref(), check.budgets.time_steps)?;
    Ok(Sample {
        journeys: check.journeys.iter().copied().cycle().take(clients).collect(),
        params: params::build(&form.params, model.params, &check.params)?,
        draws: {
            let own = draws(&form.draws, model)?;
            let kept = check.draws.iter().filter(|draw| own.iter().all(|other| other.name != draw.name)).cloned();
            kept.chain(own.iter().cloned()).collect()
        },
        budgets: match &form.faults {
            Some(faults) => budgets(faults, time_steps)?,
            None => Budgets { time_steps, ..check.budgets },
        },
        rounds: rounds(form.rounds.as_ref(), check.bounds.rounds)?,
        executions: number_or(form.executions.as_ref(), 1000, "executions", 1, COUNT_MAX)?,
    })
}

fn time_steps(at: Option<&At<i64>>, default: u32) -> Result<u32, Fault> {
    at.map_or(Ok(default), |at| number(at, "time_steps", 0, COUNT_MAX))
}

fn rounds(at: Option<&At<i64>>, default: u32) -> Result<u32, Fault> {
    number_or(at, default, "rounds", 1, 1000)
}

/// One journey per client, from `clients` and `journey`, or from `journeys`.
fn journeys(name: &At<String>, form: &form::Check, model: &Declaration<'_>) -> Result<Vec<usize>, Fault> {
    let clients = form.clients.as_ref().map(|at| number(at, "clients", 1, CLIENTS_MAX).map(|count: usize| (at, count)));
    match (&form.journey, &form.journeys, clients.transpose()?) {
        (Some(journey), None, Some((_, count))) => Ok(vec![names::find("journey", journey, &model.journeys)?; count]),
        (None, Some(list), clients) => {
            if list.value.is_empty() {
                return Err(Fault::new(&code::CHECK, &list.span, "a check needs at least one journey"));
            }
            if let Some((at, count)) = clients
                && count != list.value.len()
            {
                let message = format!("{count} clients, but {} journeys", list.value.len());
                return Err(Fault::new(&code::CHECK, &at.span, message).help("`journeys` has one entry per client"));
            }
            list.value.iter().map(|journey| names::find("journey", journey, &model.journeys)).collect()
        }
        (Some(journey), Some(_), _) => {
            let message = "a check has either `journey` or `journeys`";
            Err(Fault::new(&code::CHECK, &journey.span, message).help("`journeys` has one entry per client"))
        }
        (Some(_), None, None) => {
            let message = format!("the check `{}` does not say how many clients it has", name.value);
            Err(Fault::new(&code::MISSING_KEY, &name.span, message).help("add `clients = 2`"))
        }
        (None, None, _) => {
            let message = format!("the check `{}` does not say which journey its clients run", name.value);
            let help = format!("add `journey`: {}", suggest::choose("", &model.journeys));
            Err(Fault::new(&code::MISSING_KEY, &name.span, message).help(help))
        }
    }
}

/// The properties to judge: those named, or all.
fn properties(form: &form::Check, model: &Declaration<'_>) -> Result<Vec<String>, Fault> {
    let Some(list) = &form.properties else {
        return Ok(model.default_properties.iter().map(|name| (*name).to_owned()).collect());
    };
    if list.value.is_empty() {
        return Err(Fault::new(&code::CHECK, &list.span, "a check judges at least one property")
            .help("leave `properties` out to judge all"));
    }
    let named = |name: &At<String>| names::find("property", name, &model.properties).map(|_| name.value.clone());
    list.value.iter().map(named).collect()
}

/// How slow anything may be. A message is paused before it is under way, so its bound alone bounds nothing.
fn pace(form: &form::Bounds) -> Result<Pace, Fault> {
    let bound = |node: &Option<Node>| node.as_ref().map(|node| duration_us(node, BareNumber::Refused)).transpose();
    let pace = Pace { max_delay_us: bound(&form.max_delay)?, max_pause_us: bound(&form.max_pause)? };
    match &form.max_delay {
        Some(node) if pace.max_pause_us.is_none() => {
            let message = "`max_delay` bounds nothing as long as a process may be paused before it sends";
            Err(Fault::new(&code::CHECK, &node.span, message).help("add `max_pause`"))
        }
        _ => Ok(pace),
    }
}

fn clocks(form: &form::Clocks, clients: usize) -> Result<Clocks, Fault> {
    let ahead = |at: &Option<At<Vec<Node>>>| {
        let nodes = at.as_ref().map_or(&[][..], |list| &list.value);
        nodes.iter().map(|node| duration_us(node, BareNumber::Refused)).collect::<Result<Vec<_>, _>>()
    };
    if let Some(list) = form.clients.as_ref().filter(|list| list.value.len() > clients) {
        let message = format!("{} clocks, but {clients} client(s)", list.value.len());
        return Err(Fault::new(&code::CHECK, &list.span, message).help("one entry per client at most"));
    }
    Ok(Clocks { clients: ahead(&form.clients)?, instances: ahead(&form.instances)? })
}

fn draws(table: &Table<At<Vec<Vec<At<i64>>>>>, model: &Declaration<'_>) -> Result<Vec<Draw>, Fault> {
    table.0.iter().map(|(name, values)| draw(name, values, model)).collect()
}

/// The representatives of one draw.
fn draw(name: &At<String>, values: &At<Vec<Vec<At<i64>>>>, model: &Declaration<'_>) -> Result<Draw, Fault> {
    names::find("draw", name, model.draws)?;
    if values.value.is_empty() || values.value.len() > REPRESENTATIVES_MAX {
        let count = values.value.len();
        let message = format!("a draw has 1 to {REPRESENTATIVES_MAX} representatives, not {count}");
        return Err(Fault::new(&code::CHECK, &values.span, message));
    }
    let numbers = |list: &Vec<At<i64>>| list.iter().map(|at| at.value).collect();
    Ok(Draw { name: name.value.clone(), values: values.value.iter().map(numbers).collect() })
}

/// The budgets of faults, and of the passing of time.
fn budgets(form: &form::Faults, time_steps: u32) -> Result<Budgets, Fault> {
    let budget = |at: &Option<At<i64>>, key| number_or(at.as_ref(), 0, key, 0, 1000);
    Ok(Budgets {
        lose_request: budget(&form.lose_request, "lose_request")?,
        lose_reply: budget(&form.lose_reply, "lose_reply")?,
        crash: budget(&form.crash, "crash")?,
        redis_restart: budget(&form.redis_restart, "redis_restart")?,
        failover: budget(&form.failover, "failover")?,
        evict: budget(&form.evict, "evict")?,
        late: budget(&form.late, "late")?,
        driver_repeat: budget(&form.driver_repeat, "driver_repeat")?,
        client_retry: budget(&form.client_retry, "client_retry")?,
        sql_abort: budget(&form.sql_abort, "sql_abort")?,
        commit_unknown: budget(&form.commit_unknown, "commit_unknown")?,
        clock_jump: budget(&form.clock_jump, "clock_jump")?,
        time_steps,
    })
}

/// Without a replica nothing takes the place of the node, so the fault would never come up.
fn failover_has_a_replica(own: &form::Faults, sampled: Option<&form::Faults>, replicas: u8) -> Result<(), Fault> {
    let allowed = [Some(own), sampled].into_iter().flatten().filter_map(|faults| faults.failover.as_ref());
    match { allowed }.find(|at| at.value > 0) {
        Some(at) if replicas == 0 => {
            let message = "`failover` never comes up as long as Redis has no replica that takes its place";
            Err(Fault::new(&code::CHECK, &at.span, message).help("add `replicas = 1`"))
        }
        _ => Ok(()),
    }
}

/// The expected verdicts and the pinned number of states.
fn expect(
    table: &Table<Node>,
    judged: &[String],
    model: &Declaration<'_>,
) -> Result<(Vec<Expectation>, Option<u64>), Fault> {
    let mut expectations = Vec::new();
    let mut states = None;
    for (name, node) in &table.0 {
        if name.value == STATES {
            let at = At::<i64>::deserialize(node.clone())?;
            states = Some(number(&at, STATES, 1, i64::MAX)?);
            continue;
        }
        names::find("property", name, &model.properties)?;
        if !judged.contains(&name.value) {
            let message = format!("a verdict is expected for `{}`, which the check does not judge", name.value);
            return Err(Fault::new(&code::CHECK, &name.span, message).help("add it to `properties`"));
        }
        expectations.push(Expectation { property: name.value.clone(), verdict: expected_verdict(node)? });
    }
    Ok((expectations, states))
}

/// A verdict as a word, or as a table with the length of the shortest counterexample.
fn expected_verdict(node: &Node) -> Result<ExpectedVerdict, Fault> {
    let form = match &node.kind {
        Kind::Text(_) => form::Expect { verdict: form::Verdict::deserialize(node.clone())?, labels: None, ops: None },
        _ => form::Expect::deserialize(node.clone())?,
    };
    let length = |at: &Option<At<i64>>, key| at.as_ref().map(|at| number(at, key, 1, COUNT_MAX)).transpose();
    let (labels, ops) = (length(&form.labels, "labels")?, length(&form.ops, "ops")?);
    match form.verdict {
        form::Verdict::Violated => Ok(ExpectedVerdict::Violated { labels, ops }),
        form::Verdict::Holds if labels.is_none() && ops.is_none() => Ok(ExpectedVerdict::Holds),
        form::Verdict::Holds => {
            Err(Fault::new(&code::CHECK, &node.span, "a property that holds has no counterexample to measure")
                .help("leave `labels` and `ops` out"))
        }
    }
}
