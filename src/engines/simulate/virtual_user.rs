//! A virtual user as k6 sees it, and the random numbers it consumes.

use smallvec::SmallVec;

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
    /// Operations under way, its own and its handlers', whose outcome has a way back: call and duration.
    ways_back: SmallVec<[(u32, u64); 2]>,
}

impl VirtualUser {
    pub(super) fn new(seed: u64, number: u16) -> Self {
        Self {
            workload: Stream::new(seed, number, Purpose::Workload),
            latency: Stream::new(seed, number, Purpose::Latency),
            is_on_shift: false,
            is_running: false,
            iteration: 0,
            begun_us: 0,
            sent_us: 0,
            call_us: 0,
            ways_back: SmallVec::new(),
        }
    }

    /// One of `0..alternatives`.
    pub(super) fn choose(&mut self, alternatives: u32) -> u32 {
        let choice = self.workload.below(alternatives.max(1).into());
        u32::try_from(choice).expect("below a 32-bit number")
    }

    /// What comes out of a draw.
    pub(super) fn draw(&mut self, draw: Draw) -> Drawn {
        draw::sample(draw, |low, high| self.workload.between(low, high))
    }

    /// The two ways of one round trip over a link, in microseconds.
    pub(super) fn round_trip_us(&mut self, link: &Latency) -> (u64, u64) {
        let both = link.draw_us(&mut self.latency);
        (both / 2, both - both / 2)
    }

    /// The outcome of the operation that this process has issued will take so long to come back.
    pub(super) fn goes_back_after(&mut self, process: ProcessId, back_us: u64) {
        self.ways_back.push((process.call, back_us));
    }

    /// Takes the way back of the process's operation; 0 if it has none.
    pub(super) fn take_way_back_us(&mut self, process: ProcessId) -> u64 {
        let at = self.ways_back.iter().position(|(call, _)| *call == process.call);
        at.map_or(0, |at| self.ways_back.swap_remove(at).1)
    }
}
