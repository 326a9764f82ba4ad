//! The keys of a node, their values and deadlines, and the rule by which they expire.
//!
//! A key is dead iff `now > deadline`, in whole milliseconds; at the deadline itself it is still read. A dead key
//! stays in the map, counted by DBSIZE, until a command names it. (Redis 7.0, `expire.c` and `db.c`, with active
//! expiry off.)

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};

use hashbrown::HashMap;
use hashbrown::hash_map::Entry as Slot;
use rustc_hash::FxBuildHasher;
use serde::{Serialize, Serializer};

use crate::world::argv::ByteString;

/// What a key holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) enum Value {
    String(ByteString),
}

/// A value and the deadline of its key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Entry {
    pub(super) value: Value,
    /// Never negative: SET refuses such times, EXPIRE deletes the key instead, and deadlines come nearer only after
    /// everything dead was purged or is so at once.
    pub(super) deadline_ms: Option<i64>,
}

impl Entry {
    fn is_dead(&self, now_ms: i64) -> bool {
        self.deadline_ms.is_some_and(|deadline_ms| now_ms > deadline_ms)
    }

    fn bring_nearer(&mut self, ms: i64) {
        self.deadline_ms = self.deadline_ms.map(|deadline_ms| deadline_ms.saturating_sub(ms));
    }

    /// The bytes of a string value.
    pub(super) fn string(&self) -> &ByteString {
        let Value::String(bytes) = &self.value;
        bytes
    }

    /// The bytes of a string value, without a copy.
    pub(super) fn into_string(self) -> ByteString {
        let Value::String(bytes) = self.value;
        bytes
    }
}

/// What a write does to the deadline.
#[derive(Copy, Clone, Debug)]
pub(super) enum NewDeadline {
    /// The old one stays, if there is one.
    Keep,
    /// The key lives for ever.
    Never,
    /// It is this instant, in milliseconds.
    At(i64),
}

/// What a command changed: keys with what they hold now, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Change(BTreeMap<ByteString, Option<Entry>>);

impl Change {
    /// What is another in the second of two keyspaces. That a dead key was dropped is no change.
    pub(super) fn between(before: &Keyspace, after: &Keyspace, now_ms: i64) -> Self {
        let gone = before.live(now_ms).filter(|(key, _)| !after.contains(key.as_bytes()));
        let gone = gone.map(|(key, _)| (key.clone(), None));
        let new = after.live(now_ms).filter(|(key, entry)| before.entries.get(*key) != Some(*entry));
        Self(gone.chain(new.map(|(key, entry)| (key.clone(), Some(entry.clone())))).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn apply(&self, keyspace: &mut Keyspace) {
        for (key, entry) in &self.0 {
            match entry {
                Some(entry) => drop(keyspace.entries.insert(key.clone(), entry.clone())),
                None => drop(keyspace.entries.remove(key)),
            }
        }
    }

    /// What has died on the way arrives as what it is, nothing. That is no less of a change: it takes the place of what
    /// the key held before.
    pub(super) fn purge(&mut self, now_ms: i64) {
        self.0.values_mut().for_each(|held| drop(held.take_if(|entry| entry.is_dead(now_ms))));
    }

    pub(super) fn bring_nearer(&mut self, ms: i64) {
        self.0.values_mut().flatten().for_each(|entry| entry.bring_nearer(ms));
    }

    pub(super) fn deadlines_ms(&self) -> impl Iterator<Item = i64> {
        self.0.values().flatten().filter_map(|entry| entry.deadline_ms)
    }
}

/// Found by hashing, because nearly every command looks one key up. Whoever goes through all keys does so in their
/// order, so that equal contents are equal, hash alike and print alike.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Keyspace {
    entries: HashMap<ByteString, Entry, FxBuildHasher>,
}

impl Hash for Keyspace {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sorted().hash(state);
    }
}

impl Serialize for Keyspace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Keyspace<'a> {
            entries: BTreeMap<&'a ByteString, &'a Entry>,
        }
        Keyspace { entries: self.entries.iter().collect() }.serialize(serializer)
    }
}

impl Keyspace {
    fn sorted(&self) -> Vec<(&ByteString, &Entry)> {
        let mut entries = self.entries.iter().collect::<Vec<_>>();
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries
    }

    /// Shows the live entry of `key` to `visit`; a dead one is dropped, as any command that names a key does.
    #[inline]
    pub(super) fn with<T>(&mut self, key: &[u8], now_ms: i64, visit: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        let entry = self.entries.get_mut(key)?;
        if !entry.is_dead(now_ms) {
            return Some(visit(entry));
        }
        self.entries.remove(key);
        None
    }

    /// Writes a value and returns the live one it replaces.
    pub(super) fn store(&mut self, key: &[u8], value: Value, deadline: NewDeadline, now_ms: i64) -> Option<Entry> {
        let mut entry = Entry { value, deadline_ms: None };
        match self.entries.entry(ByteString::new(key)) {
            Slot::Vacant(slot) => {
                entry.deadline_ms = deadline.after(None);
                slot.insert(entry);
                None
            }
            Slot::Occupied(mut slot) => {
                let was_dead = slot.get().is_dead(now_ms);
                let old_ms = if was_dead { None } else { slot.get().deadline_ms };
                entry.deadline_ms = deadline.after(old_ms);
                let old = slot.insert(entry);
                (!was_dead).then_some(old)
            }
        }
    }

    /// Takes the live entry of `key` out; a dead one is dropped.
    pub(super) fn remove(&mut self, key: &[u8], now_ms: i64) -> Option<(ByteString, Entry)> {
        self.entries.remove_entry(key).filter(|(_, entry)| !entry.is_dead(now_ms))
    }

    /// Drops `key` if it is there and dead; true if it was.
    pub(super) fn drop_dead(&mut self, key: &[u8], now_ms: i64) -> bool {
        let is_dead = self.is_dead(key, now_ms);
        if is_dead {
            self.entries.remove(key);
        }
        is_dead
    }

    /// True if `key` is there and dead.
    pub(super) fn is_dead(&self, key: &[u8], now_ms: i64) -> bool {
        self.entries.get(key).is_some_and(|entry| entry.is_dead(now_ms))
    }

    /// True if `key` is there, dead or alive.
    pub(super) fn contains(&self, key: &[u8]) -> bool {
        self.entries.contains_key(key)
    }

    /// The live entry of `key`; dead ones stay where they are.
    #[inline]
    pub(super) fn peek(&self, key: &[u8], now_ms: i64) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| !entry.is_dead(now_ms))
    }

    /// The live entries in the order of their keys.
    pub(super) fn live(&self, now_ms: i64) -> impl Iterator<Item = (&ByteString, &Entry)> {
        self.sorted().into_iter().filter(move |(_, entry)| !entry.is_dead(now_ms))
    }

    /// Every deadline in milliseconds, of dead keys too, in no order.
    pub(super) fn deadlines_ms(&self) -> impl Iterator<Item = i64> {
        self.entries.values().filter_map(|entry| entry.deadline_ms)
    }

    /// Every deadline comes so much earlier.
    pub(super) fn bring_nearer(&mut self, ms: i64) {
        self.entries.values_mut().for_each(|entry| entry.bring_nearer(ms));
    }

    /// Number of keys, dead ones included.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Takes the entry of `key` out, dead or alive.
    pub(super) fn evict(&mut self, key: &[u8]) -> Option<Entry> {
        self.entries.remove(key)
    }

    /// Drops every dead key and shows it to `visit`, in no order.
    pub(super) fn purge(&mut self, now_ms: i64, mut visit: impl FnMut(&[u8])) {
        self.entries.retain(|key, entry| {
            let is_dead = entry.is_dead(now_ms);
            if is_dead {
                visit(key.as_bytes());
            }
            !is_dead
        });
    }
}

impl NewDeadline {
    /// The deadline of a key that had `old_ms`.
    pub(super) fn after(self, old_ms: Option<i64>) -> Option<i64> {
        match self {
            Self::Keep => old_ms,
            Self::Never => None,
            Self::At(deadline_ms) => Some(deadline_ms),
        }
    }
}
