//! For engines that put states together from parts they have seen before: a state can be changed from outside, and what
//! a step changed can be asked for.

use super::System;
use super::property::Violation;
use super::state::State;

/// What has changed that properties may read.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Changes {
    /// Ghost state, in a way that a property can break by.
    pub ghost: bool,
    /// Who holds a seat that another holds too. Only if ghost state is changed as well.
    pub shared_seats: bool,
    /// Committed rows.
    pub data: bool,
    /// Keys of Redis, where a property reads them.
    pub redis: bool,
    /// Ghost state was read or written at all: also claims were dropped, or facts stated that were known.
    pub touched_ghost: bool,
}

impl Changes {
    /// True if some property must be judged again.
    #[must_use]
    pub fn must_be_judged(self) -> bool {
        // Without branches: it is asked after every step.
        self.ghost | self.data | self.redis
    }
}

impl System {
    /// The state, to put another one in its place.
    pub fn state_mut(&mut self) -> &mut State {
        &mut self.state
    }

    /// What has changed since the properties were last judged or this was last asked.
    pub fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.judgement.changes)
    }

    /// Judges the properties of the present state as if this had changed.
    pub fn judge_after(&mut self, changes: Changes) -> Vec<Violation> {
        self.judgement.changes = changes;
        self.judge()
    }
}
