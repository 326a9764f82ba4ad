//! The event queue: what happens when, in virtual time.

use crate::world::identity::ProcessId;

/// Something that is due. Plain fields, because an enum that holds them is copied in other pieces than those in which
/// it was written the moment before, and the processor has to wait for the memory then.
#[derive(Copy, Clone, Debug)]
pub(super) struct Event {
    pub(super) what: What,
    /// Whom it concerns; of virtual users their client.
    pub(super) process: ProcessId,
    /// In which of the client's iterations it was scheduled, where that matters.
    pub(super) iteration: u32,
}

/// What is due.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// An operation, issued in that iteration, reaches its destination.
    Arrive,
    /// What a waiting statement waited for may have come free.
    Retry,
    /// An outcome reaches its process.
    Deliver,
    /// A sleep is over.
    Wake,
    /// A background job is due.
    BeginJob,
    /// The database looks for deadlocks that this statement takes part in.
    DetectDeadlock,
    /// A virtual user may begin iterations.
    Start,
    /// A virtual user begins no further iteration.
    Stop,
    /// A virtual user that has not finished yet is cut.
    Cut,
    /// k6 samples the number of virtual users, once a second.
    SampleVus,
    /// k6 evaluates thresholds with `abortOnFail`, every two seconds.
    EvaluateThresholds,
}

impl Event {
    /// An event of this process's, within an iteration.
    #[inline]
    pub(super) fn of(what: What, process: ProcessId, iteration: u32) -> Self {
        Self { what, process, iteration }
    }

    /// What does not depend on the iteration.
    pub(super) fn new(what: What, process: ProcessId) -> Self {
        Self::of(what, process, 0)
    }
}

/// A step that is due. Unlike [`Step`](crate::system::Step) it holds no drawn values, so that moving it is moving a
/// few bytes.
#[derive(Copy, Clone, Debug)]
pub(super) enum Due {
    Apply(ProcessId),
    Deliver(ProcessId),
    Wake(ProcessId),
    Begin(ProcessId),
    Cut(ProcessId),
    Deadlock(ProcessId),
    Land(u16),
    Choose(ProcessId, u32),
    Draw(ProcessId),
}

/// Bits of a time that one level of [`Events`] tells apart.
const LEVEL_BITS: u32 = 6;
/// Slots of a level, as many as a word has bits.
const SLOTS: usize = 1 << LEVEL_BITS;
/// Number of the last slot, and the mask of a digit.
const LAST_SLOT: u64 = SLOTS as u64 - 1;
/// Levels for all bits of a time.
const LEVELS: usize = 64_usize.div_ceil(LEVEL_BITS as usize);
/// No node.
const NONE: u32 = u32::MAX;

/// Events by time; those of the same microsecond in the order in which they were scheduled.
///
/// A hierarchical timing wheel (Varghese and Lauck 1987), that is, a radix heap with 64 buckets for each digit. No
/// event lies before the present, so the highest digit (of six bits) in which a time differs from the present, and the
/// value of that digit, name a slot; slots of lower levels, then of lower digits, come first. An event moves to a lower
/// level when the present reaches its slot, and so a few times at most, however many events there are. Equal times are
/// always in the same slot and moved in order, which keeps theirs.
#[derive(Debug)]
pub(super) struct Events {
    now_us: u64,
    levels: [Level; LEVELS],
    /// Bit `n` is set when level `n` has an event.
    occupied: u32,
    nodes: Vec<Node>,
    /// The first of the nodes that are free, linked like the others.
    free: u32,
}

/// The slots of one digit, each a list of nodes.
#[derive(Copy, Clone, Debug)]
struct Level {
    /// Bit `n` is set when slot `n` has an event.
    occupied: u64,
    slots: [List; SLOTS],
}

/// A list of nodes: its first and its last, both meaningless while it is empty.
#[derive(Copy, Clone, Debug)]
struct List {
    first: u32,
    last: u32,
}

/// An event, and what comes after it in its list.
#[derive(Copy, Clone, Debug)]
struct Node {
    at_us: u64,
    event: Event,
    next: u32,
}

impl Default for Events {
    fn default() -> Self {
        let level = Level { occupied: 0, slots: [List { first: NONE, last: NONE }; SLOTS] };
        Self { now_us: 0, levels: [level; LEVELS], occupied: 0, nodes: Vec::new(), free: NONE }
    }
}

impl Events {
    /// Schedules an event, which must not lie in the past.
    #[inline(always)]
    pub(super) fn at(&mut self, at_us: u64, event: Event) {
        debug_assert!(at_us >= self.now_us, "{event:?} at {at_us} is already past at {}", self.now_us);
        let node = Node { at_us, event, next: NONE };
        let index = match self.nodes.get_mut(self.free as usize) {
            Some(free) => {
                let index = self.free;
                self.free = free.next;
                *free = node;
                index
            }
            None => {
                self.nodes.push(node);
                u32::try_from(self.nodes.len() - 1).expect("fewer than 2^32 events are pending")
            }
        };
        self.append(index, at_us);
    }

    /// Puts a node at the end of its slot's list.
    #[inline(always)]
    fn append(&mut self, index: u32, at_us: u64) {
        let level = (at_us ^ self.now_us).checked_ilog2().unwrap_or(0) / LEVEL_BITS;
        let slot = (at_us >> (level * LEVEL_BITS) & LAST_SLOT) as usize;
        self.occupied |= 1 << level;
        let level = &mut self.levels[level as usize];
        let list = &mut level.slots[slot];
        if level.occupied >> slot & 1 == 0 {
            level.occupied |= 1 << slot;
            list.first = index;
        } else {
            self.nodes[list.last as usize].next = index;
        }
        list.last = index;
    }

    /// True if this instant lies before all that is scheduled, as far as a glance tells. Then an event would be the
    /// next one, and need not be scheduled at all.
    #[inline(always)]
    pub(super) fn is_before_all(&self, at_us: u64) -> bool {
        let lowest = self.occupied.trailing_zeros();
        let Some(level) = self.levels.get(lowest as usize) else { return true };
        let shift = lowest * LEVEL_BITS;
        // The beginning of the first slot's span: no event lies before it.
        let first_us = (self.now_us >> shift & !LAST_SLOT | u64::from(level.occupied.trailing_zeros())) << shift;
        at_us < first_us
    }

    /// The next event, with its time, which becomes the present.
    #[inline(always)]
    pub(super) fn next(&mut self) -> Option<(u64, Event)> {
        loop {
            let lowest = self.occupied.trailing_zeros();
            let level = self.levels.get_mut(lowest as usize)?;
            let slot = level.occupied.trailing_zeros();
            let list = &mut level.slots[slot as usize];
            let index = list.first;
            let Node { at_us, event: Event { what, process, iteration }, next } = &self.nodes[index as usize];
            let (at_us, next) = (*at_us, *next);
            let event = Event { what: *what, process: process.reread(), iteration: *iteration };
            let is_alone = index == list.last;
            // A list of one needs no sorting, and on the lowest level all times are equal.
            if is_alone || lowest == 0 {
                list.first = next;
                if is_alone {
                    self.leave(lowest, slot);
                }
                self.nodes[index as usize].next = self.free;
                self.free = index;
                self.now_us = at_us;
                return Some((at_us, event));
            }
            self.leave(lowest, slot);
            // The beginning of the slot's span: no event lies before it.
            self.now_us = at_us >> (lowest * LEVEL_BITS) << (lowest * LEVEL_BITS);
            self.spread(index);
        }
    }

    /// The slot is empty from now on.
    #[inline(always)]
    fn leave(&mut self, level: u32, slot: u32) {
        let slots = &mut self.levels[level as usize].occupied;
        *slots &= !(1 << slot);
        if *slots == 0 {
            self.occupied &= !(1 << level);
        }
    }

    /// Puts the nodes of a list, from this one on, where they belong by the present.
    fn spread(&mut self, first: u32) {
        let mut index = first;
        while let Some(node) = self.nodes.get_mut(index as usize) {
            let (at_us, next) = (node.at_us, node.next);
            node.next = NONE;
            self.append(index, at_us);
            index = next;
        }
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
        let schedule = |expected: &mut Vec<_>, events: &mut Events, at_us: u64| {
            let number = u16::try_from(expected.len()).expect("a short test");
            expected.push((at_us, number));
            events.at(at_us, Event::new(What::Start, ProcessId::client(number)));
        };
        // Few enough distinct times for many ties, over many powers of two.
        let delay_us = |step: u64| [0, 1, 2, 3, 5, 8, 100, 1_000, 1_024, 70_000][(step * step % 97 % 10) as usize];
        (0..50).for_each(|step| schedule(&mut expected, &mut events, 1_000 * (step % 7)));
        while let Some((at_us, event)) = events.next() {
            came.push((at_us, event.process.client));
            let pending = expected.iter().filter(|scheduled| !came.contains(scheduled));
            let first_us = pending.map(|(at_us, _)| *at_us).min().unwrap_or(u64::MAX);
            for later_us in [0, 1, 7, 64, 500, 5_000, 100_000].map(|delay_us| at_us + delay_us) {
                assert!(!events.is_before_all(later_us) || later_us < first_us, "{later_us} and {first_us}");
            }
            let step = came.len() as u64;
            if step < 400 {
                schedule(&mut expected, &mut events, at_us + delay_us(step));
                schedule(&mut expected, &mut events, at_us + delay_us(step + 1));
            }
        }
        expected.sort();
        assert_eq!(came, expected);
    }
}
