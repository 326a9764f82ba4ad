//! Time relative to the present, for exploring without a bound on time: two states that differ only in when they are
//! reached have the same future, so they are one.
//!
//! After time has passed, the present is moved back to the start and every instant with it. What is past every
//! comparison comes to lie at the start too: a sleep that is over, a job that is due, a hold that has ended. Whole
//! milliseconds are taken away, because Redis counts in those. Under bounds on slowness it is the instant since when
//! somebody has been waiting that is moved to the start: how long he has waited decides how long he still may.
//!
//! This is done only while nobody remembers an instant: no process in its history, no row, no open transaction. Else
//! the state stays as it is, which is right as well but finds fewer states equal.

use super::System;
use super::state::{Phase, Slot, State};
use crate::process::{Op, Outcome};
use crate::world::identity::ProcessId;
use crate::world::value::Value;

/// The unit that Redis counts in.
const MILLISECOND_US: u64 = 1_000;

impl System {
    /// From now on time is kept relative to the present, and passes as often as it can.
    ///
    /// # Panics
    /// When the passing of time is bounded.
    pub fn keep_time_relative(&mut self) {
        assert_eq!(self.state.budgets.time_steps, u32::MAX, "a bound on time is part of the state");
        self.is_relative = true;
    }

    /// True once a command was sent that says or asks when something is, not how long from now: then time must not be
    /// kept relative.
    #[must_use]
    pub fn names_instants(&self) -> bool {
        self.names_instants
    }

    /// True once time had passed while somebody remembered an instant: the present was not moved back then.
    #[must_use]
    pub fn keeps_instants(&self) -> bool {
        self.keeps_instants
    }

    /// Notes whether what is sent says or asks when something is. Scripts are searched for such commands.
    pub(super) fn note_instants(&mut self, process: ProcessId) {
        let Some(Op::Redis(_, argv)) = &self.state.slot(process).op else { return };
        let names_one = |word: &[u8]| {
            let word = word.to_ascii_uppercase();
            let holds = |part: &[u8]| word.windows(part.len()).any(|window| window == part);
            [&b"EXPIREAT"[..], b"EXPIRETIME", b"EXAT", b"PXAT", b"'TIME'", b"\"TIME\""].into_iter().any(holds)
                || word == b"TIME"
        };
        self.names_instants |= argv.words().any(names_one);
    }

    /// Moves the present back to the start, if nobody remembers an instant.
    pub(super) fn rebase(&mut self) {
        let waits_since_us = self.state.ready_since.values().copied();
        let first_us = waits_since_us.chain([self.state.now_us]).min().unwrap_or_default();
        let past_us = first_us - first_us % MILLISECOND_US;
        if past_us == 0 {
            return;
        }
        if remembers_instants(&self.state) {
            self.keeps_instants = true;
            return;
        }
        let State { now_us, world, clients, jobs, ready_since, .. } = &mut self.state;
        let slots = clients.iter_mut().flat_map(|client| {
            let handlers = client.handlers.iter_mut().map(|handler| &mut handler.slot);
            std::iter::once(&mut client.slot).chain(handlers)
        });
        let sleeps =
            slots.filter_map(|slot| if let Phase::Asleep(until) = &mut slot.phase { Some(until) } else { None });
        let holds = world.ghost.holders.values_mut().flat_map(|holders| holders.values_mut());
        let holds = holds.filter(|until_us| **until_us != u64::MAX);
        let jobs = jobs.iter_mut().map(|clock| &mut clock.due_us);
        let instants = sleeps.chain(holds).chain(jobs).chain(ready_since.values_mut());
        for instant_us in instants.chain([now_us]) {
            *instant_us = instant_us.saturating_sub(past_us);
        }
        for node in &mut world.redis {
            node.move_ms(past_us / MILLISECOND_US);
        }
    }
}

/// True if a process, a row or a transaction has an instant that may yet be compared.
fn remembers_instants(state: &State) -> bool {
    let mut slots = state.clients.iter().flat_map(|client| {
        let handlers = client.handlers.iter().map(|handler| &handler.slot);
        std::iter::once(&client.slot).chain(handlers)
    });
    let of_process = |slot: &Slot| slot.history.iter().any(is_instant);
    slots.any(of_process) || state.world.sql.remembers_instants()
}

fn is_instant(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Now(_) => true,
        Outcome::Rows(Ok(rows)) => {
            rows.rows.iter().any(|row| row.iter().any(|value| matches!(value, Value::Timestamp(_))))
        }
        _ => false,
    }
}
