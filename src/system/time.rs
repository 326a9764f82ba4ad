//! The passing of time as a step: to the next instant at which some comparison can change.

use super::System;
use super::state::{Client, Phase};
use crate::world::sql::SqlStore;

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
        self.state.clients.iter().for_each(|client| instants_of_client(client, &mut visit));
        self.job_instants().for_each(&mut visit);
        self.state.world.redis.iter().for_each(|node| node.instants_after(now_us, &mut visit));
        self.sql_instants(&mut visit);
        (next < u64::MAX).then_some(next)
    }

    /// The timestamps of the database from now on, each with the microsecond after it, by every clock: one that runs
    /// ahead comes to a timestamp earlier.
    pub fn sql_instants(&self, visit: &mut dyn FnMut(u64)) {
        let (clocks, now_us) = (&self.setting.clocks, self.state.now_us);
        if clocks.agree() {
            instants_of_sql(&self.state.world.sql, now_us, visit);
            return;
        }
        for ahead_us in clocks.clients.iter().chain(&clocks.instances).copied().chain([0]) {
            let mut earlier = |instant_us: u64| visit(instant_us.saturating_sub(ahead_us));
            instants_of_sql(&self.state.world.sql, now_us, &mut earlier);
        }
    }

    /// Time moves on.
    pub(super) fn pass_time(&mut self, to_us: u64) {
        if !self.is_relative {
            self.state.budgets.time_steps -= 1;
        }
        self.note_ready();
        self.advance_to(to_us);
        self.judgement.redis_changed();
        for node in &mut self.state.world.redis {
            // A dead key is found dead whenever it is touched: dropping it now makes fewer states.
            node.purge_expired(to_us);
        }
        if self.is_relative {
            self.rebase();
        }
    }
}

/// The ends of the sleeps of a client and its handlers, past ones too.
pub fn instants_of_client(client: &Client, visit: &mut dyn FnMut(u64)) {
    let slots = std::iter::once(&client.slot).chain(client.handlers.iter().map(|handler| &handler.slot));
    for slot in slots {
        if let Phase::Asleep(until_us) = slot.phase {
            visit(until_us);
        }
    }
}

/// The timestamps of a database from `now_us` on, each with the microsecond after it: one that is the present still has
/// that to come.
fn instants_of_sql(sql: &SqlStore, now_us: u64, visit: &mut dyn FnMut(u64)) {
    sql.timestamps_after(now_us.saturating_sub(1), &mut |timestamp_us| {
        if let Ok(timestamp_us) = u64::try_from(timestamp_us) {
            visit(timestamp_us);
            visit(timestamp_us.saturating_add(1));
        }
    });
}
