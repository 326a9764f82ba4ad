//! Steps without the numbers that change when other steps are left out.
//!
//! A handler is named by the count of its client's calls. Leave out a round and every later handler has another
//! name; a [`Move`] therefore counts calls within their round, and a [`Tracker`] knows the names of one execution.

use crate::process::{Draw, Drawn, Op, Support};
use crate::system::state::Whereabouts;
use crate::system::{Step, System};
use crate::world::identity::ProcessId;

/// A step of a client, of one of its handlers, or of nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// Round of the client in which the process began; 0 for steps of nobody.
    pub(super) round: u32,
    /// 0 for the client itself, else which of the round's calls the handler works for.
    pub(super) nth: u32,
    /// The step; its process is the client.
    pub(super) step: Step,
}

impl Move {
    /// The client whose move it is; `None` for jobs, time and the faults of the infrastructure.
    pub(super) fn client(&self) -> Option<u16> {
        self.step.process().filter(|process| !process.is_job()).map(|process| process.client)
    }

    /// The move of another client.
    pub(super) fn renamed(&self, client: u16) -> Self {
        Self { step: self.step.of_other(|_| ProcessId::client(client)), ..self.clone() }
    }

    /// True for what a budget other than time pays for.
    pub(super) fn is_fault(&self) -> bool {
        is_fault(&self.step)
    }
}

/// True for what a budget other than time pays for.
pub(super) fn is_fault(step: &Step) -> bool {
    step.budget().is_some_and(|budget| budget != "time_steps")
}

/// Which calls belong to which round, as one execution goes on.
#[derive(Debug, Default)]
pub(super) struct Tracker {
    /// By client, then by round (from 1, so index 0 is round 1): calls that the client made before.
    calls_before: Vec<Vec<u32>>,
}

impl Tracker {
    /// Takes in what the last step did.
    pub(super) fn follow(&mut self, system: &System) {
        let clients = &system.state().clients;
        self.calls_before.resize(clients.len(), Vec::new());
        for (client, rounds) in clients.iter().zip(&mut self.calls_before) {
            while rounds.len() < client.rounds as usize {
                rounds.push(client.calls);
            }
        }
    }

    /// The move that this step is here.
    pub(super) fn generalised(&self, step: &Step) -> Move {
        // A job is named after the model's list, whatever else is left out.
        let Some(process) = step.process().filter(|process| !process.is_job()) else {
            return Move { round: 0, nth: 0, step: step.clone() };
        };
        let rounds = self.calls_before.get(usize::from(process.client)).map_or(&[][..], Vec::as_slice);
        let begun = match process.call {
            0 => rounds.len(),
            call => rounds.iter().take_while(|before| **before < call).count(),
        };
        let before = begun.checked_sub(1).map_or(0, |index| rounds[index]);
        let nth = if process.call == 0 { 0 } else { process.call - before };
        let round = u32::try_from(begun).expect("a client counts its rounds in 32 bits");
        Move { round, nth, step: step.of_other(|process| ProcessId::client(process.client)) }
    }

    /// The step that this move is here; `None` while its round has not begun.
    pub(super) fn concrete(&self, it: &Move) -> Option<Step> {
        let Some(client) = it.client().filter(|_| it.nth > 0) else { return Some(it.step.clone()) };
        let index = (it.round as usize).checked_sub(1)?;
        let before = self.calls_before.get(usize::from(client))?.get(index)?;
        Some(it.step.of_other(|_| ProcessId::handler(client, before + it.nth)))
    }
}

/// The step as it can be fired now, else `None`. Where only a value stands in the way, the nearest one that can come
/// out takes its place: a draw out of fewer seats, a choice out of fewer alternatives, the next instant for another,
/// another key to evict.
pub(super) fn possible(system: &System, step: &Step) -> Option<Step> {
    let state = system.state();
    let budgets = &state.budgets;
    match step {
        Step::Draw(process, drawn) => {
            state.find(*process)?;
            let drawn = fitting(&system.draw_of(*process)?, drawn);
            Some(Step::Draw(*process, drawn))
        }
        Step::Choose(process, choice) => match state.find(*process)?.whereabouts() {
            Whereabouts::Issued(Op::Choose(alternatives)) => {
                let last = alternatives.checked_sub(1)?;
                Some(Step::Choose(*process, last.min(*choice)))
            }
            _ => None,
        },
        Step::Time(_) => system.passing_of_time(),
        Step::Evict(number, key) => {
            let node = state.world.redis.get(usize::from(*number)).filter(|_| budgets.evict > 0)?;
            let mut live = node.live_keys(state.now_us).map(|(key, ..)| key).peekable();
            let first = (*live.peek()?).clone();
            let key = if live.any(|it| it == key) { key.clone() } else { first };
            Some(Step::Evict(*number, key))
        }
        Step::Reap(_)
        | Step::Deadlock(_)
        | Step::CrashInstance(_)
        | Step::RedisRestart(_)
        | Step::Replicate(..)
        | Step::Failover(..)
        | Step::Land(_)
        | Step::ClockJump(_) => system.is_enabled(step).then(|| step.clone()),
        other => {
            let process = other.process()?;
            state.find(process)?;
            let mut own = Vec::new();
            system.enabled_of(process, &mut own);
            own.contains(other).then(|| other.clone())
        }
    }
}

/// What was drawn, or the nearest that this draw admits.
fn fitting(draw: &Draw, drawn: &Drawn) -> Drawn {
    if draw.admits(drawn) {
        return drawn.clone();
    }
    let first = drawn.first().copied().unwrap_or(0);
    match draw.support {
        Support::Between { low, high } => [first.clamp(low, high)].as_slice().into(),
        Support::Duration { low_us, high_us } => [first.clamp(low_us, low_us.max(high_us - 1))].as_slice().into(),
        Support::Distinct { count, of } => {
            let of = i64::from(of);
            let mut numbers = Drawn::new();
            // Numbers that fell together are made up for by the least ones that are free.
            for number in drawn.iter().map(|number| (number - 1).rem_euclid(of) + 1).chain(1..=of) {
                if numbers.len() < count as usize && !numbers.contains(&number) {
                    numbers.push(number);
                }
            }
            numbers
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_a_draw_becomes_something_that_does() {
        let supports = [
            Support::Between { low: 2, high: 4 },
            Support::Duration { low_us: 5, high_us: 5 },
            Support::Duration { low_us: 5, high_us: 9 },
            Support::Distinct { count: 2, of: 2 },
            Support::Distinct { count: 3, of: 5 },
        ];
        for support in supports {
            let draw = Draw { name: "x", support };
            for drawn in [&[][..], &[0], &[7], &[100], &[3, 5], &[17, 17, 17, 2]] {
                let fitted = fitting(&draw, &drawn.into());
                assert!(draw.admits(&fitted), "{drawn:?} became {fitted:?} for {support:?}");
                assert_eq!(fitting(&draw, &fitted), fitted);
            }
        }
    }

    #[test]
    fn seats_that_are_left_keep_their_order() {
        let draw = Draw { name: "seats", support: Support::Distinct { count: 2, of: 3 } };
        assert_eq!(fitting(&draw, &[6, 5].as_slice().into()).as_slice(), [3, 2]);
    }
}
