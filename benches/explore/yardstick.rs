//! The yardstick: breadth first over words by hand, exact, two threads, no trace, no property. What the machine can do.

use std::sync::atomic::{AtomicU64, Ordering};

use super::seatlock::{Packed, Seatlock};

/// The number of states; `slots` is a power of two and more than there are.
pub(crate) fn explore(model: &Seatlock, slots: usize) -> usize {
    let table = (0..slots).map(|_| AtomicU64::new(0)).collect::<Vec<_>>();
    insert(&table, model.initial());
    let (mut states, mut level) = (1, vec![model.initial()]);
    while !level.is_empty() {
        let halves = level.split_at(level.len() / 2);
        let expand = |part: &[Packed]| {
            let mut next = Vec::new();
            for state in part {
                model.successors(*state, |successor| {
                    if insert(&table, successor) {
                        next.push(successor);
                    }
                });
            }
            next
        };
        level = if level.len() < 10_000 {
            expand(&level)
        } else {
            std::thread::scope(|scope| {
                let other = scope.spawn(|| expand(halves.0));
                let mut next = expand(halves.1);
                next.extend(other.join().expect("it only counts"));
                next
            })
        };
        states += level.len();
    }
    states
}

/// True if the state was not there. Zero, a free slot, is no state: one is added.
fn insert(table: &[AtomicU64], state: Packed) -> bool {
    let (mask, entry) = (table.len() - 1, state + 1);
    let hash = entry.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut at = usize::try_from(hash >> 32).expect("32 bits") & mask;
    loop {
        match table[at].load(Ordering::Relaxed) {
            0 => match table[at].compare_exchange(0, entry, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(found) if found == entry => return false,
                Err(_) => {}
            },
            found if found == entry => return false,
            _ => {}
        }
        at = (at + 1) & mask;
    }
}
