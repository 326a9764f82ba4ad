//! From the name of a step back to the step; or, where it is not possible, why.

use super::state::{Phase, Slot, Whereabouts};
use super::{Halves, Step, System};
use crate::process::{Drawn, Op};
use crate::world::identity::{ProcessId, SessionId};
use crate::world::redis::Redis;

impl System {
    /// The step of this name that is possible now.
    ///
    /// # Errors
    /// In words, why it is not possible.
    pub fn resolve(&self, name: &str) -> Result<Step, String> {
        let quick = match process_of(name) {
            Some(process) => self.own_step(process, name),
            None => self.instant_in(name).map(Step::Time).filter(|step| self.is_enabled(step)),
        };
        // The rare ones: what befalls everybody, what the database does.
        let found = quick.or_else(|| self.enabled().into_iter().find(|step| self.name(step) == name));
        found.ok_or_else(|| self.why_not(name))
    }

    /// The process that the name of a step is about: its first word, or the second after the name of a fault.
    #[must_use]
    pub fn process_named(name: &str) -> Option<ProcessId> {
        process_of(name)
    }

    fn own_step(&self, process: ProcessId, name: &str) -> Option<Step> {
        self.state().find(process)?;
        if let Some(drawn) = self.drawn_in(process, name) {
            let step = Step::Draw(process, drawn);
            return (self.is_enabled(&step) && self.name(&step) == name).then_some(step);
        }
        let mut own = Vec::new();
        self.enabled_of(process, &mut own);
        own.into_iter().find(|step| self.name(step) == name)
    }

    /// The values in `vu1: draws seats = 3 17`, when that process draws.
    fn drawn_in(&self, process: ProcessId, name: &str) -> Option<Drawn> {
        self.draw_of(process)?;
        let (_, values) = name.split_once(" = ")?;
        values.split(' ').map(|value| value.parse().ok()).collect()
    }

    /// The instant in `time 600000000`.
    fn instant_in(&self, name: &str) -> Option<u64> {
        name.strip_prefix("time ")?.parse().ok()
    }

    /// Why a step of this name is not possible now, in words that name what stands in the way.
    fn why_not(&self, name: &str) -> String {
        let (kind, rest) = name.split_once(' ').unwrap_or((name, ""));
        let spent = self.spent(if kind == "time" { "time_steps" } else { kind });
        match (process_of(name), kind) {
            (Some(process), "reap") => match self.state().find(process) {
                Some(slot) if !is_over(slot) => format!("{process} has not crashed"),
                _ => format!("no connection of {process} is left to clean up"),
            },
            (Some(process), "deadlock") => match self.state().find(process) {
                Some(slot) if slot.phase == Phase::Blocked => {
                    format!("{process} {}, and that one does not wait for it", self.whereabouts(process))
                }
                _ => format!("{process} waits for no row"),
            },
            (Some(process), "disconnect") => {
                format!("{process} had no command under way when Redis failed over, or has gone on since")
            }
            (Some(process), _) => spent.unwrap_or_else(|| self.why_not_by(process)),
            (None, "time") => spent.unwrap_or_else(|| self.why_no_time()),
            (None, "land") => {
                let number = rest.split(' ').next().unwrap_or_default();
                format!("no operation of number `{number}` is under way that nobody waits for")
            }
            (None, "clock_jump") => {
                spent.unwrap_or_else(|| format!("the node has no key with a deadline, or is none; {}", self.nodes()))
            }
            (None, "crash") => spent.unwrap_or_else(|| {
                format!("instances have the numbers 0 to {}", self.setting().service.instances.saturating_sub(1))
            }),
            (None, "redis_restart") => spent.unwrap_or_else(|| self.nodes()),
            (None, "failover") => spent.unwrap_or_else(|| self.replicas()),
            (None, "replicate") => self.replicas(),
            (None, "evict") => spent.unwrap_or_else(|| {
                let key = rest.split_once(' ').map_or(rest, |(_, key)| key);
                format!("the node has no live key `{key}`, or is none; {}", self.nodes())
            }),
            _ => "no step has such a name".to_owned(),
        }
    }

    fn why_no_time(&self) -> String {
        let Some(next_us) = self.next_instant() else { return "nothing is left that waits for a time".to_owned() };
        match self.state().processes().find(|process| self.patience_us(*process) < next_us) {
            Some(process) => {
                let until_us = self.patience_us(process);
                format!("time may not pass to {next_us}: by the bounds on slowness {process} goes on by {until_us}us")
            }
            None => format!("time moves to {next_us} next: something can change there"),
        }
    }

    fn nodes(&self) -> String {
        format!("Redis nodes have the numbers 0 to {}", self.state().world.redis.len().saturating_sub(1))
    }

    fn replicas(&self) -> String {
        let node = |(number, node): (usize, &Redis)| {
            let lags = node.lags().map(|(replica, lag)| format!("replica {replica} lacks {lag} effects"));
            let lags = lags.collect::<Vec<_>>();
            if lags.is_empty() {
                format!("node {number} has no replica")
            } else {
                format!("node {number}: {}", lags.join(", "))
            }
        };
        self.state().world.redis.iter().enumerate().map(node).collect::<Vec<_>>().join("; ")
    }

    /// That this fault, or the passing of time, may not happen any more.
    fn spent(&self, fault: &str) -> Option<String> {
        let allowed = self.setting().budgets.entries().into_iter().find(|(name, _)| *name == fault)?.1;
        let (_, left) = self.state().budgets.entries().into_iter().find(|(name, _)| *name == fault)?;
        match (allowed, left) {
            (0, _) => Some(format!("the setting has no budget `{fault}`")),
            (_, 0) => Some(format!("the budget {fault} = {allowed} is used up")),
            _ => None,
        }
    }

    /// Why this process cannot do what was wanted of it.
    fn why_not_by(&self, process: ProcessId) -> String {
        let Some(client) = self.state().clients.get(usize::from(process.client)) else {
            return format!("there is no {process}: the setting has {} clients", self.setting().journeys.len());
        };
        if self.state().find(process).is_none() {
            return match client.calls {
                _ if process.is_job() => format!("the model has no {process}"),
                calls if process.call > calls => {
                    format!("there is no {process} yet: {} has made {calls} calls", ProcessId::client(process.client))
                }
                _ => format!("{process} has ended"),
            };
        }
        let mut own = Vec::new();
        self.enabled_of(process, &mut own);
        match own.first() {
            Some(step) => format!("{process} can do this instead: {}", self.name(step)),
            None => format!("{process} {}", self.whereabouts(process)),
        }
    }

    /// What a process that can do nothing waits for.
    fn whereabouts(&self, process: ProcessId) -> String {
        let slot = self.state().slot(process);
        match slot.whereabouts() {
            Whereabouts::Idle if process.is_job() => {
                let clock = self.state().jobs[process.job_index()];
                match clock.runs_left {
                    0 => "has run as often as the setting allows".to_owned(),
                    _ => format!("is not due before {}us, and it is {}us", clock.due_us, self.now_us()),
                }
            }
            Whereabouts::Idle if process.call > 0 => self.queued(process, Queue::Workers),
            Whereabouts::Idle if self.halves() == Halves::Split => "has no code to begin".to_owned(),
            Whereabouts::Idle => "has not begun".to_owned(),
            Whereabouts::Issued(Op::Sql(..)) => self.queued(process, Queue::Connections),
            Whereabouts::Issued(Op::Join(count, _)) if !self.can_apply(process) => {
                format!("waits until {count} of its children have ended")
            }
            Whereabouts::Issued(_) | Whereabouts::Applied(..) => "is about to go on".to_owned(),
            Whereabouts::Blocked(_) => {
                let blockers = self.state().world.sql.blockers(SessionId::Own(process));
                let names = blockers.iter().map(ToString::to_string).collect::<Vec<_>>();
                if names.is_empty() {
                    return "may go on: its row is free".to_owned();
                }
                format!("waits for a row that {} has locked", names.join(", "))
            }
            Whereabouts::Calling(_, call) => {
                let handler = ProcessId::handler(process.client, call);
                let mut own = Vec::new();
                self.enabled_of(handler, &mut own);
                match own.first() {
                    Some(step) => format!("waits for an answer; next is {}", self.name(step)),
                    None => format!("waits for {handler}, which {}", self.whereabouts(handler)),
                }
            }
            Whereabouts::Asleep(until_us) => {
                format!("is asleep until {until_us}us, and it is {}us", self.now_us())
            }
            Whereabouts::Ended => "has ended".to_owned(),
        }
    }

    /// Where a process stands in the queue for something that its instance has too few of.
    fn queued(&self, process: ProcessId, queue: Queue) -> String {
        let number = self.state().instance_of(process);
        let instance = &self.state().instances[number];
        let service = self.setting().service;
        let (what, all, waiting) = match queue {
            Queue::Workers => ("worker threads", service.workers, &instance.accept_queue),
            Queue::Connections => ("database connections", service.connections, &instance.connection_queue),
        };
        let before = waiting.iter().take_while(|other| **other != process).count();
        format!("waits: all {all} {what} of instance {number} are in use, and {before} others are before it")
    }
}

#[derive(Copy, Clone)]
enum Queue {
    Workers,
    Connections,
}

fn is_over(slot: &Slot) -> bool {
    matches!(slot.phase, Phase::Idle | Phase::Ended)
}

/// Who a step's name is about: its first word, or the second after the name of a fault.
fn process_of(name: &str) -> Option<ProcessId> {
    name.split([' ', ':']).take(2).find_map(ProcessId::parse)
}
