//! Reads a schedule: any text gives a schedule or a diagnostic, never a panic.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use serde::Deserialize;
use smallvec::SmallVec;

use super::super::diagnostic::{Diagnostic, Source, code};
use super::super::given::Given;
use super::super::mishap::Clocks;
use super::super::pace::Pace;
use super::super::scenario::duration::MAX_NS;
use super::super::setting::REPLICAS_MAX;
use super::super::state::Budgets;
use super::super::{Halves, Service};
use super::{FORMAT, Line, Schedule, SettingText};
use crate::process::ParamValue;

/// More clients, or larger pools, than any schedule has: guards the replayer's memory against a damaged file.
const SIZE_MAX: u32 = 65_535;
/// More entries than any scenario has; a thousand waits of 292 years still fit 64 bits.
const GIVEN_MAX: usize = 1_000;
/// More seconds than any scenario has (292 years): sums of two such times still fit 64 bits.
const AT_MAX_US: u64 = MAX_NS / 1_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: toml::Spanned<i64>,
    tool: String,
    engine: String,
    seed: Option<String>,
    scenario: String,
    property: Option<String>,
    reason: Option<String>,
    model_hash: String,
    fingerprint: String,
    halves: HalvesText,
    setting: SettingFile,
    native: Option<toml::Spanned<String>>,
    native_hash: Option<String>,
    steps: Option<Vec<LineFile>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum HalvesText {
    Fused,
    Split,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a step as a table: { do = \"vu1: COMMIT\" }")]
struct LineFile {
    at: Option<toml::Spanned<u64>>,
    #[serde(rename = "do")]
    text: String,
    #[serde(default)]
    label: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SettingFile {
    model: String,
    journeys: toml::Spanned<Vec<String>>,
    rounds: Option<toml::Spanned<u32>>,
    service: toml::Spanned<ServiceFile>,
    #[serde(default)]
    jobs: BTreeMap<String, u32>,
    #[serde(default)]
    given: Vec<toml::Spanned<String>>,
    #[serde(default)]
    replicas: Option<toml::Spanned<u8>>,
    #[serde(default)]
    clocks: Clocks,
    #[serde(default)]
    pace: Pace,
    #[serde(default)]
    properties: Vec<String>,
    #[serde(default)]
    budgets: Budgets,
    params: BTreeMap<String, [i64; 2]>,
    #[serde(default)]
    draws: BTreeMap<String, Vec<Vec<i64>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ServiceFile {
    instances: u32,
    workers: u32,
    connections: u32,
}

/// Only the version, which decides how the rest is read.
#[derive(Deserialize)]
struct Version {
    format: toml::Spanned<i64>,
}

/// Reads the text of a schedule; `path` is named in messages.
///
/// # Errors
/// With line and column: damaged or truncated text, a foreign format version, impossible sizes.
pub fn parse(path: &Path, text: &str) -> Result<Schedule, Diagnostic> {
    let file = path.display().to_string();
    let source = Source { file: &file, text };
    let damaged = |error: toml::de::Error| {
        let span = error.span().unwrap_or(text.len()..text.len());
        let what = error.message().lines().next().unwrap_or_default().to_owned();
        Diagnostic::error(&code::SCHEDULE_DAMAGED, format!("this is no complete schedule: {what}"))
            .at(source, span)
            .help("was the file copied or written completely? `git diff` shows what changed")
    };
    let version = toml::from_str::<Version>(text).map_err(damaged)?;
    if *version.format.as_ref() != FORMAT {
        let message =
            format!("the schedule has format {}, this program reads format {FORMAT}", version.format.as_ref());
        return Err(Diagnostic::error(&code::SCHEDULE_FORMAT, message)
            .at(source, version.format.span())
            .help("replay it with the version of seatproof that wrote it (see `tool`), or find it anew"));
    }
    let mut parsed = toml::from_str::<File>(text).map_err(damaged)?;
    let wrong = |what: &str, span: Range<usize>| {
        Diagnostic::error(&code::SCHEDULE_DAMAGED, format!("no schedule can be so: {what}"))
            .at(source, span)
            .help("was the file edited? `git diff` shows what changed")
    };
    let seed = parsed.seed.as_deref().map(str::parse).transpose();
    let seed = seed.map_err(|_| wrong("`seed` is no whole number", parsed.format.span()))?;
    let service = parsed.setting.service.as_ref();
    let sizes = [service.instances, service.workers, service.connections];
    if sizes.iter().any(|size| !(1..=SIZE_MAX).contains(size)) {
        let message = "a service has 1 to 65,535 instances, workers and connections";
        return Err(wrong(message, parsed.setting.service.span()));
    }
    let journeys = &parsed.setting.journeys;
    if !(1..SIZE_MAX as usize).contains(&journeys.as_ref().len()) {
        return Err(wrong("there are 1 to 65,534 clients, each with a journey", journeys.span()));
    }
    if let Some(none) = parsed.setting.rounds.as_ref().filter(|rounds| *rounds.as_ref() == 0) {
        return Err(wrong("a client has at least one round", none.span()));
    }
    if let Some(many) = parsed.setting.replicas.as_ref().filter(|replicas| *replicas.as_ref() > REPLICAS_MAX) {
        return Err(wrong(&format!("a node has at most {REPLICAS_MAX} replicas"), many.span()));
    }
    if parsed.native.is_some() == parsed.steps.is_some() {
        return Err(wrong("it has either `steps` or `native`", parsed.format.span()));
    }
    let mut times = parsed.steps.iter().flatten().filter_map(|line| line.at.as_ref());
    if let Some(late) = times.find(|at| *at.as_ref() > AT_MAX_US) {
        return Err(wrong("a time is later than 292 years", late.span()));
    }
    if let Some(last) = parsed.setting.given.get(GIVEN_MAX) {
        return Err(wrong("more is given than any schedule has", last.span()));
    }
    let mut given = Vec::new();
    for entry in &parsed.setting.given {
        let read = Given::parse(entry.as_ref());
        given.push(read.map_err(|reason| wrong(&format!("`given`: {reason}"), entry.span()))?);
    }
    let (native, hash) = (parsed.native.as_ref().map(toml::Spanned::span), parsed.native_hash.take());
    let schedule = schedule(parsed, seed, given);
    match native {
        Some(native) if hash != Some(schedule.native_hash()) => {
            Err(wrong("`native` and the setting are not as they were written", native))
        }
        _ => Ok(schedule),
    }
}

fn schedule(file: File, seed: Option<u64>, given: Vec<Given>) -> Schedule {
    let setting = file.setting;
    let service = setting.service.into_inner();
    let draws = |values: Vec<Vec<i64>>| values.into_iter().map(SmallVec::from_vec).collect();
    Schedule {
        tool: file.tool,
        engine: file.engine,
        seed,
        scenario: file.scenario,
        violation: file.property.map(|property| (property, file.reason.unwrap_or_default())),
        model_hash: file.model_hash,
        fingerprint: file.fingerprint,
        halves: match file.halves {
            HalvesText::Fused => Halves::Fused,
            HalvesText::Split => Halves::Split,
        },
        setting: SettingText {
            model: setting.model,
            params: setting.params.into_iter().map(|(name, [low, high])| (name, ParamValue { low, high })).collect(),
            service: Service {
                instances: service.instances,
                workers: service.workers,
                connections: service.connections,
            },
            journeys: setting.journeys.into_inner(),
            rounds: setting.rounds.map(toml::Spanned::into_inner),
            jobs: setting.jobs,
            given,
            replicas: setting.replicas.map_or(0, toml::Spanned::into_inner),
            clocks: setting.clocks,
            pace: setting.pace,
            properties: setting.properties,
            budgets: setting.budgets,
            draws: setting.draws.into_iter().map(|(name, values)| (name, draws(values))).collect(),
        },
        native: file.native.map(toml::Spanned::into_inner),
        steps: file.steps.into_iter().flatten().map(line).collect(),
    }
}

fn line(file: LineFile) -> Line {
    Line { at_us: file.at.map(toml::Spanned::into_inner), text: file.text, label: file.label }
}
