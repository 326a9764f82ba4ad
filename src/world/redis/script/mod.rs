//! EVAL, EVALSHA and SCRIPT: real Lua 5.1, as inside Redis.

mod convert;
mod memo;
mod prelude;
mod problem;
mod sandbox;

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Redis;
use super::call::{Answer, Call};
use super::errors::{CommandError, until_nul};
use super::table::{self, Command, Place};
use crate::world::argv::{Argv, ByteString};
use crate::world::identity::SessionId;
use crate::world::reply::Reply;

/// SHA-1 of a script's text.
pub(super) type Digest = [u8; 20];

/// The scripts that the node knows. Equal digests mean equal texts, so the digests alone are compared.
#[derive(Clone, Debug, Default)]
pub(super) struct Scripts(Arc<BTreeMap<Digest, Arc<[u8]>>>);

impl PartialEq for Scripts {
    fn eq(&self, other: &Self) -> bool {
        self.0.keys().eq(other.0.keys())
    }
}

impl Eq for Scripts {}

impl Hash for Scripts {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.len().hash(state);
        self.0.keys().for_each(|digest| digest.hash(state));
    }
}

impl Serialize for Scripts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.keys())
    }
}

impl Scripts {
    fn get(&self, digest: &Digest) -> Option<&Arc<[u8]>> {
        self.0.get(digest)
    }

    fn add(&mut self, digest: Digest, text: Arc<[u8]>) {
        Arc::make_mut(&mut self.0).insert(digest, text);
    }
}

/// The state of Redis' own generator behind `math.random`: 48 bits, the same after every start.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub(super) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self(0x1234_ABCD_330E)
    }
}

impl Random {
    /// The next of the numbers 0 to 2^31 - 1: the generator of `lrand48`, whose factor and addend POSIX names.
    fn next(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & 0xFFFF_FFFF_FFFF;
        u32::try_from(self.0 >> 17).expect("31 of 48 bits remain")
    }

    /// Starts again as `srand48` does.
    fn seed(&mut self, seed: u32) {
        self.0 = u64::from(seed) << 16 | 0x330E;
    }
}

/// `EVAL script numkeys [key ...] [arg ...]`
pub(super) fn eval(call: &mut Call<'_>) -> Answer {
    let keys = key_count(call)?;
    let script = memo::script(call.word(1));
    run(call, &script.digest, &script.text, keys)
}

/// `EVALSHA sha1 numkeys [key ...] [arg ...]`
pub(super) fn evalsha(call: &mut Call<'_>) -> Answer {
    let keys = key_count(call)?;
    let known = parse_digest(call.word(1)).and_then(|digest| Some((digest, call.node.scripts.get(&digest)?)));
    let (digest, text) = known.ok_or(CommandError::NoScript)?;
    let text = Arc::clone(text);
    run(call, &digest, &text, keys)
}

fn key_count(call: &Call<'_>) -> Result<usize, CommandError> {
    let count = usize::try_from(call.integer(2)?).map_err(|_| CommandError::NegativeKeyCount)?;
    if count > call.len() - 3 { Err(CommandError::TooManyKeys) } else { Ok(count) }
}

fn run(call: &mut Call<'_>, digest: &Digest, text: &Arc<[u8]>, keys: usize) -> Answer {
    if call.node.scripts.get(digest).is_none() {
        sandbox::with(|sandbox| sandbox.compile(digest, text))?;
        call.node.scripts.add(*digest, Arc::clone(text));
    }
    memo::run(call, digest, |call, trace| {
        sandbox::with(|sandbox| {
            let function = sandbox.compile(digest, text)?;
            sandbox.run(call, digest, &function, keys, trace)
        })
    })
}

/// Executes a command of a script, now, whatever the session.
fn execute(
    node: &mut Redis,
    session: SessionId,
    argv: &Argv,
    now_us: u64,
    removed: &mut Vec<(ByteString, ByteString)>,
) -> Reply {
    let command = match table::resolve(argv) {
        Ok(command) => command,
        Err(CommandError::WrongArity(_)) => {
            return Reply::error("ERR Wrong number of args calling Redis command from script");
        }
        Err(_) => return Reply::error("ERR Unknown Redis command called from script"),
    };
    if command.place != Place::Anywhere {
        return Reply::error("ERR This Redis command is not allowed from script");
    }
    let answer = node.run(command, session, argv, now_us, removed);
    answer.unwrap_or_else(|error| Reply::error(error.to_string()))
}

fn parse_digest(word: &[u8]) -> Option<Digest> {
    let mut digest = Digest::default();
    if word.len() != 2 * digest.len() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(word.chunks(2)) {
        let nibble = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(nibble(pair[0])? << 4 | nibble(pair[1])?).ok()?;
    }
    Some(digest)
}

/// The digest as Redis prints it.
fn hexadecimal(digest: &Digest) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `SCRIPT` with nothing behind it never gets so far.
pub(super) fn container(call: &mut Call<'_>) -> Answer {
    Err(CommandError::WrongArity(call.command))
}

static SUBCOMMANDS: [(&str, Command); 4] = [
    ("exists", Command::new("script|exists", -3, exists, Place::NoScript)),
    ("flush", Command::new("script|flush", -2, flush, Place::NoScript)),
    ("kill", Command::new("script|kill", 2, |_| Err(CommandError::NotBusy), Place::NoScript)),
    ("load", Command::new("script|load", 3, load, Place::NoScript)),
];

/// The command behind `SCRIPT`.
pub(super) fn subcommand(word: &[u8]) -> Result<&'static Command, CommandError> {
    let found = SUBCOMMANDS.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()));
    let unknown = || CommandError::UnknownSubcommand { command: "SCRIPT", subcommand: word.to_vec() };
    found.map(|(_, command)| command).ok_or_else(unknown)
}

/// `SCRIPT LOAD script`
fn load(call: &mut Call<'_>) -> Answer {
    let text = call.word(2);
    let digest = sandbox::digest(text);
    if call.node.scripts.get(&digest).is_none() {
        sandbox::with(|sandbox| sandbox.compile(&digest, text))?;
        call.node.scripts.add(digest, Arc::from(text));
    }
    Ok(Reply::Bulk(ByteString::from(hexadecimal(&digest).as_str())))
}

/// `SCRIPT EXISTS sha1 [sha1 ...]`
fn exists(call: &mut Call<'_>) -> Answer {
    let is_known = |word| parse_digest(word).is_some_and(|digest| call.node.scripts.get(&digest).is_some());
    Ok(Reply::Array(call.words_from(2).map(|word| Reply::Int(i64::from(is_known(word)))).collect()))
}

/// `SCRIPT FLUSH [ASYNC | SYNC]`
fn flush(call: &mut Call<'_>) -> Answer {
    let option = until_nul(call.word(2));
    let known = option.eq_ignore_ascii_case(b"ASYNC") || option.eq_ignore_ascii_case(b"SYNC");
    if call.len() > 3 || (call.len() == 3 && !known) {
        return Err(CommandError::ScriptFlushOption);
    }
    call.node.scripts = Scripts::default();
    Ok(Reply::OK)
}
