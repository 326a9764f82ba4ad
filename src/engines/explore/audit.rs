//! The proof of the memo on a whole space: every state is put together and expanded by the real system as well.

use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use super::Reductions;
use super::expand::expand;
use super::extract::Extractor;
use super::judge::bits;
use super::memo::Tree;
use crate::engines::reference::ExploreError;
use crate::system::property::{Property, Rule};
use crate::system::{Halves, Setting, System};

/// Explores without reduction, but with time relative to the present where its passing is not bounded. Compares each
/// list of steps, each state that follows, and each need to judge, with what the real system says about that state.
/// Returns the number of states.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
///
/// # Panics
/// When they differ, or when two states that differ share a fingerprint.
pub fn audit(setting: &Rc<Setting>) -> Result<usize, ExploreError> {
    let relative_time = setting.budgets.time_steps == u32::MAX;
    let reductions = Reductions { relative_time, ..Reductions::NONE };
    let (mut extractor, mut memo, initial) = Extractor::new(setting, reductions)?;
    let mut real = System::new(Rc::clone(setting), Halves::Fused, true)?;
    if relative_time {
        real.keep_time_relative();
    }
    let mut visited = HashSet::from([initial.clone()]);
    let mut fingerprints = HashSet::from([extractor.fingerprint(&initial)]);
    let mut frontier = VecDeque::from([initial]);
    while let Some(row) = frontier.pop_front() {
        let fingerprint = extractor.fingerprint(&row);
        let mut candidates = Vec::new();
        while let Err(unknown) = expand(&memo, &row, fingerprint, &mut candidates) {
            extractor.resolve(&mut memo, unknown, &row)?;
            candidates.clear();
        }
        let state = extractor.state(&row).clone();
        real.state_mut().clone_from(&state);
        let steps =
            candidates.iter().map(|candidate| extractor.transitions[candidate.transition as usize].step.clone());
        let steps = steps.collect::<Vec<_>>();
        assert_eq!(steps, real.enabled(), "the steps of {state:?}");
        for (candidate, step) in candidates.iter().zip(&steps) {
            let (next, judged) = if candidate.effect == Tree::WIDE {
                extractor.fire_wide(candidate.transition, &row)?
            } else {
                let effect = candidate.effect.as_leaf().expect("a candidate has an effect");
                let mut next = row.clone();
                memo.writes(effect).iter().for_each(|write| next[write.position as usize] = write.id);
                assert_eq!(candidate.fingerprint, extractor.fingerprint(&next), "the fingerprint after {step:?}");
                (next, memo.effects[effect as usize].judged)
            };
            real.state_mut().clone_from(&state);
            real.take_changes();
            real.fire(step)?;
            let changes = real.take_changes();
            let broken = real.judge_after(changes);
            let broken = broken.into_iter().map(|violation| violation.property).collect::<Vec<_>>();
            let is_goal = |property: &Property| matches!(property.rule, Rule::Reachable(_));
            let properties = setting.properties.iter().enumerate().filter(|(_, property)| !is_goal(property));
            let due = extractor.due(judged, &next);
            let mask = if due == 0 { 0 } else { extractor.broken(due, &next) };
            let found = properties.filter(|(number, _)| mask >> number & 1 != 0).map(|(_, property)| property.name);
            assert_eq!(found.collect::<Vec<_>>(), broken, "what is broken after {step:?}");
            assert_eq!(*extractor.state(&next), *real.state(), "what {step:?} leads to");
            assert_eq!(judged, bits(changes), "what {step:?} can break");
            if visited.insert(next.clone()) {
                assert!(fingerprints.insert(extractor.fingerprint(&next)), "two states share a fingerprint");
                frontier.push_back(next);
            }
        }
    }
    Ok(visited.len())
}
