//! What becomes of seats when nobody acts any more: jobs and time run in a fixed order, without faults, and then a
//! probe client asks for each seat that is not sold.

use std::rc::Rc;

use super::state::{Client, Phase, Slot};
use super::{Setting, Step, System};
use crate::process::Drawn;
use crate::world::identity::ProcessId;
use crate::world::redis::Redis;

/// More steps than a probe takes; one that needs more does not get its seat.
const PROBE_STEPS_MAX: usize = 10_000;

/// For how long a seat may stay locked with nobody who could use it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Grade {
    /// A seat that is refused now is stuck, although deadlines will free it.
    UntilDeadline,
    /// Only a seat that is still refused after every deadline is stuck.
    ForEver,
}

impl Client {
    /// True when the client has ended and nobody handles a request of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.slot.phase == Phase::Ended && self.handlers.is_empty()
    }

    /// True when none of the handlers is at work, which are jobs.
    #[must_use]
    pub fn has_idle_jobs(&self) -> bool {
        self.handlers.iter().all(|job| matches!(job.slot.phase, Phase::Idle | Phase::Ended))
    }
}

impl System {
    /// True when every client has ended, no request is being handled, and no job is at work.
    pub(super) fn is_at_rest(&self) -> bool {
        let clients = &self.state.clients;
        self.state.late.is_empty() && clients[1..].iter().all(Client::is_over) && clients[0].has_idle_jobs()
    }

    /// In words, a seat that is not sold and that a probe client is refused.
    pub(super) fn stuck_seat(&self, grade: Grade) -> Option<String> {
        let setting = &self.setting;
        let journey = setting.model.seats.probe?;
        let journey = setting.model.journeys.iter().position(|it| it.name == journey).expect("the model has the probe");
        let seats = setting.params.iter().find(|(name, _)| *name == "seats").map_or(1, |(_, value)| value.low);
        let mut rest = self.at_rest();
        rest.run_due_jobs();
        let mut stuck = (1..=seats).filter(|seat| rest.refuses(*seat, journey)).collect::<Vec<_>>();
        let when = match grade {
            Grade::UntilDeadline => "",
            Grade::ForEver if stuck.is_empty() => "",
            Grade::ForEver => {
                rest.pass_every_deadline();
                stuck.retain(|seat| rest.refuses(*seat, journey));
                ", and after every deadline it still is"
            }
        };
        let seat = stuck.first()?;
        Some(format!("seat {seat} is not sold and nobody can use it, but a new client is refused it{when}"))
    }

    /// This execution without what the clients may still do, and without faults.
    fn at_rest(&self) -> Self {
        let setting = Setting { properties: Vec::new(), rounds: Some(1), ..Setting::clone(&self.setting) };
        let mut rest = self.clone();
        rest.setting = Rc::new(setting);
        rest.judgement = super::property::Judgement::default();
        rest.state.budgets = super::state::Budgets { time_steps: u32::MAX, ..super::state::Budgets::default() };
        for process in rest.state.unreaped.clone() {
            rest.reap(process);
        }
        rest.state.world.redis.iter_mut().for_each(Redis::replicate_all);
        rest
    }

    /// Each job that is due runs once, to its end.
    fn run_due_jobs(&mut self) {
        for index in 0..self.state.jobs.len() {
            let job = ProcessId::job(index);
            if self.state.jobs[index].due_us <= self.state.now_us && self.state.slot(job).phase == Phase::Idle {
                self.begin_job(job);
                self.go_on(job, |_| false);
            }
        }
    }

    /// Time passes until nothing in Redis or in the database has a deadline left, and every job has run after that.
    fn pass_every_deadline(&mut self) {
        for _ in 0..PROBE_STEPS_MAX {
            let Some(next_us) = self.next_deadline() else { break };
            self.pass_time(next_us);
            self.run_due_jobs();
        }
        for index in 0..self.state.jobs.len() {
            self.pass_time(self.state.jobs[index].due_us.max(self.state.now_us));
            self.run_due_jobs();
        }
    }

    /// The next deadline that is not only a job's.
    fn next_deadline(&self) -> Option<u64> {
        let mut without_jobs = self.clone();
        without_jobs.state.jobs.iter_mut().for_each(|clock| clock.runs_left = 0);
        without_jobs.next_instant()
    }

    /// True when the seat is not sold and a fresh client that asks for it does not come to hold it.
    fn refuses(&self, seat: i64, journey: usize) -> bool {
        let setting = &self.setting;
        if (setting.model.seats.sold)(&self.state.world.sql, seat) {
            return false;
        }
        let journey = u16::try_from(journey).expect("a model has fewer than 65,536 journeys");
        let mut probed = self.clone();
        let number = u16::try_from(probed.state.clients.len()).expect("there are at most 65,535 clients");
        let slot = Slot::idle();
        probed.state.clients.push(Client { journey, slot, rounds: 0, calls: 0, handlers: Vec::new() });
        let client = ProcessId::client(number);
        probed.begin(client);
        let holds = |system: &System| {
            let holders = system.state.world.ghost.holders.get(&seat);
            holders.is_some_and(|holders| holders.contains_key(&number))
        };
        !probed.seek(client, seat, holds)
    }

    /// The client goes on, drawing this seat where it draws seats, until `is_done`; false when it ends before.
    fn seek(&mut self, client: ProcessId, seat: i64, is_done: impl Fn(&Self) -> bool) -> bool {
        for _ in 0..PROBE_STEPS_MAX {
            if is_done(self) {
                return true;
            }
            let wanted = self.draw_of(client).filter(|draw| draw.name == "seats").map(|draw| {
                let crate::process::Support::Distinct { count, of } = draw.support else { return None };
                let others = (1..=i64::from(of)).filter(|other| *other != seat);
                Some(std::iter::once(seat).chain(others).take(count as usize).collect::<Drawn>())
            });
            match wanted.flatten() {
                Some(drawn) => self.fire_own(&Step::Draw(client, drawn)),
                None => match self.next_own_step(client) {
                    Some(step) => self.fire_own(&step),
                    None => return false,
                },
            }
        }
        false
    }

    /// The process and its handlers go on, and nobody else does, until they can do nothing more or `is_done`.
    fn go_on(&mut self, process: ProcessId, is_done: impl Fn(&Self) -> bool) {
        for _ in 0..PROBE_STEPS_MAX {
            match self.next_own_step(process).filter(|_| !is_done(self)) {
                Some(step) => self.fire_own(&step),
                None => return,
            }
        }
    }

    fn fire_own(&mut self, step: &Step) {
        // Statements that cannot be planned stop the search when a client meets them.
        let _ = self.fire(step);
        self.state.world.redis.iter_mut().for_each(Redis::replicate_all);
    }
}
