//! Versions of a row, and what a transaction sees of them.

use std::sync::Arc;

use serde::Serialize;

use super::super::identity::SessionId;
use super::super::value::Value;
use super::derived::Derived;
use super::schema::Key;

/// The values of a version. They are shared between clones of the store.
pub(super) type Values = Arc<[Value]>;

/// Who did something to a row, and whether it has taken effect.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) enum Stamp {
    /// By a transaction that committed; the number orders it against the snapshots that are alive
    /// ([`super::storage`]).
    Committed(u32),
    /// By the transaction that this session is running.
    By(SessionId),
}

/// Why a version is no longer the latest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub(super) enum Change {
    /// The next version in the same slot replaces it.
    Replaced,
    Deleted,
    /// An UPDATE of the primary key moved the row to another slot.
    Moved(Box<Key>),
}

/// One version of a row.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Version {
    pub(super) row: Values,
    pub(super) created: Stamp,
    pub(super) ended: Option<(Stamp, Change)>,
}

/// All versions with one primary key, as they are stored in [`super::slots`].
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) enum Slot<'t> {
    /// None: the slot's number is free.
    Free,
    /// One that everybody sees, and nobody is at work on it: nearly every row, nearly all the time.
    Settled(&'t Values),
    /// Anything else.
    Busy(&'t Busy),
}

/// A slot with a history. Whoever gives a slot one leaves a mark in it, and whoever takes the last mark away settles
/// it, so that equal slots have one form.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Busy {
    /// At least one, oldest first.
    pub(super) versions: Vec<Version>,
    /// Who holds a row lock without having changed the row (FOR UPDATE).
    pub(super) locked_by: Option<SessionId>,
    /// False if all versions are known to stand in the same places of all indexes.
    #[serde(skip)]
    pub(super) is_relisted: Derived<bool>,
}

/// What a statement sees: its own transaction's work and what was committed, up to its snapshot if it has one.
#[derive(Copy, Clone, Debug)]
pub(super) struct View {
    pub(super) session: SessionId,
    /// READ COMMITTED needs none: a statement that never waits sees whatever is committed when it runs, and one
    /// that waits has chosen its rows before.
    pub(super) snapshot: Option<u32>,
}

impl View {
    /// The view of a transaction without a snapshot.
    pub(super) const fn latest(session: SessionId) -> Self {
        Self { session, snapshot: None }
    }

    fn sees(self, stamp: Stamp) -> bool {
        match stamp {
            Stamp::By(session) => session == self.session,
            Stamp::Committed(at) => self.snapshot.is_none_or(|snapshot| at <= snapshot),
        }
    }

    /// True if the view shows this version.
    pub(super) fn shows(self, version: &Version) -> bool {
        self.sees(version.created) && !version.ended.as_ref().is_some_and(|(by, _)| self.sees(*by))
    }

    /// The rows that the view shows. A snapshot can show two: one that was deleted after it was taken, and the one
    /// that its own transaction inserted afterwards.
    pub(super) fn rows(self, slot: Slot<'_>) -> impl Iterator<Item = &Values> {
        let (settled, versions) = slot.parts();
        let shown = versions.iter().filter(move |version| self.shows(version)).map(|version| &version.row);
        settled.into_iter().chain(shown)
    }

    /// Place of the latest version that the view shows.
    #[inline]
    pub(super) fn position(self, busy: &Busy) -> Option<usize> {
        busy.versions.iter().rposition(|version| self.shows(version))
    }

    /// The latest row that the view shows, and the other transaction that holds it: replaced or deleted it, or locked
    /// it.
    #[inline]
    pub(super) fn latest_row(self, slot: Slot<'_>) -> Option<(&Values, Option<SessionId>)> {
        match slot {
            Slot::Free => None,
            Slot::Settled(row) => Some((row, None)),
            Slot::Busy(busy) => {
                let version = &busy.versions[self.position(busy)?];
                let holder = match version.ended {
                    Some((Stamp::By(other), _)) => Some(other),
                    // A lock belongs to the latest version, not to one that only an old snapshot shows.
                    Some((Stamp::Committed(_), _)) => None,
                    None => busy.locked_by,
                };
                Some((&version.row, holder.filter(|other| *other != self.session)))
            }
        }
    }

    /// The row that is committed in a slot, whatever is being done to it.
    pub(super) fn committed(slot: Slot<'_>) -> Option<&[Value]> {
        let shown = |version: &&Version| {
            matches!(version.created, Stamp::Committed(_)) && !matches!(version.ended, Some((Stamp::Committed(_), _)))
        };
        match slot {
            Slot::Free => None,
            Slot::Settled(row) => Some(row),
            Slot::Busy(busy) => busy.versions.iter().rfind(shown).map(|version| &*version.row),
        }
    }
}

impl Version {
    /// A version that the session's transaction makes.
    pub(super) const fn by(session: SessionId, row: Values) -> Self {
        Self { row, created: Stamp::By(session), ended: None }
    }

    /// The only version of a row that everybody sees.
    pub(super) const fn settled(row: Values) -> Self {
        Self { row, created: Stamp::Committed(0), ended: None }
    }

    /// True if a transaction that has committed replaced or deleted it.
    pub(super) const fn is_past(&self) -> bool {
        matches!(self.ended, Some((Stamp::Committed(_), _)))
    }

    /// The numbers of the commits that made and ended the version.
    pub(super) fn commits_mut(&mut self) -> impl Iterator<Item = &mut u32> {
        let ended = self.ended.as_mut().map(|(by, _)| by);
        std::iter::once(&mut self.created).chain(ended).filter_map(|stamp| match stamp {
            Stamp::Committed(at) => Some(at),
            Stamp::By(_) => None,
        })
    }
}

impl<'t> Slot<'t> {
    fn parts(self) -> (Option<&'t Values>, &'t [Version]) {
        match self {
            Self::Free => (None, &[]),
            Self::Settled(row) => (Some(row), &[]),
            Self::Busy(busy) => (None, &busy.versions),
        }
    }

    /// The values of some version: those of the primary key are the same in all.
    #[inline]
    pub(super) fn any_row(self) -> &'t [Value] {
        match self {
            Self::Free => &[],
            Self::Settled(row) => row,
            Self::Busy(busy) => &busy.versions[0].row,
        }
    }

    /// The values of every version.
    pub(super) fn all_rows(self) -> impl Iterator<Item = &'t Values> + Clone {
        let (settled, versions) = self.parts();
        settled.into_iter().chain(versions.iter().map(|version| &version.row))
    }
}

impl Busy {
    /// The version that the session's transaction wrote last, and those that it took the place of, unless the row was
    /// gone in between or is gone now.
    #[inline]
    pub(super) fn newest_by(&self, session: SessionId) -> Option<(&Version, &[Version])> {
        let (newest, older) = self.versions.split_last()?;
        let is_newest = newest.created == Stamp::By(session) && newest.ended.is_none();
        let was_never_gone = || older.iter().all(|version| matches!(version.ended, Some((_, Change::Replaced))));
        (is_newest && was_never_gone()).then_some((newest, older))
    }

    /// Adds a version, which is made where it is to stay: a copy in other pieces than it was written in the moment
    /// before stalls the processor.
    #[inline(always)]
    pub(super) fn add(&mut self, version: impl FnOnce() -> Version) {
        self.versions.extend(std::iter::once_with(version));
    }

    /// Adds a version that may stand in other places of the indexes.
    pub(super) fn relist(&mut self, session: SessionId, row: Values) {
        self.is_relisted.0 = true;
        self.add(|| Version::by(session, row));
    }

    /// Ends the version that the view shows; this takes the place of a row lock.
    #[inline]
    pub(super) fn end_version(&mut self, view: View, change: Change) {
        if let Some(position) = view.position(self) {
            self.versions[position].ended = Some((Stamp::By(view.session), change));
            self.unlock(view.session);
        }
    }

    /// Puts a row in the place of the one that the view shows, where no index tells the two apart.
    #[inline]
    pub(super) fn replace(&mut self, view: View, row: Values) {
        let Some(position) = view.position(self) else { return };
        let version = &mut self.versions[position];
        if version.created == Stamp::By(view.session) {
            // Nobody else can have seen it.
            version.row = row;
            return;
        }
        version.ended = Some((Stamp::By(view.session), Change::Replaced));
        self.unlock(view.session);
        self.add(|| Version::by(view.session, row));
    }

    /// True if the session's transaction has left a mark.
    pub(super) fn is_marked_by(&self, session: SessionId) -> bool {
        let mine = Stamp::By(session);
        let by_me =
            |version: &Version| version.created == mine || version.ended.as_ref().is_some_and(|(by, _)| *by == mine);
        self.locked_by == Some(session) || self.versions.iter().any(by_me)
    }

    /// Takes back the session's row lock: it has changed the row, which takes the lock's place, or has ended.
    pub(super) fn unlock(&mut self, session: SessionId) {
        self.locked_by = self.locked_by.filter(|holder| *holder != session);
    }

    /// Makes the transaction's work permanent, as commit number `at`, and reports the row if it is gone: with the key
    /// that it has moved to.
    pub(super) fn commit(&mut self, session: SessionId, at: u32, mut gone: impl FnMut(Option<Key>)) {
        let mine = Stamp::By(session);
        self.unlock(session);
        for version in &mut self.versions {
            if version.created == mine {
                version.created = Stamp::Committed(at);
            }
            if let Some((by, change)) = version.ended.as_mut().filter(|(by, _)| *by == mine) {
                *by = Stamp::Committed(at);
                match change {
                    Change::Replaced => {}
                    Change::Deleted => gone(None),
                    Change::Moved(to) => gone(Some((**to).clone())),
                }
            }
        }
    }

    /// Undoes the transaction's work; the versions that it made are for the caller to drop.
    pub(super) fn roll_back(&mut self, session: SessionId) {
        let mine = Stamp::By(session);
        self.unlock(session);
        for version in &mut self.versions {
            if version.ended.as_ref().is_some_and(|(by, _)| *by == mine) {
                version.ended = None;
            }
        }
    }
}
