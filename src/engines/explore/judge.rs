//! Which properties a state breaks, and what it has reached: found out once for all states that share what is read.

use super::extract::Extractor;
use super::layout::{Layout, Place, Position};
use super::part::{Part, PartId};
use crate::engines::verdict::Coverage;
use crate::system::Setting;
use crate::system::parts::Changes;
use crate::system::property::{Reads, Rule, Subject};

const GHOST: u8 = 1;
const DATA: u8 = 1 << 1;
const SHARED_SEATS: u8 = 1 << 2;
const REDIS: u8 = 1 << 3;
/// Nobody acts any more, and a property asks what becomes of seats then.
const REST: u8 = 1 << 4;
/// All that a step can change: what the first state is judged after.
pub(super) const ALL: u8 = GHOST | DATA | SHARED_SEATS | REDIS;

/// Which properties must be judged after these changes, in the memo's form.
pub(super) fn bits(changes: Changes) -> u8 {
    let Changes { ghost, data, shared_seats, redis, touched_ghost: _ } = changes;
    let bits = [(ghost, GHOST), (data, DATA), (shared_seats, SHARED_SEATS), (redis, REDIS)];
    bits.into_iter().filter(|(is_changed, _)| *is_changed).fold(0, |all, (_, bit)| all | bit)
}

/// What properties read.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    /// While somebody acts.
    parts: Vec<Position>,
    /// Once nobody does: all but the clients, none of whom does anything any more.
    parts_at_rest: Vec<Position>,
    /// True if some property asks what becomes of seats once nobody acts any more.
    drains: bool,
}

impl Judged {
    pub(super) fn of(setting: &Setting, layout: &Layout) -> Self {
        let reads_redis = setting.properties.iter().any(|property| property.reads == Reads::Locks);
        let is_read = |place: &Place| match place {
            Place::Ghost | Place::Sql | Place::Now => true,
            Place::Redis(_) => reads_redis,
            _ => false,
        };
        let positions = |is_wanted: &dyn Fn(&Place) -> bool| {
            let wanted = layout.places.iter().enumerate().filter(|(_, place)| is_wanted(place));
            wanted.map(|(position, _)| position).collect()
        };
        Self {
            parts: positions(&is_read),
            parts_at_rest: positions(&|place| !matches!(place, Place::Client(number) if *number > 0)),
            drains: setting.properties.iter().any(|property| matches!(property.rule, Rule::Drains(_))),
        }
    }
}

impl Extractor {
    /// What must be judged in this state after a step that asks for this.
    pub(super) fn due(&self, judged: u8, row: &[PartId]) -> u8 {
        if self.reads.drains && self.is_at_rest(row) { judged | REST } else { judged }
    }

    fn is_at_rest(&self, row: &[PartId]) -> bool {
        let parts = row.iter().enumerate().map(|(position, id)| (position, self.interners[position].part(*id)));
        parts.into_iter().all(|(position, part)| match part {
            Part::Client(jobs, _) if self.layout.places[position] == Place::Client(0) => jobs.has_idle_jobs(),
            Part::Client(client, _) => client.is_over(),
            Part::Late(late) => late.is_empty(),
            _ => true,
        })
    }

    /// Which properties a state breaks, or reaches what they want to be reachable, one bit each, as far as what is
    /// `due` can tell.
    pub(super) fn broken(&mut self, due: u8, row: &[PartId]) -> u64 {
        if let Some(broken) = self.known_broken(due, row) {
            return broken;
        }
        self.load_all(row);
        let [ghost, data, shared_seats, redis] = [GHOST, DATA, SHARED_SEATS, REDIS].map(|bit| due & bit != 0);
        let changes = Changes { ghost, shared_seats, data, redis, touched_ghost: false };
        let violations = self.scratch.judge_after(changes);
        let reached = self.scratch.reached();
        let properties = &self.scratch.setting().properties;
        let is_met = |name| reached.contains(&name) || violations.iter().any(|violation| violation.property == name);
        let met = properties.iter().enumerate().filter(|(_, property)| is_met(property.name));
        let broken = met.fold(0, |bits, (number, _)| bits | 1 << number);
        self.judged.insert((due, self.parts_read(due, row)), broken);
        broken
    }

    /// What was found out about this before.
    pub(super) fn known_broken(&self, due: u8, row: &[PartId]) -> Option<u64> {
        self.judged.get(&(due, self.parts_read(due, row))).copied()
    }

    /// All that properties read.
    fn parts_read(&self, due: u8, row: &[PartId]) -> Box<[PartId]> {
        let positions = if due & REST == 0 { &self.reads.parts } else { &self.reads.parts_at_rest };
        positions.iter().map(|position| row[*position]).collect()
    }

    /// Properties, by their place in the setting, that had something to judge: what was met was met here first.
    pub(super) fn judged_so_far(&self) -> u64 {
        self.scratch.judged() | self.judged_before
    }

    /// Properties that never had anything to judge: what was met was met here first.
    pub(super) fn vacuous(&self) -> Vec<&'static str> {
        let setting = self.scratch.setting();
        let is_met = |name: &str| {
            let property = setting.properties.iter().find(|property| property.name == name);
            self.has_waited_together && property.is_some_and(|property| property.subject == Subject::Waiting)
        };
        let mut coverage = Coverage::default();
        coverage.note_judged(self.judged_so_far());
        coverage.vacuous(setting).into_iter().filter(|name| !is_met(name)).collect()
    }
}
