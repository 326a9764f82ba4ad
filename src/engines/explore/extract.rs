//! Where the integers come from: puts a state together from its parts, asks the real system, and takes the parts of the
//! answer apart again. The only place of the search that knows what a state is; one thread, once per local situation.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::Reductions;
use super::footprint::{self, Footprint, Reads};
use super::judge;
use super::layout::{Layout, Place, Position};
use super::lists;
use super::memo::{Group, Memo, Write};
use super::part::{Interner, PartId};
use super::symmetry::Learned;
use crate::engines::reference::ExploreError;
use crate::system::exercised::Exercised;
use crate::system::parts::Changes;
use crate::system::state::{Phase, State};
use crate::system::{Halves, ModelError, Setting, Step, System};
use crate::world::identity::ProcessId;

/// What a worker found unknown; the extractor finds it out.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Unknown {
    /// Which steps a group allows.
    List(usize),
    /// The instant of this clock.
    Instant(usize),
    /// The passing of time up to this instant.
    Time(u64),
    /// What a transition does.
    Effect(u32),
}

/// What a transition is: the step, and the client who takes it in which situation, if it is a client's.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Transition {
    pub(super) step: Step,
    pub(super) client: Option<(Position, PartId)>,
}

/// The real system behind the memo.
#[derive(Debug)]
pub(super) struct Extractor {
    pub(super) layout: Layout,
    pub(super) groups: Vec<lists::Kind>,
    pub(super) interners: Vec<Interner>,
    /// One system for all firings; what it holds at each position, if that is known.
    pub(super) scratch: System,
    loaded: Vec<Option<PartId>>,
    pub(super) transitions: Vec<Transition>,
    /// Look-up only.
    numbers: FxHashMap<Transition, u32>,
    /// For each entry of the memo, the transitions before its last one.
    pub(super) prefixes: Vec<Box<[u32]>>,
    /// What properties read.
    pub(super) reads: judge::Judged,
    /// Properties judged so far: which of them are broken, by what they read. Look-up only.
    pub(super) judged: FxHashMap<(u8, Box<[PartId]>), u64>,
    pub(super) abstracted: BTreeSet<&'static str>,
    pub(super) joins_steps: bool,
    /// What entered the memo and has not been checked for symmetry; none if nobody asks.
    pub(super) learned: Option<VecDeque<Learned>>,
    /// How many parts of each position have their keys, and how many orbits there are.
    pub(super) keyed: Vec<usize>,
    pub(super) orbits: u64,
    /// True once two statements waited at a time.
    pub(super) has_waited_together: bool,
    /// Steps fired in the real system.
    pub(super) firings: u64,
    /// What they exercised.
    pub(super) exercised: Exercised,
    /// Properties, by their place in the setting, that had something to judge before the search was kept in a file.
    pub(super) judged_before: u64,
}

impl Extractor {
    /// The extractor of a setting with an empty memo, and the packed initial state.
    pub(super) fn new(
        setting: &Rc<Setting>,
        Reductions { joined_steps, relative_time, .. }: Reductions,
    ) -> Result<(Self, Memo, Vec<PartId>), ModelError> {
        let mut scratch = System::new(Rc::clone(setting), Halves::Fused, true)?;
        scratch.remember_processes();
        if relative_time {
            scratch.keep_time_relative();
        }
        let layout = Layout::of(setting, scratch.state(), relative_time);
        let mut interners = layout.places.iter().map(|place| Interner::new(*place)).collect::<Vec<_>>();
        scratch.take_changes();
        let initial = interners.iter_mut().map(|interner| interner.intern(scratch.state())).collect::<Vec<_>>();
        let groups = lists::groups(&layout, &setting.budgets);
        let by = |first| Group { first, trees: Vec::new() };
        let memo = Memo::new(
            groups.iter().map(|kind| by(kind.first(&layout))).collect(),
            lists::clocks(&layout).map(|position| by(Some(position))).collect(),
            lists::limits(&layout).map(|position| by(Some(position))).collect(),
            groups.iter().position(|kind| *kind == lists::Kind::Time),
        );
        let reads = judge::Judged::of(setting, &layout);
        let extractor = Self {
            loaded: initial.iter().copied().map(Some).collect(),
            layout,
            groups,
            interners,
            scratch,
            transitions: Vec::new(),
            numbers: FxHashMap::default(),
            prefixes: Vec::new(),
            reads,
            judged: FxHashMap::default(),
            abstracted: BTreeSet::new(),
            joins_steps: joined_steps,
            learned: None,
            keyed: vec![0; initial.len()],
            orbits: 0,
            has_waited_together: false,
            firings: 0,
            exercised: Exercised::default(),
            judged_before: 0,
        };
        Ok((extractor, memo, initial))
    }

    /// Finds out what was unknown in this state.
    pub(super) fn resolve(&mut self, memo: &mut Memo, unknown: Unknown, row: &[PartId]) -> Result<(), ExploreError> {
        match unknown {
            Unknown::List(group) => self.extract_list(memo, group, row),
            Unknown::Instant(clock) => {
                self.extract_instant(memo, clock, row);
                Ok(())
            }
            Unknown::Time(to_us) => {
                let transition = self.transition(memo, Transition { step: Step::Time(to_us), client: None });
                memo.passing.insert(to_us, transition);
                Ok(())
            }
            Unknown::Effect(transition) => Ok(self.extract_effect(memo, transition, row)?),
        }
    }

    /// The number of a transition.
    pub(super) fn transition(&mut self, memo: &mut Memo, transition: Transition) -> u32 {
        if let Some(number) = self.numbers.get(&transition) {
            return *number;
        }
        let number = memo.add_transition();
        self.transitions.push(transition.clone());
        self.numbers.insert(transition, number);
        number
    }

    pub(super) fn weight(&self, position: Position, id: PartId) -> u64 {
        self.interners[position].weight(id)
    }

    /// The fingerprint of a state: the sum of its parts' hashes. Zero stands for a free slot of the visited set.
    pub(super) fn fingerprint(&self, row: &[PartId]) -> u64 {
        row.iter().enumerate().fold(0, |sum: u64, (position, id)| sum.wrapping_add(self.weight(position, *id)))
    }

    /// Puts this part into the scratch system.
    pub(super) fn load(&mut self, position: Position, id: PartId) {
        if self.loaded[position] != Some(id) {
            self.interners[position].part(id).put(self.scratch.state_mut(), self.layout.places[position]);
            self.loaded[position] = Some(id);
        }
    }

    /// Puts a whole state into the scratch system.
    pub(super) fn load_all(&mut self, row: &[PartId]) {
        row.iter().enumerate().for_each(|(position, id)| self.load(position, *id));
        let state = self.scratch.state();
        let is_blocked = |process: &ProcessId| matches!(state.slot(*process).phase, Phase::Blocked);
        let waiting = state.processes().filter(is_blocked).collect();
        self.scratch.state_mut().waiting = waiting;
    }

    /// Puts into the scratch system what is small, and the situation of the client who acts.
    fn load_for(&mut self, transition: &Transition, row: &[PartId]) {
        for (position, id) in row.iter().enumerate() {
            let is_large = matches!(self.layout.places[position], Place::Client(_) | Place::Redis(_) | Place::Sql);
            if !is_large {
                self.load(position, *id);
            }
        }
        if let Some((position, id)) = transition.client {
            self.load(position, id);
        }
        self.scratch.state_mut().waiting.clear();
    }

    /// Fires a transition once for all states that share the parts that it reads.
    fn extract_effect(&mut self, memo: &mut Memo, number: u32, row: &[PartId]) -> Result<(), ModelError> {
        let transition = self.transitions[number as usize].clone();
        self.load_for(&transition, row);
        let mut reads = match footprint::before(&self.layout, self.scratch.state(), &transition.step) {
            Footprint::Parts(reads) => reads,
            Footprint::Everything(reads) => {
                memo.learn_wide(number, &reads, row);
                self.note(|row| Learned::Effect(number, row), row);
                return Ok(());
            }
        };
        let acting = transition.client.or_else(|| {
            let driven = footprint::driven(self.scratch.state(), &transition.step)?;
            self.layout.client_of(driven).map(|position| (position, row[position]))
        });
        let changes = loop {
            self.load_for(&transition, row);
            reads.iter().for_each(|position| self.load(*position, row[*position]));
            let (changes, late) = self.fire(&transition.step, acting)?;
            let unread = late.into_iter().filter(|position| !reads.contains(position)).collect::<Reads>();
            if unread.is_empty() {
                break changes;
            }
            reads.iter().chain(&unread).for_each(|position| self.loaded[*position] = None);
            // It was fired with whatever stood there: again, with what does stand there. Whether ghost state is touched
            // can depend on the other parts, so it is believed last.
            let is_ghost = |position: &Position| self.layout.places[*position] == Place::Ghost;
            let others = unread.iter().copied().filter(|position| !is_ghost(position)).collect::<Reads>();
            reads.extend(if others.is_empty() { unread } else { others });
        };
        // What was fired with other parts than stand there may not happen.
        self.exercised.merge(self.scratch.take_exercised());
        let (mut delta, mut writes) = (0_u64, Vec::new());
        let acting = transition.client.into_iter();
        for (position, old) in acting.chain(reads.iter().map(|position| (*position, row[*position]))) {
            let id = self.take_changed(position, old);
            delta = delta.wrapping_add(self.weight(position, id)).wrapping_sub(self.weight(position, old));
            if id != old || transition.client == Some((position, old)) {
                writes.push(Write { position: u32::try_from(position).expect("a state has few parts"), id });
            }
        }
        let judged = judge::bits(changes);
        memo.learn_effect(number, &reads, row, (delta, judged, &writes));
        self.note(|row| Learned::Effect(number, row), row);
        Ok(())
    }

    /// Notes what has to be checked for symmetry.
    pub(super) fn note(&mut self, learned: impl FnOnce(Vec<PartId>) -> Learned, row: &[PartId]) {
        if let Some(open) = &mut self.learned {
            open.push_back(learned(row.to_vec()));
        }
    }

    /// Fires in the scratch system, on behalf of the client at this position. What has changed, and what was read
    /// although nobody knew before.
    fn fire(&mut self, step: &Step, acting: Option<(Position, PartId)>) -> Result<(Changes, Reads), ModelError> {
        self.firings += 1;
        self.refill_pools();
        self.scratch.take_changes();
        self.scratch.take_exercised();
        self.scratch.fire(step)?;
        let changes = self.scratch.take_changes();
        let was = acting.map(|(position, id)| {
            self.loaded[position] = None;
            self.interners[position].part(id)
        });
        Ok((changes, footprint::after(&self.layout, was, self.scratch.state(), acting, changes)))
    }

    /// Pools that cannot run out are full in the scratch system: how much is out is a matter of what processes do.
    fn refill_pools(&mut self) {
        let service = self.scratch.setting().service;
        for (number, instance) in self.scratch.state_mut().instances.iter_mut().enumerate() {
            if self.layout.find(Place::Instance(number)).is_none() {
                (instance.idle_workers, instance.idle_connections) = (service.workers, service.connections);
            }
        }
    }

    /// The opposite: pools as the real system would have them.
    fn drain_pools(&mut self) {
        self.refill_pools();
        let (layout, state) = (&self.layout, self.scratch.state_mut());
        let instances = state.instances.len();
        if layout.has_children {
            // Pools of a service that starts children are parts; without a service, nobody takes from them.
            return;
        }
        for (number, client) in state.clients.iter().enumerate() {
            let instance = number % instances;
            if layout.find(Place::Instance(instance)).is_some() {
                continue;
            }
            for handler in &client.handlers {
                // Jobs take no worker.
                state.instances[instance].idle_workers -= u32::from(number > 0);
                state.instances[instance].idle_connections -= u32::from(handler.slot.has_connection);
            }
        }
    }

    /// The number of what the scratch system now holds at this position.
    fn take(&mut self, position: Position) -> PartId {
        let id = self.interners[position].intern(self.scratch.state());
        self.loaded[position] = Some(id);
        // The scratch system does not know who else waits; the database does.
        self.has_waited_together |= self.scratch.state().world.sql.waiting_count() > 1;
        id
    }

    /// As [`Self::take`], for what is most often what stood there before: to compare is cheaper than to hash.
    fn take_changed(&mut self, position: Position, old: PartId) -> PartId {
        if !self.interners[position].part(old).is_at(self.scratch.state(), self.layout.places[position]) {
            return self.take(position);
        }
        self.loaded[position] = Some(old);
        old
    }

    /// Fires a step that depends on everything; the state that follows, and which properties must be judged.
    pub(super) fn fire_wide(&mut self, number: u32, row: &[PartId]) -> Result<(Vec<PartId>, u8), ModelError> {
        let transition = self.transitions[number as usize].clone();
        self.load_all(row);
        if let Some((position, id)) = transition.client {
            self.load(position, id);
        }
        let (changes, _) = self.fire(&transition.step, None)?;
        self.exercised.merge(self.scratch.take_exercised());
        self.loaded.fill(None);
        let next = (0..self.layout.len()).map(|position| self.take(position)).collect();
        Ok((next, judge::bits(changes)))
    }

    /// A whole state.
    pub(super) fn state(&mut self, row: &[PartId]) -> &State {
        self.load_all(row);
        self.drain_pools();
        self.scratch.state()
    }
}
