//! Which steps a state allows, in the system's own order: group by group, each read off the one or two parts that allow
//! its steps. With reduction, steps that touch nothing but their client are joined with the client's next step.
//!
//! Joining is sound: such a step commutes with every step of others, so in any execution it can be moved to where the
//! same client's part is touched next, or left out if it never is; no property reads a client. The shortest way to a
//! violation stays as short, because the steps that are left out decided nothing. Where slowness is bounded no step is
//! joined: it does not commute with the passing of time, because each step may be put off by itself.

use super::extract::{Extractor, Transition, Unknown};
use super::footprint::Reads;
use super::layout::{Layout, Place, Position};
use super::memo::{Entry, Memo};
use super::part::PartId;
use super::symmetry::Learned;
use crate::engines::reference::{ExploreError, abstracted};
use crate::process::Op;
use crate::system::Step;
use crate::system::state::{Budgets, Client, Phase, Slot, State};
use crate::system::time::instants_of_client;
use crate::world::identity::{ProcessId, SessionId};

/// A group of steps.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Those of a client and its handlers.
    Client(Position),
    /// Sessions of crashed processes end.
    Reaps,
    /// Deadlocks are broken.
    Deadlocks,
    /// Time passes.
    Time,
    /// Service instances crash.
    Crashes,
    /// A Redis node restarts, evicts a key, or loses its place to a replica, of which one may take in something more.
    Node(u8),
    /// What nobody waits for takes effect.
    Lands,
    /// The clock of a Redis node jumps.
    Jump(u8),
}

impl Kind {
    /// The part that is read first.
    pub(super) fn first(self, layout: &Layout) -> Option<Position> {
        match self {
            Self::Client(position) => Some(position),
            Self::Reaps => layout.find(Place::Unreaped),
            Self::Deadlocks => layout.find(Place::Sql),
            Self::Lands => layout.find(Place::Late),
            Self::Time | Self::Crashes | Self::Node(_) | Self::Jump(_) => layout.find(Place::Budgets),
        }
    }
}

/// The groups that can have a step, in the order of steps.
pub(super) fn groups(layout: &Layout, budgets: &Budgets) -> Vec<Kind> {
    let mut groups = layout.clients().map(Kind::Client).collect::<Vec<_>>();
    let others = [
        (Kind::Reaps, layout.find(Place::Unreaped).is_some()),
        (Kind::Deadlocks, true),
        (Kind::Time, budgets.time_steps > 0),
        (Kind::Crashes, budgets.crash > 0),
    ];
    groups.extend(others.into_iter().filter(|(_, is_possible)| *is_possible).map(|(kind, _)| kind));
    let nodes = u8::try_from(layout.nodes().count()).expect("there are few Redis nodes");
    if budgets.redis_restart > 0 || budgets.evict > 0 || layout.has_replicas {
        groups.extend((0..nodes).map(Kind::Node));
    }
    groups.extend(layout.find(Place::Late).map(|_| Kind::Lands));
    if budgets.clock_jump > 0 {
        groups.extend((0..nodes).map(Kind::Jump));
    }
    groups
}

/// The positions of the parts that change by themselves when time passes.
pub(super) fn clocks(layout: &Layout) -> impl Iterator<Item = Position> {
    let keeps_time = |place: &Place| matches!(place, Place::Client(_) | Place::Redis(_) | Place::Sql | Place::Jobs);
    layout.places.iter().enumerate().filter(move |(_, place)| keeps_time(place)).map(|(position, _)| position)
}

/// The positions of the clients that time waits for, where slowness is bounded.
pub(super) fn limits(layout: &Layout) -> impl Iterator<Item = Position> {
    layout.clients().filter(|_| layout.has_pace)
}

/// A step on its way into a list.
struct Listed {
    prefix: Vec<u32>,
    transition: u32,
    delta: u64,
}

/// Joined steps are at most so many: a process that draws for ever is cut into steps again.
const JOINED_MAX: usize = 16;

impl Extractor {
    /// Finds out which steps a group allows.
    pub(super) fn extract_list(&mut self, memo: &mut Memo, group: usize, row: &[PartId]) -> Result<(), ExploreError> {
        let kind = self.groups[group];
        let mut reads = Reads::new();
        let listed = match kind {
            Kind::Client(position) => {
                let mut listed = Vec::new();
                self.list_client(memo, row, &mut Way::from(position, row[position]), &mut reads, &mut listed)?;
                // One order whatever was met on the way.
                reads.sort_unstable();
                reads.dedup();
                listed
            }
            _ => {
                let steps = self.list_others(kind, row, &mut reads);
                let listed = steps.into_iter().map(|step| {
                    let transition = self.transition(memo, Transition { step, client: None });
                    Listed { prefix: Vec::new(), transition, delta: 0 }
                });
                listed.collect()
            }
        };
        let mut entries = Vec::with_capacity(listed.len());
        for Listed { prefix, transition, delta } in listed {
            let weight = u16::try_from(prefix.len() + 1).expect("few steps are joined");
            entries.push(Entry { transition, weight, delta });
            self.prefixes.push(prefix.into_boxed_slice());
        }
        memo.learn_list(group, &reads, row, &entries);
        self.note(|row| Learned::List(group, row), row);
        Ok(())
    }

    /// The steps of no client. Those of time stand for whatever the next instant is.
    fn list_others(&mut self, kind: Kind, row: &[PartId], reads: &mut Reads) -> Vec<Step> {
        if let Some(position) = kind.first(&self.layout) {
            self.load(position, row[position]);
        }
        let budgets = self.scratch.state().budgets;
        match kind {
            Kind::Client(_) => unreachable!("clients have a list of their own"),
            Kind::Reaps => self.scratch.state().unreaped.iter().map(|process| Step::Reap(*process)).collect(),
            Kind::Deadlocks => {
                let sessions = self.scratch.state().world.sql.deadlocked();
                if !sessions.is_empty()
                    && let Some(position) = self.layout.find(Place::Unreaped)
                {
                    reads.push(position);
                    self.load(position, row[position]);
                }
                let own = sessions.into_iter().filter_map(SessionId::process);
                own.filter(|process| !self.scratch.state().unreaped.contains(process)).map(Step::Deadlock).collect()
            }
            Kind::Time if budgets.time_steps > 0 => vec![Step::Time(u64::MAX)],
            Kind::Crashes if budgets.crash > 0 => {
                (0..self.scratch.setting().service.instances).map(Step::CrashInstance).collect()
            }
            Kind::Time | Kind::Crashes => Vec::new(),
            Kind::Lands => self.scratch.state().late.iter().map(|late| Step::Land(late.number)).collect(),
            Kind::Node(number) => {
                let mut steps = Vec::new();
                if budgets.redis_restart > 0 {
                    steps.push(Step::RedisRestart(number));
                }
                if budgets.evict > 0 || self.layout.has_replicas {
                    self.read_node(number, row, reads);
                }
                let state = self.scratch.state();
                for (replica, lag) in state.world.redis[usize::from(number)].lags() {
                    steps.extend((lag > 0).then_some(Step::Replicate(number, replica)));
                    steps.extend((budgets.failover > 0).then_some(Step::Failover(number, replica)));
                }
                if budgets.evict > 0 {
                    let keys = state.world.redis[usize::from(number)].live_keys(state.now_us);
                    steps.extend(keys.map(|(key, ..)| Step::Evict(number, key.clone())));
                }
                steps
            }
            Kind::Jump(_) if budgets.clock_jump == 0 => Vec::new(),
            Kind::Jump(number) => {
                self.read_node(number, row, reads);
                self.scratch.can_jump(number).then_some(Step::ClockJump(number)).into_iter().collect()
            }
        }
    }

    /// The keys of a node and when it is, to be read.
    fn read_node(&mut self, number: u8, row: &[PartId], reads: &mut Reads) {
        reads.extend(self.layout.find(Place::Redis(usize::from(number))));
        reads.extend(self.layout.find(Place::Now));
        reads.iter().for_each(|position| self.load(*position, row[*position]));
    }

    /// The steps of a client in the situation at the end of `way`.
    fn list_client(
        &mut self,
        memo: &mut Memo,
        row: &[PartId],
        way: &mut Way,
        reads: &mut Reads,
        listed: &mut Vec<Listed>,
    ) -> Result<(), ExploreError> {
        let steps = self.client_steps(way.position, way.here(), row, reads)?;
        for step in steps {
            let transition = Transition { step, client: Some((way.position, way.here())) };
            let number = self.transition(memo, transition);
            let next = if way.can_go_on() { self.joined(memo, number, way, row)? } else { None };
            if let Some(next) = next {
                way.transitions.push(number);
                way.situations.push(next);
                self.list_client(memo, row, way, reads, listed)?;
                way.transitions.pop();
                way.situations.pop();
            } else {
                let start = self.weight(way.position, way.situations[0]);
                let delta = self.weight(way.position, way.here()).wrapping_sub(start);
                listed.push(Listed { prefix: way.transitions.clone(), transition: number, delta });
            }
        }
        Ok(())
    }

    /// The steps that the real system allows this client and its handlers; notes what that depended on.
    fn client_steps(
        &mut self,
        position: Position,
        situation: PartId,
        row: &[PartId],
        reads: &mut Reads,
    ) -> Result<Vec<Step>, ExploreError> {
        self.load(position, situation);
        let Place::Client(number) = self.layout.places[position] else { unreachable!("clients come first") };
        let client = &self.scratch.state().clients[number];
        let mut needed = Vec::new();
        if self.layout.clients_need_budgets {
            needed.push(Place::Budgets);
        }
        let may_begin = number == 0 && client.handlers.iter().any(|job| job.slot.phase == Phase::Idle);
        if may_begin {
            needed.push(Place::Jobs);
        }
        if may_begin || slots(client).any(|slot| matches!(slot.phase, Phase::Asleep(_))) {
            needed.push(Place::Now);
        }
        needed.extend(waited_for(client));
        let needed = needed.into_iter().filter_map(|place| self.layout.find(place)).collect::<Reads>();
        needed.iter().for_each(|position| self.load(*position, row[*position]));
        reads.extend(needed);
        let mut steps = Vec::new();
        for process in processes(number, &self.scratch.state().clients[number]) {
            let from = steps.len();
            self.scratch.enabled_of(process, &mut steps);
            if let (Some(draw), true) = (self.scratch.draw_of(process), steps.len() == from) {
                return Err(ExploreError::Draw(self.scratch.unexplorable(draw)));
            }
            if steps[from..].iter().any(|step| matches!(step, Step::Draw(..))) {
                self.abstracted.extend(abstracted(&self.scratch, process));
            }
        }
        Ok(steps)
    }

    /// Where a step leads that touches nothing but its client; none if it touches more.
    fn joined(
        &mut self,
        memo: &mut Memo,
        number: u32,
        way: &Way,
        row: &[PartId],
    ) -> Result<Option<PartId>, ExploreError> {
        self.load(way.position, way.here());
        let step = &self.transitions[number as usize].step;
        let commutes = !self.layout.can_crash && !self.layout.has_pace;
        if !self.joins_steps || !commutes || !may_be_local(self.scratch.state(), step) {
            return Ok(None);
        }
        if !memo.transitions[number as usize].is_known() {
            self.resolve(memo, Unknown::Effect(number), row)?;
        }
        let Some(effect) = memo.transitions[number as usize].as_leaf() else { return Ok(None) };
        let is_silent = memo.effects[effect as usize].judged == 0;
        match memo.writes(effect) {
            [write] if is_silent && write.position as usize == way.position => {
                Ok((!way.situations.contains(&write.id)).then_some(write.id))
            }
            _ => Ok(None),
        }
    }

    /// Finds out when the part behind a clock changes next, or until when time may pass without its client.
    pub(super) fn extract_instant(&mut self, memo: &mut Memo, clock: usize, row: &[PartId]) {
        let position = memo.clocks[clock].first.expect("a clock belongs to a part");
        let now = self.layout.find(Place::Now).expect("time passes");
        self.load(position, row[position]);
        self.load(now, row[now]);
        let mut reads = Reads::from_iter([now]);
        if clock >= memo.alarms {
            let patience_us = self.patience_us(position, row, &mut reads);
            memo.learn_instant(clock, &reads, row, patience_us);
            self.note(|row| Learned::Instant(clock, row), row);
            return;
        }
        let state = self.scratch.state();
        let mut next = u64::MAX;
        let mut visit = |instant_us: u64| {
            if instant_us > state.now_us {
                next = next.min(instant_us);
            }
        };
        match self.layout.places[position] {
            Place::Client(number) => instants_of_client(&state.clients[number], &mut visit),
            Place::Jobs => self.scratch.job_instants().for_each(&mut visit),
            Place::Redis(number) => state.world.redis[number].instants_after(state.now_us, &mut visit),
            _ => self.scratch.sql_instants(&mut visit),
        }
        memo.learn_instant(clock, &reads, row, next);
        self.note(|row| Learned::Instant(clock, row), row);
    }

    /// The instant beyond which time does not pass before this client and its handlers have gone on.
    fn patience_us(&mut self, position: Position, row: &[PartId], reads: &mut Reads) -> u64 {
        let Place::Client(number) = self.layout.places[position] else { unreachable!("time waits for clients") };
        let client = &self.scratch.state().clients[number];
        let jobs = client.handlers.iter().any(|job| number == 0 && job.slot.phase == Phase::Idle);
        let needed = waited_for(client).chain(jobs.then_some(Place::Jobs));
        reads.extend(needed.filter_map(|place| self.layout.find(place)).collect::<Reads>());
        reads.iter().for_each(|position| self.load(*position, row[*position]));
        let processes = processes(number, &self.scratch.state().clients[number]);
        processes.into_iter().map(|process| self.scratch.patience_us(process)).min().unwrap_or(u64::MAX)
    }
}

/// The situations that a client goes through by joined steps.
struct Way {
    position: Position,
    situations: Vec<PartId>,
    transitions: Vec<u32>,
}

impl Way {
    fn from(position: Position, situation: PartId) -> Self {
        Self { position, situations: vec![situation], transitions: Vec::new() }
    }

    fn here(&self) -> PartId {
        self.situations[self.situations.len() - 1]
    }

    fn can_go_on(&self) -> bool {
        self.transitions.len() < JOINED_MAX
    }
}

/// A client and its handlers, in the order of steps.
fn processes(number: usize, client: &Client) -> Vec<ProcessId> {
    let number = u16::try_from(number).expect("there are at most 65,535 clients");
    let handlers = client.handlers.iter().map(|handler| ProcessId::handler(number, handler.call));
    std::iter::once(ProcessId::client(number)).chain(handlers).collect()
}

/// What tells whether the statements of this client and its handlers can go on.
fn waited_for(client: &Client) -> impl Iterator<Item = Place> {
    let is_blocked = slots(client).any(|slot| slot.phase == Phase::Blocked);
    // Another COMMIT of the same process may be under way.
    let is_statement = |slot: &Slot| slot.phase == Phase::Issued && matches!(slot.op, Some(Op::Sql(..)));
    let late = slots(client).any(is_statement).then_some(Place::Late);
    is_blocked.then_some(Place::Sql).into_iter().chain(late)
}

fn slots(client: &Client) -> impl Iterator<Item = &Slot> {
    std::iter::once(&client.slot).chain(client.handlers.iter().map(|handler| &handler.slot))
}

/// True for steps that read no more than their client, as far as one can say before they are fired.
fn may_be_local(state: &State, step: &Step) -> bool {
    match step {
        Step::Choose(..) | Step::Draw(..) | Step::Wake(_) => true,
        Step::Apply(process) => matches!(state.slot(*process).op, Some(Op::Now | Op::Call(_))),
        _ => false,
    }
}
