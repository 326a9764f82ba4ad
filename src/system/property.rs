//! Properties: what must hold in every state, what must be reachable, and what must come free again.

mod library;

use super::parts::Changes;
use super::state::State;
use super::{ModelError, System};

pub use super::drain::Grade;
pub use library::{
    GENERAL, all_seats_can_be_sold, hold_is_honoured, no_seat_is_stuck, no_seat_is_stuck_for_ever,
    one_booking_per_seat, paid_means_seated, success_is_reported,
};

/// What is judged.
#[derive(Copy, Clone, Debug)]
pub struct Property {
    /// Name on the command line and in scenario files.
    pub name: &'static str,
    /// Plain definition.
    pub about: &'static str,
    /// What it reads, so that it is judged whenever that changed.
    pub reads: Reads,
    /// What must have happened for it to have anything to judge.
    pub subject: Subject,
    /// How it is judged.
    pub rule: Rule,
    /// Whether a check judges it that names no properties.
    pub is_default: bool,
}

impl Property {
    /// True when answers must be compared with what was done for it.
    #[must_use]
    pub fn needs_answers(&self) -> bool {
        self.name == library::SUCCESS_IS_REPORTED
    }
}

/// How a property is judged.
#[derive(Copy, Clone, Debug)]
pub enum Rule {
    /// How a state breaks it, in words; `None` where it holds.
    Never(fn(&State) -> Option<String>),
    /// A query over committed rows that must return none; the first row that it returns is the reason.
    NoRow(&'static str),
    /// Some execution must come to a state of which this tells what was reached.
    Reachable(fn(&State) -> Option<String>),
    /// When nobody acts any more but time and jobs, every seat that nobody has comes free.
    Drains(Grade),
}

/// What a property reads. The passing of time alone never breaks one: a hold can only end.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Ghost state.
    Ghost,
    /// Of ghost state who holds a seat that another holds too: a seat with one holder is nobody's loss, so what others
    /// are told of other seats changes nothing.
    SharedSeats,
    /// Committed rows.
    Data,
    /// Ghost state, committed rows and the keys of Redis.
    Locks,
    /// Everything, once no client acts any more.
    Rest,
}

/// What a property is about. One that never met its subject is vacuous: it holds, and nothing is known.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A client was told that it holds a seat.
    Hold,
    /// A request for seats came to its end.
    Request,
    /// A command took a live key away.
    Removal,
    /// A request was answered.
    Answer,
    /// Two statements waited at a time.
    Waiting,
    /// One of these tables has a committed row.
    Row(&'static [&'static str]),
    /// A client was told that its seats are paid for.
    Ticket,
    /// No client acts any more.
    Rest,
    /// There is always something to judge.
    Always,
}

impl Subject {
    const fn bit(self) -> u32 {
        match self {
            Self::Hold => 1,
            Self::Request => 1 << 1,
            Self::Removal => 1 << 2,
            Self::Answer => 1 << 3,
            Self::Waiting => 1 << 4,
            Self::Ticket => 1 << 5,
            Self::Rest => 1 << 6,
            Self::Row(_) | Self::Always => 0,
        }
    }
}

/// A property that does not hold, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The property's name.
    pub property: &'static str,
    /// What is wrong in this state.
    pub reason: String,
}

/// What changed since the properties were last judged.
#[derive(Copy, Clone, Debug)]
pub(super) struct Judgement {
    pub(super) changes: Changes,
    /// True when a property reads keys of Redis.
    reads_redis: bool,
    /// True when a property asks what becomes of seats once nobody acts any more.
    drains: bool,
    /// Subjects met so far.
    met: u32,
    /// Properties, by their place in the setting, of which a committed row was the subject.
    met_rows: u64,
}

impl Default for Judgement {
    /// Nothing has been judged yet.
    fn default() -> Self {
        let changes = Changes { ghost: true, shared_seats: true, data: true, redis: true, touched_ghost: true };
        Self { changes, reads_redis: false, drains: false, met: 0, met_rows: 0 }
    }
}

impl Judgement {
    #[inline]
    pub(super) fn is_due(self) -> bool {
        self.changes.must_be_judged() || self.drains
    }

    pub(super) fn ghost_changed(&mut self) {
        self.changes.ghost = true;
        self.changes.touched_ghost = true;
    }

    /// Somebody was told to hold a seat that another holds too.
    pub(super) fn seat_shared(&mut self) {
        self.changes.shared_seats = true;
    }

    /// Ghost state was changed in a way that breaks no property.
    pub(super) fn ghost_touched(&mut self) {
        self.changes.touched_ghost = true;
    }

    pub(super) fn data_changed(&mut self) {
        self.changes.data = true;
    }

    #[inline]
    pub(super) fn redis_changed(&mut self) {
        self.changes.redis = self.reads_redis;
    }

    /// Something happened that properties are about.
    #[inline]
    pub(super) fn meet(&mut self, subject: Subject) {
        self.met |= subject.bit();
    }
}

impl System {
    /// Judges the properties of which something changed since the last call; those broken, in their order.
    #[inline]
    pub fn judge(&mut self) -> Vec<Violation> {
        if self.judgement.is_due() { self.judge_changed() } else { Vec::new() }
    }

    fn judge_changed(&mut self) -> Vec<Violation> {
        let Judgement { changes, drains, .. } = self.judgement;
        self.judgement.changes = Changes::default();
        let is_at_rest = drains && self.is_at_rest();
        if is_at_rest {
            self.judgement.meet(Subject::Rest);
        }
        let setting = std::rc::Rc::clone(&self.setting);
        let mut broken = Vec::new();
        for (place, property) in setting.properties.iter().enumerate() {
            let is_due = match property.reads {
                Reads::Ghost => changes.ghost,
                Reads::SharedSeats => changes.shared_seats,
                Reads::Data => changes.data,
                Reads::Locks => changes.ghost || changes.data || changes.redis,
                Reads::Rest => is_at_rest,
            };
            if !is_due {
                continue;
            }
            let has_row = |table: &&str| self.state.world.sql.committed_rows(table).next().is_some();
            if let Subject::Row(tables) = property.subject
                && tables.iter().any(has_row)
            {
                self.judgement.met_rows |= 1 << (place % 64);
            }
            if let Some(reason) = self.breach(property) {
                broken.push(Violation { property: property.name, reason });
            }
        }
        broken
    }

    /// How the present state breaks a property.
    fn breach(&self, property: &Property) -> Option<String> {
        match property.rule {
            Rule::Never(breach) => breach(&self.state),
            Rule::NoRow(query) => self.first_row(query).map(|row| format!("this row should not exist: {row}")),
            Rule::Reachable(_) => None,
            Rule::Drains(grade) => self.stuck_seat(grade),
        }
    }

    /// What the setting wants to be reachable and this state has reached: names of properties.
    #[must_use]
    pub fn reached(&self) -> Vec<&'static str> {
        let reached = self.setting.properties.iter().filter(|property| match property.rule {
            Rule::Reachable(reached) => reached(&self.state).is_some(),
            _ => false,
        });
        reached.map(|property| property.name).collect()
    }

    /// The properties, by their place in the setting, that had something to judge in this execution.
    #[must_use]
    pub fn judged(&self) -> u64 {
        let Judgement { met, met_rows, .. } = self.judgement;
        let had = |(place, property): (usize, &Property)| match property.subject {
            Subject::Always => 1 << (place % 64),
            Subject::Row(_) => met_rows & 1 << (place % 64),
            other if met & other.bit() > 0 => 1 << (place % 64),
            _ => 0,
        };
        self.setting.properties.iter().enumerate().map(had).fold(0, |all, one: u64| all | one)
    }

    /// Says now whether the properties can be judged: a query may be wrong.
    pub(super) fn plan_properties(&mut self) -> Result<(), ModelError> {
        let setting = std::rc::Rc::clone(&self.setting);
        self.judgement.drains = setting.properties.iter().any(|property| matches!(property.rule, Rule::Drains(_)));
        self.judgement.reads_redis = setting.properties.iter().any(|property| property.reads == Reads::Locks);
        self.reports = setting.properties.iter().any(Property::needs_answers);
        for property in &setting.properties {
            if let Rule::NoRow(query) = property.rule {
                self.plan_query(property.name, query)?;
            }
        }
        Ok(())
    }
}
