//! The slots of a table, by their numbers.

use super::super::identity::SessionId;
use super::slot::{Busy, Change, Slot, Stamp, Values, Version};

/// Number of a slot for as long as it exists.
pub(super) type RowId = u32;

/// A slot as it is kept: small, because there may be many.
#[derive(Clone, Debug)]
enum Kept {
    Free,
    Settled(Values),
    /// Number of its history.
    Busy(u32),
}

/// All slots. Few are busy at a time, so that their histories are kept apart and serve again when they are over.
#[derive(Clone, Debug, Default)]
pub(super) struct Slots {
    kept: Vec<Kept>,
    free: Vec<RowId>,
    busy: Vec<Busy>,
    idle: Vec<u32>,
}

impl Slots {
    /// The slot with this number.
    #[inline(always)]
    pub(super) fn get(&self, id: RowId) -> Slot<'_> {
        match &self.kept[id as usize] {
            Kept::Free => Slot::Free,
            Kept::Settled(row) => Slot::Settled(row),
            Kept::Busy(number) => Slot::Busy(&self.busy[*number as usize]),
        }
    }

    /// The history of a busy slot.
    #[inline]
    pub(super) fn busy(&mut self, id: RowId) -> Option<&mut Busy> {
        match &self.kept[id as usize] {
            Kept::Busy(number) => Some(&mut self.busy[*number as usize]),
            _ => None,
        }
    }

    /// The history of a slot, which is made busy if it is not: then it `is_new`, and nobody has left a mark in it.
    #[inline]
    pub(super) fn make_busy(&mut self, id: RowId) -> (&mut Busy, bool) {
        let (number, is_new) = match &self.kept[id as usize] {
            Kept::Busy(number) => (*number, false),
            _ => (self.begin_history(), true),
        };
        let busy = &mut self.busy[number as usize];
        if is_new && let Kept::Settled(row) = std::mem::replace(&mut self.kept[id as usize], Kept::Busy(number)) {
            busy.add(|| Version::settled(row));
        }
        (busy, is_new)
    }

    /// Replaces the row of a settled slot in one go: what a transaction nearly always does first to a row. A busy slot
    /// gives the new row back.
    #[inline]
    pub(super) fn replace_settled(&mut self, id: RowId, session: SessionId, new: Values) -> Option<Values> {
        let Kept::Settled(_) = &self.kept[id as usize] else { return Some(new) };
        let number = self.begin_history();
        if let Kept::Settled(row) = std::mem::replace(&mut self.kept[id as usize], Kept::Busy(number)) {
            let busy = &mut self.busy[number as usize];
            let ended = Some((Stamp::By(session), Change::Replaced));
            busy.add(|| Version { row, created: Stamp::Committed(0), ended });
            busy.add(|| Version::by(session, new));
        }
        None
    }

    /// Adds a slot of one version, which the session's transaction makes.
    pub(super) fn insert(&mut self, session: SessionId, row: Values) -> RowId {
        let number = self.begin_history();
        self.busy[number as usize].add(|| Version::by(session, row));
        match self.free.pop() {
            Some(id) => {
                self.kept[id as usize] = Kept::Busy(number);
                id
            }
            None => {
                self.kept.push(Kept::Busy(number));
                RowId::try_from(self.kept.len() - 1).expect("a table has fewer rows than 2^32")
            }
        }
    }

    fn begin_history(&mut self) -> u32 {
        self.idle.pop().unwrap_or_else(|| {
            self.busy.push(Busy::default());
            u32::try_from(self.busy.len() - 1).expect("a table has fewer rows than 2^32")
        })
    }

    /// Gives a slot the form that its content has: one version without any mark is settled, none is free.
    pub(super) fn settle(&mut self, id: RowId) {
        let kept = &mut self.kept[id as usize];
        let Kept::Busy(number) = *kept else { return };
        let busy = &mut self.busy[number as usize];
        match busy.versions.as_slice() {
            [] => {
                *kept = Kept::Free;
                self.free.push(id);
            }
            [Version { created: Stamp::Committed(0), ended: None, .. }] if busy.locked_by.is_none() => {
                if let Some(version) = busy.versions.pop() {
                    *kept = Kept::Settled(version.row);
                }
            }
            _ => return,
        }
        busy.locked_by = None;
        busy.is_relisted.0 = false;
        self.idle.push(number);
    }

    /// Settles a busy slot on its latest version, whatever marks there are.
    #[inline]
    pub(super) fn settle_on_newest(&mut self, id: RowId) {
        let kept = &mut self.kept[id as usize];
        let Kept::Busy(number) = *kept else { return };
        let busy = &mut self.busy[number as usize];
        if let Some(version) = busy.versions.pop() {
            *kept = Kept::Settled(version.row);
        }
        busy.versions.clear();
        busy.locked_by = None;
        busy.is_relisted.0 = false;
        self.idle.push(number);
    }

    /// All slots.
    pub(super) fn iter(&self) -> impl Iterator<Item = (RowId, Slot<'_>)> {
        (0..).zip(&self.kept).map(|(id, _)| (id, self.get(id)))
    }
}
