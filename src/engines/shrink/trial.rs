//! Tries a candidate: follows its moves as far as they go, and says whether the property breaks.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::moves::{Move, Tracker, possible};
use crate::process::Drawn;
use crate::system::state::Budgets;
use crate::system::{Halves, ModelError, Setting, Step, System};

/// A setting and what happens in it.
#[derive(Clone, Debug)]
pub(super) struct Case {
    pub(super) setting: Setting,
    pub(super) moves: Vec<Move>,
}

/// A case that breaks the property with its last move, and none of whose moves was impossible.
#[derive(Clone, Debug)]
pub(super) struct Broken {
    pub(super) case: Case,
    /// The moves as an engine would name them.
    pub(super) steps: Vec<Step>,
    /// How the last state breaks the property.
    pub(super) reason: String,
    /// What each draw gave that exploration would not try by itself, among the values that it would.
    pub(super) draws: BTreeMap<String, Vec<Drawn>>,
}

/// Counts what trials cost, and ends them when the budget is spent.
#[derive(Debug)]
pub(super) struct Trials<'a> {
    pub(super) property: &'static str,
    pub(super) stop: &'a AtomicBool,
    /// Steps that may be fired in all.
    pub(super) max_steps: u64,
    pub(super) fired: u64,
    pub(super) replays: u64,
}

impl<'a> Trials<'a> {
    pub(super) fn new(property: &'static str, max_steps: u64, stop: &'a AtomicBool) -> Self {
        Self { property, stop, max_steps, fired: 0, replays: 0 }
    }

    /// True when nothing more may be tried.
    pub(super) fn is_over(&self) -> bool {
        self.fired >= self.max_steps || self.is_stopped()
    }

    /// True when somebody asked to stop.
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Follows the moves of the case, leaving out those that are impossible where they stand, up to the first state
    /// that breaks the property; `None` when none does, or when nothing more may be tried.
    pub(super) fn run(&mut self, case: &Case) -> Result<Option<Broken>, ModelError> {
        if self.is_over() {
            return Ok(None);
        }
        self.follow(&case.setting, &case.moves, |tracker, it| tracker.concrete(it))
    }

    /// The same for steps with the names that one execution gives them, whatever is left of the budget.
    pub(super) fn record(&mut self, setting: &Setting, steps: &[Step]) -> Result<Option<Broken>, ModelError> {
        self.follow(setting, steps, |_, step| Some(step.clone()))
    }

    /// Follows what `step_of` makes of each item. An execution of hours takes seconds, so that it can be stopped.
    fn follow<T>(
        &mut self,
        setting: &Setting,
        items: &[T],
        step_of: fn(&Tracker, &T) -> Option<Step>,
    ) -> Result<Option<Broken>, ModelError> {
        self.replays += 1;
        let Some(mut execution) = Execution::new(setting, self.property)? else { return Ok(None) };
        let mut broken = execution.judge();
        for item in items {
            if broken.is_some() {
                break;
            }
            if self.is_stopped() {
                return Ok(None);
            }
            let Some(step) = step_of(&execution.tracker, item) else { continue };
            self.fired += u64::from(execution.fire(&step)?);
            broken = execution.judge();
        }
        Ok(broken.map(|reason| execution.finish(setting, reason)))
    }
}

/// An execution that skips what is impossible.
#[derive(Debug)]
struct Execution {
    system: System,
    tracker: Tracker,
    property: &'static str,
    moves: Vec<Move>,
    steps: Vec<Step>,
    draws: BTreeMap<String, Vec<Drawn>>,
}

impl Execution {
    /// None when what is given cannot have happened in a setting so small.
    fn new(setting: &Setting, property: &'static str) -> Result<Option<Self>, ModelError> {
        let mut setting = setting.clone();
        setting.properties.retain(|it| it.name == property);
        // Nothing is forked or fingerprinted here.
        let system = match System::new(Rc::new(setting), Halves::Fused, false) {
            Ok(system) => system,
            Err(ModelError::Given(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut tracker = Tracker::default();
        tracker.follow(&system);
        Ok(Some(Self { system, tracker, property, moves: Vec::new(), steps: Vec::new(), draws: BTreeMap::new() }))
    }

    /// Fires the step, or the nearest possible one; false when there is none.
    fn fire(&mut self, step: &Step) -> Result<bool, ModelError> {
        let Some(step) = possible(&self.system, step) else { return Ok(false) };
        self.note_draw(&step);
        self.moves.push(self.tracker.generalised(&step));
        self.system.fire(&step)?;
        self.steps.push(step);
        self.tracker.follow(&self.system);
        Ok(true)
    }

    /// How the state breaks the property.
    fn judge(&mut self) -> Option<String> {
        let found = self.system.judge().into_iter().find(|violation| violation.property == self.property);
        found.map(|violation| violation.reason)
    }

    /// Notes a drawn value that is no representative, together with those that are.
    fn note_draw(&mut self, step: &Step) {
        let Step::Draw(process, drawn) = step else { return };
        let Some(draw) = self.system.draw_of(*process) else { return };
        let mut own = Vec::new();
        self.system.enabled_of(*process, &mut own);
        if own.contains(step) {
            return;
        }
        let explored = own.into_iter().filter_map(|it| match it {
            Step::Draw(_, value) => Some(value),
            _ => None,
        });
        let known = self.draws.entry(draw.name.to_owned()).or_default();
        for value in explored.chain([drawn.clone()]) {
            if !known.contains(&value) {
                known.push(value);
            }
        }
    }

    fn finish(self, setting: &Setting, reason: String) -> Broken {
        let Self { moves, steps, draws, .. } = self;
        Broken { case: Case { setting: setting.clone(), moves }, steps, reason, draws }
    }
}

impl Case {
    /// The rounds and budgets that the moves use, instead of those that they were allowed.
    pub(super) fn tightened(&self) -> Self {
        let mut tight = self.clone();
        let used = self.moves.iter().map(|it| it.round).max().unwrap_or(1).max(1);
        tight.setting.rounds = Some(self.setting.rounds.map_or(used, |rounds| rounds.min(used)));
        let mut budgets = Budgets::default();
        for it in &self.moves {
            if let Some(budget) = it.step.budget() {
                *budgets.get_mut(budget) += 1;
            }
        }
        tight.setting.budgets = budgets;
        tight
    }
}
