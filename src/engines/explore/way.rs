//! The way to a state: the entries that were taken, followed once more from the initial state.

use std::collections::BTreeMap;

use super::canon::{Canon, Pair, Scratch};
use super::expand::expand;
use super::frontier::StateId;
use super::layout::Place;
use super::part::PartId;
use super::rename::{renamed, reseated};
use super::search::Search;
use crate::engines::reference::ExploreError;
use crate::system::Step;

/// The steps from the initial state to this one, under the scenario's own names of the clients and seats.
pub(super) fn steps_to(search: &mut Search<'_>, state: StateId) -> Result<Vec<Step>, ExploreError> {
    let (known, progress) = (&search.known, &mut search.progress);
    let memo = &known.memo;
    let mut row = search.initial.clone();
    // What each client and seat of the present row is called in the scenario, where rows are sorted.
    let mut names = Names::of(&progress.extractor.layout.places);
    let (mut steps, mut candidates, mut scratch) = (Vec::new(), Vec::new(), Scratch::default());
    let ways = progress.trail.way_to(state);
    names.sort(known.canon.as_ref(), &mut row, &mut scratch);
    for ordinal in ways {
        candidates.clear();
        expand(memo, &row, 0, &mut candidates).expect("all is known about a state that was expanded");
        let taken = candidates[usize::from(ordinal)];
        let entries = (0..memo.groups.len()).filter_map(|group| memo.list(group, &row)).flatten();
        let entry = entries.take(usize::from(ordinal) + 1).last().expect("the entry was listed");
        let transitions = progress.extractor.prefixes[entry].iter().copied().chain([taken.transition]);
        for number in transitions {
            let transition = &progress.extractor.transitions[number as usize];
            let step = reseated(&progress.extractor, transition, |seat| names.seat(seat));
            steps.push(renamed(&step, |client| names.client(client)));
        }
        match taken.effect.as_leaf() {
            Some(effect) => memo.writes(effect).iter().for_each(|write| row[write.position as usize] = write.id),
            None => row = progress.extractor.fire_wide(taken.transition, &row)?.0,
        }
        names.sort(known.canon.as_ref(), &mut row, &mut scratch);
    }
    Ok(steps)
}

/// Who is who.
struct Names {
    /// The client that the layout has at each position, and the one that stands there now.
    own: Vec<Option<u16>>,
    clients: Vec<Option<u16>>,
    /// What is called by which seat's number, in pairs; seats that never moved are left out.
    seats: BTreeMap<i64, i64>,
}

impl Names {
    fn of(places: &[Place]) -> Self {
        let own = places.iter().map(|place| place.client()).collect::<Vec<_>>();
        Self { clients: own.clone(), own, seats: BTreeMap::new() }
    }

    fn client(&self, client: u16) -> u16 {
        self.own.iter().position(|it| *it == Some(client)).and_then(|at| self.clients[at]).unwrap_or(client)
    }

    fn seat(&self, seat: i64) -> i64 {
        self.seats.get(&seat).copied().unwrap_or(seat)
    }

    /// Sorts a row, and renames with it.
    fn sort(&mut self, canon: Option<&Canon>, row: &mut [PartId], scratch: &mut Scratch) {
        let Some(canon) = canon else { return };
        canon.sort(row, scratch);
        for number in &scratch.trace {
            match canon.swaps[*number].pair {
                Pair::Clients { first, second, .. } => self.clients.swap(first, second),
                Pair::Seats(one, other) => {
                    let names = (self.seat(one), self.seat(other));
                    self.seats.extend([(one, names.1), (other, names.0)]);
                }
            }
        }
    }
}
