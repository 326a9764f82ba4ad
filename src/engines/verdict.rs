//! What a search says about each property.

use std::collections::BTreeSet;

use crate::system::exercised::Exercised;
use crate::system::fingerprint::Fingerprint;
use crate::system::mishap::Mishap;
use crate::system::property::{Property, Rule};
use crate::system::{Setting, Step, System};

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

/// Why a property that wants something reachable is violated.
const UNREACHABLE: &str = "no execution within the bounds comes to such a state";

impl Verdict {
    /// The way to a violation.
    #[must_use]
    pub fn counterexample(&self) -> Option<&Counterexample> {
        if let Self::Violated(found) = self { Some(found) } else { None }
    }

    /// Why nothing is known.
    #[must_use]
    pub fn bound(&self) -> Option<&Bound> {
        if let Self::Unknown(bound) = self { Some(bound) } else { None }
    }
}

/// What the states of a search were good for, beside breaking properties.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Properties whose goal some state has reached.
    reached: BTreeSet<&'static str>,
    /// Properties, by their place in the setting, that had something to judge.
    judged: u64,
    /// What the steps to the states exercised.
    exercised: Exercised,
}

impl Coverage {
    /// Takes in the properties, by their place in the setting, that had something to judge.
    pub fn note_judged(&mut self, judged: u64) {
        self.judged |= judged;
    }

    /// Takes in what steps exercised.
    pub fn note_exercised(&mut self, exercised: Exercised) {
        self.exercised.merge(exercised);
    }

    /// All that was exercised.
    #[must_use]
    pub fn exercised(&self) -> &Exercised {
        &self.exercised
    }

    /// Takes in a state that was just judged.
    pub fn note(&mut self, system: &System) {
        self.reached.extend(system.reached());
        self.judged |= system.judged();
    }

    /// Some state has reached what this property wants to be reachable.
    pub fn reach(&mut self, property: &'static str) {
        self.reached.insert(property);
    }

    /// True when some state has reached what this property wants to be reachable.
    #[must_use]
    pub fn has_reached(&self, property: &str) -> bool {
        self.reached.contains(property)
    }

    /// The properties that never had anything to judge.
    #[must_use]
    pub fn vacuous(&self, setting: &Setting) -> Vec<&'static str> {
        let is_vacuous = |place: &usize| *place < 64 && self.judged & 1 << place == 0;
        (0..setting.properties.len()).filter(is_vacuous).map(|place| setting.properties[place].name).collect()
    }

    /// The verdicts on the properties of the setting, in their order: `found` has what breaks each, and `otherwise` is
    /// the verdict on those that nothing breaks. What must be reachable and was not reached is violated once everything
    /// is explored, by no schedule.
    #[must_use]
    pub fn verdicts(
        &self,
        setting: &Setting,
        found: Vec<(&'static str, Option<Counterexample>)>,
        otherwise: &Verdict,
    ) -> Vec<(&'static str, Verdict)> {
        let verdict = |(property, (name, found)): (&Property, (&'static str, Option<Counterexample>))| {
            let is_goal = matches!(property.rule, Rule::Reachable(_));
            let verdict = match found {
                Some(found) => Verdict::Violated(found),
                None if is_goal && self.has_reached(name) => Verdict::Holds,
                None if is_goal && *otherwise == Verdict::Holds => {
                    Verdict::Violated(Counterexample { steps: Vec::new(), reason: UNREACHABLE.to_owned() })
                }
                None => otherwise.clone(),
            };
            (name, verdict)
        };
        setting.properties.iter().zip(found).map(verdict).collect()
    }
}

/// A way to a broken property; without steps for what is not reachable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterexample {
    /// The steps from the initial state.
    pub steps: Vec<Step>,
    /// What is wrong in the last state, in words.
    pub reason: String,
}

impl Counterexample {
    /// False for what is not reachable, which no schedule shows.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.reason != UNREACHABLE
    }

    /// How many of the steps are operations: what remains besides choices, draws, and the passing of time.
    #[must_use]
    pub fn operations(&self) -> usize {
        let is_operation = |step: &&Step| match step {
            Step::Apply(_) | Step::LoseReply(_) | Step::LoseRequest(_) | Step::Disconnect(_) | Step::Land(_) => true,
            // What is put off counts when it lands, and what a client repeats when it arrives.
            Step::Mishap(mishap, _) => !matches!(mishap, Mishap::Late | Mishap::ClientRetry),
            _ => false,
        };
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
    /// The user asked to stop, or the time budget was used up, before the search began.
    NotBegun,
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
    /// Properties that never had anything to judge: they hold, and that says nothing.
    pub vacuous: Vec<&'static str>,
    /// What the search exercised.
    pub exercised: Exercised,
    /// True if orders of events that make no difference were left out, so that there are fewer states than the space
    /// has.
    pub is_reduced: bool,
    /// True if states were compared whole, and not by fingerprints.
    pub is_exact: bool,
    /// Draws that were explored by representatives or by the ends of their range only.
    pub abstracted_draws: Vec<&'static str>,
}

impl Exploration {
    /// True when the search was stopped from outside before every property was decided.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        let is_outside =
            |bound: &Bound| matches!(bound, Bound::Interrupted | Bound::Time | Bound::NotBegun | Bound::Memory(_));
        self.verdicts.iter().filter_map(|(_, verdict)| verdict.bound()).any(is_outside)
    }

    /// Forgets what had nothing to judge so far in a search that was cut short: the rest could have had something.
    pub fn only_what_holds_is_vacuous(&mut self) {
        let verdicts = &self.verdicts;
        self.vacuous.retain(|name| verdicts.iter().any(|(it, verdict)| it == name && *verdict == Verdict::Holds));
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
