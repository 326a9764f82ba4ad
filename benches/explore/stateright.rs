//! The same model for stateright: packed states, so that it is at its best.

use stateright::{Checker, Model, Property};

use super::seatlock::{Packed, Seatlock};

/// A model that lives as long as the threads of the search.
#[derive(Copy, Clone, Debug)]
struct Checked(&'static Seatlock);

impl Model for Checked {
    type State = Packed;
    type Action = usize;

    fn init_states(&self) -> Vec<Packed> {
        vec![self.0.initial()]
    }

    fn actions(&self, state: &Packed, actions: &mut Vec<usize>) {
        let mut count = 0;
        self.0.successors(*state, |_| {
            actions.push(count);
            count += 1;
        });
    }

    fn next_state(&self, state: &Packed, action: usize) -> Option<Packed> {
        let (mut count, mut next) = (0, None);
        self.0.successors(*state, |successor| {
            if count == action {
                next = Some(successor);
            }
            count += 1;
        });
        next
    }

    fn properties(&self) -> Vec<Property<Self>> {
        // The fenced model packs one booking a seat, so it is safe by its form; a property must be asked all the same.
        vec![Property::always("one booking a seat", |_, _| true)]
    }
}

/// How stateright searches.
#[derive(Copy, Clone, Debug)]
pub(crate) enum Mode {
    Bfs,
    Dfs,
    Symmetric,
}

/// The number of states.
pub(crate) fn explore(model: &Seatlock, mode: Mode) -> usize {
    let model: &'static Seatlock = Box::leak(Box::new(model.clone()));
    let checker = Checked(model).checker().threads(2);
    match mode {
        Mode::Bfs => checker.spawn_bfs().join().unique_state_count(),
        Mode::Dfs => checker.spawn_dfs().join().unique_state_count(),
        Mode::Symmetric => {
            // stateright takes a plain function, so the size is a constant.
            let representative = |state: &Packed| super::REDUCED.representative(*state);
            checker.symmetry_fn(representative).spawn_dfs().join().unique_state_count()
        }
    }
}
