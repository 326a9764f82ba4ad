//! The inner loop: the steps of a state and the fingerprints that they lead to, from integers in flat memory alone.

use super::canon::{Canon, Scratch};
use super::extract::Unknown;
use super::frontier::Rows;
use super::memo::{Memo, Tree};
use super::part::PartId;
use super::recent::Recent;
use super::visited::Visited;

/// What every worker may read while they work.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) memo: Memo,
    /// How interchangeable clients are sorted, if there are any.
    pub(super) canon: Option<Canon>,
    pub(super) visited: Visited,
    /// True if whoever merges compares whole states: then nothing is dropped for its fingerprint.
    pub(super) is_exact: bool,
    /// The states that are expanded now.
    pub(super) level: Rows,
}

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
    /// The sorted rows of the candidates, where clients are interchangeable.
    pub(super) rows: Vec<PartId>,
    /// One for each state that was expanded.
    pub(super) states: Vec<Expanded>,
    scratch: Scratch,
}

/// One state of a batch.
#[derive(Copy, Clone, Debug)]
pub(super) struct Expanded {
    /// Where its candidates end.
    pub(super) end: usize,
    /// How many steps it allows.
    pub(super) steps: u16,
    /// Something is unknown about it, or a step depends on everything: to be expanded by whoever may find out.
    pub(super) is_unfinished: bool,
}

/// Candidates are looked up so many at a time: the loads overlap, and what they bring is still in the cache.
const LOOKED_UP: usize = 256;

impl Batch {
    /// Expands the states of the level from one index to another.
    pub(super) fn expand(&mut self, known: &Known, recent: &mut Recent, from: usize, to: usize) {
        self.clear();
        let drops_known = known.canon.is_none() && !known.is_exact;
        let (mut looked_up, mut first) = (0, 0);
        for index in from..to {
            self.expand_one(known, recent, index);
            if drops_known && self.candidates.len() - looked_up >= LOOKED_UP {
                looked_up = self.drop_known(&known.visited, looked_up, first);
                first = self.states.len();
            }
        }
        if drops_known {
            self.drop_known(&known.visited, looked_up, first);
        }
    }

    pub(super) fn clear(&mut self) {
        self.candidates.clear();
        self.rows.clear();
        self.states.clear();
    }

    fn expand_one(&mut self, known: &Known, recent: &mut Recent, index: usize) {
        let start = self.candidates.len();
        let row = known.level.row(index);
        let expanded = expand(&known.memo, row, known.level.fingerprint(index), &mut self.candidates);
        let is_wide = self.candidates[start..].iter().any(|candidate| candidate.effect == Tree::WIDE);
        let is_unfinished = expanded.is_err() || is_wide;
        if is_unfinished {
            self.candidates.truncate(start);
        } else {
            if !known.is_exact {
                self.drop_recent(recent, start);
            }
            if let Some(canon) = &known.canon {
                self.sort(known, canon, row, start);
            }
        }
        let end = self.candidates.len();
        self.states.push(Expanded { end, steps: expanded.unwrap_or(0), is_unfinished });
    }

    /// Drops candidates from `start` on that this worker has just met. Those that are due at a later level do not count
    /// as met, as they may turn out to be nearer.
    fn drop_recent(&mut self, recent: &mut Recent, start: usize) {
        let mut kept = start;
        for index in start..self.candidates.len() {
            let candidate = self.candidates[index];
            self.candidates[kept] = candidate;
            let is_met = if candidate.weight == 1 {
                recent.meet(candidate.fingerprint)
            } else {
                recent.met(candidate.fingerprint)
            };
            kept += usize::from(!is_met);
        }
        self.candidates.truncate(kept);
    }

    /// Replaces the candidates from `start` on, which come from this row, by their sorted forms.
    pub(super) fn sort(&mut self, known: &Known, canon: &Canon, row: &[PartId], start: usize) {
        let mut kept = start;
        for index in start..self.candidates.len() {
            let mut candidate = self.candidates[index];
            let effect = candidate.effect.as_leaf().expect("only what is known is sorted");
            let at = self.rows.len();
            self.rows.extend_from_slice(row);
            for write in known.memo.writes(effect) {
                self.rows[at + write.position as usize] = write.id;
            }
            candidate.fingerprint = canon.sort(&mut self.rows[at..], &mut self.scratch);
            if !known.is_exact && known.visited.contains(candidate.fingerprint) {
                self.rows.truncate(at);
            } else {
                self.candidates[kept] = candidate;
                kept += 1;
            }
        }
        self.candidates.truncate(kept);
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
                if !visited.contains(candidate.fingerprint) {
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

/// The passing of time to the next instant at which something changes, if there is one and nobody is waited for.
fn time(memo: &Memo, row: &[PartId]) -> Result<Option<u32>, Unknown> {
    let mut next = u64::MAX;
    for clock in 0..memo.alarms {
        next = next.min(memo.instant(clock, row).ok_or(Unknown::Instant(clock))?);
    }
    if next == u64::MAX {
        return Ok(None);
    }
    for limit in memo.alarms..memo.clocks.len() {
        if memo.instant(limit, row).ok_or(Unknown::Instant(limit))? < next {
            return Ok(None);
        }
    }
    memo.passing.get(&next).copied().map(Some).ok_or(Unknown::Time(next))
}
