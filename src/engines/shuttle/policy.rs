//! How a scheduler picks among the threads that have a step. shuttle's own schedulers walk maps of all tasks at each
//! step; at a hundred contenders these, on dense vectors, are several times faster.

use super::threads::Thread;
use crate::engines::prng::Stream;

/// A scheduler by name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Scheduler {
    /// Each thread with the same chance at each step.
    Random,
    /// Probabilistic concurrency testing: the thread of the highest priority runs, and `depth - 1` times the running
    /// one falls to the lowest (Burckhardt et al., ASPLOS 2010).
    Pct {
        /// How many orderings a violation needs at most to be found with the guaranteed chance.
        depth: u32,
    },
    /// Uniform random walk: a thread's chance is its share of the steps still to come, so that all interleavings are
    /// about equally likely (Zhao et al., ASPLOS 2025).
    Urw,
}

impl std::fmt::Display for Scheduler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Random => f.write_str("random"),
            Self::Pct { depth } => write!(f, "pct({depth})"),
            Self::Urw => f.write_str("urw"),
        }
    }
}

/// A scheduler at work in one execution.
#[derive(Debug)]
pub(super) enum Policy {
    Random,
    Pct { priorities: Vec<u32>, changes: Vec<u64>, lowest: u32, step: u64 },
    Urw { left: Vec<u64> },
}

impl Policy {
    /// A policy for an execution in which about `lengths` steps are expected of each thread.
    pub(super) fn new(scheduler: Scheduler, lengths: &[u64], stream: &mut Stream) -> Self {
        match scheduler {
            Scheduler::Random => Self::Random,
            Scheduler::Urw => Self::Urw { left: lengths.to_vec() },
            Scheduler::Pct { depth } => {
                let threads = u32::try_from(lengths.len()).expect("a few threads");
                let mut priorities = (depth..depth + threads).collect::<Vec<_>>();
                for last in (1..priorities.len()).rev() {
                    priorities.swap(last, below(stream, last + 1));
                }
                let total = lengths.iter().sum::<u64>().max(1);
                let mut changes = (1..depth).map(|_| stream.below(total)).collect::<Vec<_>>();
                changes.sort_unstable_by(|one, other| other.cmp(one));
                Self::Pct { priorities, changes, lowest: depth, step: 0 }
            }
        }
    }

    /// Picks one of the ready threads, of which there is at least one.
    pub(super) fn pick(&mut self, ready: &[Thread], stream: &mut Stream) -> Thread {
        match self {
            Self::Random => ready[below(stream, ready.len())],
            Self::Pct { priorities, .. } => {
                *ready.iter().max_by_key(|thread| priorities[**thread]).expect("some thread is ready")
            }
            Self::Urw { left } => {
                let total = ready.iter().map(|thread| left[*thread]).sum::<u64>();
                let mut at = stream.below(total.max(1));
                let reaches = |thread: &&Thread| {
                    let share = left[**thread];
                    let is_here = at < share;
                    at = at.saturating_sub(share);
                    is_here
                };
                *ready.iter().find(reaches).unwrap_or(&ready[0])
            }
        }
    }

    /// The thread takes its step.
    pub(super) fn took(&mut self, thread: Thread) {
        match self {
            Self::Random => {}
            Self::Urw { left } => left[thread] = left[thread].saturating_sub(1).max(1),
            Self::Pct { priorities, changes, lowest, step } => {
                if changes.last() == Some(step) {
                    while changes.last() == Some(step) {
                        changes.pop();
                    }
                    *lowest -= 1;
                    priorities[thread] = *lowest;
                }
                *step += 1;
            }
        }
    }
}

fn below(stream: &mut Stream, n: usize) -> usize {
    usize::try_from(stream.below(n as u64)).expect("below a length")
}
