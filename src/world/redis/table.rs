//! The one table of commands.

use super::call::{Answer, Call};
use super::{counters, expire, keys, strings};

/// A command that the node knows.
#[derive(Debug)]
pub(super) struct Command {
    /// In lower case.
    pub(super) name: &'static str,
    key: u128,
    /// Number of words, the name included; at least so many if negative.
    arity: isize,
    pub(super) run: fn(&mut Call<'_>) -> Answer,
}

impl Command {
    /// True if a command of this many words is complete.
    pub(super) fn accepts(&self, words: usize) -> bool {
        if self.arity < 0 { words >= self.arity.unsigned_abs() } else { words == self.arity.unsigned_abs() }
    }
}

/// The command of this name, in any case.
pub(super) fn find(name: &[u8]) -> Option<&'static Command> {
    let key = lookup_key(name)?;
    let index = COMMANDS.binary_search_by_key(&key, |command| command.key).ok()?;
    // Zero bytes at the end would not change the key.
    Some(&COMMANDS[index]).filter(|command| command.name.len() == name.len())
}

/// The name in lower case as one integer, so that a look-up compares integers; `None` if no command is so long.
const fn lookup_key(name: &[u8]) -> Option<u128> {
    let mut bytes = [0; 16];
    if name.len() > bytes.len() {
        return None;
    }
    let mut index = 0;
    while index < name.len() {
        bytes[index] = name[index].to_ascii_lowercase();
        index += 1;
    }
    Some(u128::from_be_bytes(bytes))
}

const fn command(name: &'static str, arity: isize, run: fn(&mut Call<'_>) -> Answer) -> Command {
    Command { name, key: lookup_key(name.as_bytes()).expect("names are short"), arity, run }
}

/// In alphabetical order, which the look-up needs and the compiler checks below.
static COMMANDS: [Command; 44] = [
    command("append", 3, strings::append),
    command("copy", -3, keys::copy),
    command("dbsize", 1, keys::dbsize),
    command("decr", 2, counters::decr),
    command("decrby", 3, counters::decrby),
    command("del", -2, keys::del),
    command("echo", 2, keys::echo),
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
    command("persist", 2, expire::persist),
    command("pexpire", -3, expire::pexpire),
    command("pexpireat", -3, expire::pexpireat),
    command("pexpiretime", 2, expire::pexpiretime),
    command("ping", -1, keys::ping),
    command("psetex", 4, strings::psetex),
    command("pttl", 2, expire::pttl),
    command("rename", 3, keys::rename),
    command("renamenx", 3, keys::renamenx),
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
];

const _: () = {
    let mut index = 1;
    while index < COMMANDS.len() {
        assert!(COMMANDS[index - 1].key < COMMANDS[index].key, "the table is in alphabetical order");
        index += 1;
    }
};
