//! shuttle explores the same processes over the same world: each client, the clock and the faults are threads of
//! shuttle's, and each step is one scheduling point (the load of an atomic, the cheapest that shuttle has).
//!
//! There is no second semantics: a thread that is chosen fires a step of [`System`], and what it can do comes from
//! [`System::enabled_of`]. Threads never block; our schedulers choose only among those that have a step, and the
//! execution ends when none has. So a schedule of shuttle's is a schedule of ours.

mod dfs;
mod director;
mod policy;
mod sample;
mod stage;
mod threads;
mod timed;

use std::panic::{set_hook, take_hook};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Once};

use ::shuttle::scheduler::{RandomScheduler, ReplayScheduler};
use ::shuttle::sync::atomic::AtomicBool;
use ::shuttle::{Config, FailurePersistence, MaxSteps, Runner};
use shuttle_engine::runtime::execution::CurrentSchedule;
use shuttle_engine::scheduler::serialization::serialize_schedule;

pub use self::dfs::explore;
pub use self::policy::Scheduler;
pub use self::sample::{Options, Sampled, sample};
use self::stage::Stage;
pub use self::timed::simulate;
use crate::system::{Setting, Step, System};

/// Steps after which a sampled execution is given up unless something else is said: far more than any model needs.
pub const MAX_STEPS: usize = 1_000_000;

/// Stack of each of shuttle's threads. Parsing a statement for the first time needs more than shuttle's default.
const STACK_BYTES: usize = 1 << 20;

/// How shuttle runs whatever the scheduler.
fn config() -> Config {
    let mut config = Config::new();
    config.stack_size = STACK_BYTES;
    config.max_steps = MaxSteps::None;
    config.failure_persistence = FailurePersistence::None;
    config.silence_warnings = true;
    config
}

/// Runs executions with this scheduler. What shuttle's hook would say of every panic from its first run on, also of one
/// outside of shuttle (in which of shuttle's tasks it was), is of no use to anybody: the hook before it comes back.
fn runner<S: ::shuttle::scheduler::Scheduler + 'static>(scheduler: S) -> Runner<S> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = take_hook();
        Runner::new(RandomScheduler::new_from_seed(0, 1), config()).run(|| {});
        set_hook(before);
    });
    Runner::new(scheduler, config())
}

/// Runs executions on the stage that was set, until the scheduler ends the run.
fn run(scheduler: impl ::shuttle::scheduler::Scheduler + 'static, threads: usize) {
    let play = move || {
        let point = Arc::new(AtomicBool::new(false));
        let start = |thread| {
            let point = Arc::clone(&point);
            ::shuttle::thread::spawn(move || {
                while Stage::with(|stage| stage.act(thread)) {
                    point.load(Ordering::SeqCst);
                }
            })
        };
        let started = (0..threads).map(start).collect::<Vec<_>>();
        for thread in started {
            thread.join().expect("a panic of a thread ends the run before it is joined");
        }
    };
    runner(scheduler).run(play);
}

/// Replays an execution in shuttle's own notation (`Finding::native`) with shuttle's own replayer; the steps taken.
///
/// # Errors
/// [`crate::system::ModelError`]: a wrong model.
///
/// # Panics
/// When the notation is not shuttle's, or was not made from this setting.
pub fn replay(setting: &Setting, native: &str) -> Result<Vec<Step>, crate::system::ModelError> {
    let template = System::unbegun(std::rc::Rc::new(setting.clone()), crate::system::Halves::Fused, false)?;
    let threads = threads::Threads::of(&template).count();
    Stage::set(template, usize::MAX, true);
    Stage::with(Stage::begin);
    run(ReplayScheduler::new_from_encoded(native), threads);
    let steps = Stage::with(|stage| std::mem::take(&mut stage.steps));
    Stage::clear();
    Ok(steps)
}

/// The schedule of the execution that runs, or ran last, as shuttle writes it.
fn native() -> String {
    serialize_schedule(&CurrentSchedule::get_schedule())
}
