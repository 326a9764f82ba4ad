//! Depth first over every choice, as a scheduler of shuttle's. An execution ends at a state that an earlier one has
//! been in: what can follow from there has been, or will be, followed.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::director::{Choose, Director};
use super::stage::Stage;
use super::threads::{Thread, Threads};
use crate::engines::reference::{ExploreError, abstracted};
use crate::engines::verdict::{Bound, Counterexample, Coverage, Exploration, Verdict};
use crate::system::fingerprint::Fingerprint;
use crate::system::{Halves, Setting, Step, System, Unexplorable};

/// Explores every order of events, fault and choice that the setting allows. The counterexamples are the first met,
/// not the shortest.
///
/// # Errors
/// [`ExploreError`]: a wrong model, or a draw without representatives.
pub fn explore(setting: &Setting, max_states: usize, stop: &Arc<AtomicBool>) -> Result<Exploration, ExploreError> {
    // A process is a function of its history, so two states are one only if the histories are.
    let template = System::unbegun(Rc::new(setting.clone()), Halves::Fused, true)?;
    let threads = Threads::of(&template);
    Stage::set(template, usize::MAX, false);
    let search = Rc::new(RefCell::new(Search::new(setting)));
    let dfs = Dfs {
        search: Rc::clone(&search),
        threads,
        max_states,
        stop: Arc::clone(stop),
        path: Vec::new(),
        depth: 0,
        has_begun: false,
        is_cut: false,
    };
    super::run(Director::new(dfs), threads.count());
    let error = Stage::with(|stage| stage.error.take());
    Stage::clear();
    if let Some(error) = error {
        return Err(error.into());
    }
    search.take().finish(setting)
}

/// What was found so far.
#[derive(Default)]
struct Search {
    /// Look-up only; its order decides nothing.
    visited: HashSet<Fingerprint>,
    found: Vec<(&'static str, Option<Counterexample>)>,
    transitions: usize,
    depth: usize,
    final_states: BTreeSet<Fingerprint>,
    abstracted: BTreeSet<&'static str>,
    coverage: Coverage,
    bound: Option<Bound>,
    unexplorable: Option<Box<Unexplorable>>,
}

impl Search {
    fn new(setting: &Setting) -> Self {
        let found = setting.properties.iter().map(|property| (property.name, None)).collect();
        Self { found, ..Self::default() }
    }

    fn finish(self, setting: &Setting) -> Result<Exploration, ExploreError> {
        if let Some(draw) = self.unexplorable {
            return Err(ExploreError::Draw(draw));
        }
        let otherwise = self.bound.map_or(Verdict::Holds, Verdict::Unknown);
        Ok(Exploration {
            vacuous: self.coverage.vacuous(setting),
            exercised: self.coverage.exercised().clone(),
            verdicts: self.coverage.verdicts(setting, self.found, &otherwise),
            states: self.visited.len(),
            transitions: self.transitions,
            depth: self.depth,
            final_states: self.final_states,
            is_reduced: false,
            is_exact: false,
            abstracted_draws: self.abstracted.into_iter().collect(),
        })
    }
}

/// A state on the way to the present one.
struct Junction {
    /// Thread and number of the step among the thread's.
    options: Vec<(Thread, usize)>,
    taken: usize,
}

struct Dfs {
    search: Rc<RefCell<Search>>,
    threads: Threads,
    max_states: usize,
    stop: Arc<AtomicBool>,
    path: Vec<Junction>,
    /// How far along the path the execution is.
    depth: usize,
    has_begun: bool,
    /// The execution ended at a state that was known.
    is_cut: bool,
}

impl Dfs {
    /// A new junction at the stage's state; none when the state is known.
    fn junction(&self, stage: &Stage) -> Option<Junction> {
        let mut search = self.search.borrow_mut();
        if !search.visited.insert(stage.fingerprint()) {
            return None;
        }
        search.depth = search.depth.max(self.depth);
        search.coverage.note(&stage.system);
        search.unexplorable = search.unexplorable.take().or_else(|| stage.system.unexplorable_draw());
        let mut options = Vec::new();
        let mut steps = Vec::new();
        for thread in 0..self.threads.count() {
            steps.clear();
            self.threads.steps(thread, &stage.system, &mut steps);
            for (index, step) in steps.iter().enumerate() {
                options.push((thread, index));
                if let Step::Draw(process, _) = step {
                    search.abstracted.extend(abstracted(&stage.system, *process));
                }
            }
        }
        search.transitions += options.len();
        Some(Junction { options, taken: 0 })
    }

    fn bound(&self) -> Option<Bound> {
        if self.stop.load(Ordering::Relaxed) {
            return Some(Bound::Interrupted);
        }
        (self.search.borrow().visited.len() > self.max_states).then_some(Bound::States(self.max_states))
    }
}

impl Choose for Dfs {
    fn begin(&mut self) -> Option<u64> {
        let bound = self.bound();
        let is_failed = self.search.borrow().unexplorable.is_some() || Stage::with(|stage| stage.error.is_some());
        if bound.is_some() || is_failed {
            self.search.borrow_mut().bound = bound;
            return None;
        }
        if self.has_begun {
            while self.path.pop_if(|junction| junction.taken + 1 >= junction.options.len()).is_some() {}
            self.path.last_mut()?.taken += 1;
        }
        self.has_begun = true;
        self.depth = 0;
        self.is_cut = false;
        Stage::with(Stage::begin);
        Some(0)
    }

    fn next(&mut self, stage: &mut Stage) -> Option<Thread> {
        if self.depth == self.path.len() {
            let Some(junction) = self.junction(stage) else {
                self.is_cut = true;
                return None;
            };
            self.path.push(junction);
        }
        let junction = &self.path[self.depth];
        let (thread, index) = *junction.options.get(junction.taken)?;
        stage.choice = Some(index);
        self.depth += 1;
        Some(thread)
    }

    fn end(&mut self, stage: &mut Stage) {
        let mut search = self.search.borrow_mut();
        search.coverage.note_exercised(stage.system.take_exercised());
        // A step to a state that is known may be the first with something to judge.
        search.coverage.note_judged(stage.system.judged());
        for (length, violation) in &stage.broken {
            let found = search.found.iter_mut().find(|(name, _)| *name == violation.property);
            if let Some((_, slot @ None)) = found {
                let steps = stage.steps[..*length].to_vec();
                *slot = Some(Counterexample { steps, reason: violation.reason.clone() });
            }
        }
        if !self.is_cut && stage.error.is_none() {
            let last = stage.fingerprint();
            if search.visited.insert(last) {
                search.depth = search.depth.max(self.depth);
            }
            search.final_states.insert(last);
        }
    }
}
