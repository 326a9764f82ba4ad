//! shuttle's threads in the order of virtual time: a scheduler of shuttle's that runs the thread whose step `simulate`
//! would fire next. One thread for each virtual user, with the handlers that work for it, and one for the set-up and
//! for jobs.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use ::shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use ::shuttle::sync::atomic::AtomicBool;

use crate::engines::simulate::{Execution, LoadTest, Run};
use crate::system::{ModelError, Step};
use crate::world::identity::ProcessId;

thread_local! {
    static PLAY: RefCell<Option<Play>> = const { RefCell::new(None) };
}

/// Runs a load test under this seed by threads of shuttle's: step for step the same run as [`LoadTest::run`], which
/// fires the steps itself.
///
/// # Errors
/// When the model itself is wrong.
pub fn simulate(test: &LoadTest, seed: u64) -> Result<Run, ModelError> {
    let threads = test.vus_max() + 1;
    let mut execution = Execution::new(Rc::new(test.clone()), seed, test.start()?, None);
    let due = execution.first_step();
    PLAY.set(Some(Play { execution, due, error: None }));
    let play = move || {
        let point = Arc::new(AtomicBool::new(false));
        let start = |_| {
            let point = Arc::clone(&point);
            ::shuttle::thread::spawn(move || {
                while Play::with(Play::act) {
                    point.load(Ordering::SeqCst);
                }
            })
        };
        let started = (0..threads).map(start).collect::<Vec<_>>();
        for thread in started {
            thread.join().expect("a panic of a thread ends the run before it is joined");
        }
    };
    super::runner(VirtualTime { seed, has_run: false }).run(play);
    let play = PLAY.take().expect("it was set above");
    play.error.map_or_else(|| Ok(play.execution.finish().0), Err)
}

/// The run in progress.
struct Play {
    execution: Execution<Rc<LoadTest>>,
    /// The step that is fired next; none when the run is over.
    due: Option<Step>,
    error: Option<ModelError>,
}

impl Play {
    fn with<T>(f: impl FnOnce(&mut Self) -> T) -> T {
        PLAY.with_borrow_mut(|play| f(play.as_mut().expect("the run is set while shuttle runs")))
    }

    /// The thread that was chosen fires the step that is due. False when there is none.
    fn act(&mut self) -> bool {
        let Some(step) = self.due.take() else { return false };
        match self.execution.fire(&step) {
            Ok(()) => self.due = self.execution.next_step(),
            Err(error) => self.error = Some(error),
        }
        true
    }

    /// The thread that fires the step that is due, counted from 0.
    fn thread(&self) -> Option<usize> {
        self.due.as_ref().map(|step| usize::from(process_of(step).client))
    }
}

/// Whose step it is: also what befalls a virtual user is fired by its thread.
fn process_of(step: &Step) -> ProcessId {
    match step {
        Step::Cut(process) | Step::Deadlock(process) => *process,
        // Its sender is gone.
        Step::Land(_) => ProcessId::SETUP,
        other => other.actor().expect("a load test knows no other faults, and time passes by itself"),
    }
}

/// Schedules the threads in the order of virtual time.
struct VirtualTime {
    seed: u64,
    has_run: bool,
}

impl Scheduler for VirtualTime {
    fn new_execution(&mut self) -> Option<Schedule> {
        let is_first = !std::mem::replace(&mut self.has_run, true);
        is_first.then(|| Schedule::new(self.seed))
    }

    fn next_task(&mut self, runnable: &[&Task], _: Option<TaskId>, _: bool) -> Option<TaskId> {
        // The main thread is runnable while it still starts the others, and when all of them have ended.
        let main = TaskId::from(0);
        if runnable[0].id() == main {
            return Some(main);
        }
        let due = Play::with(|play| play.thread());
        // At the end they find nothing due, one after the other.
        Some(due.map_or_else(|| runnable[0].id(), |thread| TaskId::from(thread + 1)))
    }

    fn next_u64(&mut self) -> u64 {
        unreachable!("what a virtual user draws comes from its own streams")
    }
}
