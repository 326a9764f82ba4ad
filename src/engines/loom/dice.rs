//! Choices inside a thread, as branches of loom's own.
//!
//! A relaxed load may return any of the stores that its thread does not know to be outdated, and loom tries them all.
//! So an atomic to which the main thread stores 1, 2, ..., n - 1 after it started the others, and of which no one else
//! hears, is a die with n faces: whoever loads it takes every alternative in turn. It can be thrown once, because
//! afterwards the thread knows. Nothing is wasted on alternatives that do not exist, and a checkpoint contains choices
//! as it contains preemptions.
//!
//! The price: dice have to be there before the other threads run, the same in every execution. So they are made by a
//! plan; an execution that needs more than the plan has ends the exploration, which begins anew with a larger plan.
//! That happens early, because the first execution throws about as many dice as the others, and the plan has spare
//! ones.

use std::sync::Arc;

use ::loom::sync::atomic::AtomicUsize;
use ::loom::sync::atomic::Ordering::Relaxed;
use serde::{Deserialize, Serialize};

/// Faces of the largest die: how many stores of an atomic loom remembers.
pub(super) const FACES_MAX: usize = 7;

/// How many dice there are, by their faces.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Plan([usize; FACES_MAX + 1]);

impl Plan {
    /// As many of each as either has.
    pub(super) fn or(self, other: Self) -> Self {
        Self(std::array::from_fn(|faces| self.0[faces].max(other.0[faces])))
    }
}

/// The dice of one execution.
#[derive(Debug, Default)]
pub(super) struct Dice {
    dice: [Vec<Arc<AtomicUsize>>; FACES_MAX + 1],
    thrown: Plan,
    is_short: bool,
}

impl Dice {
    /// Makes dice. To be called before there is any other thread.
    pub(super) fn make(plan: Plan) -> Self {
        let die = |_| Arc::new(AtomicUsize::new(0));
        let dice = plan.0.map(|count| (0..count).map(die).collect());
        Self { dice, ..Self::default() }
    }

    /// All dice with their number of faces, to be marked with [`mark`].
    pub(super) fn all(&self) -> Vec<(usize, Arc<AtomicUsize>)> {
        let dice = self.dice.iter().enumerate();
        dice.flat_map(|(faces, dice)| dice.iter().map(move |die| (faces, Arc::clone(die)))).collect()
    }

    /// A die that was not thrown before; none if there were too few.
    pub(super) fn take(&mut self, faces: usize) -> Option<Arc<AtomicUsize>> {
        self.thrown.0[faces] += 1;
        let die = self.dice[faces].pop();
        self.is_short |= die.is_none();
        die
    }

    /// What would have been enough and somewhat more, if there were too few.
    pub(super) fn missing(&self) -> Option<Plan> {
        let spare = |count: usize| if count > 0 { count + count / 2 + 1 } else { 0 };
        self.is_short.then(|| Plan(self.thrown.0.map(spare)))
    }
}

/// Gives dice their other faces. To be called by the main thread, after it started the others.
pub(super) fn mark(dice: &[(usize, Arc<AtomicUsize>)]) {
    for (faces, die) in dice {
        (1..*faces).for_each(|face| die.store(face, Relaxed));
    }
}
