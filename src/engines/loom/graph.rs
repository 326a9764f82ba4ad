//! The state graph as far as executions have been in it. Executions differ in few of their steps and meet the same
//! states again and again; a step is fired once in each state, and afterwards it is known where it leads.

use std::collections::HashMap;

use super::threads::{Thread, Threads};
use crate::engines::reference::abstracted;
use crate::system::exercised::Exercised;
use crate::system::fingerprint::Fingerprint;
use crate::system::property::Violation;
use crate::system::{ModelError, Step, System, Unexplorable};

/// States to remember, at some hundred bytes each. With more, the graph is forgotten and met anew.
const STATES_MAX: usize = 1 << 18;

/// Number of a state, in the order in which states were met.
type StateId = usize;

/// The state in which every execution begins.
const FIRST: StateId = 0;

/// A state, as executions see it.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) fingerprint: Fingerprint,
    /// How it breaks properties.
    pub(super) broken: Vec<Violation>,
    /// A draw without a value that can be taken, for which a process waits.
    pub(super) unexplorable_draw: Option<Box<Unexplorable>>,
    /// What each thread can do in it.
    pub(super) options: Vec<Options>,
}

/// What a thread can do in a state.
#[derive(Debug)]
pub(super) struct Options {
    /// True when nothing can ever come of it again.
    pub(super) is_done: bool,
    pub(super) steps: Vec<Transition>,
}

/// A step that is possible in a state.
#[derive(Debug)]
pub(super) struct Transition {
    step: Step,
    /// Its name, if it is a draw that is explored by representatives.
    pub(super) abstracted_draw: Option<&'static str>,
    /// Where it leads, if it was ever taken.
    to: Option<StateId>,
}

/// The state graph, and the execution in progress as a path through it.
#[derive(Debug)]
pub(super) struct Graph {
    /// In the first state.
    template: System,
    threads: Threads,
    nodes: Vec<Node>,
    /// Look-up only; its order decides nothing.
    known: HashMap<Fingerprint, StateId>,
    /// What all steps exercised that were ever taken.
    pub(super) exercised: Exercised,
    here: StateId,
    /// Each state in which a step was taken, the thread that took it, and which of its steps.
    path: Vec<(StateId, Thread, usize)>,
    /// The first steps of the path taken for real, and how many. None as long as every step was known. A copy of the
    /// template re-creates a process when the process goes on.
    fired: Option<(System, usize)>,
}

impl Graph {
    /// An execution that begins where the template stands.
    pub(super) fn new(template: System) -> Self {
        let threads = Threads::of(&template);
        let mut graph = Self {
            template,
            threads,
            nodes: Vec::new(),
            known: HashMap::new(),
            exercised: Exercised::default(),
            here: FIRST,
            path: Vec::new(),
            fired: None,
        };
        graph.begin();
        graph
    }

    /// Begins the next execution.
    pub(super) fn begin(&mut self) {
        self.path.clear();
        self.fired = None;
        if self.nodes.len() > STATES_MAX {
            self.nodes.clear();
            self.known.clear();
        }
        self.here = FIRST;
        if self.nodes.is_empty() {
            let mut system = self.template.clone();
            self.here = self.meet(&mut system);
        }
    }

    pub(super) fn template(&self) -> &System {
        &self.template
    }

    /// The present state.
    pub(super) fn here(&self) -> &Node {
        &self.nodes[self.here]
    }

    /// How many steps the execution has taken.
    pub(super) fn depth(&self) -> usize {
        self.path.len()
    }

    /// The steps that the execution has taken.
    pub(super) fn steps(&self) -> Vec<Step> {
        self.path.iter().map(|(state, thread, option)| self.step(*state, *thread, *option).clone()).collect()
    }

    fn step(&self, state: StateId, thread: Thread, option: usize) -> &Step {
        &self.nodes[state].options[thread].steps[option].step
    }

    /// The execution: which thread took each step, and which of its steps.
    pub(super) fn path(&self) -> Vec<(Thread, usize)> {
        self.path.iter().map(|(_, thread, option)| (*thread, *option)).collect()
    }

    /// Hash over what each thread can do before each step of a path and at its end; none where a step of it is
    /// impossible. What loom does follows from that alone.
    pub(super) fn choices_along(&mut self, path: &[(Thread, usize)]) -> Result<Option<Fingerprint>, ModelError> {
        let choices = |node: &Node| node.options.iter().map(|it| (it.steps.len(), it.is_done)).collect::<Vec<_>>();
        self.begin();
        let mut all = vec![choices(self.here())];
        for (thread, option) in path {
            let is_possible = self.here().options.get(*thread).is_some_and(|it| *option < it.steps.len());
            if !is_possible {
                return Ok(None);
            }
            self.take(*thread, *option)?;
            all.push(choices(self.here()));
        }
        Ok(Some(Fingerprint::of(&all)))
    }

    /// The thread takes one of its steps.
    pub(super) fn take(&mut self, thread: Thread, option: usize) -> Result<(), ModelError> {
        let from = self.here;
        self.path.push((from, thread, option));
        self.here = match self.nodes[from].options[thread].steps[option].to {
            Some(to) => to,
            None => {
                let to = self.fire()?;
                self.nodes[from].options[thread].steps[option].to = Some(to);
                to
            }
        };
        Ok(())
    }

    /// Takes the steps of the path that were not taken for real. The state to which they lead.
    fn fire(&mut self) -> Result<StateId, ModelError> {
        let (mut system, fired) = self.fired.take().unwrap_or_else(|| (self.template.clone(), 0));
        for (state, thread, option) in &self.path[fired..] {
            system.fire(self.step(*state, *thread, *option))?;
        }
        self.exercised.merge(system.take_exercised());
        let to = self.meet(&mut system);
        self.fired = Some((system, self.path.len()));
        Ok(to)
    }

    /// The number of the system's state, which may be a new one.
    fn meet(&mut self, system: &mut System) -> StateId {
        let fingerprint = Fingerprint::of(system.state());
        if let Some(known) = self.known.get(&fingerprint) {
            return *known;
        }
        let broken = system.judge();
        let options = (0..self.threads.count()).map(|thread| self.options(thread, system)).collect();
        let unexplorable_draw = system.unexplorable_draw();
        self.known.insert(fingerprint, self.nodes.len());
        self.nodes.push(Node { fingerprint, broken, unexplorable_draw, options });
        self.nodes.len() - 1
    }

    fn options(&self, thread: Thread, system: &System) -> Options {
        let transition = |step| {
            let abstracted_draw = match &step {
                Step::Draw(process, _) => abstracted(system, *process),
                _ => None,
            };
            Transition { step, abstracted_draw, to: None }
        };
        let steps = self.threads.steps(thread, system).into_iter().map(transition).collect();
        Options { is_done: self.threads.is_done(thread, system), steps }
    }
}
