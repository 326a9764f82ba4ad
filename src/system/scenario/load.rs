//! The load test: k6's `ramping-vus`, checked with k6's words where k6 checks the same.

use super::fault::Fault;
use super::tree::{At, Kind, Node};
use super::values::{BareNumber, LONGEST_NS, duration_ns, number};
use super::{Declaration, Load, Stage, StatusRange, form, names};
use crate::system::diagnostic::code;

/// Most virtual users. k6's own limit is 100 million; a virtual user costs memory here as there.
const VUS_MAX: i64 = 100_000;
/// Most virtual users that the stages may start and stop together: the plan of the load has one step for each.
const STEPS_MAX: u64 = 10_000_000;
/// k6's default for both graceful periods.
pub(super) const GRACEFUL_NS: u64 = 30_000_000_000;

/// Builds the load of a scenario file.
pub(super) fn build(form: &form::Load, model: &Declaration<'_>) -> Result<Load, Fault> {
    executor(&form.executor)?;
    let bare = BareNumber::Refused;
    let start_vus = start_vus(form.start_vus.as_ref())?;
    Ok(Load {
        journey: names::find("journey", &form.journey, &model.journeys)?,
        start_vus,
        stages: stages(&form.stages, start_vus, bare)?,
        graceful_ramp_down_ns: graceful(form.graceful_ramp_down.as_ref(), bare)?,
        graceful_stop_ns: graceful(form.graceful_stop.as_ref(), bare)?,
        jobs: match &form.jobs {
            Some(list) => list.value.iter().map(|at| names::find("job", at, &model.jobs)).collect::<Result<_, _>>()?,
            None => Vec::new(),
        },
        expected_statuses: match &form.expected_statuses {
            Some(list) => list.value.iter().map(status_range).collect::<Result<_, _>>()?,
            None => default_statuses(),
        },
        measured_seed: form.measured_seed.as_ref().map(|at| number(at, "measured_seed", 0, i64::MAX)).transpose()?,
    })
}

/// The only executor there is.
pub(super) fn executor(at: &At<String>) -> Result<(), Fault> {
    if at.value == "ramping-vus" {
        return Ok(());
    }
    Err(Fault::new(&code::EXECUTOR, &at.span, format!("the executor `{}` cannot be simulated", at.value))
        .help("only `ramping-vus` can; a constant load is one stage whose target equals startVUs"))
}

/// k6's `startVUs`; 1 when absent, as in k6.
pub(super) fn start_vus(at: Option<&At<i64>>) -> Result<u32, Fault> {
    let Some(at) = at else { return Ok(1) };
    let words = match at.value {
        ..0 => "the number of start VUs can't be negative".to_owned(),
        0..=VUS_MAX => return number(at, "startVUs", 0, VUS_MAX),
        _ => format!("the startVUs exceed max limit of {VUS_MAX}"),
    };
    Err(Fault::new(&code::LOAD, &at.span, words))
}

/// A graceful period in nanoseconds; 30 s when absent, as in k6.
pub(super) fn graceful(node: Option<&Node>, bare: BareNumber) -> Result<u64, Fault> {
    node.map_or(Ok(GRACEFUL_NS), |node| duration_ns(node, bare))
}

/// k6's `stages`.
pub(super) fn stages(list: &At<Vec<At<form::Stage>>>, start_vus: u32, bare: BareNumber) -> Result<Vec<Stage>, Fault> {
    let impossible = |words: &str| Fault::new(&code::LOAD, &list.span, words);
    if list.value.is_empty() {
        return Err(
            impossible("at least one stage has to be specified").help("add `{ duration = \"20s\", target = 30 }`")
        );
    }
    let build = |(index, at)| stage(at, index + 1, bare);
    let stages = list.value.iter().enumerate().map(build).collect::<Result<Vec<_>, _>>()?;
    if start_vus == 0 && stages.iter().all(|stage| stage.target == 0) {
        let words = "either startVUs or one of the stages' target values must be greater than 0";
        return Err(impossible(words));
    }
    let froms = std::iter::once(start_vus).chain(stages.iter().map(|stage| stage.target));
    let steps: u64 = froms.zip(&stages).map(|(from, stage)| u64::from(from.abs_diff(stage.target))).sum();
    if steps > STEPS_MAX {
        let words = format!("the stages start and stop {steps} virtual users, more than {STEPS_MAX}");
        return Err(impossible(&words).help("ramp less often or less high"));
    }
    let total_ns = stages.iter().fold(0_u64, |sum, stage| sum.saturating_add(stage.duration_ns));
    match total_ns {
        0 => Err(impossible("the stages last no time in total").help("give at least one stage a duration above 0s")),
        1..=LONGEST_NS => Ok(stages),
        _ => Err(impossible("the stages last longer than 30 days in total")),
    }
}

/// The stage with this number, from 1.
fn stage(at: &At<form::Stage>, number_of_stage: usize, bare: BareNumber) -> Result<Stage, Fault> {
    let refuse = |span, words| Fault::new(&code::LOAD, span, words);
    let form::Stage { duration, target } = &at.value;
    let Some(duration) = duration else {
        return Err(refuse(&at.span, format!("stage {number_of_stage} doesn't have a duration"))
            .help("add for example `duration = \"20s\"`"));
    };
    let Some(target) = target else {
        return Err(refuse(&at.span, format!("stage {number_of_stage} doesn't have a target"))
            .help("add for example `target = 30`"));
    };
    let words = match target.value {
        ..0 => format!("the target for stage {number_of_stage} can't be negative"),
        0..=VUS_MAX => {
            let target = number(target, "target", 0, VUS_MAX)?;
            return Ok(Stage { duration_ns: stage_duration(duration, number_of_stage, bare)?, target });
        }
        _ => format!("target for stage {number_of_stage} exceeds max limit of {VUS_MAX}"),
    };
    Err(refuse(&target.span, words))
}

/// The duration of a stage in nanoseconds.
fn stage_duration(node: &Node, number_of_stage: usize, bare: BareNumber) -> Result<u64, Fault> {
    let negative = match &node.kind {
        Kind::Text(text) => text.starts_with('-'),
        Kind::Integer(value) => *value < 0,
        Kind::Float(value) => *value < 0.0,
        _ => false,
    };
    if negative {
        let words = format!("the duration for stage {number_of_stage} can't be negative");
        return Err(Fault::new(&code::LOAD, &node.span, words));
    }
    duration_ns(node, bare)
}

/// k6's default: everything but client and server errors.
pub(super) fn default_statuses() -> Vec<StatusRange> {
    vec![StatusRange { low: 200, high: 399 }]
}

/// A status or a range of statuses.
fn status_range(node: &Node) -> Result<StatusRange, Fault> {
    let (low, high) = match &node.kind {
        Kind::Integer(status) => (u16::try_from(*status).ok(), u16::try_from(*status).ok()),
        Kind::Text(text) => {
            let (low, high) = text.split_once('-').unwrap_or((text, text));
            (low.trim().parse().ok(), high.trim().parse().ok())
        }
        _ => (None, None),
    };
    match (low, high) {
        (Some(low @ 100..=599), Some(high @ 100..=599)) if low <= high => Ok(StatusRange { low, high }),
        _ => {
            Err(Fault::new(&code::STATUSES, &node.span, "expected an HTTP status from 100 to 599, or a range of them")
                .help("write for example `[\"200-399\", 409, 423]`"))
        }
    }
}
