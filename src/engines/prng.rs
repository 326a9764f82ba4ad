//! The only source of randomness: ChaCha8, one stream for each virtual user and purpose.
//!
//! A draw added in one place shifts no other stream, and the numbers depend on the seed alone: `rand_chacha` promises
//! its output, and nothing here goes through a distribution of another crate.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What a stream is for.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// What a client draws: seats, durations, choices.
    Workload,
    /// How long its messages take.
    Latency,
    /// Which thread a scheduler runs next.
    Scheduler,
    /// Which step is taken twice next.
    Doublecheck,
}

/// One stream of random numbers.
#[derive(Clone, Debug)]
pub struct Stream(ChaCha8Rng);

impl Stream {
    /// The stream of a virtual user for a purpose, under a seed.
    #[must_use]
    pub fn new(seed: u64, vu: u16, purpose: Purpose) -> Self {
        let mut key = *b"\0\0\0\0\0\0\0\0seatproof stream key v1.";
        key[..8].copy_from_slice(&seed.to_le_bytes());
        let mut rng = ChaCha8Rng::from_seed(key);
        rng.set_stream(u64::from(vu) << 8 | purpose as u64);
        Self(rng)
    }

    /// 32 uniform bits.
    #[inline]
    pub fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// Uniform in `0..n`, exactly: values that would favour small results are drawn again (Lemire 2019, "Fast random
    /// integer generation in an interval").
    ///
    /// # Panics
    /// When `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "nothing lies below 0");
        loop {
            let wide = u128::from(self.0.next_u64()) * u128::from(n);
            let low = u64::try_from(wide & u128::from(u64::MAX)).expect("masked to 64 bits");
            if low >= n || low >= n.wrapping_neg() % n {
                return u64::try_from(wide >> 64).expect("a 64-bit product with 64 bits shifted out");
            }
        }
    }

    /// Uniform in `low..=high`.
    ///
    /// # Panics
    /// When `high < low`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        let span = high.checked_sub(low).and_then(|span| u64::try_from(span).ok()).expect("an interval, low end first");
        low.checked_add_unsigned(self.below(span + 1)).expect("at most the upper end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_numbers_of_a_stream_never_change() {
        let mut stream = Stream::new(42, 7, Purpose::Workload);
        let drawn = [stream.below(100), stream.below(100), stream.below(1_000_000)];
        assert_eq!(drawn, PINNED, "every seed in every report would mean another run");
    }

    const PINNED: [u64; 3] = [94, 0, 168_816];

    #[test]
    fn streams_differ_by_seed_user_and_purpose() {
        let first = |seed, vu, purpose| Stream::new(seed, vu, purpose).below(u64::MAX);
        let streams = [
            first(1, 1, Purpose::Workload),
            first(2, 1, Purpose::Workload),
            first(1, 2, Purpose::Workload),
            first(1, 1, Purpose::Latency),
        ];
        let distinct = streams.iter().collect::<std::collections::BTreeSet<_>>();
        assert_eq!(distinct.len(), streams.len());
    }

    #[test]
    fn every_value_of_a_small_range_comes_up_about_equally_often() {
        let mut stream = Stream::new(3, 1, Purpose::Workload);
        let mut counts = [0_u32; 3];
        for _ in 0..30_000 {
            counts[usize::try_from(stream.between(1, 3) - 1).expect("1 to 3")] += 1;
        }
        assert!(counts.iter().all(|count| (9_700..10_300).contains(count)), "{counts:?}");
    }
}
