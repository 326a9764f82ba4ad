//! The event heap: what happens when, in virtual time.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::world::identity::ProcessId;

/// Something that is due.
#[derive(Copy, Clone, Debug)]
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

/// Anything due within this many microseconds is due soon: messages are, sleeps and shifts are not.
const SOON_US: u64 = 100_000;

/// Events by time; those of the same microsecond in the order in which they were scheduled.
///
/// Most events are messages, due within milliseconds, and would otherwise travel through a heap of hundreds of sleeps
/// and shifts that are seconds away. Which of the two heaps an event is in decides nothing but the cost.
#[derive(Debug, Default)]
pub(super) struct Events {
    soon: BinaryHeap<Entry>,
    later: BinaryHeap<Entry>,
    scheduled: u64,
    now_us: u64,
}

impl Events {
    pub(super) fn at(&mut self, at_us: u64, event: Event) {
        self.scheduled += 1;
        let heap = if at_us < self.now_us.saturating_add(SOON_US) { &mut self.soon } else { &mut self.later };
        heap.push(Entry { at_us, nth: self.scheduled, event });
    }

    /// The next event, with its time.
    pub(super) fn next(&mut self) -> Option<(u64, Event)> {
        // The greater entry is the earlier one, and `None` is less than any.
        let heap = if self.soon.peek() > self.later.peek() { &mut self.soon } else { &mut self.later };
        let Entry { at_us, event, .. } = heap.pop()?;
        self.now_us = at_us;
        Some((at_us, event))
    }
}

/// An event in its heap. The earlier one is the greater, because the heap hands out the greatest first.
#[derive(Debug)]
struct Entry {
    at_us: u64,
    /// Unlike any other entry's, so that the event itself never decides the order.
    nth: u64,
    event: Event,
}

impl Entry {
    /// Time and number in one integer, which compares without a branch.
    fn key(&self) -> u128 {
        u128::from(self.at_us) << 64 | u128::from(self.nth)
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        other.key().cmp(&self.key())
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_in_the_order_scheduled_from_near_and_far() {
        let mut events = Events::default();
        let far_us = 2 * SOON_US;
        for (number, at_us) in [(1, far_us), (2, 5), (3, SOON_US), (4, far_us), (5, 5), (6, SOON_US - 1)] {
            events.at(at_us, Event::Start(number));
        }
        let mut order = Vec::new();
        while let Some((at_us, event)) = events.next() {
            let Event::Start(number) = event else { panic!("no such event was scheduled: {event:?}") };
            order.push((at_us, number));
            if number == 3 {
                events.at(at_us + SOON_US / 2, Event::Start(7));
            }
            if number == 7 {
                // These are due soon; two of the same time were scheduled when that was far away.
                events.at(far_us - 1, Event::Start(8));
                events.at(far_us, Event::Start(9));
            }
        }
        let numbers = order.iter().map(|(_, number)| *number).collect::<Vec<_>>();
        assert_eq!(numbers, [2, 5, 6, 3, 7, 8, 1, 4, 9]);
        assert!(order.is_sorted_by_key(|(at_us, _)| *at_us), "{order:?}");
    }
}
