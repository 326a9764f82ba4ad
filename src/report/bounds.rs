//! The bounds of an exploration in words: all that a `holds` is conditional on.

use crate::process::ParamValue;
use crate::system::Setting;
use crate::system::model::{Param, ParamKind};
use crate::system::scenario::duration::print_ns;

/// Who takes part, with what, what may go wrong, and how time passes.
pub(super) fn bounds(setting: &Setting) -> String {
    let mut parts = vec![clients(setting)];
    parts.push(
        setting.rounds.map_or_else(|| "rounds without end".to_owned(), |rounds| format!("{rounds} round(s) each")),
    );
    let declared = |name: &str| setting.model.params.iter().find(|param| param.name == name);
    parts.extend(setting.params.iter().filter_map(|(name, value)| parameter(declared(name)?, value)));
    parts.extend(service(setting));
    let jobs = setting.model.jobs.iter().zip(&setting.jobs).filter(|(_, runs)| **runs > 0);
    parts.extend(jobs.map(|(job, runs)| format!("job {} at most {runs} time(s)", job.name)));
    if !setting.given.is_empty() {
        let given = setting.given.iter().map(ToString::to_string).collect::<Vec<_>>();
        parts.push(format!("given: {}", given.join(", ")));
    }
    match setting.replicas {
        0 => {}
        1 => parts.push("Redis has 1 replica".to_owned()),
        replicas => parts.push(format!("Redis has {replicas} replicas")),
    }
    let faults = setting.budgets.faults();
    let faults = faults.map(|(name, budget)| format!("{name} at most {budget}")).collect::<Vec<_>>();
    parts.push(if faults.is_empty() { "no faults".to_owned() } else { faults.join(", ") });
    parts.push(match setting.budgets.time_steps {
        0 => "time stands still (nothing is paused for as long as a deadline)".to_owned(),
        u32::MAX => "time passes freely".to_owned(),
        steps => format!("time passes at most {steps} deadline(s)"),
    });
    parts.extend(slowness(setting));
    parts.extend(clocks(setting));
    parts.join("; ")
}

fn clients(setting: &Setting) -> String {
    let mut journeys: Vec<(u16, usize)> = Vec::new();
    for journey in &setting.journeys {
        match journeys.last_mut() {
            Some((last, count)) if last == journey => *count += 1,
            _ => journeys.push((*journey, 1)),
        }
    }
    let clients = journeys.iter().map(|(journey, count)| {
        let plural = if *count == 1 { "client" } else { "clients" };
        format!("{count} {plural} {}", setting.model.journeys[usize::from(*journey)].name)
    });
    clients.collect::<Vec<_>>().join(" and ")
}

/// A parameter with its value, unless it can have no other.
fn parameter(param: &Param, ParamValue { low, high }: ParamValue) -> Option<String> {
    let written = |value: i64| match param.kind {
        ParamKind::Count { .. } | ParamKind::CountRange { .. } => value.to_string(),
        ParamKind::Duration | ParamKind::Ttl | ParamKind::DurationRange => duration(value.cast_unsigned()),
    };
    let value = if low == high { written(low) } else { format!("{} to {}", written(low), written(high)) };
    let is_free = !matches!(param.kind, ParamKind::Count { min, max } if min == max);
    is_free.then(|| format!("{} {value}", param.name))
}

/// The bounded resources of a service, where requests are handled by one.
fn service(setting: &Setting) -> Option<String> {
    let service = &setting.service;
    let instances = if service.instances == 1 { "instance" } else { "instances" };
    (!setting.model.handlers.is_empty()).then(|| {
        format!(
            "{} {instances} with {} worker(s) and {} connection(s)",
            service.instances, service.workers, service.connections
        )
    })
}

/// How slow anything may be, where that is bounded.
fn slowness(setting: &Setting) -> impl Iterator<Item = String> {
    let delay = setting.pace.max_delay_us.map(|us| format!("nothing is under way for longer than {}", duration(us)));
    let pause = setting.pace.max_pause_us.map(|us| format!("nothing is paused for longer than {}", duration(us)));
    delay.into_iter().chain(pause)
}

/// The clocks that are ahead of the others.
fn clocks(setting: &Setting) -> impl Iterator<Item = String> {
    let of = |kind: &'static str, first: usize, clocks: &'_ [u64]| {
        let ahead = clocks.iter().enumerate().filter(|(_, ahead_us)| **ahead_us > 0);
        let ahead = ahead.map(|(at, us)| format!("the clock of {kind} {} is {} ahead", at + first, duration(*us)));
        ahead.collect::<Vec<_>>()
    };
    // Clients are numbered from 1, instances from 0, as everywhere.
    let (clients, instances) = (&setting.clocks.clients, &setting.clocks.instances);
    of("client", 1, clients).into_iter().chain(of("instance", 0, instances))
}

fn duration(us: u64) -> String {
    print_ns(us.saturating_mul(1_000))
}
