//! The event heap: what happens when, in virtual time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::world::identity::ProcessId;

/// Something that is due.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Event {
    /// An operation, issued in the client's so-many-th iteration, reaches its destination.
    Arrive(ProcessId, u32),
    /// An outcome reaches its process.
    Deliver(ProcessId, u32),
    /// A sleep is over.
    Wake(ProcessId, u32),
    /// The database looks for deadlocks that this statement takes part in.
    DetectDeadlock(ProcessId),
    /// A virtual user may begin iterations.
    Start(u16),
    /// A virtual user begins no further iteration.
    Stop(u16),
    /// A virtual user that has not finished yet is cut.
    Cut(u16),
    /// k6 samples the number of virtual users, once a second.
    SampleVus,
    /// k6 evaluates thresholds with `abortOnFail`, every two seconds.
    EvaluateThresholds,
}

/// Events by time; those of the same microsecond in the order in which they were scheduled.
#[derive(Debug, Default)]
pub(super) struct Events {
    heap: BinaryHeap<Reverse<(u64, u64, Event)>>,
    scheduled: u64,
}

impl Events {
    pub(super) fn at(&mut self, at_us: u64, event: Event) {
        self.scheduled += 1;
        self.heap.push(Reverse((at_us, self.scheduled, event)));
    }

    /// The next event, with its time.
    pub(super) fn next(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|Reverse((at_us, _, event))| (at_us, event))
    }
}
