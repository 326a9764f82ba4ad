//! The event queue: what happens when, in virtual time.

use std::array;
use std::collections::VecDeque;

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
    /// A background job is due.
    BeginJob(ProcessId),
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
///
/// A radix heap (Ahuja, Mehlhorn, Orlin, Tarjan 1990): no event lies before the present, so a bucket for each highest
/// bit in which a time differs from the present sorts them well enough, and an event moves only when its bucket comes
/// first. Equal times are always in the same bucket and moved in order, which keeps theirs.
#[derive(Debug)]
pub(super) struct Events {
    now_us: u64,
    /// Due now.
    due: VecDeque<Event>,
    /// Due later, with their times: in place `n` those that differ from the present in bit `n` and none above.
    later: [Vec<(u64, Event)>; 64],
    /// Bit `n` is set when `later[n]` has an event.
    occupied: u64,
}

impl Default for Events {
    fn default() -> Self {
        Self { now_us: 0, due: VecDeque::new(), later: array::from_fn(|_| Vec::new()), occupied: 0 }
    }
}

impl Events {
    /// Schedules an event, which must not lie in the past.
    pub(super) fn at(&mut self, at_us: u64, event: Event) {
        debug_assert!(at_us >= self.now_us, "{event:?} at {at_us} is already past at {}", self.now_us);
        match (at_us ^ self.now_us).checked_ilog2() {
            None => self.due.push_back(event),
            Some(bit) => {
                self.later[bit as usize].push((at_us, event));
                self.occupied |= 1 << bit;
            }
        }
    }

    /// The next event, with its time.
    pub(super) fn next(&mut self) -> Option<(u64, Event)> {
        if self.due.is_empty() {
            self.advance();
        }
        Some((self.now_us, self.due.pop_front()?))
    }

    /// Moves the present on to the earliest event, if there is one.
    fn advance(&mut self) {
        let first = self.occupied.trailing_zeros() as usize;
        let Some(bucket) = self.later.get_mut(first) else { return };
        let mut bucket = std::mem::take(bucket);
        self.occupied &= self.occupied - 1;
        self.now_us = bucket.iter().map(|(at_us, _)| *at_us).min().unwrap_or(self.now_us);
        for (at_us, event) in bucket.drain(..) {
            self.at(at_us, event);
        }
        // Every event has gone to a lower bucket; this one keeps its memory.
        self.later[first] = bucket;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_in_the_order_scheduled_also_when_scheduled_on_the_way() {
        let mut events = Events::default();
        let mut expected = Vec::new();
        let mut came = Vec::new();
        let mut schedule = |events: &mut Events, at_us: u64| {
            let number = u16::try_from(expected.len()).expect("a short test");
            expected.push((at_us, number));
            events.at(at_us, Event::Start(number));
        };
        // Few enough distinct times for many ties, over many powers of two.
        let delay_us = |step: u64| [0, 1, 2, 3, 5, 8, 100, 1_000, 1_024, 70_000][(step * step % 97 % 10) as usize];
        (0..50).for_each(|step| schedule(&mut events, 1_000 * (step % 7)));
        while let Some((at_us, event)) = events.next() {
            let Event::Start(number) = event else { panic!("no such event was scheduled: {event:?}") };
            came.push((at_us, number));
            let step = came.len() as u64;
            if step < 400 {
                schedule(&mut events, at_us + delay_us(step));
                schedule(&mut events, at_us + delay_us(step + 1));
            }
        }
        expected.sort();
        assert_eq!(came, expected);
    }
}
