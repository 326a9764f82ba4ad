//! What a simulated Redis node answers, as transcripts: `command => reply`, and `+N` lets N milliseconds pass,
//! `-N` sets the clock back.
//! `redis_conformance.rs` asks a real server the same kind of questions; these are the ones worth reading.

use seatproof::world::argv::{Argv, ByteString};
use seatproof::world::identity::{ProcessId, SessionId};
use seatproof::world::redis::Redis;

const START_US: u64 = 1_000_000_000_000;
const SESSION: SessionId = SessionId::Own(ProcessId::client(1));

/// Runs a transcript on a new node. In a word, `""` is nothing at all and `\s` a space.
fn transcript(script: &str) {
    let mut node = Redis::new();
    let mut now_us = START_US;
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with(['+', '-']) {
            now_us = now_us.strict_add_signed(1000 * line.parse::<i64>().expect("a pause in milliseconds"));
            continue;
        }
        let (command, expected) = line.split_once(" => ").expect("command => reply");
        let words = command.split_whitespace().map(|word| word.replace("\"\"", "").replace("\\s", " "));
        let reply = node.execute(SESSION, &Argv::new(words), now_us, &mut Vec::new());
        assert_eq!(reply.to_string().trim_end(), expected, "{command}\nin:\n{script}");
    }
}

#[test]
fn a_key_lives_through_the_millisecond_of_its_deadline() {
    transcript(
        r#"
        SET k v PX 10      => OK
        +10
        GET k              => "v"
        EXISTS k           => :1
        PTTL k             => :0
        SET k w NX PX 10   => nil
        +1
        DBSIZE             => :1
        KEYS *             => []
        DBSIZE             => :1
        PTTL k             => :-2
        DBSIZE             => :0
        "#,
    );
}

#[test]
fn a_clock_jump_moves_deadlines_with_it() {
    transcript(
        r#"
        SET lock me PX 1000 => OK
        -3600000
        PTTL lock           => :3601000
        +3601000
        GET lock            => "me"
        +1
        SET lock you NX     => OK
        "#,
    );
}

#[test]
fn a_deadline_of_now_deletes_by_expire_but_not_by_set() {
    transcript(
        r#"
        SET k v                     => OK
        PEXPIREAT k 1000000000      => :1
        GET k                       => nil
        SET k v PXAT 1000000000     => OK
        GET k                       => "v"
        GETEX k PXAT 1000000000     => "v"
        GET k                       => nil
        SET k v                     => OK
        EXPIRE k 0                  => :1
        DBSIZE                      => :0
        "#,
    );
}

#[test]
fn set_with_a_past_deadline_stores_a_dead_key() {
    transcript(
        r#"
        SET k v PXAT 1              => OK
        DBSIZE                      => :1
        EXISTS k                    => :0
        SET k v EXAT 1              => OK
        SET k w NX                  => OK
        GET k                       => "w"
        PTTL k                      => :-1
        SET k v PXAT 1              => OK
        DEL k                       => :0
        "#,
    );
}

#[test]
fn a_write_to_a_dead_key_starts_afresh() {
    for write in ["SET k z KEEPTTL => OK", "SET k z GET => nil", "INCR k => :1", "APPEND k z => :1"] {
        transcript(&format!("SET k 7 PX 5 => OK \n +6 \n {write} \n PTTL k => :-1"));
    }
    transcript("SET k 7 PX 5 => OK \n +6 \n SETRANGE k 1 z => :2 \n GET k => \"\\x00z\" \n TTL k => :-1");
}

#[test]
fn ttl_rounds_half_up() {
    transcript(
        r#"
        SET k v PX 1500               => OK
        TTL k                         => :2
        +1
        TTL k                         => :1
        PTTL k                        => :1499
        PEXPIRETIME k                 => :1000001500
        EXPIRETIME k                  => :1000002
        +1498
        TTL k                         => :0
        PTTL k                        => :1
        SET k v PXAT 9223372036854775807 => OK
        PEXPIRETIME k                 => :9223372036854775807
        EXPIRETIME k                  => :-9223372036854775
        "#,
    );
}

#[test]
fn set_options() {
    transcript(
        r#"
        SET k a XX                   => nil
        SET k a NX                   => OK
        SET k b NX                   => nil
        SET k b XX                   => OK
        SET k c NX GET               => "b"
        GET k                        => "b"
        SET k c GET                  => "b"
        SET n a NX GET               => nil
        GET n                        => "a"
        SET m a XX GET               => nil
        EXISTS m                     => :0
        SET k a nx NX Ex 10 ex 20 get => "c"
        SET k a EX 10 EX 20 XX XX    => OK
        PTTL k                       => :20000
        SET k b KEEPTTL KEEPTTL      => OK
        PTTL k                       => :20000
        SET k b                      => OK
        PTTL k                       => :-1
        SET k b EXAT 1000001         => OK
        PTTL k                       => :1000
        "#,
    );
}

#[test]
fn set_refuses_contradictions_and_bad_times() {
    for options in ["NX XX", "XX NX", "EX 1 PX 1", "EX 1 KEEPTTL", "KEEPTTL EX 1", "EX", "FOO", "PERSIST", "EX 1 EXAT"]
    {
        transcript(&format!("SET k v {options} => -ERR syntax error"));
    }
    for time in ["EX 0", "EX -1", "PX 0", "EXAT 0", "PXAT -1", "EX 9223372036854775", "PX 9223372036854775807"] {
        transcript(&format!("SET k v NX {time} => -ERR invalid expire time in 'set' command"));
    }
    for time in ["EX abc", "EX 1.5", "PX \"\"", "EX +1", "EX 01", "PX 9223372036854775808"] {
        transcript(&format!("SET k v {time} => -ERR value is not an integer or out of range"));
    }
    transcript(
        "SETEX k 0 v => -ERR invalid expire time in 'setex' command
         PSETEX k -1 v => -ERR invalid expire time in 'psetex' command
         SET k v => OK
         SET k w NX EX 0 => -ERR invalid expire time in 'set' command",
    );
}

#[test]
fn getex_getdel_getset() {
    transcript(
        r#"
        GETEX no EX 0                => nil
        SET k v                      => OK
        GETEX k EX 0                 => -ERR invalid expire time in 'getex' command
        GETEX k EX 10 PERSIST        => -ERR syntax error
        GETEX k PERSIST EX 10        => -ERR syntax error
        GETEX k KEEPTTL              => -ERR syntax error
        GETEX k NX                   => -ERR syntax error
        GETEX k PX 70                => "v"
        GETEX k                      => "v"
        PTTL k                       => :70
        GETEX k persist              => "v"
        PTTL k                       => :-1
        GETEX k PX 70                => "v"
        GETSET k w                   => "v"
        PTTL k                       => :-1
        GETDEL k                     => "w"
        GETDEL k                     => nil
        GETSET k w                   => nil
        "#,
    );
}

#[test]
fn many_keys_at_once() {
    transcript(
        r#"
        MSET a 1 b                   => -ERR wrong number of arguments for 'mset' command
        MSET a 1 a 2 b 3             => OK
        EXISTS a a b c               => :3
        TOUCH a c                    => :1
        MGET a c b                   => ["2", nil, "3"]
        MSETNX c 1 a 9               => :0
        EXISTS c                     => :0
        MSETNX c 1 c 2               => :1
        GET c                        => "2"
        SETNX c 3                    => :0
        SETNX d 3                    => :1
        DEL a a                      => :1
        UNLINK a b c                 => :2
        "#,
    );
}

#[test]
fn expire_conditions() {
    let both = "-ERR NX and XX, GT or LT options at the same time are not compatible";
    transcript(&format!("EXPIRE k 1 NX XX => {both} \n EXPIRE k 1 LT NX => {both} \n EXPIRE k x GT NX => {both}"));
    transcript(
        r#"
        EXPIRE k 1 GT LT             => -ERR GT and LT options at the same time are not compatible
        EXPIRE k x FOO               => -ERR Unsupported option FOO
        EXPIRE k x                   => -ERR value is not an integer or out of range
        EXPIRE k 10                  => :0
        TTL k                        => :-2
        PERSIST k                    => :0
        SET k v                      => OK
        TTL k                        => :-1
        PERSIST k                    => :0
        EXPIRE k 10 XX               => :0
        EXPIRE k 10 GT               => :0
        EXPIRE k 10 LT               => :1
        EXPIRE k 20 NX               => :0
        EXPIRE k 10 XX GT            => :0
        EXPIRE k 11 gt xx            => :1
        EXPIRE k -1 GT               => :0
        PERSIST k                    => :1
        EXPIRE k 20 NX               => :1
        EXPIRE k -1 LT               => :1
        EXISTS k                     => :0
        EXPIRE k 9223372036854775807 => -ERR invalid expire time in 'expire' command
        PEXPIRE k 9223372036854775807 => -ERR invalid expire time in 'pexpire' command
        EXPIREAT k -9223372036854775808 => -ERR invalid expire time in 'expireat' command
        PEXPIREAT k 9223372036854775807 => :0
        "#,
    );
}

#[test]
fn counters_take_canonical_numbers_only() {
    for number in ["0011", "+1", "-0", "\\s11", "11\\s", "\"\"", "1.0", "-", "9223372036854775808"] {
        transcript(&format!("SET k {number} => OK \n INCR k => -ERR value is not an integer or out of range"));
    }
    transcript(
        r#"
        SET k 9223372036854775807 EX 9 => OK
        INCR k                         => -ERR increment or decrement would overflow
        DECR k                         => :9223372036854775806
        PTTL k                         => :9000
        DECRBY k -9223372036854775808  => -ERR decrement would overflow
        INCRBY n -9223372036854775808  => :-9223372036854775808
        DECR n                         => -ERR increment or decrement would overflow
        INCRBY k x                     => -ERR value is not an integer or out of range
        "#,
    );
}

#[test]
fn parts_of_strings() {
    transcript(
        r#"
        SETRANGE k 5 ""                => :0
        EXISTS k                       => :0
        SETRANGE k 2 ab                => :4
        GET k                          => "\x00\x00ab"
        SETRANGE k 0 xy                => :4
        GETRANGE k 0 -1                => "xyab"
        GETRANGE k -3 -2               => "ya"
        GETRANGE k -1 -3               => ""
        GETRANGE k -100 100            => "xyab"
        GETRANGE k 4 9                 => ""
        GETRANGE no 0 -1               => ""
        STRLEN k                       => :4
        STRLEN no                      => :0
        APPEND k ""                    => :4
        SETRANGE k -1 x                => -ERR offset is out of range
        SETRANGE k 536870912 x         => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
        SETRANGE k 9223372036854775807 xy => -ERR string exceeds maximum allowed size (proto-max-bulk-len)
        "#,
    );
}

#[test]
fn renaming_and_copying_carry_the_deadline() {
    transcript(
        r#"
        RENAME a b                     => -ERR no such key
        SET a 1 PX 50                  => OK
        SET b 2                        => OK
        RENAMENX a b                   => :0
        RENAMENX a a                   => :0
        RENAME a a                     => OK
        RENAME a b                     => OK
        PTTL b                         => :50
        EXISTS a                       => :0
        COPY b a                       => :1
        PTTL a                         => :50
        COPY a b                       => :0
        COPY a b DB 0 REPLACE          => :1
        COPY a a                       => -ERR source and destination objects are the same
        COPY a b DB 1                  => -ERR DB index is out of range
        COPY no b REPLACE              => :0
        COPY a b FOO                   => -ERR syntax error
        TYPE a                         => string
        TYPE no                        => none
        KEYS [a-b]                     => ["a", "b"]
        FLUSHALL NOW                   => -ERR syntax error
        FLUSHDB ASYNC                  => OK
        DBSIZE                         => :0
        "#,
    );
}

#[test]
fn commands_that_are_none() {
    let long = "x".repeat(200);
    let cut = "x".repeat(127);
    transcript(&format!(
        r#"
        FOO a b                        => -ERR unknown command 'FOO', with args beginning with: 'a' 'b'
        F a {long} c                   => -ERR unknown command 'F', with args beginning with: 'a' '{}'
        F                              => -ERR unknown command 'F', with args beginning with:
        GET                            => -ERR wrong number of arguments for 'get' command
        gEt a b                        => -ERR wrong number of arguments for 'get' command
        PING a b                       => -ERR wrong number of arguments for 'ping' command
        PING                           => PONG
        ping x                         => "x"
        ECHO x                         => "x"
        SELECT 0                       => OK
        SELECT 1                       => -ERR DB index is out of range
        TIME                           => ["1000000", "0"]
        "#,
        &cut[..124]
    ));
}

#[test]
fn removed_values_are_reported() {
    let mut node = Redis::new();
    let mut run = |command: &str, now_us: u64| {
        let mut removed = Vec::new();
        node.execute(SESSION, &Argv::new(command.split(' ')), now_us, &mut removed);
        removed.iter().map(|(key, value): &(ByteString, ByteString)| format!("{key}={value}")).collect::<Vec<_>>()
    };
    let nothing: [&str; 0] = [];
    assert_eq!(run("MSET a 1 b 2", START_US), nothing);
    assert_eq!(run("SET a 3 NX", START_US), nothing);
    assert_eq!(run("SET a 3 PX 10", START_US), ["a=1"]);
    assert_eq!(run("INCR b", START_US), ["b=2"]);
    assert_eq!(run("RENAME a b", START_US), ["b=3", "a=3"]);
    assert_eq!(run("SET a 1 PX 10", START_US), nothing);
    assert_eq!(run("DEL a b", START_US + 11_000), nothing);
    assert_eq!(run("MSET a 1 b 2 c 3", START_US), nothing);
    assert_eq!(run("PEXPIRE a 0", START_US), ["a=1"]);
    assert_eq!(run("FLUSHALL", START_US), ["b=2", "c=3"]);
}

#[test]
fn restart_eviction_and_purge() {
    let mut node = Redis::new();
    for command in ["SET a 1 PX 10", "SET b 2"] {
        node.execute(SESSION, &Argv::new(command.split(' ')), START_US, &mut Vec::new());
    }
    let later_us = START_US + 11_000;
    let mut instants_us = Vec::new();
    node.instants_after(START_US, &mut |instant_us| instants_us.push(instant_us));
    assert_eq!(instants_us, [START_US + 10_000, later_us]);
    assert_eq!(node.live_value(b"a", later_us - 1), Some(&ByteString::from("1")));
    assert_eq!(node.live_value(b"a", later_us), None);
    assert_eq!(node.live_keys(START_US).count(), 2);

    let mut purged = node.clone();
    purged.purge_expired(later_us);
    assert_ne!(purged, node);
    node.execute(SESSION, &Argv::new(["GET", "a"]), later_us, &mut Vec::new());
    assert_eq!(purged, node);

    assert_eq!(node.evict(b"b", 0), Some(ByteString::from("2")));
    assert_eq!(node.evict(b"b", 0), None);
    purged.restart_empty();
    assert_eq!(purged, Redis::new());
}
