//! The search: level by level. Workers expand chunks of a level side by side; what they found is merged in the order of
//! the level, so that the result is the same for any number of them.

use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::Options;
use super::expand::{Batch, Candidate, expand};
use super::extract::Extractor;
use super::frontier::{Rows, StateId, Trail};
use super::memo::{Memo, Tree};
use super::part::PartId;
use super::visited::Visited;
use crate::engines::reference::ExploreError;
use crate::engines::verdict::Bound;
use crate::system::Setting;
use crate::system::fingerprint::Fingerprint;

/// States of a level that one worker expands at a time.
const BATCH: usize = 512;
/// States that are expanded before what they led to is merged.
const CHUNK: usize = 64 * BATCH;

/// Everything that a search knows.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) extractor: Extractor,
    pub(super) memo: Memo,
    visited: Visited,
    pub(super) trail: Trail,
    pub(super) initial: Vec<PartId>,
    level: Rows,
    next: Rows,
    /// States that are further away than the next level, by how much further.
    later: VecDeque<Later>,
    pub(super) options: Options,
    stop: &'a AtomicBool,
    pub(super) states: StateId,
    pub(super) transitions: usize,
    /// Of the state that was met last.
    pub(super) depth: usize,
    next_depth: usize,
    /// For each property, the first state that breaks it.
    pub(super) found: Vec<Option<StateId>>,
    pub(super) final_states: BTreeSet<Fingerprint>,
    pub(super) peak_bytes: usize,
}

/// States that are due at a later level; some of them will be known by then.
#[derive(Debug)]
struct Later {
    rows: Rows,
    /// Parent, ordinal, and which properties must be judged.
    origins: Vec<(StateId, u16, u8)>,
}

/// A batch with its number in the chunk.
type Numbered = (usize, Batch);

impl<'a> Search<'a> {
    pub(super) fn new(setting: &Rc<Setting>, options: Options, stop: &'a AtomicBool) -> Result<Self, ExploreError> {
        let (extractor, memo, initial) = Extractor::new(setting, options.reduction)?;
        let width = initial.len();
        let mut search = Self {
            extractor,
            memo,
            visited: Visited::new(),
            trail: Trail::default(),
            level: Rows::new(width),
            next: Rows::new(width),
            later: VecDeque::new(),
            options,
            stop,
            states: 0,
            transitions: 0,
            depth: 0,
            next_depth: 0,
            found: vec![None; setting.properties.len()],
            final_states: BTreeSet::new(),
            peak_bytes: 0,
            initial: initial.clone(),
        };
        let fingerprint = search.extractor.fingerprint(&initial);
        search.visited.reserve(std::iter::once(fingerprint));
        search.visited.insert(fingerprint);
        search.admit(&initial, fingerprint, (0, 0, 3));
        Ok(search)
    }

    /// Explores until all is decided, the space is exhausted, or a bound is hit.
    pub(super) fn run(&mut self) -> Result<Option<Bound>, ExploreError> {
        loop {
            std::mem::swap(&mut self.level, &mut self.next);
            self.next.clear();
            self.next_depth += 1;
            let first = self.states - number(self.level.len());
            self.admit_due();
            if self.level.len() == 0 && self.next.len() == 0 && self.later.is_empty() {
                return Ok(None);
            }
            let mut at = 0;
            while at < self.level.len() {
                let end = self.level.len().min(at + CHUNK);
                let batches = self.expand_chunk(at, end);
                if let Some(bound) = self.merge(first, at, batches)? {
                    return Ok(bound);
                }
                at = end;
                self.peak_bytes = self.peak_bytes.max(self.bytes());
                if self.options.max_bytes.is_some_and(|most| self.bytes() > most) {
                    return Ok(self.options.max_bytes.map(Bound::Memory));
                }
            }
        }
    }

    pub(super) fn is_decided(&self) -> bool {
        !self.found.is_empty() && self.found.iter().all(Option::is_some)
    }

    fn bytes(&self) -> usize {
        let later = self.later.iter().map(|later| later.rows.bytes() + later.origins.capacity() * 8).sum::<usize>();
        self.visited.bytes() + self.trail.bytes() + self.level.bytes() + self.next.bytes() + later
    }

    /// States that were put off until the next level enter it first.
    fn admit_due(&mut self) {
        let Some(Later { rows, origins }) = self.later.pop_front() else { return };
        for (index, origin) in origins.into_iter().enumerate() {
            let fingerprint = rows.fingerprint(index);
            self.visited.reserve(std::iter::once(fingerprint));
            if self.visited.insert(fingerprint) {
                self.admit(rows.row(index), fingerprint, origin);
            }
        }
    }

    /// A state enters the next level.
    fn admit(&mut self, row: &[PartId], fingerprint: u64, (parent, ordinal, judged): (StateId, u16, u8)) {
        self.next.push(row, fingerprint);
        self.entered(parent, ordinal, judged);
    }

    /// Notes how the last state of the next level was reached, and judges it.
    fn entered(&mut self, parent: StateId, ordinal: u16, judged: u8) {
        self.trail.push(parent, ordinal);
        let id = self.states;
        self.states += 1;
        self.depth = self.next_depth;
        if judged == 0 {
            return;
        }
        let row = self.next.row(self.next.len() - 1);
        let broken = self.extractor.broken(judged, row);
        if broken != 0 {
            for (property, found) in self.found.iter_mut().enumerate() {
                if broken >> property & 1 != 0 {
                    found.get_or_insert(id);
                }
            }
        }
    }

    /// Expands some states of the level, as far as what is known reaches.
    fn expand_chunk(&self, from: usize, to: usize) -> Vec<Batch> {
        // Workers see integers alone; what the extractor holds belongs to this thread.
        let (memo, visited, level) = (&self.memo, &self.visited, &self.level);
        let count = (to - from).div_ceil(BATCH);
        let workers = self.options.threads.get().min(count.div_ceil(2));
        let mut batches = Vec::with_capacity(count);
        if workers < 2 {
            for number in 0..count {
                let (from, to) = (from + number * BATCH, to.min(from + (number + 1) * BATCH));
                let mut batch = Batch::default();
                batch.expand(memo, visited, states(level, from, to));
                batches.push(batch);
            }
        } else {
            let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::<Numbered>::with_capacity(count)));
            let work = || {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return;
                    }
                    let (from, to) = (from + number * BATCH, to.min(from + (number + 1) * BATCH));
                    let mut batch = Batch::default();
                    batch.expand(memo, visited, states(level, from, to));
                    done.lock().expect("no worker panics").push((number, batch));
                }
            };
            std::thread::scope(|scope| {
                (1..workers).for_each(|_| _ = scope.spawn(&work));
                work();
            });
            let mut done = done.into_inner().expect("no worker panics");
            done.sort_unstable_by_key(|(number, _)| *number);
            batches.extend(done.into_iter().map(|(_, batch)| batch));
        }
        batches
    }

    /// Takes in what was found, state by state in the order of the level.
    fn merge(
        &mut self,
        first: StateId,
        from: usize,
        batches: Vec<Batch>,
    ) -> Result<Option<Option<Bound>>, ExploreError> {
        let known = batches.iter().flat_map(|batch| &batch.candidates).map(|candidate| candidate.fingerprint);
        self.visited.reserve(known);
        let (mut index, mut missed) = (from, Vec::new());
        for batch in batches {
            let mut start = 0;
            for state in &batch.states {
                if self.stop.load(Ordering::Relaxed) {
                    return Ok(Some(Some(Bound::Interrupted)));
                }
                if self.states as usize > self.options.max_states {
                    return Ok(Some(Some(Bound::States(self.options.max_states))));
                }
                if self.is_decided() {
                    return Ok(Some(None));
                }
                let parent = first + number(index);
                let steps = if state.is_unfinished {
                    missed.clear();
                    let steps = self.learn(index, &mut missed)?;
                    self.visited.reserve(missed.iter().map(|candidate| candidate.fingerprint));
                    self.take_in(parent, index, &missed)?;
                    steps
                } else {
                    self.take_in(parent, index, &batch.candidates[start..state.end])?;
                    state.steps
                };
                if steps == 0 && self.options.final_states {
                    let fingerprint = Fingerprint::of(self.extractor.state(self.level.row(index)));
                    self.final_states.insert(fingerprint);
                }
                self.transitions += usize::from(steps);
                start = state.end;
                index += 1;
            }
        }
        Ok(None)
    }

    /// Expands a state about which something is unknown until nothing is.
    fn learn(&mut self, index: usize, out: &mut Vec<Candidate>) -> Result<u16, ExploreError> {
        let (row, fingerprint) = (self.level.row(index), self.level.fingerprint(index));
        loop {
            match expand(&self.memo, row, fingerprint, out) {
                Ok(steps) => return Ok(steps),
                Err(unknown) => self.extractor.resolve(&mut self.memo, unknown, row)?,
            }
            out.clear();
        }
    }

    /// Takes in what the steps of one state lead to.
    fn take_in(&mut self, parent: StateId, index: usize, candidates: &[Candidate]) -> Result<(), ExploreError> {
        for candidate in candidates {
            let Candidate { fingerprint, effect, transition, ordinal, weight } = *candidate;
            if effect == Tree::WIDE {
                let (row, judged) = self.extractor.fire_wide(transition, self.level.row(index))?;
                let fingerprint = self.extractor.fingerprint(&row);
                self.visited.reserve(std::iter::once(fingerprint));
                if self.visited.insert(fingerprint) {
                    self.admit(&row, fingerprint, (parent, ordinal, judged));
                }
                continue;
            }
            let effect = effect.as_leaf().expect("a candidate has an effect");
            let judged = self.memo.effects[effect as usize].judged;
            let (row, writes) = (self.level.row(index), self.memo.writes(effect));
            if weight == 1 {
                if self.visited.insert(fingerprint) {
                    self.next.push_changed(row, writes, fingerprint);
                    self.entered(parent, ordinal, judged);
                }
            } else if !self.visited.contains(fingerprint) {
                let further = usize::from(weight) - 2;
                while self.later.len() <= further {
                    self.later.push_back(Later { rows: Rows::new(row.len()), origins: Vec::new() });
                }
                let later = &mut self.later[further];
                later.rows.push_changed(row, writes, fingerprint);
                later.origins.push((parent, ordinal, judged));
            }
        }
        Ok(())
    }
}

/// Packed states with their fingerprints.
fn states(level: &Rows, from: usize, to: usize) -> impl Iterator<Item = (&[PartId], u64)> {
    (from..to).map(|index| (level.row(index), level.fingerprint(index)))
}

fn number(length: usize) -> StateId {
    StateId::try_from(length).expect("a search keeps fewer than 2^32 states")
}
