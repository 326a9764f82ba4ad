//! seatlock written out by hand for the peers: the states of `models/seatlock.rs`, packed into a word.
//!
//! Five bits a contender (where it is), three bits a lock and three a booking (whose, from 1), one bit for whether
//! Redis knows the release script, two for the expiries that are left.

/// How many contenders, seats and expiries; at most 6, 3 and 3.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Size {
    pub(crate) contenders: u32,
    pub(crate) seats: u32,
    pub(crate) expiries: u32,
}

/// A packed state.
pub(crate) type Packed = u64;

const START: u64 = 0;
const REFUSED: u64 = 1;
const RELEASED: u64 = 2;
/// The first place of a contender that wants seat 0; each seat has six.
const WANTS: u64 = 3;
const SET: u64 = 0;
const READ: u64 = 1;
const BOOK: u64 = 2;
const RELEASE_AFTER_READ: u64 = 3;
const RELEASE_AFTER_BOOK: u64 = 4;
const RELEASE_AFTER_REFUSAL: u64 = 5;

impl Size {
    fn lock(self, seat: u32) -> u32 {
        5 * self.contenders + 3 * seat
    }

    fn booking(self, seat: u32) -> u32 {
        self.lock(self.seats) + 3 * seat
    }

    fn script(self) -> u32 {
        self.booking(self.seats)
    }

    fn left(self) -> u32 {
        self.script() + 1
    }

    pub(crate) fn initial(self) -> Packed {
        u64::from(self.expiries) << self.left()
    }

    /// Calls `visit` with each state that one step leads to.
    pub(crate) fn successors(self, state: Packed, mut visit: impl FnMut(Packed)) {
        for contender in 0..self.contenders {
            let (at, own) = (5 * contender, u64::from(contender) + 1);
            let place = get(state, at, 5);
            let go = |state: Packed, place: u64| set(state, at, 5, place);
            match place {
                START => (0..self.seats).for_each(|seat| visit(go(state, WANTS + 6 * u64::from(seat)))),
                REFUSED | RELEASED => {}
                wants => {
                    let (seat, step) = ((wants - WANTS) / 6, (wants - WANTS) % 6);
                    let here = wants - step;
                    let seat = u32::try_from(seat).expect("few seats");
                    let (lock, booking) = (self.lock(seat), self.booking(seat));
                    visit(match step {
                        SET if get(state, lock, 3) == 0 => go(set(state, lock, 3, own), here + READ),
                        SET => go(state, REFUSED),
                        READ if get(state, booking, 3) == 0 => go(state, here + BOOK),
                        READ => go(state, here + RELEASE_AFTER_READ),
                        BOOK if get(state, booking, 3) == 0 => {
                            go(set(state, booking, 3, own), here + RELEASE_AFTER_BOOK)
                        }
                        BOOK => go(state, here + RELEASE_AFTER_REFUSAL),
                        _ => {
                            let is_own = get(state, lock, 3) == own;
                            let freed = if is_own { set(state, lock, 3, 0) } else { state };
                            go(set(freed, self.script(), 1, 1), RELEASED)
                        }
                    });
                }
            }
        }
        let left = get(state, self.left(), 2);
        for seat in (0..self.seats).filter(|_| left > 0) {
            if get(state, self.lock(seat), 3) != 0 {
                visit(set(set(state, self.lock(seat), 3, 0), self.left(), 2, left - 1));
            }
        }
    }

    /// The same state for all that differ only in which contender is which: contenders sorted by where they are and by
    /// what they hold.
    pub(crate) fn representative(self, state: Packed) -> Packed {
        let mut order = [(0_u64, 0_u64); 8];
        let order = &mut order[..self.contenders as usize];
        for (contender, slot) in (0..self.contenders).zip(order.iter_mut()) {
            let own = u64::from(contender) + 1;
            let owned = (0..2 * self.seats)
                .fold(0, |bits, at| bits << 1 | u64::from(get(state, self.lock(0) + 3 * at, 3) == own));
            *slot = (get(state, 5 * contender, 5) << 8 | owned, own);
        }
        order.sort_unstable();
        let mut sorted = state >> self.script() << self.script();
        for (at, (key, _)) in order.iter().enumerate() {
            sorted |= (key >> 8) << (5 * at);
        }
        for at in (0..2 * self.seats).map(|at| self.lock(0) + 3 * at) {
            let owner = get(state, at, 3);
            let place = order.iter().position(|(_, own)| *own == owner).map_or(0, |place| place as u64 + 1);
            sorted |= place << at;
        }
        sorted
    }
}

fn get(state: Packed, at: u32, bits: u32) -> u64 {
    state >> at & ((1 << bits) - 1)
}

fn set(state: Packed, at: u32, bits: u32, value: u64) -> Packed {
    state & !(((1 << bits) - 1) << at) | value << at
}
