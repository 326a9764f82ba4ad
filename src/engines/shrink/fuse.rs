//! An execution in virtual time told again with fused halves, which is what shrinking and exploring follow.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::moves::possible;
use crate::system::state::Budgets;
use crate::system::{Halves, ModelError, Setting, Step, System};

/// A step with split halves, and virtual microseconds when it was taken.
pub(super) type Timed = (u64, Step);

/// The setting in which the steps are told again: what kept time may now let it pass, and jobs begin as often as they
/// did.
pub(super) fn fused_setting(setting: &Setting, steps: &[Timed]) -> Setting {
    let mut fused = setting.clone();
    fused.budgets = Budgets { time_steps: u32::MAX, ..setting.budgets };
    fused.jobs.fill(0);
    for (_, step) in steps {
        if let Step::Begin(process) = step
            && process.is_job()
        {
            fused.jobs[process.job_index()] += 1;
        }
    }
    fused
}

/// The steps with fused halves, in the same order: an operation where it took effect, time as far as it had come.
/// Clients have begun before the first one, and each goes on to its next round by itself. What has no counterpart is
/// left out: the set-up, arrivals of outcomes, rounds that were cut. Ends early when somebody asks to stop.
pub(super) fn fused_steps(setting: &Setting, steps: &[Timed], stop: &AtomicBool) -> Result<Vec<Step>, ModelError> {
    // Nothing is forked or fingerprinted here.
    let mut system = System::new(Rc::new(setting.clone()), Halves::Fused, false)?;
    let mut fused = Vec::new();
    for (at_us, step) in steps.iter().take_while(|_| !stop.load(Ordering::Relaxed)) {
        while let Some(instant_us) = system.next_instant().filter(|instant_us| instant_us <= at_us) {
            system.fire(&Step::Time(instant_us))?;
            fused.push(Step::Time(instant_us));
        }
        let step = if matches!(step, Step::Deliver(_) | Step::Cut(_)) { None } else { possible(&system, step) };
        if let Some(step) = step {
            system.fire(&step)?;
            fused.push(step);
        }
    }
    Ok(fused)
}
