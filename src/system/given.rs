//! What has happened before a check begins: a prologue, done once and in order, neither explored nor counted.

use std::fmt;

use super::scenario::duration::parse_us;
use super::state::{Budgets, Phase};
use super::{ModelError, Step, System};
use crate::process::Op;
use crate::world::identity::ProcessId;

/// More steps than any prologue takes; one that needs more has a client that never stops.
const STEPS_MAX: usize = 10_000;

/// One entry of a prologue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Given {
    text: String,
    action: Action,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Action {
    /// A client and its handlers act alone, until they can do nothing more or the client is about to do this.
    Client(ProcessId, Option<String>),
    /// The same for a background job, which runs once and is not counted.
    Job(String, Option<String>),
    /// Time passes, and nobody acts.
    Wait(u64),
    /// The enabled step of this name.
    Step(String),
}

/// An entry of the prologue that cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("given `{text}`: {reason}")]
pub struct GivenError {
    /// Which entry, from 0.
    pub index: usize,
    /// The entry.
    pub text: String,
    /// Why not.
    pub reason: String,
}

impl Given {
    /// Reads `vu1`, `vu1 until C2`, `vu1 until POST /checkout`, `job cleanup`, `wait 601s`, or the name of a step.
    ///
    /// # Errors
    /// In words, when the text is none of these.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (who, until) = match text.split_once(" until ") {
            Some((who, until)) => (who, Some(until.trim().to_owned()).filter(|until| !until.is_empty())),
            None => (text, None),
        };
        let (first, rest) = who.split_once(' ').unwrap_or((who, ""));
        let client = ProcessId::parse(who).filter(|process| process.call == 0 && process.client > 0);
        let action = match (first, client) {
            (_, Some(client)) => Action::Client(client, until),
            ("job", None) if !rest.is_empty() => Action::Job(rest.to_owned(), until),
            ("wait", None) => Action::Wait(parse_us(rest).map_err(|error| error.to_string())?),
            _ if text.contains(": ") || Step::is_word(first) => Action::Step(text.to_owned()),
            _ => return Err("this is no client, job, waiting time or step".to_owned()),
        };
        Ok(Self { text: text.to_owned(), action })
    }

    /// The client that acts, if one does.
    #[must_use]
    pub fn client(&self) -> Option<ProcessId> {
        if let Action::Client(client, _) = self.action { Some(client) } else { None }
    }

    /// True for a step by its name, which may be a fault.
    #[must_use]
    pub fn is_step(&self) -> bool {
        matches!(self.action, Action::Step(_))
    }

    /// The job that runs, if one does.
    #[must_use]
    pub fn job(&self) -> Option<&str> {
        if let Action::Job(name, _) = &self.action { Some(name) } else { None }
    }
}

/// As it was written.
impl fmt::Display for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl System {
    /// Does what the setting says has happened before; budgets are full again afterwards.
    pub(super) fn do_given(&mut self) -> Result<(), ModelError> {
        let setting = std::rc::Rc::clone(&self.setting);
        if setting.given.is_empty() {
            return Ok(());
        }
        self.state.budgets = Budgets::UNLIMITED;
        for (index, given) in setting.given.iter().enumerate() {
            self.follow(&given.action)?.map_err(|reason| {
                let text = given.text.clone();
                ModelError::Given(Box::new(GivenError { index, text, reason }))
            })?;
        }
        self.state.budgets = setting.budgets;
        self.refill_jobs();
        Ok(())
    }

    /// Does one entry; the inner error says why it cannot be done.
    fn follow(&mut self, action: &Action) -> Result<Result<(), String>, ModelError> {
        match action {
            Action::Client(client, until) => self.act_alone(*client, until.as_deref()),
            Action::Job(name, until) => {
                let position = self.setting.model.jobs.iter().position(|job| job.name == name);
                let Some(job) = position.map(ProcessId::job) else {
                    return Ok(Err(format!("the model has no job `{name}`")));
                };
                if self.state.slot(job).phase == Phase::Idle {
                    self.begin_job(job);
                }
                self.act_alone(job, until.as_deref())
            }
            Action::Wait(us) => {
                self.wait(*us);
                Ok(Ok(()))
            }
            Action::Step(name) => match self.enabled().into_iter().find(|step| self.name(step) == *name) {
                Some(step) => self.fire(&step).map(Ok),
                None => Ok(Err("no such step is possible at this point".to_owned())),
            },
        }
    }

    /// The process and its handlers act and nobody else does. Draws and choices come out as their first value.
    fn act_alone(&mut self, actor: ProcessId, until: Option<&str>) -> Result<Result<(), String>, ModelError> {
        for _ in 0..STEPS_MAX {
            let own = self.processes_of(actor);
            if until.is_some_and(|until| own.iter().any(|process| self.is_about_to(*process, until))) {
                return Ok(Ok(()));
            }
            match (self.next_own_step(actor), until) {
                (Some(step), _) => self.fire(&step)?,
                (None, None) => return Ok(Ok(())),
                (None, Some(until)) => {
                    let rest = at_rest(self.state.slot(actor).phase);
                    return Ok(Err(format!("{actor} does not come to `{until}`: {rest}")));
                }
            }
        }
        Ok(Err(format!("{actor} still goes on after {STEPS_MAX} steps")))
    }

    /// The first step that the process or one of its handlers can take by itself.
    pub(super) fn next_own_step(&self, actor: ProcessId) -> Option<Step> {
        self.processes_of(actor).into_iter().filter(|process| self.is_ready(*process)).find_map(|process| {
            let mut steps = Vec::new();
            self.enabled_of(process, &mut steps);
            steps.into_iter().find(|step| step.actor() == Some(process) && !matches!(step, Step::Begin(_)))
        })
    }

    /// The process, and its handlers if it is a client.
    fn processes_of(&self, actor: ProcessId) -> Vec<ProcessId> {
        if actor.is_job() {
            return vec![actor];
        }
        self.state.processes().filter(|process| process.client == actor.client).collect()
    }

    /// True when the next operation of the process has this label, or is a call of this route.
    fn is_about_to(&self, process: ProcessId, what: &str) -> bool {
        let slot = self.state.slot(process);
        let is_issued = slot.phase == Phase::Issued;
        is_issued && (slot.label == what || matches!(&slot.op, Some(Op::Call(request)) if request.route == what))
    }

    /// Time passes over every deadline on the way.
    fn wait(&mut self, us: u64) {
        let to_us = self.state.now_us.saturating_add(us);
        while let Some(next_us) = self.next_instant().filter(|next_us| *next_us <= to_us) {
            self.pass_time(next_us);
        }
        self.pass_time(to_us);
    }
}

/// What a process does that can do nothing more by itself.
fn at_rest(phase: Phase) -> &'static str {
    match phase {
        Phase::Idle => "it has not begun its next round",
        Phase::Issued => "its next operation is not possible yet",
        Phase::Blocked => "it waits for another transaction",
        Phase::Calling(_) => "it waits for the service",
        Phase::Applied => "it waits for an outcome",
        Phase::Asleep(_) => "it sleeps, and time passes only by `wait`",
        Phase::Ended => "it has ended",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_a_client_a_job_a_time_or_a_step() {
        let read = |text: &str| Given::parse(text).map(|given| given.action);
        let client = ProcessId::client(2);
        assert_eq!(read("vu2"), Ok(Action::Client(client, None)));
        assert_eq!(read("vu2 until POST /x"), Ok(Action::Client(client, Some("POST /x".to_owned()))));
        assert_eq!(read("job clean-up until K3"), Ok(Action::Job("clean-up".to_owned(), Some("K3".to_owned()))));
        assert_eq!(read("wait 1m1s"), Ok(Action::Wait(61_000_000)));
        for step in ["vu1/1: COMMIT", "crash vu1", "redis_restart 0", "lose_reply vu1: GET k"] {
            assert_eq!(read(step), Ok(Action::Step(step.to_owned())), "{step}");
        }
        for wrong in ["", "vu0", "setup", "wait", "wait 5", "job", "dance", "vu1/2"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
