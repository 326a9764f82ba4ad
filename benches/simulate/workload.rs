//! The bundled load test as peers get it: its virtual users, what they draw, and who holds which seat. No service.

use std::time::Duration;

use seatproof::engines::prng::{Purpose, Stream};

/// Seats of the bundled scenario.
const SEATS: usize = 100;
/// What a message takes on its way, one way; the bundled links come to about as much for a whole request.
pub(crate) const ONE_WAY: Duration = Duration::from_millis(10);

/// What came of all requests to lock.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) successes: u32,
    pub(crate) conflicts: u32,
}

impl Counts {
    /// # Panics
    /// When these are not the counts of this workload. An independent simulation of its rules gives 1035 and 1801 on
    /// average, and with 95 of 100 seeds 1005 to 1062 and 1741 to 1865; here is room for twice as much.
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
