//! The last phase: what is left is small, so the explorer can say what is shortest, and whether less would do.

use std::rc::Rc;

use super::reduce::{fewer_seats, setting_without};
use super::trial::{Broken, Trials};
use crate::engines::reference::{ExploreError, explore};
use crate::engines::verdict::Verdict;
use crate::system::{ModelError, Setting};

/// The shortest way to break the property in this setting or in a smaller one, and true when the explorer says that it
/// is the shortest; the same case and false when the spaces have more than `max_states`.
pub(super) fn shortest(
    trials: &mut Trials<'_>,
    mut best: Broken,
    max_states: usize,
) -> Result<(Broken, bool), ModelError> {
    let mut is_shortest = false;
    if let Some(shorter) = first_broken(trials, &[best.case.setting.clone()], &best, max_states)? {
        (best, is_shortest) = (shorter, true);
    }
    // Also when that space was too large: one with a contender less may not be.
    while let Some(smaller) = first_broken(trials, &smaller_settings(&best.case.setting), &best, max_states)? {
        (best, is_shortest) = (smaller, true);
    }
    Ok((best, is_shortest))
}

/// The settings with one contender, seat, round or fault less, in this order.
fn smaller_settings(setting: &Setting) -> Vec<Setting> {
    let journeys = &setting.journeys;
    // Clients of one journey do the same, so the first of them stands for all.
    let firsts = (0..journeys.len()).filter(|index| !journeys[..*index].contains(&journeys[*index]));
    let firsts = firsts.filter(|_| journeys.len() > 1);
    let mut smaller = firsts.map(|index| setting_without(setting, index..index + 1)).collect::<Vec<_>>();
    smaller.extend(fewer_seats(setting));
    let rounds = setting.rounds.and_then(|rounds| rounds.checked_sub(1)).filter(|rounds| *rounds > 0);
    smaller.extend(rounds.map(|rounds| Setting { rounds: Some(rounds), ..setting.clone() }));
    for (name, _) in setting.budgets.faults() {
        let mut fewer = setting.clone();
        *fewer.budgets.get_mut(name) -= 1;
        smaller.push(fewer);
    }
    smaller
}

/// The shortest way in the first of these settings in which the explorer finds one.
fn first_broken(
    trials: &mut Trials<'_>,
    settings: &[Setting],
    like: &Broken,
    max_states: usize,
) -> Result<Option<Broken>, ModelError> {
    for setting in settings {
        if trials.is_over() {
            return Ok(None);
        }
        let mut explored = setting.clone();
        explored.properties.retain(|it| it.name == trials.property);
        // So that the way that is known is one of those explored.
        explored.draws.extend(like.draws.clone());
        let max_states = usize::try_from(trials.max_steps - trials.fired).map_or(max_states, |it| it.min(max_states));
        let exploration = match explore(&Rc::new(explored), max_states, trials.stop) {
            Ok(exploration) => exploration,
            // With fewer seats no representative may be left, and what is given may be impossible.
            Err(ExploreError::Draw(_) | ExploreError::Model(ModelError::Given(_))) => continue,
            Err(ExploreError::Model(error)) => return Err(error),
        };
        trials.fired += exploration.transitions as u64;
        if let Some((_, Verdict::Violated(found))) = exploration.verdicts.first()
            && let Some(mut broken) = trials.record(setting, &found.steps)?
        {
            broken.case.setting = broken.case.tightened().setting;
            return Ok(Some(broken));
        }
    }
    Ok(None)
}
