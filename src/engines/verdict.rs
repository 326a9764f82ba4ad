//! What a search says about each property.

use std::collections::BTreeSet;

use crate::system::Step;
use crate::system::fingerprint::Fingerprint;

/// Three values, never two: "no violation so far" is not "holds".
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The space was exhausted within the scenario's bounds and no state breaks the property.
    Holds,
    /// These steps, one of the shortest ways, lead to a state that breaks it.
    Violated(Counterexample),
    /// The search stopped at a bound before it could tell.
    Unknown(Bound),
}

/// A way to a broken property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The steps from the initial state.
    pub steps: Vec<Step>,
    /// What is wrong in the last state, in words.
    pub reason: String,
}

impl Counterexample {
    /// How many of the steps are operations: what remains besides choices, draws, and the passing of time.
    #[must_use]
    pub fn operations(&self) -> usize {
        let is_operation = |step: &&Step| matches!(step, Step::Apply(_) | Step::LoseReply(_) | Step::LoseRequest(_));
        self.steps.iter().filter(is_operation).count()
    }
}

/// A violation met in one of the executions of a scheduler.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The property that is broken.
    pub property: &'static str,
    /// The steps of the execution up to the violation, and the violation in words.
    pub counterexample: Counterexample,
    /// In which execution, counted from 1.
    pub execution: u64,
    /// The same execution in the scheduler's own notation, for its own replayer; `None` if it has none.
    pub native: Option<String>,
}

/// Why a search stopped early.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Nothing was exhausted: executions were sampled.
    Sampled,
    /// So many states were kept, and more remained.
    States(usize),
    /// The search kept more bytes than this.
    Memory(usize),
    /// loom explored what it explores with so many clients and preemptions.
    Preemptions {
        /// Clients of the setting.
        clients: usize,
        /// Preemptions of an execution at most.
        preemptions: u8,
    },
    /// loom ran so many executions, and more remained.
    Permutations(u64),
    /// An execution was given up after so many steps.
    Steps(usize),
    /// The user asked to stop.
    Interrupted,
    /// The time budget was used up.
    Time,
}

/// The result of a search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exploration {
    /// One verdict for each property of the setting, in their order.
    pub verdicts: Vec<(&'static str, Verdict)>,
    /// Different states met.
    pub states: usize,
    /// Steps fired.
    pub transitions: usize,
    /// Steps from the initial state to the farthest one met.
    pub depth: usize,
    /// Fingerprints of the states in which nothing can happen any more.
    pub final_states: BTreeSet<Fingerprint>,
    /// True if orders of events that make no difference were left out, so that there are fewer states than the space
    /// has.
    pub is_reduced: bool,
    /// Draws that were explored by representatives or by the ends of their range only.
    pub abstracted_draws: Vec<&'static str>,
}

impl Exploration {
    /// True when the search was stopped from outside before every property was decided.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        let is_cut = |verdict: &Verdict| matches!(verdict, Verdict::Unknown(Bound::Interrupted | Bound::Time));
        self.verdicts.iter().any(|(_, verdict)| is_cut(verdict))
    }

    /// Says that it was the time budget that stopped the search, not the user.
    pub fn ran_out_of_time(&mut self) {
        for (_, verdict) in &mut self.verdicts {
            if *verdict == Verdict::Unknown(Bound::Interrupted) {
                *verdict = Verdict::Unknown(Bound::Time);
            }
        }
    }
}
