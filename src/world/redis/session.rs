//! What a connection carries from one command to the next: an open MULTI and watched keys.
//!
//! Sessions that carry nothing are not stored, and of a transaction that cannot run any more only that fact is
//! kept, so that sessions which behave alike are equal.

use std::collections::BTreeMap;

use serde::Serialize;

use super::call::{Answer, Call};
use super::errors::CommandError;
use super::table;
use crate::world::argv::{Argv, ByteString};
use crate::world::identity::SessionId;
use crate::world::reply::Reply;

/// The sessions that carry something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Sessions(BTreeMap<SessionId, Session>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
struct Session {
    watch: Watch,
    transaction: Option<Transaction>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
enum Watch {
    /// The watched keys; true for one that was dead already, and still stored, when WATCH named it.
    Keys(BTreeMap<ByteString, bool>),
    /// A watched key changed: EXEC will answer nil.
    Dirty,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
enum Transaction {
    /// Empty for ever once the session is dirty.
    Queue(Vec<Argv>),
    /// A command could not be queued: EXEC will answer EXECABORT.
    Refused,
}

impl Default for Watch {
    fn default() -> Self {
        Self::Keys(BTreeMap::new())
    }
}

impl Session {
    /// Notes that `key` changed; `is_absent` if it is no longer stored.
    fn touch(&mut self, key: &[u8], is_absent: bool) {
        let Watch::Keys(keys) = &mut self.watch else { return };
        match keys.get_mut(key) {
            None => {}
            // That a dead key goes is no change; what happens to it afterwards is one.
            Some(was_dead) if *was_dead => *was_dead = !is_absent,
            Some(_) => self.soil(),
        }
    }

    fn soil(&mut self) {
        self.watch = Watch::Dirty;
        if let Some(Transaction::Queue(queue)) = &mut self.transaction {
            *queue = Vec::new();
        }
    }
}

impl Sessions {
    /// True if no session has an open MULTI or watches anything.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What the session carries belongs to another name from now on.
    pub(super) fn rename(&mut self, from: SessionId, to: SessionId) {
        if let Some(session) = self.0.remove(&from) {
            self.0.insert(to, session);
        }
    }

    /// True if this session has an open MULTI or watches anything.
    pub(super) fn contains(&self, session: SessionId) -> bool {
        self.0.contains_key(&session)
    }

    /// Forgets what the session carries.
    #[inline]
    pub(super) fn close(&mut self, session: SessionId) {
        if !self.is_empty() {
            self.0.remove(&session);
        }
    }

    /// Queues a command if the session is between MULTI and EXEC; false if it is not.
    #[inline]
    pub(super) fn queue(&mut self, session: SessionId, argv: &Argv) -> bool {
        !self.is_empty() && self.queue_in(session, argv)
    }

    fn queue_in(&mut self, session: SessionId, argv: &Argv) -> bool {
        match self.0.get_mut(&session) {
            Some(Session { watch: Watch::Keys(_), transaction: Some(Transaction::Queue(queue)) }) => {
                queue.push(argv.clone());
                true
            }
            Some(Session { transaction, .. }) => transaction.is_some(),
            None => false,
        }
    }

    /// A command that cannot be run spoils an open transaction. EXEC's own arity error ends it.
    pub(super) fn refuse(&mut self, session: SessionId, error: CommandError) -> CommandError {
        if error == CommandError::WrongArity("exec") {
            self.close(session);
            return CommandError::ExecArity;
        }
        if let Some(Session { transaction: Some(transaction), .. }) = self.0.get_mut(&session) {
            *transaction = Transaction::Refused;
        }
        error
    }

    /// Notes that `key` changed; `is_absent` if it is no longer stored.
    pub(super) fn touch(&mut self, key: &[u8], is_absent: bool) {
        self.0.values_mut().for_each(|session| session.touch(key, is_absent));
    }

    /// Notes that every stored key is gone at once.
    pub(super) fn touch_flushed(&mut self, was_stored: impl Fn(&[u8]) -> bool) {
        for session in self.0.values_mut() {
            let Watch::Keys(keys) = &session.watch else { continue };
            let gone: Vec<_> = keys.keys().filter(|key| was_stored(key.as_bytes())).cloned().collect();
            gone.iter().for_each(|key| session.touch(key.as_bytes(), true));
        }
    }
}

/// `MULTI`
pub(super) fn multi(call: &mut Call<'_>) -> Answer {
    let session = call.node.sessions.0.entry(call.session).or_default();
    if session.transaction.is_some() {
        return Err(CommandError::NestedMulti);
    }
    session.transaction = Some(Transaction::Queue(Vec::new()));
    Ok(Reply::OK)
}

/// `DISCARD`
pub(super) fn discard(call: &mut Call<'_>) -> Answer {
    match call.node.sessions.0.get(&call.session) {
        Some(Session { transaction: Some(_), .. }) => {
            call.node.close(call.session);
            Ok(Reply::OK)
        }
        _ => Err(CommandError::DiscardWithoutMulti),
    }
}

/// `WATCH key [key ...]`
pub(super) fn watch(call: &mut Call<'_>) -> Answer {
    let now_ms = call.now_ms();
    let keys = call.words_from(1);
    let session = call.node.sessions.0.entry(call.session).or_default();
    if session.transaction.is_some() {
        return Err(CommandError::WatchInsideMulti);
    }
    if let Watch::Keys(watched) = &mut session.watch {
        for key in keys {
            let is_dead = call.node.keyspace.is_dead(key, now_ms);
            // What was watched already keeps its first judgement.
            watched.entry(ByteString::new(key)).or_insert(is_dead);
        }
    }
    Ok(Reply::OK)
}

/// `UNWATCH`; EXEC has dropped the session before a queued one runs.
pub(super) fn unwatch(call: &mut Call<'_>) -> Answer {
    call.node.close(call.session);
    Ok(Reply::OK)
}

/// `EXEC`: all queued commands see one instant, and an error of one does not stop the others.
pub(super) fn exec(call: &mut Call<'_>) -> Answer {
    match call.node.sessions.0.get(&call.session) {
        Some(Session { transaction: Some(_), .. }) => {}
        _ => return Err(CommandError::ExecWithoutMulti),
    }
    let session = call.node.sessions.0.remove(&call.session).unwrap_or_default();
    let now_ms = call.now_ms();
    let is_clean = match &session.watch {
        Watch::Dirty => false,
        Watch::Keys(keys) => {
            !keys.iter().any(|(key, was_dead)| !was_dead && call.node.keyspace.is_dead(key.as_bytes(), now_ms))
        }
    };
    match session.transaction {
        Some(Transaction::Queue(queue)) if is_clean => {
            Ok(Reply::Array(queue.iter().map(|argv| run_queued(call, argv)).collect()))
        }
        Some(Transaction::Queue(_)) => Ok(Reply::NilArray),
        _ => Err(CommandError::ExecAborted),
    }
}

fn run_queued(call: &mut Call<'_>, argv: &Argv) -> Reply {
    let answer =
        table::resolve(argv).and_then(|command| call.node.run(command, call.session, argv, call.now_us, call.removed));
    answer.unwrap_or_else(|error| Reply::error(error.to_string()))
}
