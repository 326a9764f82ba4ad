//! The bundled load test as peers get it: its virtual users, what they draw, and who holds which seat. No service.

use std::time::Duration;

use seatproof::engines::prng::{Purpose, Stream};
use seatproof::engines::simulate::ramp::{self, Shift};
use seatproof::system::scenario::Load;

/// Seats of the bundled scenario.
const SEATS: usize = 100;
/// What a message takes on its way, one way; the bundled links come to about as much for a whole request.
pub(crate) const ONE_WAY: Duration = Duration::from_millis(10);

/// When each virtual user works.
pub(crate) fn shifts(load: &Load) -> Vec<Vec<Shift>> {
    let stages = load.stages.iter().map(|stage| (stage.duration_ns, stage.target)).collect::<Vec<_>>();
    ramp::timetable(&ramp::plan(load.start_vus, &stages), load.graceful_ramp_down_ns, load.graceful_stop_ns)
}

/// What came of all requests to lock.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) successes: u32,
    pub(crate) conflicts: u32,
}

impl Counts {
    /// # Panics
    /// When these are not the counts of this workload, which the independent simulation of the rules gives with 400
    /// seeds as 1035 and 1801 on average, and half a per cent of the seeds further off than 4 % to either side.
    pub(crate) fn check(self) {
        let Self { successes, conflicts } = self;
        assert!((985..1085).contains(&successes) && (1700..1905).contains(&conflicts), "another workload: {self:?}");
    }
}

/// What a virtual user draws.
pub(crate) struct Draws(Stream);

impl Draws {
    pub(crate) fn new(seed: u64, number: usize) -> Self {
        Self(Stream::new(seed, u16::try_from(number).expect("few users"), Purpose::Workload))
    }

    /// One to three different seats.
    pub(crate) fn seats(&mut self) -> Vec<u8> {
        let count = usize::try_from(self.0.between(1, 3)).expect("small");
        let mut seats = Vec::with_capacity(count);
        while seats.len() < count {
            let seat = u8::try_from(self.0.below(SEATS as u64)).expect("a hundred seats");
            if !seats.contains(&seat) {
                seats.push(seat);
            }
        }
        seats
    }

    pub(crate) fn hold(&mut self) -> Duration {
        self.duration(1_000_000, 4_000_000)
    }

    pub(crate) fn think(&mut self) -> Duration {
        self.duration(500_000, 2_500_000)
    }

    fn duration(&mut self, low_us: i64, high_us: i64) -> Duration {
        Duration::from_micros(self.0.between(low_us, high_us - 1).unsigned_abs())
    }
}

/// Who holds which seat: all that is left of the service.
#[derive(Debug)]
pub(crate) struct Seats([bool; SEATS]);

impl Default for Seats {
    fn default() -> Self {
        Self([false; SEATS])
    }
}

impl Seats {
    /// Locks all of these seats, or none.
    pub(crate) fn lock(&mut self, seats: &[u8]) -> bool {
        let are_free = seats.iter().all(|seat| !self.0[usize::from(*seat)]);
        if are_free {
            seats.iter().for_each(|seat| self.0[usize::from(*seat)] = true);
        }
        are_free
    }

    pub(crate) fn release(&mut self, seats: &[u8]) {
        seats.iter().for_each(|seat| self.0[usize::from(*seat)] = false);
    }
}
