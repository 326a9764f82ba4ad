//! The inner loop: the steps of a state and the fingerprints that they lead to, from integers in flat memory alone.

use super::extract::Unknown;
use super::memo::{Memo, Tree};
use super::part::PartId;
use super::visited::Visited;

/// A state that a step leads to and that was not known when it was looked up.
#[derive(Copy, Clone, Debug)]
pub(super) struct Candidate {
    pub(super) fingerprint: u64,
    /// What the last of its steps does, or [`Tree::WIDE`].
    pub(super) effect: Tree,
    /// The transition of the last step.
    pub(super) transition: u32,
    /// Which of the state's entries it is.
    pub(super) ordinal: u16,
    /// For how many steps it stands.
    pub(super) weight: u16,
}

/// What came of expanding some states in a row.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) candidates: Vec<Candidate>,
    /// For each state: where its candidates end, how many steps it allows, and what was unknown about it.
    pub(super) states: Vec<Expanded>,
}

/// One state of a batch.
#[derive(Copy, Clone, Debug)]
pub(super) struct Expanded {
    pub(super) end: usize,
    pub(super) steps: u16,
    /// It must be expanded again once this is known.
    pub(super) is_unfinished: bool,
}

/// Candidates are looked up so many at a time: the loads overlap, and what they bring is still in the cache.
const LOOKED_UP: usize = 256;

impl Batch {
    /// Expands states in a row; `row_of` and their fingerprints say which.
    pub(super) fn expand<'a>(
        &mut self,
        memo: &Memo,
        visited: &Visited,
        states: impl Iterator<Item = (&'a [PartId], u64)>,
    ) {
        self.candidates.clear();
        self.states.clear();
        let (mut from, mut first) = (0, 0);
        for (row, fingerprint) in states {
            let start = self.candidates.len();
            let expanded = expand(memo, row, fingerprint, &mut self.candidates);
            if expanded.is_err() {
                self.candidates.truncate(start);
            }
            let end = self.candidates.len();
            self.states.push(Expanded { end, steps: expanded.unwrap_or(0), is_unfinished: expanded.is_err() });
            if end - from >= LOOKED_UP {
                from = self.drop_known(visited, from, first);
                first = self.states.len();
            }
        }
        self.drop_known(visited, from, first);
    }

    /// Drops candidates from `from` on that have been met; they belong to the states from `first` on.
    fn drop_known(&mut self, visited: &Visited, from: usize, first: usize) -> usize {
        // Without a branch, so that the loads overlap.
        let seen = self.candidates[from..].iter().fold(0, |sum, it| sum ^ visited.peek(it.fingerprint));
        std::hint::black_box(seen);
        let (mut kept, mut next) = (from, from);
        for state in &mut self.states[first..] {
            while next < state.end {
                let candidate = self.candidates[next];
                next += 1;
                if candidate.effect == Tree::WIDE || !visited.contains(candidate.fingerprint) {
                    self.candidates[kept] = candidate;
                    kept += 1;
                }
            }
            state.end = kept;
        }
        self.candidates.truncate(kept);
        kept
    }
}

/// Appends what the steps of a state lead to; how many there are.
pub(super) fn expand(memo: &Memo, row: &[PartId], fingerprint: u64, out: &mut Vec<Candidate>) -> Result<u16, Unknown> {
    let mut ordinal = 0;
    for group in 0..memo.groups.len() {
        let list = memo.list(group, row).ok_or(Unknown::List(group))?;
        for entry in &memo.entries[list] {
            let transition = if memo.time == Some(group) {
                match time(memo, row)? {
                    Some(transition) => transition,
                    None => break,
                }
            } else {
                entry.transition
            };
            let tree = memo.follow(memo.transitions[transition as usize], row);
            let delta = match tree.as_leaf() {
                Some(effect) => memo.effects[effect as usize].delta.wrapping_add(entry.delta),
                None if tree == Tree::WIDE => 0,
                None => return Err(Unknown::Effect(transition)),
            };
            let fingerprint = fingerprint.wrapping_add(delta);
            out.push(Candidate { fingerprint, effect: tree, transition, ordinal, weight: entry.weight });
            ordinal += 1;
        }
    }
    Ok(ordinal)
}

/// The passing of time to the next instant at which something changes, if there is one.
fn time(memo: &Memo, row: &[PartId]) -> Result<Option<u32>, Unknown> {
    let mut next = u64::MAX;
    for clock in 0..memo.clocks.len() {
        next = next.min(memo.instant(clock, row).ok_or(Unknown::Instant(clock))?);
    }
    if next == u64::MAX {
        return Ok(None);
    }
    memo.passing.get(&next).copied().map(Some).ok_or(Unknown::Time(next))
}
