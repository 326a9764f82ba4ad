//! Leaves parts out, as long as the property still breaks: contenders, rounds, seats, faults, single steps.
//!
//! The method is delta debugging (Zeller and Hildebrandt 2002, "Simplifying and isolating failure-inducing input"):
//! large parts first, then smaller ones, until no single part can go.

use std::ops::Range;

use super::moves::Move;
use super::trial::{Broken, Case, Trials};
use crate::process::{ParamValue, Params};
use crate::system::model::ParamKind;
use crate::system::{ModelError, Setting};

/// Leaves out all that can go, until no single part can.
pub(super) fn reduce(trials: &mut Trials<'_>, mut best: Broken) -> Result<Broken, ModelError> {
    loop {
        let before = weight(&best.case);
        // One contender stays: a property that breaks without any says nothing about those who take part.
        best = leave_out(trials, best, 1, |case| case.setting.journeys.len(), without_contenders)?;
        best = leave_out(trials, best, 0, |case| rounds_of(case).len(), without_rounds)?;
        best = lower_seats(trials, best)?;
        best = leave_out(trials, best, 0, |case| positions(case, Move::is_fault).len(), without_faults)?;
        best = leave_out(trials, best, 0, |case| case.moves.len(), without_moves)?;
        let tight = best.case.tightened();
        best = trials.run(&tight)?.unwrap_or(best);
        if weight(&best.case) == before || trials.is_over() {
            return Ok(best);
        }
    }
}

/// What every round of the loop above makes smaller, or leaves.
fn weight(case: &Case) -> (usize, i64, Option<u32>, usize) {
    let seats = case.setting.params.iter().map(|(_, value)| value.low.saturating_add(value.high));
    (case.setting.journeys.len(), seats.fold(0, i64::saturating_add), case.setting.rounds, case.moves.len())
}

/// Tries without half of the parts, then without a quarter, and so on down to single ones, which are tried until none
/// of them can go. At least so many stay.
fn leave_out(
    trials: &mut Trials<'_>,
    mut best: Broken,
    least: usize,
    count: fn(&Case) -> usize,
    without: fn(&Case, Range<usize>) -> Case,
) -> Result<Broken, ModelError> {
    let mut size = (count(&best.case) / 2).max(1);
    loop {
        let before = count(&best.case);
        let mut from = 0;
        while from < count(&best.case) {
            let to = count(&best.case).min(from + size);
            let may_go = count(&best.case) - (to - from) >= least;
            match may_go.then(|| trials.run(&without(&best.case, from..to))).transpose()?.flatten() {
                Some(smaller) => best = smaller,
                None => from = to,
            }
        }
        let is_stable = count(&best.case) == before;
        if trials.is_over() || (size == 1 && is_stable) {
            return Ok(best);
        }
        size = (size / 2).max(1);
    }
}

/// Without these clients; those that stay are numbered anew.
fn without_contenders(case: &Case, gone: Range<usize>) -> Case {
    let index = |client: u16| usize::from(client).checked_sub(1);
    let moves = case.moves.iter().filter_map(|it| {
        let Some(client) = it.client() else { return Some(it.clone()) };
        let index = index(client).filter(|index| !gone.contains(index))?;
        let before = gone.clone().filter(|other| *other < index).count();
        Some(it.renamed(client - u16::try_from(before).expect("there are at most 65,535 clients")))
    });
    Case { moves: moves.collect(), setting: setting_without(&case.setting, gone.clone()) }
}

/// The setting without these clients, which are not all.
pub(super) fn setting_without(setting: &Setting, gone: Range<usize>) -> Setting {
    let mut smaller = setting.clone();
    smaller.journeys.drain(gone);
    smaller
}

/// Each client's rounds of which there is a move, in order.
fn rounds_of(case: &Case) -> Vec<(u16, u32)> {
    let mut rounds = case.moves.iter().filter_map(|it| Some((it.client()?, it.round))).collect::<Vec<_>>();
    rounds.sort_unstable();
    rounds.dedup();
    rounds
}

/// Without these rounds; a client's later ones move up.
fn without_rounds(case: &Case, gone: Range<usize>) -> Case {
    let gone = &rounds_of(case)[gone];
    let moves = case.moves.iter().filter_map(|it| {
        let Some(client) = it.client() else { return Some(it.clone()) };
        if gone.contains(&(client, it.round)) {
            return None;
        }
        let before = gone.iter().filter(|(of, round)| *of == client && *round < it.round).count();
        let round = it.round - u32::try_from(before).expect("a client counts its rounds in 32 bits");
        Some(Move { round, ..it.clone() })
    });
    Case { moves: moves.collect(), setting: case.setting.clone() }
}

fn positions(case: &Case, is_meant: fn(&Move) -> bool) -> Vec<usize> {
    case.moves.iter().enumerate().filter(|(_, it)| is_meant(it)).map(|(index, _)| index).collect()
}

fn without_faults(case: &Case, gone: Range<usize>) -> Case {
    let gone = &positions(case, Move::is_fault)[gone];
    let moves = case.moves.iter().enumerate().filter(|(index, _)| !gone.contains(index));
    Case { moves: moves.map(|(_, it)| it.clone()).collect(), setting: case.setting.clone() }
}

fn without_moves(case: &Case, gone: Range<usize>) -> Case {
    let mut smaller = case.clone();
    smaller.moves.drain(gone);
    smaller
}

fn lower_seats(trials: &mut Trials<'_>, mut best: Broken) -> Result<Broken, ModelError> {
    loop {
        let mut lowered = None;
        for setting in fewer_seats(&best.case.setting) {
            lowered = trials.run(&Case { setting, moves: best.case.moves.clone() })?;
            if lowered.is_some() {
                break;
            }
        }
        match lowered {
            Some(smaller) => best = smaller,
            None => return Ok(best),
        }
    }
}

/// The same setting with fewer seats, fewest first: parameters that count seats (`seats`, `seats_per_request`, ...) at
/// lower values. The others say how the service works; to change them would be to speak of another service.
pub(super) fn fewer_seats(setting: &Setting) -> Vec<Setting> {
    let mut settings = Vec::new();
    for declared in setting.model.params.iter().filter(|param| param.name.starts_with("seats")) {
        let (ParamKind::Count { min, .. } | ParamKind::CountRange { min, .. }) = declared.kind else { continue };
        let is_range = matches!(declared.kind, ParamKind::CountRange { .. });
        let ParamValue { low, high } = setting.params.range(declared.name);
        let mut values = [min, min + 1, min + 2, high / 2, high - 1]
            .into_iter()
            .filter(|value| *value >= min && *value < high)
            .map(|value| ParamValue { low: low.min(value), high: value })
            .collect::<Vec<_>>();
        // A range can also shrink from below, to its least value.
        values.extend((is_range && low > min).then_some(ParamValue { low: min, high }));
        settings.extend(values.into_iter().filter_map(|value| with_param(setting, declared.name, value)));
    }
    settings
}

/// The setting with another value; `None` if a request could then ask for more seats than there are, and could not
/// before.
fn with_param(setting: &Setting, name: &str, value: ParamValue) -> Option<Setting> {
    let params = setting.params.iter().map(|(known, old)| (known, if known == name { value } else { old }));
    let params = Params::new(params.collect::<Vec<_>>());
    let most_asked = |params: &Params| {
        let of_requests = params.iter().filter(|(name, _)| name.starts_with("seats_"));
        of_requests.map(|(_, value)| value.high).max().unwrap_or(0)
    };
    let seats = |params: &Params| params.iter().find(|(name, _)| *name == "seats").map(|(_, value)| value.low);
    let has_enough = |params: &Params| seats(params).is_none_or(|seats| most_asked(params) <= seats);
    (has_enough(&params) || !has_enough(&setting.params)).then(|| Setting { params, ..setting.clone() })
}
