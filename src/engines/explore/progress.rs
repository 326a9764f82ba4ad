//! What the search has found: states enter the next level in the order of the level that leads to them, and each is
//! judged as it enters.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};

use super::Options;
use super::checkpoint::Question;
use super::exact::Exact;
use super::expand::{Batch, Candidate, Known};
use super::extract::Extractor;
use super::frontier::{Rows, StateId, Trail};
use super::memo::Tree;
use super::part::PartId;
use super::symmetry::{Asymmetry, CloseError};
use super::visited::Visited;
use crate::engines::verdict::Bound;
use crate::system::fingerprint::Fingerprint;

/// Why a search ends before its space does.
#[derive(Debug)]
pub(super) enum Halt {
    /// Every property is decided.
    Decided,
    Bound(Bound),
}

/// How far a batch was merged.
#[derive(Debug)]
pub(super) enum Merged {
    Wholly,
    /// Up to this state of the batch, about which something must be found out first.
    UpTo(usize),
    Halted(Halt),
}

/// What belongs to the worker that merges.
#[derive(Debug)]
pub(super) struct Progress<'a> {
    pub(super) extractor: Extractor,
    pub(super) trail: Trail,
    /// The states met, where fingerprints are not enough.
    pub(super) exact: Option<Exact>,
    pub(super) next: Rows,
    /// States that are further away than the next level, by how much further.
    pub(super) later: VecDeque<Later>,
    pub(super) options: Options,
    pub(super) stop: &'a AtomicBool,
    pub(super) states: StateId,
    /// States expanded: the number of the next one to expand.
    pub(super) expanded: StateId,
    /// All that was asked of the real system; none if the search is not to be kept.
    pub(super) questions: Option<Vec<Question>>,
    pub(super) transitions: usize,
    /// Of the state that was met last.
    pub(super) depth: usize,
    pub(super) next_depth: usize,
    /// For each property, the first state that breaks it, or that reaches what it wants to be reachable.
    pub(super) found: Vec<Option<StateId>>,
    pub(super) final_states: BTreeSet<Fingerprint>,
}

/// States that are due at a later level; some of them will be known by then.
#[derive(Debug)]
pub(super) struct Later {
    pub(super) rows: Rows,
    /// Parent, ordinal, and which properties must be judged.
    pub(super) origins: Vec<(StateId, u16, u8)>,
}

impl Later {
    const ORIGIN_BYTES: usize = size_of::<(StateId, u16, u8)>();
}

impl<'a> Progress<'a> {
    pub(super) fn new(extractor: Extractor, width: usize, options: Options, stop: &'a AtomicBool) -> Self {
        let properties = extractor.scratch.setting().properties.len();
        Self {
            extractor,
            trail: Trail::default(),
            exact: options.exact.then(|| Exact::new(width)),
            next: Rows::new(width),
            later: VecDeque::new(),
            options,
            stop,
            states: 0,
            expanded: 0,
            questions: None,
            transitions: 0,
            depth: 0,
            next_depth: 0,
            found: vec![None; properties],
            final_states: BTreeSet::new(),
        }
    }

    /// Bytes in use, as the allocator has them.
    pub(super) fn bytes(&self) -> usize {
        let later = self.later.iter().map(|later| later.rows.bytes() + later.origins.capacity() * Later::ORIGIN_BYTES);
        let exact = self.exact.as_ref().map_or(0, Exact::bytes);
        self.trail.bytes() + self.next.bytes() + later.sum::<usize>() + exact
    }

    /// Bytes that what was found takes at most when this state of the level is expanded next. How memory happens to
    /// grow depends on the number of workers and on their luck; this does not, so that a bound on it is always hit at
    /// the same state.
    fn needed_bytes(&self, known: &Known, index: usize) -> usize {
        let later = self.later.iter().map(|later| later.rows.len()).sum::<usize>();
        let (rows, row_bytes) = (known.level.len() - index + self.next.len() + later, self.next.row_bytes());
        let found_bytes = self.exact.as_ref().map_or(Visited::STATE_BYTES, |_| row_bytes + Exact::NUMBER_BYTES);
        self.states as usize * (found_bytes + Trail::STATE_BYTES) + rows * row_bytes + later * Later::ORIGIN_BYTES
    }

    /// True if no state waits for its level.
    pub(super) fn is_exhausted(&self) -> bool {
        self.next.len() == 0 && self.later.is_empty()
    }

    /// States that were put off until the next level enter it first.
    pub(super) fn admit_due(&mut self, known: &mut Known) -> Result<(), CloseError> {
        let Some(Later { rows, origins }) = self.later.pop_front() else { return Ok(()) };
        for (index, origin) in origins.into_iter().enumerate() {
            self.admit(known, rows.row(index), rows.fingerprint(index), origin)?;
        }
        Ok(())
    }

    /// A state enters the next level, unless it is known.
    pub(super) fn admit(
        &mut self,
        known: &mut Known,
        row: &[PartId],
        fingerprint: u64,
        origin: (StateId, u16, u8),
    ) -> Result<(), CloseError> {
        known.visited.reserve_one(fingerprint);
        if self.is_new(known, fingerprint, || row.to_vec()) {
            self.next.push(row, fingerprint);
            self.entered(known, origin)?;
        }
        Ok(())
    }

    /// Notes how the last state of the next level was reached, and judges it.
    fn entered(&mut self, known: &Known, (parent, ordinal, judged): (StateId, u16, u8)) -> Result<(), Asymmetry> {
        self.trail.push(parent, ordinal);
        let id = self.states;
        self.states += 1;
        self.depth = self.next_depth;
        let row = self.next.row(self.next.len() - 1);
        let due = self.extractor.due(judged, row);
        if due == 0 {
            return Ok(());
        }
        let broken = match &known.canon {
            Some(canon) => self.extractor.broken_by_all(canon, due, row)?,
            None => self.extractor.broken(due, row),
        };
        if broken != 0 {
            for (property, found) in self.found.iter_mut().enumerate() {
                if broken >> property & 1 != 0 {
                    found.get_or_insert(id);
                }
            }
        }
        Ok(())
    }

    /// Why the search ends before this state of the level is expanded.
    fn halt(&self, known: &Known, index: usize) -> Option<Halt> {
        if self.stop.load(Ordering::Relaxed) {
            return Some(Halt::Bound(Bound::Interrupted));
        }
        if self.states as usize > self.options.max_states {
            return Some(Halt::Bound(Bound::States(self.options.max_states)));
        }
        if let Some(most) = self.options.max_bytes.filter(|most| self.needed_bytes(known, index) > *most) {
            return Some(Halt::Bound(Bound::Memory(most)));
        }
        let is_decided = !self.found.is_empty() && self.found.iter().all(Option::is_some);
        is_decided.then_some(Halt::Decided)
    }

    /// Takes in what was found from some state of a batch on, in order. `first` is the number of the batch's first
    /// state, `at` its index in the level. There must be room among the states met.
    pub(super) fn merge(
        &mut self,
        known: &Known,
        batch: &Batch,
        (first, at): (StateId, usize),
        from: usize,
    ) -> Result<Merged, CloseError> {
        let mut start = if from == 0 { 0 } else { batch.states[from - 1].end };
        for (offset, state) in batch.states.iter().enumerate().skip(from) {
            if let Some(halt) = self.halt(known, at + offset) {
                return Ok(Merged::Halted(halt));
            }
            if state.is_unfinished {
                return Ok(Merged::UpTo(offset));
            }
            let parent = first + StateId::try_from(offset).expect("a batch is small");
            for number in start..state.end {
                self.take_in(known, batch, number, (parent, at + offset))?;
            }
            self.expanded(known, at + offset, state.steps);
            start = state.end;
        }
        Ok(Merged::Wholly)
    }

    /// True if this state was not met; from now on it was.
    fn is_new(&mut self, known: &Known, fingerprint: u64, row: impl FnOnce() -> Vec<PartId>) -> bool {
        match &mut self.exact {
            Some(exact) => exact.insert(&row(), fingerprint),
            None => known.visited.insert(fingerprint),
        }
    }

    fn is_known(&self, known: &Known, fingerprint: u64, row: impl FnOnce() -> Vec<PartId>) -> bool {
        match &self.exact {
            Some(exact) => exact.contains(&row(), fingerprint),
            None => known.visited.contains(fingerprint),
        }
    }

    /// Takes in one candidate of a batch.
    fn take_in(
        &mut self,
        known: &Known,
        batch: &Batch,
        number: usize,
        (parent, index): (StateId, usize),
    ) -> Result<(), Asymmetry> {
        let Candidate { fingerprint, effect, ordinal, weight, .. } = batch.candidates[number];
        let effect = effect.as_leaf().expect("a candidate has an effect");
        let judged = known.memo.effects[effect as usize].judged;
        let row = || changed(known, batch, number, index);
        if weight == 1 {
            if self.is_new(known, fingerprint, row) {
                put(&mut self.next, known, batch, number, index);
                self.entered(known, (parent, ordinal, judged))?;
            }
        } else if !self.is_known(known, fingerprint, row) {
            let further = usize::from(weight) - 2;
            while self.later.len() <= further {
                let rows = Rows::new(self.extractor.layout.len());
                self.later.push_back(Later { rows, origins: Vec::new() });
            }
            let later = &mut self.later[further];
            put(&mut later.rows, known, batch, number, index);
            later.origins.push((parent, ordinal, judged));
        }
        Ok(())
    }

    /// A state was expanded.
    fn expanded(&mut self, known: &Known, index: usize, steps: u16) {
        self.expanded += 1;
        self.transitions += usize::from(steps);
        if steps == 0 && self.options.final_states {
            self.final_states.insert(Fingerprint::of(self.extractor.state(known.level.row(index))));
        }
    }

    /// Asks the real system, and notes the question if the search is to be kept. What comes back of a step that depends
    /// on everything is the state that follows and what must be judged there.
    pub(super) fn ask(&mut self, known: &mut Known, question: Question) -> Result<(Vec<PartId>, u8), CloseError> {
        let answer = match &question {
            Question::Unknown(unknown, row) => {
                if self.questions.is_some() {
                    // So that the answer is numbered alike whatever was judged before it.
                    self.extractor.load_all(row);
                }
                self.extractor.resolve(&mut known.memo, *unknown, row)?;
                if let Some(canon) = &mut known.canon {
                    self.extractor.close(&mut known.memo, canon)?;
                }
                (Vec::new(), 0)
            }
            Question::Wide(transition, row) => {
                let fired = self.extractor.fire_wide(*transition, row);
                fired.map_err(|error| CloseError::Explore(error.into()))?
            }
        };
        if let Some(questions) = &mut self.questions {
            questions.push(question);
        }
        Ok(answer)
    }

    /// Expands a state about which something is unknown until nothing is, and takes in what its steps lead to.
    pub(super) fn learn(&mut self, known: &mut Known, parent: StateId, index: usize) -> Result<(), CloseError> {
        let mut batch = Batch::default();
        let steps = loop {
            batch.clear();
            let (row, fingerprint) = (known.level.row(index), known.level.fingerprint(index));
            match super::expand::expand(&known.memo, row, fingerprint, &mut batch.candidates) {
                Ok(steps) => break steps,
                Err(unknown) => {
                    let question = Question::Unknown(unknown, row.to_vec());
                    self.ask(known, question)?;
                }
            }
        };
        let Extractor { scratch, layout, .. } = &self.extractor;
        if layout.is_relative && scratch.names_instants() {
            return Err(CloseError::NamesInstants);
        }
        if let Some(canon) = &known.canon {
            if batch.candidates.iter().any(|candidate| candidate.effect == Tree::WIDE) {
                let is_of_seats = canon.clients == 0;
                return Err(Asymmetry { reason: "a step depends on everything", is_of_seats }.into());
            }
            batch.sort(known, canon, known.level.row(index), 0);
        }
        for number in 0..batch.candidates.len() {
            let Candidate { fingerprint, effect, transition, ordinal, .. } = batch.candidates[number];
            if effect == Tree::WIDE {
                let question = Question::Wide(transition, known.level.row(index).to_vec());
                let (row, judged) = self.ask(known, question)?;
                let fingerprint = self.extractor.fingerprint(&row);
                self.admit(known, &row, fingerprint, (parent, ordinal, judged))?;
            } else {
                known.visited.reserve_one(fingerprint);
                self.take_in(known, &batch, number, (parent, index))?;
            }
        }
        self.expanded(known, index, steps);
        Ok(())
    }
}

/// The state that a candidate leads to.
fn changed(known: &Known, batch: &Batch, number: usize, index: usize) -> Vec<PartId> {
    let mut row = Rows::new(known.level.width());
    put(&mut row, known, batch, number, index);
    row.row(0).to_vec()
}

/// Appends the state that a candidate leads to.
fn put(rows: &mut Rows, known: &Known, batch: &Batch, number: usize, index: usize) {
    let Candidate { fingerprint, effect, .. } = batch.candidates[number];
    let row = known.level.row(index);
    if known.canon.is_some() {
        let width = row.len();
        rows.push(&batch.rows[number * width..(number + 1) * width], fingerprint);
    } else {
        let effect = effect.as_leaf().expect("a candidate has an effect");
        rows.push_changed(row, known.memo.writes(effect), fingerprint);
    }
}
