//! One command being executed: its words, its instant, and the keyspace it works on.

use super::Redis;
use super::args::parse_integer;
use super::errors::CommandError;
use super::keyspace::{Entry, NewDeadline, Value};
use crate::world::argv::{Argv, ByteString};
use crate::world::identity::SessionId;
use crate::world::reply::Reply;

/// What a command function returns.
pub(super) type Answer = Result<Reply, CommandError>;

/// Everything a command function may see and change.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// The command's name in lower case, as error texts quote it.
    pub(super) command: &'static str,
    pub(super) argv: &'a Argv,
    pub(super) now_us: u64,
    pub(super) node: &'a mut Redis,
    pub(super) session: SessionId,
    /// Receives each live key and value that this command deletes or replaces.
    pub(super) removed: &'a mut Vec<(ByteString, ByteString)>,
}

impl<'a> Call<'a> {
    /// Number of words, the name included.
    pub(super) fn len(&self) -> usize {
        self.argv.len()
    }

    /// The word at `index`, which the command's arity or the caller's own check says is there.
    pub(super) fn word(&self, index: usize) -> &'a [u8] {
        self.argv.get(index).unwrap_or_default()
    }

    /// The words from `index` on.
    pub(super) fn words_from(&self, index: usize) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.argv.words().skip(index)
    }

    /// The word at `index` as a 64-bit integer.
    pub(super) fn integer(&self, index: usize) -> Result<i64, CommandError> {
        parse_integer(self.word(index)).ok_or(CommandError::NotAnInteger)
    }

    /// The node's clock in milliseconds.
    pub(super) fn now_ms(&self) -> i64 {
        whole_ms(self.now_us)
    }

    /// Shows the live entry of `key` to `visit`.
    pub(super) fn with<T>(&mut self, key: &[u8], visit: impl FnOnce(&mut Entry) -> T) -> Option<T> {
        self.drop_dead(key);
        self.node.keyspace.with(key, self.now_ms(), visit)
    }

    /// Tells the sessions that watch `key` that it changed.
    #[inline]
    pub(super) fn touch(&mut self, key: &[u8]) {
        if !self.node.sessions.is_empty() {
            let is_absent = !self.node.keyspace.contains(key);
            self.node.sessions.touch(key, is_absent);
        }
    }

    /// Drops a dead key on behalf of its watchers; without any, the command itself finds and drops it.
    #[inline]
    fn drop_dead(&mut self, key: &[u8]) {
        if !self.node.sessions.is_empty() && self.node.keyspace.drop_dead(key, self.now_ms()) {
            self.node.sessions.touch(key, true);
        }
    }

    /// True if `key` is there and alive.
    pub(super) fn exists(&mut self, key: &[u8]) -> bool {
        self.with(key, |_| ()).is_some()
    }

    /// The string at `key`.
    pub(super) fn string(&mut self, key: &[u8]) -> Option<ByteString> {
        self.with(key, |entry| entry.string().clone())
    }

    /// Writes a string and reports the value it replaces.
    pub(super) fn store(&mut self, key: &[u8], value: ByteString, deadline: NewDeadline) {
        let now_ms = self.now_ms();
        self.drop_dead(key);
        if let Some(old) = self.node.keyspace.store(key, Value::String(value), deadline, now_ms) {
            self.removed.push((ByteString::new(key), old.into_string()));
        }
        self.touch(key);
    }

    /// Deletes and reports `key`; false if it was absent or dead.
    pub(super) fn delete(&mut self, key: &[u8]) -> bool {
        let now_ms = self.now_ms();
        self.drop_dead(key);
        let Some((key, entry)) = self.node.keyspace.remove(key, now_ms) else {
            return false;
        };
        self.touch(key.as_bytes());
        self.removed.push((key, entry.into_string()));
        true
    }
}

/// What Redis makes of a clock with microseconds.
pub(super) fn whole_ms(now_us: u64) -> i64 {
    (now_us / 1000).cast_signed()
}

/// A bulk reply, or nil where there is no value.
pub(super) fn bulk_or_nil(value: Option<ByteString>) -> Reply {
    value.map_or(Reply::Nil, Reply::Bulk)
}

/// A length or a count as a reply. No count here reaches 2^63, since each stands for something held in memory.
pub(super) fn count(number: usize) -> Reply {
    Reply::Int(i64::try_from(number).unwrap_or(i64::MAX))
}
