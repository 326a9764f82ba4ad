//! The passing of time as a step: to the next instant at which some comparison can change.

use super::System;
use super::state::Phase;

impl System {
    /// The next instant at which something can turn out differently: the end of a sleep, each deadline in Redis and
    /// the millisecond after it (a key is dead only when now > deadline), each SQL timestamp and the microsecond
    /// after it.
    #[must_use]
    pub fn next_instant(&self) -> Option<u64> {
        let now_us = self.state.now_us;
        let mut next = u64::MAX;
        let mut visit = |instant_us: u64| {
            if instant_us > now_us {
                next = next.min(instant_us);
            }
        };
        for process in self.state.processes() {
            if let Phase::Asleep(until_us) = self.state.slot(process).phase {
                visit(until_us);
            }
        }
        self.job_instants().for_each(&mut visit);
        for node in &self.state.world.redis {
            node.instants_after(now_us, &mut visit);
        }
        // A clock that runs ahead comes to a timestamp earlier.
        let clocks = self.setting.clocks.clients.iter().chain(&self.setting.clocks.instances).copied();
        // A timestamp that is the present still has the microsecond after it to come.
        self.state.world.sql.timestamps_after(now_us.saturating_sub(1), &mut |timestamp_us| {
            if let Ok(timestamp_us) = u64::try_from(timestamp_us) {
                for ahead_us in std::iter::once(0).chain(clocks.clone()) {
                    visit(timestamp_us.saturating_sub(ahead_us));
                    visit(timestamp_us.saturating_sub(ahead_us).saturating_add(1));
                }
            }
        });
        (next < u64::MAX).then_some(next)
    }

    /// Time moves on.
    pub(super) fn pass_time(&mut self, to_us: u64) {
        self.state.budgets.time_steps -= 1;
        self.note_ready();
        self.advance_to(to_us);
        self.judgement.redis_changed();
        for node in &mut self.state.world.redis {
            // A dead key is found dead whenever it is touched: dropping it now makes fewer states.
            node.purge_expired(to_us);
        }
    }
}
