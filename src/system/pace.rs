//! Bounds on how slow anything may be. Without them any process may stand still for ever while others go on.

use serde::{Deserialize, Serialize};

use super::state::{Phase, Slot};
use super::{Step, System};
use crate::process::Op;
use crate::world::identity::ProcessId;

/// How long things may take. Time does not pass beyond what these allow to a process that could go on, so that a
/// verdict holds on the condition that nothing is slower.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Pace {
    /// Longest time that a message is under way, in microseconds.
    pub max_delay_us: Option<u64>,
    /// Longest time that a process stands still between an outcome and its next operation, in microseconds.
    pub max_pause_us: Option<u64>,
}

impl Pace {
    /// The longest time from when this process could go on to when it does; none without a bound. What goes over a link
    /// may be paused before it is sent, and then be under way.
    fn bound_us(self, slot: &Slot) -> Option<u64> {
        match (slot.phase, &slot.op) {
            (Phase::Issued | Phase::Blocked, Some(Op::Redis(..) | Op::Sql(..) | Op::Call(_))) => {
                Some(self.max_delay_us?.saturating_add(self.max_pause_us?))
            }
            _ => self.max_pause_us,
        }
    }

    /// True when nothing is bounded.
    #[must_use]
    pub fn is_free(self) -> bool {
        self.max_pause_us.is_none()
    }
}

impl System {
    /// True when nobody who could go on would be left standing too long if time passed to this instant.
    pub(super) fn may_pass_to(&self, to_us: u64) -> bool {
        self.setting.pace.is_free() || self.state.processes().all(|process| self.patience_us(process) >= to_us)
    }

    /// The instant beyond which time may not pass before this process has gone on; `u64::MAX` if it may.
    #[must_use]
    pub fn patience_us(&self, process: ProcessId) -> u64 {
        self.bound_us(process).map_or(u64::MAX, |bound_us| self.ready_since_us(process).saturating_add(bound_us))
    }

    /// The longest time for which this process may stand still, if it could go on and is bounded.
    fn bound_us(&self, process: ProcessId) -> Option<u64> {
        self.setting.pace.bound_us(self.state.slot(process)).filter(|_| self.is_ready(process))
    }

    fn ready_since_us(&self, process: ProcessId) -> u64 {
        self.state.ready_since.get(&process).copied().unwrap_or(self.state.now_us)
    }

    /// Time is about to pass: notes who could have gone on before it did, of those who may not wait for ever.
    pub(super) fn note_ready(&mut self) {
        if self.setting.pace.is_free() {
            return;
        }
        let ready = self.state.processes().filter(|process| self.bound_us(*process).is_some());
        let ready = ready.map(|process| (process, self.ready_since_us(process))).collect();
        self.state.ready_since = ready;
    }

    /// A process has gone on, or something happened to it.
    #[inline(always)]
    pub(super) fn note_gone_on(&mut self, step: &Step) {
        if !self.state.ready_since.is_empty() {
            self.forget_since_when(step);
        }
    }

    fn forget_since_when(&mut self, step: &Step) {
        if let Some(process) = step.process() {
            self.state.ready_since.remove(&process);
        }
    }
}
