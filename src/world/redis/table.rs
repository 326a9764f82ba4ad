//! The one table of commands.

use std::num::NonZeroU8;

use super::call::{Answer, Call};
use super::errors::CommandError;
use super::{counters, expire, keys, replication, script, session, strings};
use crate::world::argv::Argv;

/// A command that the node knows.
#[derive(Debug)]
pub(super) struct Command {
    /// In lower case.
    pub(super) name: &'static str,
    key: Key,
    /// Number of words, the name included; at least so many if negative.
    arity: isize,
    pub(super) run: fn(&mut Call<'_>) -> Answer,
    pub(super) place: Place,
}

/// Where a command may stand.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Anywhere,
    /// Not in a script.
    NoScript,
    /// Not in a script; between MULTI and EXEC it runs at once instead of being queued.
    Immediate,
}

impl Command {
    pub(super) const fn new(name: &'static str, arity: isize, run: fn(&mut Call<'_>) -> Answer, place: Place) -> Self {
        Self { name, key: lookup_key(name.as_bytes()).expect("no name is too short or too long"), arity, run, place }
    }

    /// True if a command of this many words is complete.
    fn accepts(&self, words: usize) -> bool {
        if self.arity < 0 { words >= self.arity.unsigned_abs() } else { words == self.arity.unsigned_abs() }
    }
}

/// The command that these words ask for, complete.
#[inline]
pub(super) fn resolve(argv: &Argv) -> Result<&'static Command, CommandError> {
    let Some(command) = find(argv.get(0).unwrap_or_default()) else {
        return Err(CommandError::UnknownCommand(argv.words().map(<[u8]>::to_vec).collect()));
    };
    let command = match argv.get(1) {
        Some(subcommand) if command.place == Place::NoScript && command.name == "script" => {
            script::subcommand(subcommand)?
        }
        _ => command,
    };
    if command.accepts(argv.len()) { Ok(command) } else { Err(CommandError::WrongArity(command.name)) }
}

/// The name of the command that these words ask for, in lower case.
pub(super) fn name(argv: &Argv) -> Option<&'static str> {
    find(argv.get(0)?).map(|command| command.name)
}

/// The command of this name, in any case.
fn find(name: &[u8]) -> Option<&'static Command> {
    let key = lookup_key(name)?;
    let mut slot = home_slot(key);
    loop {
        let command = &COMMANDS[SLOTS[slot]?.get() as usize - 1];
        // Spaces behind would not change the key.
        if command.key == key && command.name.len() == name.len() {
            return Some(command);
        }
        slot = (slot + 1) % SLOTS.len();
    }
}

/// A name in lower case as two integers, so that a look-up hashes and compares integers.
type Key = [u64; 2];

/// Turns capitals into small letters, in each of eight bytes; names consist of letters, and nothing else becomes one.
const LOWER_CASE: u64 = u64::from_ne_bytes([0x20; 8]);

/// The key of a name; `None` if no command is so short or so long. Its two halves overlap, so that each is read in one
/// piece.
const fn lookup_key(name: &[u8]) -> Option<Key> {
    match (name.first_chunk(), name.last_chunk(), name.first_chunk(), name.last_chunk()) {
        _ if name.len() > size_of::<Key>() => None,
        (Some(first), Some(last), ..) => {
            Some([u64::from_le_bytes(*first) | LOWER_CASE, u64::from_le_bytes(*last) | LOWER_CASE])
        }
        (.., Some(first), Some(last)) => {
            Some([u32::from_le_bytes(*first) as u64 | LOWER_CASE, u32::from_le_bytes(*last) as u64 | LOWER_CASE])
        }
        _ => match name {
            [first, middle, last] => Some([u32::from_le_bytes([*first, *middle, *last, 0]) as u64 | LOWER_CASE, 0]),
            _ => None,
        },
    }
}

/// Where the search for a key starts: the top byte of a product, which depends on every bit of the key. The factor
/// is 2^64 divided by the golden ratio, the usual one (Knuth, volume 3, section 6.4).
const fn home_slot(key: Key) -> usize {
    let product = (key[0] ^ key[1].rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product.to_be_bytes()[0] as usize
}

/// A hash table with linear probing, filled by the compiler: the number of each command in [`COMMANDS`], from 1.
static SLOTS: [Option<NonZeroU8>; 256] = {
    let mut slots = [None; 256];
    let mut number = 0;
    while (number as usize) < COMMANDS.len() {
        let mut slot = home_slot(COMMANDS[number as usize].key);
        while slots[slot].is_some() {
            slot = (slot + 1) % slots.len();
        }
        number += 1;
        slots[slot] = NonZeroU8::new(number);
    }
    slots
};

/// A command for any place.
const fn command(name: &'static str, arity: isize, run: fn(&mut Call<'_>) -> Answer) -> Command {
    Command::new(name, arity, run, Place::Anywhere)
}

/// In alphabetical order.
static COMMANDS: [Command; 54] = [
    command("append", 3, strings::append),
    command("copy", -3, keys::copy),
    command("dbsize", 1, keys::dbsize),
    command("decr", 2, counters::decr),
    command("decrby", 3, counters::decrby),
    command("del", -2, keys::del),
    Command::new("discard", 1, session::discard, Place::Immediate),
    command("echo", 2, keys::echo),
    Command::new("eval", -3, script::eval, Place::NoScript),
    Command::new("evalsha", -3, script::evalsha, Place::NoScript),
    Command::new("exec", 1, session::exec, Place::Immediate),
    command("exists", -2, keys::exists),
    command("expire", -3, expire::expire),
    command("expireat", -3, expire::expireat),
    command("expiretime", 2, expire::expiretime),
    command("flushall", -1, keys::flush),
    command("flushdb", -1, keys::flush),
    command("get", 2, strings::get),
    command("getdel", 2, strings::getdel),
    command("getex", -2, strings::getex),
    command("getrange", 4, strings::getrange),
    command("getset", 3, strings::getset),
    command("incr", 2, counters::incr),
    command("incrby", 3, counters::incrby),
    command("keys", 2, keys::keys),
    command("mget", -2, strings::mget),
    command("mset", -3, strings::mset),
    command("msetnx", -3, strings::msetnx),
    Command::new("multi", 1, session::multi, Place::Immediate),
    command("persist", 2, expire::persist),
    command("pexpire", -3, expire::pexpire),
    command("pexpireat", -3, expire::pexpireat),
    command("pexpiretime", 2, expire::pexpiretime),
    command("ping", -1, keys::ping),
    command("psetex", 4, strings::psetex),
    command("pttl", 2, expire::pttl),
    command("publish", 3, keys::publish),
    command("rename", 3, keys::rename),
    command("renamenx", 3, keys::renamenx),
    Command::new("script", -2, script::container, Place::NoScript),
    command("select", 2, keys::select),
    command("set", -3, strings::set),
    command("setex", 4, strings::setex),
    command("setnx", 3, strings::setnx),
    command("setrange", 4, strings::setrange),
    command("strlen", 2, strings::strlen),
    command("time", 1, keys::time),
    command("touch", -2, keys::exists),
    command("ttl", 2, expire::ttl),
    command("type", 2, keys::type_name),
    command("unlink", -2, keys::del),
    Command::new("unwatch", 1, session::unwatch, Place::NoScript),
    Command::new("wait", 3, replication::wait, Place::NoScript),
    Command::new("watch", -2, session::watch, Place::Immediate),
];
