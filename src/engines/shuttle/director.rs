//! Our schedulers in shuttle's terms.

use ::shuttle::scheduler::{DataSource, RandomDataSource, Schedule, Task, TaskId};

use super::stage::Stage;
use super::threads::Thread;

/// Who decides which thread is next.
pub(super) trait Choose {
    /// Makes ready for the next execution; its seed, or none to end the run.
    fn begin(&mut self) -> Option<u64>;

    /// The next thread, which has a step, or none to end the execution here.
    fn next(&mut self, stage: &mut Stage) -> Option<Thread>;

    /// The execution is over.
    fn end(&mut self, stage: &mut Stage);
}

/// A scheduler of shuttle's that asks the stage who can go on.
pub(super) struct Director<C> {
    chooser: C,
    numbers: RandomDataSource,
    /// An execution is in progress.
    is_open: bool,
}

impl<C: Choose> Director<C> {
    pub(super) fn new(chooser: C) -> Self {
        Self { chooser, numbers: RandomDataSource::initialize(0), is_open: false }
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            Stage::with(|stage| self.chooser.end(stage));
        }
    }
}

impl<C: Choose> ::shuttle::scheduler::Scheduler for Director<C> {
    fn new_execution(&mut self) -> Option<Schedule> {
        self.close();
        let seed = self.chooser.begin()?;
        self.numbers = RandomDataSource::initialize(seed);
        self.is_open = true;
        Some(Schedule::new(seed))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        // The main thread is runnable while it still starts the others, and when all of them have ended.
        let main = TaskId::from(0);
        let task = if runnable[0].id() == main {
            main
        } else {
            let chosen = Stage::with(|stage| {
                if stage.is_over {
                    return None;
                }
                let thread = self.chooser.next(stage);
                stage.is_over |= thread.is_none();
                thread
            });
            chosen.map_or_else(|| runnable[runnable.len() - 1].id(), |thread| TaskId::from(thread + 1))
        };
        Some(task)
    }

    fn next_u64(&mut self) -> u64 {
        self.numbers.next_u64()
    }
}
