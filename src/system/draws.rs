//! Draws under exploration: which of their values are taken, and why there may be none.

use std::fmt;

use super::System;
use super::state::{Phase, Slot};
use crate::process::{Draw, Drawn, Op, SUPPORT_MAX};
use crate::world::identity::ProcessId;

/// A draw that exploration has no value for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unexplorable {
    /// The draw.
    pub draw: Draw,
    /// Its representatives, of which none can come out; `None` where the scenario names none.
    pub representatives: Option<Vec<Drawn>>,
}

impl Unexplorable {
    /// What to write in a check, so that there are values. `None` where nothing can come out.
    #[must_use]
    pub fn remedy(&self) -> Option<String> {
        let examples = self.draw.examples();
        (!examples.is_empty()).then(|| format!("draws = {{ {} = [{}] }}", self.draw.name, listed(&examples)))
    }
}

impl fmt::Display for Unexplorable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { draw: Draw { name, support }, representatives } = self;
        match (representatives, self.draw.examples().is_empty()) {
            (_, true) => write!(f, "draw `{name}` has no value at all: it is {support}"),
            (None, false) => write!(
                f,
                "draw `{name}` has too many values to explore one by one, more than {SUPPORT_MAX}: it is {support}, \
                 and has no representatives"
            ),
            (Some(values), false) => {
                write!(f, "draw `{name}` can give none of its representatives, {}: it is {support}", listed(values))
            }
        }
    }
}

/// As a scenario lists representatives: `[1], [2]`.
fn listed(values: &[Drawn]) -> String {
    values.iter().map(|drawn| format!("{:?}", drawn.as_slice())).collect::<Vec<_>>().join(", ")
}

impl System {
    /// The values that exploration takes for a draw: the scenario's representatives, else the whole support. Empty
    /// when the support is too large and no representative of the scenario lies in it.
    pub(super) fn explored(&self, draw: &Draw) -> Vec<Drawn> {
        let values = self.setting.draws.get(draw.name).cloned().or_else(|| draw.values()).unwrap_or_default();
        values.into_iter().filter(|drawn| draw.admits(drawn)).collect()
    }

    /// A draw in flight that exploration has no value for; going on without it would hide all that follows.
    #[must_use]
    pub fn unexplorable_draw(&self) -> Option<Box<Unexplorable>> {
        let mut draws = self.state.processes().filter_map(|process| self.draw_of(process));
        draws.find(|draw| self.explored(draw).is_empty()).map(|draw| self.unexplorable(draw))
    }

    /// Why exploration has no value for this draw.
    #[must_use]
    pub fn unexplorable(&self, draw: Draw) -> Box<Unexplorable> {
        Box::new(Unexplorable { draw, representatives: self.setting.draws.get(draw.name).cloned() })
    }

    /// The draw that this process waits for.
    #[must_use]
    pub fn draw_of(&self, process: ProcessId) -> Option<Draw> {
        let Slot { phase, op, .. } = self.state.slot(process);
        match (phase, op) {
            (Phase::Issued, Some(Op::Draw(draw))) => Some(*draw),
            _ => None,
        }
    }
}
