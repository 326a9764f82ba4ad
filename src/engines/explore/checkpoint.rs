//! A search that was stopped, as bytes, and the search again.
//!
//! The states are rows of small integers, so they are kept as they are. What the integers stand for (parts, memo,
//! transitions) is not: it is found out again by asking the real system the same questions in the same order, which
//! numbers everything alike and takes a thousandth of the search. So nothing of the world has to be read from a file.

use serde::{Deserialize, Serialize};

use super::Reductions;
use super::extract::Unknown;
use super::frontier::{Rows, StateId};
use super::part::PartId;
use super::progress::Later;
use super::search::Search;
use super::symmetry::CloseError;
use crate::system::fingerprint::Fingerprint;

/// One question to the real system, whose answer is numbered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) enum Question {
    /// What was unknown in a state.
    Unknown(Unknown, Vec<PartId>),
    /// What a step that depends on everything does in a state.
    Wide(u32, Vec<PartId>),
}

/// All that a search knows and cannot ask again.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    pub(super) reductions: Reductions,
    questions: Vec<Question>,
    /// Over all that the questions led to, to see that they did so again.
    digest: u128,
    /// States that are met and not expanded: of the present level, of the next one, and of those after it.
    level: KeptRows,
    next: KeptRows,
    later: Vec<KeptLater>,
    visited: Vec<u64>,
    trail: Vec<(StateId, u16)>,
    states: StateId,
    expanded: StateId,
    transitions: usize,
    depth: usize,
    next_depth: usize,
    found: Vec<Option<StateId>>,
    final_states: Vec<u128>,
    judged: u64,
    peak_bytes: usize,
}

/// Packed states and their fingerprints.
#[derive(Debug, Serialize, Deserialize)]
struct KeptRows {
    ids: Vec<PartId>,
    fingerprints: Vec<u64>,
}

/// States that are due at a later level.
#[derive(Debug, Serialize, Deserialize)]
struct KeptLater {
    rows: KeptRows,
    origins: Vec<(StateId, u16, u8)>,
}

impl KeptRows {
    /// The rows from this one on.
    fn of(rows: &Rows, from: usize) -> Self {
        let indexes = from..rows.len();
        Self {
            ids: indexes.clone().flat_map(|index| rows.row(index)).copied().collect(),
            fingerprints: indexes.map(|index| rows.fingerprint(index)).collect(),
        }
    }

    fn rows(&self, width: usize) -> Rows {
        let mut rows = Rows::new(width);
        for (row, fingerprint) in self.ids.chunks_exact(width).zip(&self.fingerprints) {
            rows.push(row, *fingerprint);
        }
        rows
    }
}

impl Checkpoint {
    /// The search where it was stopped: between two states.
    pub(super) fn of(search: &Search<'_>) -> Self {
        let Search { known, progress, level_first, peak_bytes, .. } = search;
        // Those of the present level that are expanded are done with.
        let from = (progress.expanded - level_first) as usize;
        let later = progress.later.iter();
        let later = later.map(|it| KeptLater { rows: KeptRows::of(&it.rows, 0), origins: it.origins.clone() });
        Self {
            reductions: search.reductions,
            questions: progress.questions.clone().unwrap_or_default(),
            digest: digest(search),
            level: KeptRows::of(&known.level, from),
            next: KeptRows::of(&progress.next, 0),
            later: later.collect(),
            visited: known.visited.iter().collect(),
            trail: progress.trail.iter().collect(),
            states: progress.states,
            expanded: progress.expanded,
            transitions: progress.transitions,
            depth: progress.depth,
            next_depth: progress.next_depth,
            found: progress.found.clone(),
            final_states: progress.final_states.iter().map(|fingerprint| fingerprint.0).collect(),
            judged: progress.extractor.judged_so_far(),
            peak_bytes: *peak_bytes,
        }
    }

    /// Puts a search that has just begun where this one was stopped. False if the questions led to something else: then
    /// it is another model's.
    pub(super) fn restore(self, search: &mut Search<'_>) -> Result<bool, CloseError> {
        for question in self.questions {
            search.progress.ask(&mut search.known, question)?;
        }
        if digest(search) != self.digest {
            return Ok(false);
        }
        let width = search.initial.len();
        let Search { known, progress, .. } = search;
        known.level = self.level.rows(width);
        progress.next = self.next.rows(width);
        let later = self.later.into_iter();
        progress.later = later.map(|it| Later { rows: it.rows.rows(width), origins: it.origins }).collect();
        known.visited = super::visited::Visited::new();
        known.visited.reserve(self.visited.iter().copied());
        for fingerprint in self.visited {
            known.visited.insert(fingerprint);
        }
        progress.trail = super::frontier::Trail::default();
        self.trail.iter().for_each(|(parent, ordinal)| progress.trail.push(*parent, *ordinal));
        progress.states = self.states;
        progress.expanded = self.expanded;
        progress.transitions = self.transitions;
        progress.depth = self.depth;
        progress.next_depth = self.next_depth;
        progress.found = self.found;
        progress.final_states = self.final_states.into_iter().map(Fingerprint).collect();
        progress.extractor.judged_before = self.judged;
        search.level_first = self.expanded;
        search.peak_bytes = self.peak_bytes;
        search.is_resumed = true;
        Ok(true)
    }
}

/// All that is numbered: the parts met at each place, and how much the memo knows.
fn digest(search: &Search<'_>) -> u128 {
    let Search { known, progress, .. } = search;
    let interners = &progress.extractor.interners;
    let parts = interners.iter().map(|interner| {
        (0..interner.len()).fold(0_u64, |hash, id| {
            let id = PartId::try_from(id).expect("memory ends before 2^32 parts");
            hash.rotate_left(1) ^ interner.weight(id)
        })
    });
    let sizes = (known.memo.transitions.len(), known.memo.entries.len(), known.memo.effects.len());
    Fingerprint::of(&(parts.collect::<Vec<_>>(), sizes)).0
}
