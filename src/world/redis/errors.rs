//! The error replies of Redis 7.0.15, word for word.

use compact_str::CompactString;

use crate::world::reply::Reply;

/// Why a command was refused. The `Display` text is the reply without its leading `-`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommandError {
    #[error("ERR wrong number of arguments for '{0}' command")]
    WrongArity(&'static str),
    #[error("{}", unknown_command(.0))]
    UnknownCommand(Vec<Vec<u8>>),
    #[error("ERR syntax error")]
    Syntax,
    #[error("ERR value is not an integer or out of range")]
    NotAnInteger,
    #[error("ERR value is out of range, value must between {} and {}", i32::MIN, i32::MAX)]
    NotAnInt32,
    #[error("ERR invalid expire time in '{0}' command")]
    InvalidExpireTime(&'static str),
    #[error("ERR Unsupported option {}", one_line(.0))]
    UnsupportedOption(Vec<u8>),
    #[error("ERR NX and XX, GT or LT options at the same time are not compatible")]
    NxWithOthers,
    #[error("ERR GT and LT options at the same time are not compatible")]
    GtWithLt,
    #[error("ERR increment or decrement would overflow")]
    CounterOverflow,
    #[error("ERR decrement would overflow")]
    DecrementOverflow,
    #[error("ERR offset is out of range")]
    OffsetOutOfRange,
    #[error("ERR string exceeds maximum allowed size (proto-max-bulk-len)")]
    StringTooLong,
    #[error("ERR no such key")]
    NoSuchKey,
    #[error("ERR source and destination objects are the same")]
    SameObject,
    #[error("{} Try {} HELP.", unknown_subcommand(.subcommand), .command)]
    UnknownSubcommand { command: &'static str, subcommand: Vec<u8> },
    #[error("ERR EXEC without MULTI")]
    ExecWithoutMulti,
    #[error("ERR DISCARD without MULTI")]
    DiscardWithoutMulti,
    #[error("ERR MULTI calls can not be nested")]
    NestedMulti,
    #[error("ERR WATCH inside MULTI is not allowed")]
    WatchInsideMulti,
    #[error("EXECABORT Transaction discarded because of previous errors.")]
    ExecAborted,
    #[error("EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command")]
    ExecArity,
    #[error("ERR Number of keys can't be negative")]
    NegativeKeyCount,
    #[error("ERR Number of keys can't be greater than number of args")]
    TooManyKeys,
    #[error("NOSCRIPT No matching script. Please use EVAL.")]
    NoScript,
    #[error("NOTBUSY No scripts in execution right now.")]
    NotBusy,
    #[error("ERR SCRIPT FLUSH only support SYNC|ASYNC option")]
    ScriptFlushOption,
    #[error("{0}")]
    Script(CompactString),
    #[error("ERR timeout is not an integer or out of range")]
    TimeoutNotAnInteger,
    #[error("ERR timeout is negative")]
    NegativeTimeout,
    #[error("ERR DB index is out of range")]
    DbIndexOutOfRange,
}

/// Why a reply is not what Redis would answer: the command, or what a script uses, is not simulated. From the reply it
/// cannot be told whether Redis knows a command that is unknown here; one that it does not know is a mistake as well.
pub fn not_simulated(reply: &Reply) -> Option<&'static str> {
    const LIBRARIES: [&str; 4] = ["'bit'", "'cjson'", "'cmsgpack'", "'struct'"];
    let Reply::Error(text) = reply else { return None };
    if text.starts_with("ERR unknown command ") {
        Some("this Redis command is not simulated")
    } else if text.starts_with("ERR Unknown Redis command called from script") {
        Some("the script calls a Redis command that is not simulated")
    } else if text.contains("nonexistent global variable") && LIBRARIES.iter().any(|name| text.contains(name)) {
        Some("the script uses a library that is not simulated")
    } else if text.starts_with(NO_ANSWER) {
        Some("the simulated Redis cannot answer this")
    } else {
        None
    }
}

/// How an error begins that is the simulation's and not Redis'.
pub(super) const NO_ANSWER: &str = "ERR the simulated ";

/// How many bytes of the name, and of all arguments together, an unknown command is quoted with.
const QUOTED_BYTES: usize = 128;

fn unknown_command(words: &[Vec<u8>]) -> CompactString {
    let (name, arguments) = words.split_first().map_or((&[][..], &[][..]), |(name, rest)| (&name[..], rest));
    let mut quoted = Vec::new();
    for argument in arguments {
        if quoted.len() >= QUOTED_BYTES {
            break;
        }
        let room = QUOTED_BYTES - quoted.len();
        quoted.push(b'\'');
        quoted.extend_from_slice(prefix(argument, room));
        quoted.extend_from_slice(b"' ");
    }
    let name = prefix(name, QUOTED_BYTES);
    one_line(&[b"ERR unknown command '", name, b"', with args beginning with: ", &quoted[..]].concat())
}

fn unknown_subcommand(subcommand: &[u8]) -> CompactString {
    one_line(&[b"ERR unknown subcommand '", prefix(subcommand, QUOTED_BYTES), b"'."].concat())
}

/// What C's `%.*s` prints: up to `room` bytes, and none from the first zero byte on.
fn prefix(word: &[u8], room: usize) -> &[u8] {
    let text = until_nul(word);
    &text[..text.len().min(room)]
}

/// The part of an argument that a C string function sees. Redis compares option words that way.
pub(super) fn until_nul(word: &[u8]) -> &[u8] {
    word.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// An error reply is one line, so Redis turns line ends into spaces. Bytes that are not UTF-8 cannot be kept in
/// a [`Reply::Error`](crate::world::reply::Reply::Error) and become U+FFFD.
pub(super) fn one_line(text: &[u8]) -> CompactString {
    CompactString::from_utf8_lossy(text).replace(['\r', '\n'], " ").into()
}
