//! A virtual user as k6 sees it, and the random numbers it consumes.

use super::latency::Latency;
use crate::engines::draw;
use crate::engines::prng::{Purpose, Stream};
use crate::process::{Draw, Drawn};
use crate::world::identity::ProcessId;

/// One virtual user, or the set-up.
#[derive(Debug)]
pub(super) struct VirtualUser {
    workload: Stream,
    latency: Stream,
    /// The next bits of that stream, taken from it beforehand: a stream is seldom in the cache, and what comes next
    /// waits for the latency.
    latency_bits: u32,
    /// May begin iterations: its shift is on.
    pub(super) is_on_shift: bool,
    /// An iteration is in progress.
    pub(super) is_running: bool,
    /// Iterations begun. Messages of an earlier one that are still under way are nobody's any more.
    pub(super) iteration: u32,
    pub(super) begun_us: u64,
    /// When the call in flight was sent.
    pub(super) sent_us: u64,
    /// Duration of the last answered call.
    pub(super) call_us: u64,
    /// How long the outcome of its own operation takes to come back.
    way_back_us: u64,
    /// The same for its handler's operation, after the handler's call, which is 0 while there is none.
    handler_way_back: (u32, u64),
    /// The same for further handlers, which are at work after an iteration was cut.
    more_ways_back: Vec<(u32, u64)>,
}

impl VirtualUser {
    pub(super) fn new(seed: u64, number: u16) -> Self {
        let mut latency = Stream::new(seed, number, Purpose::Latency);
        Self {
            workload: Stream::new(seed, number, Purpose::Workload),
            latency_bits: latency.bits(),
            latency,
            is_on_shift: false,
            is_running: false,
            iteration: 0,
            begun_us: 0,
            sent_us: 0,
            call_us: 0,
            way_back_us: 0,
            handler_way_back: (0, 0),
            more_ways_back: Vec::new(),
        }
    }

    /// One of `0..alternatives`.
    pub(super) fn choose(&mut self, alternatives: u32) -> u32 {
        let choice = self.workload.below(alternatives.max(1).into());
        u32::try_from(choice).expect("below a 32-bit number")
    }

    /// What comes out of a draw, filled in where it is to stay.
    #[inline(always)]
    pub(super) fn draw(&mut self, draw: Draw, drawn: &mut Drawn) {
        draw::sample_into(draw, |low, high| self.workload.between(low, high), drawn);
    }

    /// The two ways of one round trip over a link, in microseconds.
    #[inline(always)]
    pub(super) fn round_trip_us(&mut self, link: &Latency) -> (u64, u64) {
        let both = link.at_us(std::mem::replace(&mut self.latency_bits, self.latency.bits()));
        (both / 2, both - both / 2)
    }

    /// The outcome of the operation that this process has issued will take so long to come back.
    #[inline(always)]
    pub(super) fn goes_back_after(&mut self, process: ProcessId, back_us: u64) {
        if process.call == 0 {
            self.way_back_us = back_us;
        } else if self.handler_way_back.0 == 0 {
            self.handler_way_back = (process.call, back_us);
        } else {
            self.more_ways_back.push((process.call, back_us));
        }
    }

    /// Takes the way back of the process's operation; 0 if it has none.
    #[inline(always)]
    pub(super) fn take_way_back_us(&mut self, process: ProcessId) -> u64 {
        if process.call == 0 {
            return std::mem::take(&mut self.way_back_us);
        }
        if self.handler_way_back.0 == process.call {
            return std::mem::take(&mut self.handler_way_back).1;
        }
        let at = self.more_ways_back.iter().position(|(call, _)| *call == process.call);
        at.map_or(0, |at| self.more_ways_back.swap_remove(at).1)
    }
}
