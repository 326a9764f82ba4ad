//! The search: level by level. Workers expand batches of a level side by side; one of them merges what was found, in
//! the order of the level, so that the result is the same for any number of them.

use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::canon::{Canon, Scratch};
use super::expand::{Batch, Known};
use super::extract::Extractor;
use super::frontier::{Rows, StateId};
use super::judge;
use super::part::PartId;
use super::progress::{Halt, Merged, Progress};
use super::recent::Recent;
use super::symmetry::CloseError;
use super::visited::Visited;
use super::{Glance, Options, Reductions};
use crate::engines::verdict::Bound;
use crate::system::Setting;

/// States of a level that one worker expands at a time.
const BATCH: usize = 512;
/// How many batches may be expanded and not merged yet: what they looked up is still in the cache.
const AHEAD: usize = 8;
/// After so many batches the workers pause, so that what is done with can be freed.
const BREATH: usize = 128;
/// Smaller levels are not worth starting a thread for.
const PARALLEL_MIN: usize = 16 * BATCH;

/// Who watches the search.
pub(super) type Watch<'a> = &'a mut dyn FnMut(Glance);

/// Everything that a search knows.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) known: Known,
    pub(super) progress: Progress<'a>,
    pub(super) reductions: Reductions,
    pub(super) initial: Vec<PartId>,
    pub(super) peak_bytes: usize,
    /// Number of the first state of the present level.
    pub(super) level_first: StateId,
    /// True until the rest of the level is expanded in which the search was stopped earlier.
    pub(super) is_resumed: bool,
}

impl<'a> Search<'a> {
    pub(super) fn new(
        setting: &Rc<Setting>,
        options: Options,
        reductions: Reductions,
        stop: &'a AtomicBool,
    ) -> Result<Self, CloseError> {
        let extractor = Extractor::new(setting, reductions).map_err(|error| CloseError::Explore(error.into()))?;
        let (mut extractor, memo, initial) = extractor;
        let canon = Canon::of(setting, &extractor, reductions, &initial);
        let level = Rows::new(initial.len());
        let mut known = Known { memo, canon, visited: Visited::new(), is_exact: options.exact, level };
        if let Some(canon) = &mut known.canon {
            extractor.learned = Some(std::collections::VecDeque::new());
            extractor.close(&mut known.memo, canon)?;
        }
        let mut row = initial.clone();
        if let Some(canon) = &known.canon {
            canon.sort(&mut row, &mut Scratch::default());
        }
        let fingerprint = extractor.fingerprint(&row);
        let mut progress = Progress::new(extractor, initial.len(), options, stop);
        progress.admit(&mut known, &row, fingerprint, (0, 0, judge::ALL))?;
        Ok(Self { known, progress, reductions, initial, peak_bytes: 0, level_first: 0, is_resumed: false })
    }

    /// Explores until all is decided, the space is exhausted, or a bound is hit, which is returned.
    pub(super) fn run(&mut self, watch: Watch<'_>) -> Result<Option<Bound>, CloseError> {
        loop {
            if !std::mem::take(&mut self.is_resumed) && !self.descend()? {
                return Ok(None);
            }
            let (length, first) = (self.known.level.len(), self.level_first);
            // More would find no batch to expand, and only take the time of those that do.
            let threads = self.progress.options.threads.get().min(AHEAD);
            let workers = if length < PARALLEL_MIN { 1 } else { threads };
            let halt = if workers < 2 { self.alone(first, watch)? } else { self.together(first, workers, watch)? };
            match halt {
                Some(Halt::Decided) => return Ok(None),
                Some(Halt::Bound(bound)) => return Ok(Some(bound)),
                None => {}
            }
        }
    }

    /// The next level becomes the present one. False if there is none.
    fn descend(&mut self) -> Result<bool, CloseError> {
        std::mem::swap(&mut self.known.level, &mut self.progress.next);
        self.progress.next.clear();
        self.progress.next_depth += 1;
        let length = self.known.level.len();
        self.level_first = self.progress.states - number(length);
        self.progress.admit_due(&mut self.known)?;
        Ok(length > 0 || !self.progress.is_exhausted())
    }

    fn bytes(&self) -> usize {
        self.known.visited.bytes() + self.known.level.bytes() + self.progress.bytes()
    }

    /// Frees what lies before this state of the level, notes how much is in use, and tells who watches.
    fn tidy_up(&mut self, at: usize, watch: Watch<'_>) {
        self.peak_bytes = self.peak_bytes.max(self.bytes());
        self.known.level.free_before(at);
        let Progress { depth, states, next, .. } = &self.progress;
        // The last batch of a level may be a short one.
        let queue = self.known.level.len().saturating_sub(at) + next.len();
        watch(Glance { depth: *depth, states: *states as usize, queue });
    }

    /// Expands a level by this thread alone.
    fn alone(&mut self, first: StateId, watch: Watch<'_>) -> Result<Option<Halt>, CloseError> {
        let (mut batch, mut recent) = (Batch::default(), Recent::new());
        for at in (0..self.known.level.len()).step_by(BATCH) {
            batch.expand(&self.known, &mut recent, at, self.known.level.len().min(at + BATCH));
            let halt = self.merge_at_leisure(&batch, (first + number(at), at), 0)?;
            self.tidy_up(at, watch);
            if halt.is_some() {
                return Ok(halt);
            }
        }
        Ok(None)
    }

    /// Merges a batch from some state on while no other worker is at work: what is unknown can be found out.
    fn merge_at_leisure(
        &mut self,
        batch: &Batch,
        (first, at): (StateId, usize),
        mut from: usize,
    ) -> Result<Option<Halt>, CloseError> {
        let (known, progress) = (&mut self.known, &mut self.progress);
        known.visited.reserve(batch.candidates.iter().map(|candidate| candidate.fingerprint));
        loop {
            match progress.merge(known, batch, (first, at), from)? {
                Merged::Wholly => return Ok(None),
                Merged::Halted(halt) => return Ok(Some(halt)),
                Merged::UpTo(state) => {
                    progress.learn(known, first + number(state), at + state)?;
                    from = state + 1;
                    // What was learned took from the room.
                    known.visited.reserve(batch.candidates.iter().map(|candidate| candidate.fingerprint));
                }
            }
        }
    }

    /// Expands a level by several workers. This thread merges their batches in order, and expands some itself when none
    /// is ready; whenever it needs the others to hold still, they are ended and started again.
    fn together(&mut self, first: StateId, workers: usize, watch: Watch<'_>) -> Result<Option<Halt>, CloseError> {
        let length = self.known.level.len();
        let count = length.div_ceil(BATCH);
        let queue = Queue {
            next: AtomicUsize::new(0),
            merged: AtomicUsize::new(0),
            done: (0..count).map(|_| Mutex::new(None)).collect(),
        };
        while queue.merged() < count {
            let (known, progress) = (&self.known, &mut self.progress);
            let expand = |is_ended: &AtomicBool| {
                let mut recent = Recent::new();
                while !is_ended.load(Ordering::Relaxed) && queue.merged() < count {
                    if !queue.expand_next(known, &mut recent) {
                        std::thread::yield_now();
                    }
                }
            };
            let merge = |is_ended: &AtomicBool| merge_together(known, progress, &queue, first, is_ended);
            let interrupted = with_helpers(workers - 1, expand, merge)?;
            let at = queue.merged() * BATCH;
            self.tidy_up(at, watch);
            let halt = match interrupted {
                Pause::At(batch, state) => {
                    self.known.visited.grow_soon_full();
                    let halt = self.merge_at_leisure(&batch, (first + number(at), at), state)?;
                    queue.merged.fetch_add(1, Ordering::Relaxed);
                    halt
                }
                Pause::Halted(halt) => Some(halt),
                Pause::Breath => None,
            };
            if halt.is_some() {
                return Ok(halt);
            }
        }
        Ok(None)
    }
}

/// Why merging side by side with other workers pauses.
enum Pause {
    /// At this state of the batch something must be found out, or room must be made.
    At(Batch, usize),
    Halted(Halt),
    /// To free memory, or because the level is done.
    Breath,
}

/// Does `work` while so many other threads help, each of which comes to its end soon after the flag is set. It is set
/// when `work` is done, and when any of them panics: `work` has to look at it too. The panic of a helper goes on here.
fn with_helpers<T>(helpers: usize, help: impl Fn(&AtomicBool) + Sync, work: impl FnOnce(&AtomicBool) -> T) -> T {
    let is_ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let help = || {
            let _ended = Ended(&is_ended);
            help(&is_ended);
        };
        // The operating system may refuse a thread.
        let ended = Ended(&is_ended);
        let helping = (0..helpers).map(|_| scope.spawn(help)).collect::<Vec<_>>();
        let done = work(&is_ended);
        drop(ended);
        for helper in helping {
            helper.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
        done
    })
}

/// Sends the other workers home, also after a panic.
struct Ended<'a>(&'a AtomicBool);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The batches of a level.
struct Queue {
    /// The next one to expand.
    next: AtomicUsize,
    /// How many are merged.
    merged: AtomicUsize,
    done: Vec<Mutex<Option<Batch>>>,
}

impl Queue {
    fn merged(&self) -> usize {
        self.merged.load(Ordering::Relaxed)
    }

    /// Expands the next batch, unless there is none or too many wait to be merged.
    fn expand_next(&self, known: &Known, recent: &mut Recent) -> bool {
        if self.next.load(Ordering::Relaxed) >= self.done.len().min(self.merged() + AHEAD) {
            return false;
        }
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let Some(slot) = self.done.get(number) else { return false };
        let mut batch = Batch::default();
        batch.expand(known, recent, number * BATCH, known.level.len().min((number + 1) * BATCH));
        *slot.lock().expect("no worker panics") = Some(batch);
        true
    }
}

/// Merges batch after batch while others expand, as long as nothing has to be found out and none of them has panicked.
fn merge_together(
    known: &Known,
    progress: &mut Progress<'_>,
    queue: &Queue,
    first: StateId,
    is_ended: &AtomicBool,
) -> Result<Pause, CloseError> {
    let until = queue.done.len().min(queue.merged() + BREATH);
    let mut recent = Recent::new();
    while queue.merged() < until && !is_ended.load(Ordering::Relaxed) {
        let number_of_batch = queue.merged();
        let ready = queue.done[number_of_batch].lock().expect("no worker panics").take();
        let Some(batch) = ready else {
            if !queue.expand_next(known, &mut recent) {
                std::thread::yield_now();
            }
            continue;
        };
        let at = number_of_batch * BATCH;
        if !known.visited.has_room(batch.candidates.iter().map(|candidate| candidate.fingerprint)) {
            return Ok(Pause::At(batch, 0));
        }
        match progress.merge(known, &batch, (first + number(at), at), 0)? {
            Merged::Wholly => queue.merged.fetch_add(1, Ordering::Relaxed),
            Merged::UpTo(state) => return Ok(Pause::At(batch, state)),
            Merged::Halted(halt) => return Ok(Pause::Halted(halt)),
        };
    }
    Ok(Pause::Breath)
}

fn number(length: usize) -> StateId {
    StateId::try_from(length).expect("a search keeps fewer than 2^32 states")
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;
    use crate::process::{Flow, panic_message};
    use crate::system::model::{Journey, Model};

    static IDLE: Model = Model {
        name: "idle",
        journeys: &[Journey { name: "rest", about: "", run: |_| Box::pin(async { Flow::Done }) }],
        ..Model::BARE
    };

    #[test]
    fn the_panic_of_a_helper_ends_all_and_goes_on() {
        let wait = |is_ended: &AtomicBool| {
            while !is_ended.load(Ordering::Relaxed) {
                std::thread::yield_now();
            }
        };
        let first = AtomicBool::new(true);
        let help = |is_ended: &AtomicBool| {
            assert!(!first.swap(false, Ordering::Relaxed), "a helper panics");
            wait(is_ended);
        };
        let panic = catch_unwind(AssertUnwindSafe(|| with_helpers(3, help, wait))).expect_err("the helper's panic");
        assert_eq!(panic_message(&*panic), "a helper panics");
        let panic = catch_unwind(AssertUnwindSafe(|| with_helpers(3, wait, |_| panic!("this one panics"))));
        assert_eq!(panic_message(&*panic.expect_err("its own panic")), "this one panics");
        assert_eq!(with_helpers(3, wait, |_| 7), 7);
    }

    #[test]
    fn nobody_waits_for_the_batch_of_a_helper_that_panicked() {
        let options = Options {
            max_states: 10,
            max_bytes: None,
            threads: NonZeroUsize::MIN,
            reductions: Reductions::all_if(false),
            exact: false,
            final_states: false,
        };
        let (setting, stop) = (Rc::new(Setting::of(&IDLE, &["rest"])), AtomicBool::new(false));
        let mut search = Search::new(&setting, options, options.reductions, &stop).expect("explorable");
        let queue = Queue { next: AtomicUsize::new(1), merged: AtomicUsize::new(0), done: vec![Mutex::new(None)] };
        let merged = merge_together(&search.known, &mut search.progress, &queue, 0, &AtomicBool::new(true));
        assert!(matches!(merged, Ok(Pause::Breath)));
    }
}
