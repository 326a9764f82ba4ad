//! seatlock written out by hand for the peers: a contender is an automaton, and a state is packed into a word.
//!
//! Five bits a contender (its place), three bits a lock and three a booking (whose, from 1), one bit for whether Redis
//! knows the release script, two for the expiries that are left.

/// How many contenders, seats and expiries; at most 6, 3 and 3.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Size {
    pub(crate) contenders: u32,
    pub(crate) seats: u32,
    pub(crate) expiries: u32,
}

/// What is one step.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grain {
    /// An operation, as in seatproof: the space is the same as that of `models/seatlock.rs`.
    Operations,
    /// A message: an operation is sent, takes effect, and is answered, as people write it for other model checkers.
    Messages,
}

/// What a contender does at a place, and where that leads to.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Action {
    /// Picks a seat: the first place that is about each.
    Pick([Place; 3]),
    /// Nothing that anybody else sees.
    Go(Place),
    Lock {
        locked: Place,
        refused: Place,
    },
    Read {
        free: Place,
        booked: Place,
    },
    Book {
        booked: Place,
        refused: Place,
    },
    Release(Place),
    End,
}

/// Number of a place of a contender's automaton.
pub(crate) type Place = u32;

/// The model at a size, as an automaton of which each contender is a copy.
#[derive(Clone, Debug)]
pub(crate) struct Seatlock {
    pub(crate) size: Size,
    grain: Grain,
    /// What happens at each place, and the seat that it is about.
    pub(crate) places: Vec<(Action, u32)>,
}

/// A packed state.
pub(crate) type Packed = u64;

/// Bits of a place, of an owner, and of the expiries that are left.
const PLACE: u32 = 5;
const OWNER: u32 = 3;
const LEFT: u32 = 2;

impl Size {
    fn lock(self, seat: u32) -> u32 {
        PLACE * self.contenders + OWNER * seat
    }

    fn booking(self, seat: u32) -> u32 {
        self.lock(self.seats) + OWNER * seat
    }

    fn script(self) -> u32 {
        self.booking(self.seats)
    }

    fn left(self) -> u32 {
        self.script() + 1
    }

    /// The same state for all that differ only in which contender is which: contenders sorted by where they are and by
    /// what they hold.
    pub(crate) fn representative(self, state: Packed) -> Packed {
        let mut order = [(0_u64, 0_u64); 8];
        let order = &mut order[..self.contenders as usize];
        let owners = || (0..2 * self.seats).map(|at| self.lock(0) + OWNER * at);
        for (contender, slot) in (0..self.contenders).zip(order.iter_mut()) {
            let own = u64::from(contender) + 1;
            let owned = owners().fold(0, |bits, at| bits << 1 | u64::from(get(state, at, OWNER) == own));
            *slot = (get(state, PLACE * contender, PLACE) << 8 | owned, own);
        }
        order.sort_unstable();
        let mut sorted = state >> self.script() << self.script();
        for (at, (key, _)) in order.iter().enumerate() {
            sorted |= (key >> 8) << (PLACE as usize * at);
        }
        for at in owners() {
            let owner = get(state, at, OWNER);
            let place = order.iter().position(|(_, own)| *own == owner).map_or(0, |place| place as u64 + 1);
            sorted |= place << at;
        }
        sorted
    }
}

impl Seatlock {
    pub(crate) fn new(size: Size, grain: Grain) -> Self {
        let (shared, of_a_seat): (_, fn(Place) -> Vec<Action>) = match grain {
            Grain::Operations => (vec![Action::End, Action::End], operations),
            Grain::Messages => (vec![], messages),
        };
        let first = 1 + u32::try_from(shared.len()).expect("few places");
        let length = u32::try_from(of_a_seat(0).len()).expect("few places");
        let picked = std::array::from_fn(|seat| first + length * u32::try_from(seat).expect("few seats"));
        let mut places = vec![(Action::Pick(picked), 0)];
        places.extend(shared.into_iter().map(|action| (action, 0)));
        for seat in 0..size.seats {
            let from = first + length * seat;
            places.extend(of_a_seat(from).into_iter().map(|action| (action, seat)));
        }
        assert!(places.len() <= 1 << PLACE, "a place is packed into {PLACE} bits");
        Self { size, grain, places }
    }

    /// True if the release is a script that Redis remembers.
    pub(crate) fn knows_script(&self) -> bool {
        self.grain == Grain::Operations
    }

    pub(crate) fn initial(&self) -> Packed {
        u64::from(self.size.expiries) << self.size.left()
    }

    /// Calls `visit` with each state that one step leads to.
    #[inline]
    pub(crate) fn successors(&self, state: Packed, mut visit: impl FnMut(Packed)) {
        for contender in 0..self.size.contenders {
            let (at, own) = (PLACE * contender, u64::from(contender) + 1);
            let (action, seat) = self.places[usize::try_from(get(state, at, PLACE)).expect("few bits")];
            let (lock, booking) = (self.size.lock(seat), self.size.booking(seat));
            let is_free = |what: u32| get(state, what, OWNER) == 0;
            let go = |state: Packed, place: Place| set(state, at, PLACE, u64::from(place));
            match action {
                Action::Pick(first) => {
                    first[..self.size.seats as usize].iter().for_each(|place| visit(go(state, *place)));
                }
                Action::Go(place) => visit(go(state, place)),
                Action::Lock { locked, .. } if is_free(lock) => visit(go(set(state, lock, OWNER, own), locked)),
                Action::Read { free, .. } if is_free(booking) => visit(go(state, free)),
                Action::Book { booked, .. } if is_free(booking) => {
                    visit(go(set(state, booking, OWNER, own), booked));
                }
                Action::Lock { refused: other, .. }
                | Action::Read { booked: other, .. }
                | Action::Book { refused: other, .. } => visit(go(state, other)),
                Action::Release(place) => {
                    let is_own = get(state, lock, OWNER) == own;
                    let freed = if is_own { set(state, lock, OWNER, 0) } else { state };
                    let script = u64::from(self.knows_script()) << self.size.script();
                    visit(go(freed | script, place));
                }
                Action::End => {}
            }
        }
        let left = get(state, self.size.left(), LEFT);
        for seat in (0..self.size.seats).filter(|_| left > 0) {
            if get(state, self.size.lock(seat), OWNER) != 0 {
                let expired = set(state, self.size.lock(seat), OWNER, 0);
                visit(set(expired, self.size.left(), LEFT, left - 1));
            }
        }
    }
}

/// The places about one seat, numbered from `at`, in the grain of operations; places 1 and 2 are the ends. What was
/// answered last is remembered until the release, as a history is.
fn operations(at: Place) -> Vec<Action> {
    const REFUSED: Place = 1;
    const RELEASED: Place = 2;
    vec![
        Action::Lock { locked: at + 1, refused: REFUSED },
        Action::Read { free: at + 2, booked: at + 3 },
        Action::Book { booked: at + 4, refused: at + 5 },
        Action::Release(RELEASED),
        Action::Release(RELEASED),
        Action::Release(RELEASED),
    ]
}

/// The same in the grain of messages. To pick is to send the first one.
fn messages(at: Place) -> Vec<Action> {
    let end = at + 13;
    vec![
        Action::Lock { locked: at + 1, refused: at + 2 },
        Action::Go(at + 3),
        Action::Go(end),
        Action::Go(at + 4),
        Action::Read { free: at + 5, booked: at + 6 },
        Action::Go(at + 7),
        Action::Go(at + 10),
        Action::Go(at + 8),
        Action::Book { booked: at + 9, refused: at + 9 },
        Action::Go(at + 10),
        Action::Go(at + 11),
        Action::Release(at + 12),
        Action::Go(end),
        Action::End,
    ]
}

fn get(state: Packed, at: u32, bits: u32) -> u64 {
    state >> at & ((1 << bits) - 1)
}

fn set(state: Packed, at: u32, bits: u32, value: u64) -> Packed {
    state & !(((1 << bits) - 1) << at) | value << at
}
