//! How often each fault may happen.

use serde::{Deserialize, Serialize};

/// How often each fault, and the passing of time, may still happen.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Budgets {
    /// A request never arrives; the sender sees a time-out.
    pub lose_request: u32,
    /// A request takes effect, but the sender sees a time-out.
    pub lose_reply: u32,
    /// A client or a service instance ends at once.
    pub crash: u32,
    /// A Redis node restarts with nothing.
    pub redis_restart: u32,
    /// A Redis node is gone and a replica takes its place.
    pub failover: u32,
    /// A Redis node drops a live key for want of memory.
    pub evict: u32,
    /// What was sent takes effect after its sender has stopped waiting.
    pub late: u32,
    /// A driver sends a command again whose reply was lost.
    pub driver_repeat: u32,
    /// A client makes a call again whose answer has not come.
    pub client_retry: u32,
    /// The database cancels a statement.
    pub sql_abort: u32,
    /// The connection breaks during a COMMIT, done or not.
    pub commit_unknown: u32,
    /// The clock of a Redis node jumps forwards.
    pub clock_jump: u32,
    /// Time moves to the next instant at which something changes.
    pub time_steps: u32,
}

impl Budgets {
    /// Everything may happen as often as it can.
    pub const UNLIMITED: Self = Self {
        lose_request: u32::MAX,
        lose_reply: u32::MAX,
        crash: u32::MAX,
        redis_restart: u32::MAX,
        failover: u32::MAX,
        evict: u32::MAX,
        late: u32::MAX,
        driver_repeat: u32::MAX,
        client_retry: u32::MAX,
        sql_abort: u32::MAX,
        commit_unknown: u32::MAX,
        clock_jump: u32::MAX,
        time_steps: u32::MAX,
    };

    /// Every budget by its name in scenario files, in the order of printing.
    #[must_use]
    pub fn entries(&self) -> [(&'static str, u32); 13] {
        [
            ("lose_request", self.lose_request),
            ("lose_reply", self.lose_reply),
            ("crash", self.crash),
            ("redis_restart", self.redis_restart),
            ("failover", self.failover),
            ("evict", self.evict),
            ("late", self.late),
            ("driver_repeat", self.driver_repeat),
            ("client_retry", self.client_retry),
            ("sql_abort", self.sql_abort),
            ("commit_unknown", self.commit_unknown),
            ("clock_jump", self.clock_jump),
            ("time_steps", self.time_steps),
        ]
    }

    /// The faults that may happen, without the passing of time: each by its name, with how often.
    pub fn faults(&self) -> impl Iterator<Item = (&'static str, u32)> + use<> {
        self.entries().into_iter().filter(|(name, budget)| *name != "time_steps" && *budget > 0)
    }

    /// The budget of this name; 0 if there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> u32 {
        self.entries().iter().find(|(known, _)| *known == name).map_or(0, |(_, budget)| *budget)
    }

    /// The budget of this name, to change it.
    ///
    /// # Panics
    /// When there is none.
    pub fn get_mut(&mut self, name: &str) -> &mut u32 {
        match name {
            "lose_request" => &mut self.lose_request,
            "lose_reply" => &mut self.lose_reply,
            "crash" => &mut self.crash,
            "redis_restart" => &mut self.redis_restart,
            "failover" => &mut self.failover,
            "evict" => &mut self.evict,
            "late" => &mut self.late,
            "driver_repeat" => &mut self.driver_repeat,
            "client_retry" => &mut self.client_retry,
            "sql_abort" => &mut self.sql_abort,
            "commit_unknown" => &mut self.commit_unknown,
            "clock_jump" => &mut self.clock_jump,
            "time_steps" => &mut self.time_steps,
            other => panic!("there is no budget `{other}`"),
        }
    }

    /// Takes one from the budget of this name.
    pub(super) fn pay(&mut self, name: &str) {
        *self.get_mut(name) -= 1;
    }
}
