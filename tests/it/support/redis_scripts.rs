//! Random scripts of Redis commands: nine of ten as the grammar has them, the tenth mutated.

use proptest::prelude::*;
use seatproof::world::argv::Argv;

/// One line of a script.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Time passes, in microseconds.
    Advance(u64),
    /// A command is sent.
    Command(Vec<Word>),
}

/// One word of a command; times are relative until it is sent.
#[derive(Clone, Debug)]
pub(crate) enum Word {
    Bytes(Vec<u8>),
    /// The server's clock and so many milliseconds.
    ClockMs(i64),
    /// The server's clock and so many seconds.
    ClockSeconds(i64),
}

/// Commands whose words are slots, see [`slot`].
const SHAPES: [&str; 59] = [
    "GET k",
    "GET k",
    "SET k v",
    "SET k v o",
    "SET k v o",
    "SET k v t",
    "SET k v t",
    "SET k v o t",
    "SET k v t o",
    "SET k v o o t",
    "SET k v o o",
    "SETNX k v",
    "SETEX k s v",
    "PSETEX k m v",
    "GETSET k v",
    "GETDEL k",
    "GETEX k",
    "GETEX k t",
    "GETEX k t",
    "GETEX k PERSIST",
    "MGET k k k",
    "MSET k v k v",
    "MSETNX k v k v",
    "APPEND k v",
    "STRLEN k",
    "INCR k",
    "DECR k",
    "INCRBY k i",
    "DECRBY k i",
    "DEL k",
    "DEL k k",
    "UNLINK k",
    "EXISTS k k",
    "TOUCH k",
    "TYPE k",
    "EXPIRE k s c",
    "PEXPIRE k m",
    "PEXPIRE k m c",
    "EXPIREAT k S c",
    "PEXPIREAT k P",
    "PEXPIREAT k P c c",
    "EXPIRETIME k",
    "PEXPIRETIME k",
    "TTL k",
    "PTTL k",
    "PERSIST k",
    "KEYS g",
    "KEYS g",
    "DBSIZE",
    "RENAME k k",
    "RENAMENX k k",
    "COPY k k",
    "COPY k k r r",
    "SETRANGE k i v",
    "GETRANGE k i i",
    "FLUSHALL",
    "TIME",
    "PING",
    "ECHO v",
];

const KEYS: [&[u8]; 3] = [b"a", b"b", b""];
const VALUES: [&[u8]; 12] = [
    b"x",
    b"",
    b"0",
    b"7",
    b"-3",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"9223372036854775808",
    b"01",
    b" 1",
    b"\0\r\n\xff",
    b"a value longer than twenty-four bytes",
];
const INTEGERS: [&[u8]; 8] = [b"0", b"1", b"-1", b"2", b"-3", b"40", b"9223372036854775807", b"-9223372036854775808"];
const SET_OPTIONS: [&[u8]; 4] = [b"NX", b"XX", b"GET", b"KEEPTTL"];
const CONDITIONS: [&[u8]; 4] = [b"NX", b"XX", b"GT", b"LT"];
const COPY_OPTIONS: [&[u8]; 4] = [b"REPLACE", b"DB", b"0", b"replace"];
const TTLS_MS: [&[u8]; 8] = [b"1", b"2", b"3", b"1000", b"0", b"-1", b"1499", b"9223372036854775807"];
const TTLS_S: [&[u8]; 6] = [b"1", b"2", b"0", b"-1", b"9223372036854775", b"9223372036854775807"];
const PATTERNS: [&[u8]; 16] = [
    b"*", b"?", b"a", b"[ab]", b"[^a]", b"[", b"[^", b"[b-a]*", b"**", b"\\a", b"*a", b"", b"[a-", b"[\\a]?", b"[]a]",
    b"a\\",
];
/// What a mutation puts in place of a word or adds.
const ODD_WORDS: [&[u8]; 22] = [
    b"",
    b"FOO",
    b"NX",
    b"XX",
    b"GET",
    b"GT",
    b"LT",
    b"KEEPTTL",
    b"PERSIST",
    b"EX",
    b"PXAT",
    b"-0",
    b"+1",
    b"1.5",
    b"0",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"2147483648",
    b"PX\0",
    b"a\r\nb",
    b"\xff\xfe",
    b"async",
];
const PAUSES_US: [u64; 9] = [1, 400, 999, 1000, 1001, 2000, 500_000, 998_000, 1_000_000];

fn pick(choices: &[&[u8]], draw: u16) -> Word {
    Word::Bytes(choices[usize::from(draw) % choices.len()].to_vec())
}

/// The words that a slot of a shape stands for.
fn slot(name: &str, draw: u16) -> Vec<Word> {
    let around_now = i64::from(draw / 4 % 6) - 2;
    vec![match name {
        "k" => pick(&KEYS, draw),
        "v" => pick(&VALUES, draw),
        "i" => pick(&INTEGERS, draw),
        "o" => pick(&SET_OPTIONS, draw),
        "c" => pick(&CONDITIONS, draw),
        "r" => pick(&COPY_OPTIONS, draw),
        "g" => pick(&PATTERNS, draw),
        "l" => pick(&LUA, draw),
        "m" => pick(&TTLS_MS, draw),
        "s" => pick(&TTLS_S, draw),
        "P" => Word::ClockMs(around_now),
        "S" => Word::ClockSeconds(around_now),
        "t" => {
            let (option, number) = [("PX", "m"), ("EX", "s"), ("PXAT", "P"), ("EXAT", "S")][usize::from(draw % 4)];
            return [vec![Word::Bytes(option.into())], slot(number, draw / 4)].concat();
        }
        literal => Word::Bytes(literal.into()),
    }]
}

/// Draws that make no sense for the mutation, such as an index beyond the end, wrap round.
fn mutate(words: &mut Vec<Word>, kind: u8, draw: u16) {
    let index = usize::from(draw) % words.len();
    let odd = pick(&ODD_WORDS, draw / 8);
    match kind % 6 {
        0 if words.len() > 1 => drop(words.remove(index)),
        0 | 1 => words.push(odd),
        2 => words.insert(index, words[index].clone()),
        3 => words[index] = odd,
        4 => words.swap(0, index),
        _ => {
            if let Word::Bytes(bytes) = &mut words[index] {
                let half = bytes.len() / 2;
                bytes[..half].make_ascii_lowercase();
            }
        }
    }
}

fn command() -> impl Strategy<Value = Step> {
    let draws = prop::array::uniform8(any::<u16>());
    let mutation = prop::option::weighted(0.1, (any::<u8>(), any::<u16>()));
    (0..SHAPES.len(), draws, mutation).prop_map(|(shape, draws, mutation)| {
        let mut words: Vec<Word> =
            SHAPES[shape].split(' ').zip(draws).flat_map(|(name, draw)| slot(name, draw)).collect();
        if let Some((kind, draw)) = mutation {
            mutate(&mut words, kind, draw);
        }
        Step::Command(words)
    })
}

/// A script of up to 60 steps, every fourth of them a pause.
pub(crate) fn script() -> impl Strategy<Value = Vec<Step>> {
    let pause = prop::sample::select(&PAUSES_US[..]).prop_map(Step::Advance);
    prop::collection::vec(prop_oneof![3 => command(), 1 => pause], 1..60)
}

/// Scripts that the sessions run; `EVAL text 1 k v`.
const LUA: [&[u8]; 6] = [
    b"return redis.call('GET', KEYS[1])",
    b"if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0",
    b"redis.call('SET', KEYS[1], ARGV[1], 'PX', 2) return redis.call('INCR', KEYS[1])",
    b"return redis.pcall('INCRBY', KEYS[1], ARGV[1])",
    b"return {redis.call('PTTL', KEYS[1]), redis.call('EXISTS', KEYS[1]), ARGV[1], false, 1.9}",
    b"redis.call('SETNX', KEYS[1], ARGV[1]) redis.call('PEXPIRE', KEYS[1], 3) return redis.status_reply('FINE')",
];

/// What concerns sessions: transactions, watches and scripts.
const SESSION_SHAPES: [&str; 16] = [
    "MULTI",
    "MULTI",
    "MULTI",
    "EXEC",
    "EXEC",
    "EXEC",
    "EXEC",
    "DISCARD",
    "WATCH k",
    "WATCH k",
    "WATCH k k",
    "UNWATCH",
    "EVAL l 1 k v",
    "EVAL l 1 k v",
    "EVAL l i k",
    "NOSUCH",
];

/// A script of up to 60 steps of three sessions, with the number of the session in front.
pub(crate) fn session_script() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let of_session = (0..SESSION_SHAPES.len(), prop::array::uniform8(any::<u16>()), 0..20_u8);
    let of_session = of_session.prop_map(|(shape, draws, surplus)| {
        let mut words: Vec<Word> =
            SESSION_SHAPES[shape].split(' ').zip(draws).flat_map(|(name, draw)| slot(name, draw)).collect();
        if surplus == 0 {
            words.push(Word::Bytes(b"surplus".into()));
        }
        Step::Command(words)
    });
    let pause = prop::sample::select(&PAUSES_US[..6]).prop_map(Step::Advance);
    prop::collection::vec((0..3_usize, prop_oneof![4 => command(), 5 => of_session, 2 => pause]), 1..60)
}

/// The command as it is sent at this instant.
pub(crate) fn resolve(words: &[Word], now_us: u64) -> Argv {
    let clock = i64::try_from(now_us).expect("the clock fits");
    Argv::new(words.iter().map(|word| match word {
        Word::Bytes(bytes) => bytes.clone(),
        Word::ClockMs(offset) => (clock / 1000 + offset).to_string().into_bytes(),
        Word::ClockSeconds(offset) => (clock / 1_000_000 + offset).to_string().into_bytes(),
    }))
}
