//! The digest of an execution: one hash over every operation that took effect, with its time and its outcome.
//!
//! What is hashed is written out here field by field, in fixed widths and little-endian, so that it depends neither on
//! the machine nor on what a derived form would make of a type. Texts of SQL statements enter by their hash, which the
//! planner keeps: they are most of what would have to be hashed.

use std::fmt;

use xxhash_rust::xxh3::Xxh3;

use super::System;
use super::fingerprint::Fingerprint;
use super::state::Phase;
use crate::process::{Draw, Op, Outcome, Request, Response, Statement, Support};
use crate::world::identity::ProcessId;
use crate::world::reply::Reply;
use crate::world::sql::Rows;
use crate::world::value::{Serial, Value};

/// How many pending words are enough: the hasher works best on many at a time.
const BATCH: usize = 512;

/// A number as it is hashed.
type Word = [u8; 8];

/// A running hash over what happens, in order.
pub struct Digest {
    hasher: Xxh3,
    /// What the hasher has not seen yet, in words: appending one costs no copy of unknown length.
    pending: Vec<Word>,
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.finish())
    }
}

impl Default for Digest {
    fn default() -> Self {
        Self { hasher: Xxh3::new(), pending: Vec::with_capacity(2 * BATCH) }
    }
}

impl Digest {
    /// Takes in the operation of a process that just took effect: when, whose, what, and its outcome if there is one.
    pub fn add(&mut self, system: &System, process: ProcessId) {
        let slot = system.state.slot(process);
        let (phase, call) = match slot.phase {
            Phase::Idle => (0, 0),
            Phase::Issued => (1, 0),
            Phase::Blocked => (2, 0),
            Phase::Calling(call) => (3, call),
            Phase::Applied => (4, 0),
            Phase::Asleep(_) => (5, 0),
            Phase::Ended => (6, 0),
        };
        self.words([system.state.now_us, tag(phase, process_bits(process))]);
        if call > 0 {
            self.words([call.into()]);
        }
        match &slot.op {
            Some(Op::Sql(Statement(text), params)) => {
                self.words([tag(1, params.len() as u64), system.planner.borrow().text_hash(text)]);
                params.iter().for_each(|param| self.value(param));
            }
            Some(op) => self.op(op),
            None => {}
        }
        if let Some(outcome) = &slot.outcome {
            self.outcome(outcome);
        }
        if self.pending.len() >= BATCH {
            self.hasher.update(self.pending.as_flattened());
            self.pending.clear();
        }
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn finish(&self) -> Fingerprint {
        let mut hasher = self.hasher.clone();
        hasher.update(self.pending.as_flattened());
        Fingerprint(hasher.digest128())
    }

    #[inline]
    fn words<const N: usize>(&mut self, words: [u64; N]) {
        self.pending.extend_from_slice(&words.map(u64::to_le_bytes));
    }

    /// A variant and its number, which may need all 64 bits: then it follows as a word of its own.
    #[inline]
    fn number(&mut self, variant: u8, number: u64) {
        if number >> NUMBER_BITS == 0 {
            self.words([tag(variant, number)]);
        } else {
            self.words([tag(variant, 1 << NUMBER_BITS), number]);
        }
    }

    /// A variant and its bytes, filled up with zeros to whole words; the tag says how many there are.
    #[inline]
    fn bytes(&mut self, variant: u8, bytes: &[u8]) {
        self.words([tag(variant, bytes.len() as u64)]);
        let (words, rest) = bytes.as_chunks();
        self.pending.extend_from_slice(words);
        if !rest.is_empty() {
            let mut last = Word::default();
            last[..rest.len()].copy_from_slice(rest);
            self.pending.push(last);
        }
    }

    fn op(&mut self, op: &Op) {
        match op {
            Op::Redis(node, argv) => {
                self.words([tag(0, u64::from(*node) << 32 | argv.len() as u64)]);
                argv.words().for_each(|word| self.bytes(0, word));
            }
            Op::Sql(..) => unreachable!("SQL goes by the hash of its text"),
            Op::Call(request) => self.request(request),
            Op::Sleep(us) => self.number(3, *us),
            Op::Now => self.number(4, 0),
            Op::Choose(alternatives) => self.number(5, (*alternatives).into()),
            Op::Draw(draw) => self.draw(draw),
            Op::Spawn(job) => {
                self.number(30, 0);
                self.request(job);
            }
            Op::Join(count, children) => {
                self.number(31, u64::from(*count) << 32 | children.len() as u64);
                children.iter().for_each(|child| self.words([process_bits(*child)]));
            }
            Op::Cancel(child) => self.words([tag(32, process_bits(*child))]),
        }
    }

    fn request(&mut self, request: &Request) {
        self.number(2, request.sent_bytes.into());
        self.bytes(0, request.route.as_bytes());
        self.bytes(0, request.name.as_bytes());
        self.fields(request.fields.as_slice());
    }

    fn fields(&mut self, fields: &[(&'static str, Value)]) {
        self.words([fields.len() as u64]);
        for (name, value) in fields {
            self.bytes(0, name.as_bytes());
            self.value(value);
        }
    }

    fn draw(&mut self, draw: &Draw) {
        self.bytes(6, draw.name.as_bytes());
        let (variant, low, high) = match draw.support {
            Support::Between { low, high } => (0, low.cast_unsigned(), high.cast_unsigned()),
            Support::Duration { low_us, high_us } => (1, low_us.cast_unsigned(), high_us.cast_unsigned()),
            Support::Distinct { count, of } => (2, count.into(), of.into()),
        };
        self.number(variant, low);
        self.words([high]);
    }

    fn outcome(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Reply(reply) => self.reply(reply),
            Outcome::Rows(Ok(rows)) => self.rows(rows),
            Outcome::Rows(Err(error)) => {
                self.bytes(11, error.code.code().as_bytes());
                self.bytes(0, error.message.as_bytes());
            }
            Outcome::Response(Response { status, fields, received_bytes }) => {
                self.number(12, u64::from(*received_bytes) << 16 | u64::from(*status));
                self.fields(fields.as_slice());
            }
            Outcome::Lost => self.number(13, 0),
            Outcome::Woke => self.number(14, 0),
            Outcome::Now(instant) => self.number(15, instant.0),
            Outcome::Chosen(choice) => self.number(16, (*choice).into()),
            Outcome::Spawned(child) => self.words([tag(33, process_bits(*child))]),
            Outcome::Joined(results) => {
                self.number(34, results.len() as u64);
                for (child, Response { status, fields, .. }) in results {
                    self.words([process_bits(*child), u64::from(*status)]);
                    self.fields(fields.as_slice());
                }
            }
            Outcome::Cancelled => self.number(35, 0),
            Outcome::Drawn(drawn) => {
                self.number(17, drawn.len() as u64);
                drawn.iter().for_each(|value| self.words([value.cast_unsigned()]));
            }
        }
    }

    fn reply(&mut self, reply: &Reply) {
        match reply {
            Reply::Status(text) => self.bytes(20, text.as_bytes()),
            Reply::Error(text) => self.bytes(21, text.as_bytes()),
            Reply::Int(value) => self.number(22, value.cast_unsigned()),
            Reply::Bulk(bytes) => self.bytes(23, bytes.as_bytes()),
            Reply::Nil => self.number(24, 0),
            Reply::Array(items) => {
                self.number(25, items.len() as u64);
                items.iter().for_each(|item| self.reply(item));
            }
            Reply::NilArray => self.number(26, 0),
        }
    }

    fn rows(&mut self, Rows { rows, affected, is_rolled_back }: &Rows) {
        self.words([tag(if *is_rolled_back { 10 } else { 9 }, rows.len() as u64), *affected]);
        for row in rows {
            self.words([row.len() as u64]);
            row.iter().for_each(|value| self.value(value));
        }
    }

    #[inline(always)]
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.number(0, 0),
            Value::Bool(value) => self.number(1, (*value).into()),
            Value::Int(value) => self.number(2, value.cast_unsigned()),
            Value::Serial(Serial { process, nth }) => {
                self.words([tag(3, process_bits(*process)), (*nth).into()]);
            }
            Value::Timestamp(us) => self.number(4, us.cast_unsigned()),
            Value::Text(text) => self.text(text),
            Value::List(values) => self.list(values),
        }
    }

    #[inline(never)]
    fn text(&mut self, text: &str) {
        self.bytes(5, text.as_bytes());
    }

    #[inline(never)]
    fn list(&mut self, values: &[Value]) {
        self.words([tag(6, values.len() as u64)]);
        values.iter().for_each(|value| self.value(value));
    }
}

/// Bits of a number that fit into a word beside its variant, and one bit to say that they do not.
const NUMBER_BITS: u32 = 55;

/// A variant and a number in one word.
#[inline]
fn tag(variant: u8, number: u64) -> u64 {
    u64::from(variant) | number << 8
}

/// The name of a process in 48 bits.
fn process_bits(process: ProcessId) -> u64 {
    u64::from(process.client) << 32 | u64::from(process.call)
}
