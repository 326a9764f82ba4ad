//! The way to a state: the entries that were taken, followed once more from the initial state.

use super::expand::expand;
use super::frontier::StateId;
use super::layout::Place;
use super::search::Search;
use super::symmetry::renamed;
use crate::engines::reference::ExploreError;
use crate::system::Step;

/// The steps from the initial state to this one, under the scenario's own names of the clients.
pub(super) fn steps_to(search: &mut Search<'_>, state: StateId) -> Result<Vec<Step>, ExploreError> {
    let (known, progress) = (&search.known, &mut search.progress);
    let memo = &known.memo;
    let mut row = search.initial.clone();
    // Which client stands at each position now, where rows are sorted.
    let mut names = progress.extractor.layout.places.iter().map(client_at).collect::<Vec<_>>();
    let own = names.clone();
    let (mut steps, mut candidates, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    let ways = progress.trail.way_to(state);
    if let Some(canon) = &known.canon {
        canon.sort(&mut row, &mut keys, |swap| names.swap(swap.first, swap.second));
    }
    for ordinal in ways {
        candidates.clear();
        expand(memo, &row, 0, &mut candidates).expect("all is known about a state that was expanded");
        let taken = candidates[usize::from(ordinal)];
        let entries = (0..memo.groups.len()).filter_map(|group| memo.list(group, &row)).flatten();
        let entry = entries.take(usize::from(ordinal) + 1).last().expect("the entry was listed");
        let transitions = progress.extractor.prefixes[entry].iter().copied().chain([taken.transition]);
        for number in transitions {
            let name = |client| own.iter().position(|it| *it == Some(client)).and_then(|at| names[at]);
            let step = &progress.extractor.transitions[number as usize].step;
            steps.push(renamed(step, |client| name(client).unwrap_or(client)));
        }
        match taken.effect.as_leaf() {
            Some(effect) => memo.writes(effect).iter().for_each(|write| row[write.position as usize] = write.id),
            None => row = progress.extractor.fire_wide(taken.transition, &row)?.0,
        }
        if let Some(canon) = &known.canon {
            canon.sort(&mut row, &mut keys, |swap| names.swap(swap.first, swap.second));
        }
    }
    Ok(steps)
}

fn client_at(place: &Place) -> Option<u16> {
    match place {
        Place::Client(number) => Some(u16::try_from(*number).expect("there are at most 65,535 clients")),
        _ => None,
    }
}
