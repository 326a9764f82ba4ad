//! The time budget of a command, by the wall clock. What a budget cuts short says so; what it does not cut short does
//! not depend on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

/// How soon an interruption reaches an engine that works under a budget.
const POLL: Duration = Duration::from_millis(20);

/// The instant at which work has to stop, if there is one, and the flag of Ctrl-C.
#[derive(Clone, Debug)]
pub(super) struct Deadline {
    ends: Option<Instant>,
    interrupt: Arc<AtomicBool>,
}

impl Deadline {
    /// From now on; without a budget only Ctrl-C ends the work.
    pub(super) fn new(budget: Option<Duration>, interrupt: Arc<AtomicBool>) -> Self {
        // A budget beyond what the clock can tell is none.
        Self { ends: budget.and_then(|budget| Instant::now().checked_add(budget)), interrupt }
    }

    /// The time that is left, shared out: the deadline of the first of so many parts.
    pub(super) fn part(&self, parts: usize) -> Self {
        let now = Instant::now();
        let parts = u32::try_from(parts).unwrap_or(u32::MAX).max(1);
        let share = |ends: Instant| now + ends.saturating_duration_since(now) / parts;
        Self { ends: self.ends.map(share), interrupt: Arc::clone(&self.interrupt) }
    }

    /// Without the budget: only Ctrl-C ends the work.
    pub(super) fn untimed(&self) -> Self {
        Self { ends: None, interrupt: Arc::clone(&self.interrupt) }
    }

    /// True when somebody asked to stop.
    pub(super) fn is_interrupted(&self) -> bool {
        self.interrupt.load(Ordering::Relaxed)
    }

    /// True when somebody asked to stop, or the time is up.
    pub(super) fn is_over(&self) -> bool {
        self.is_interrupted() || self.ends.is_some_and(|ends| ends <= Instant::now())
    }

    /// Does some work with a flag that is set at the deadline, or when somebody asks to stop.
    pub(super) fn run<T>(&self, work: impl FnOnce(&Arc<AtomicBool>) -> T) -> T {
        let Some(ends) = self.ends else { return work(&self.interrupt) };
        let stop = Arc::new(AtomicBool::new(self.is_over()));
        let (working, watched) = channel::<()>();
        std::thread::scope(|scope| {
            let flag = Arc::clone(&stop);
            scope.spawn(move || {
                loop {
                    let left = ends.saturating_duration_since(Instant::now());
                    if left.is_zero() || self.is_interrupted() {
                        flag.store(true, Ordering::Relaxed);
                        return;
                    }
                    if watched.recv_timeout(left.min(POLL)) == Err(RecvTimeoutError::Disconnected) {
                        return;
                    }
                }
            });
            // Dropped when the work is done, also by a panic.
            let _working = working;
            work(&stop)
        })
    }
}
