//! The yardstick: the same virtual users counted by hand with a heap of events. No service, no messages, no properties,
//! no metrics, no digest: what the machine can do.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use seatproof::engines::simulate::ramp::Shift;

use super::workload::{Counts, Draws, ONE_WAY, Seats};

/// What a virtual user does next.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Next {
    Begin,
    LockArrives,
    LockIsAnswered,
    ReleaseArrives,
    ReleaseIsAnswered,
}

struct User {
    draws: Draws,
    seats: Vec<u8>,
    is_granted: bool,
}

pub(crate) fn run(seed: u64, shifts: &[Vec<Shift>]) -> Counts {
    let mut users = (1..=shifts.len())
        .map(|number| User { draws: Draws::new(seed, number), seats: Vec::new(), is_granted: false })
        .collect::<Vec<_>>();
    let mut seats = Seats::default();
    let mut counts = Counts::default();
    let one_way_us = us(ONE_WAY);
    let begins = shifts.iter().enumerate().flat_map(|(user, shifts)| {
        shifts.iter().map(move |shift| Reverse((shift.start_ns / 1_000, user, Next::Begin)))
    });
    let mut events = begins.collect::<BinaryHeap<_>>();
    while let Some(Reverse((now_us, number, next))) = events.pop() {
        let user = &mut users[number];
        let (delay_us, next) = match next {
            Next::Begin => {
                let works = |shift: &Shift| (shift.start_ns / 1_000..shift.stop_ns / 1_000).contains(&now_us);
                if !shifts[number].iter().any(works) {
                    continue;
                }
                user.seats = user.draws.seats();
                (one_way_us, Next::LockArrives)
            }
            Next::LockArrives => {
                user.is_granted = seats.lock(&user.seats);
                (one_way_us, Next::LockIsAnswered)
            }
            Next::LockIsAnswered if user.is_granted => {
                counts.successes += 1;
                (us(user.draws.hold()) + one_way_us, Next::ReleaseArrives)
            }
            Next::LockIsAnswered => {
                counts.conflicts += 1;
                (us(user.draws.think()), Next::Begin)
            }
            Next::ReleaseArrives => {
                seats.release(&user.seats);
                (one_way_us, Next::ReleaseIsAnswered)
            }
            Next::ReleaseIsAnswered => (us(user.draws.think()), Next::Begin),
        };
        events.push(Reverse((now_us + delay_us, number, next)));
    }
    counts
}

fn us(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_micros()).expect("a few seconds")
}
