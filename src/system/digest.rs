//! The digest of an execution: one hash over every operation that took effect, with its time and its outcome.
//!
//! What is hashed is written out here field by field, in fixed widths and little-endian, so that it depends neither on
//! the machine nor on what a derived form would make of a type. Texts of SQL statements enter by their hash, which the
//! planner keeps: they are most of what would have to be hashed.

use xxhash_rust::xxh3::xxh3_128;

use super::System;
use super::fingerprint::Fingerprint;
use super::state::Phase;
use crate::process::{Draw, Op, Outcome, Request, Response, Statement, Support};
use crate::world::identity::ProcessId;
use crate::world::reply::Reply;
use crate::world::sql::Rows;
use crate::world::value::{Serial, Value};

/// A running hash over what happens, in order, word by word as it comes.
///
/// Each word is mixed into two lanes by an exclusive or and a product with an odd number. Both can be undone, so that
/// two streams that differ in one word never end alike; if they differ in more, both lanes would have to meet by
/// chance. A hasher of a library wants bytes, and many at a time: to collect them costs as much as all of this. The
/// lanes are handed on by value and stay in registers.
#[derive(Clone, Copy, Debug)]
pub struct Digest(u64, u64);

/// Odd, with bits spread evenly: the fractions of the golden ratio and of the square root of 3.
const FACTORS: (u64, u64) = (0x9e37_79b9_7f4a_7c15, 0xbb67_ae85_84ca_a73b);

/// Bits of a number that fit into a word beside its variant, and one bit to say that they do not.
const NUMBER_BITS: u32 = 55;

impl Default for Digest {
    fn default() -> Self {
        Self(FACTORS.0, FACTORS.1)
    }
}

impl Digest {
    /// Takes in the operation of a process that just took effect: when, whose, what, and its outcome if there is one.
    #[inline(always)]
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
        let mut digest = self.word(system.state.now_us).tagged(phase, process_bits(process));
        if call > 0 {
            digest = digest.word(call.into());
        }
        digest = match &slot.op {
            // Together with the text comes the number of parameters, and how wide a row of the result is.
            Some(Op::Sql(Statement(text), params)) => {
                let text = system.planner.borrow().text_hash(text);
                let mut digest = digest.word(text);
                for param in params {
                    digest = digest.value(param);
                }
                digest
            }
            Some(op) => digest.op(op),
            None => digest,
        };
        *self = match &slot.outcome {
            Some(outcome) => digest.outcome(outcome),
            None => digest,
        };
    }

    /// The hash of everything so far.
    #[must_use]
    pub fn finish(self) -> Fingerprint {
        Fingerprint(xxh3_128([self.0, self.1].map(u64::to_le_bytes).as_flattened()))
    }

    #[inline(always)]
    fn word(self, word: u64) -> Self {
        Self(
            (self.0.rotate_left(5) ^ word).wrapping_mul(FACTORS.0),
            (self.1.rotate_left(29) ^ word).wrapping_mul(FACTORS.1),
        )
    }

    /// A variant and a number of at most 56 bits in one word.
    #[inline(always)]
    fn tagged(self, variant: u8, number: u64) -> Self {
        self.word(u64::from(variant) | number << 8)
    }

    /// A variant and its number, which may need all 64 bits: then it follows as a word of its own.
    #[inline(always)]
    fn number(self, variant: u8, number: u64) -> Self {
        if number >> NUMBER_BITS == 0 {
            self.tagged(variant, number)
        } else {
            self.tagged(variant, 1 << NUMBER_BITS).word(number)
        }
    }

    /// A variant and its bytes. The tag says how many there are, so that the last word may overlap the one before.
    #[inline(always)]
    fn bytes(self, variant: u8, bytes: &[u8]) -> Self {
        let tagged = self.tagged(variant, bytes.len() as u64);
        let Some(last) = bytes.last_chunk() else { return tagged.short(bytes) };
        // All but the last one to eight bytes: of nearly all texts at most two words.
        let digest = match bytes[..bytes.len() - 1].as_chunks().0 {
            [] => tagged,
            [first] => tagged.word(u64::from_le_bytes(*first)),
            [first, second] => tagged.word(u64::from_le_bytes(*first)).word(u64::from_le_bytes(*second)),
            words => words.iter().fold(tagged, |digest, word| digest.word(u64::from_le_bytes(*word))),
        };
        digest.word(u64::from_le_bytes(*last))
    }

    /// Bytes too few for a word.
    #[inline(always)]
    fn short(self, bytes: &[u8]) -> Self {
        let half = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
        match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => self.word(half(first) | half(last) << 32),
            _ if bytes.is_empty() => self,
            _ => self.word(bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte))),
        }
    }

    fn text(self, text: &str) -> Self {
        self.bytes(0, text.as_bytes())
    }

    fn process(self, variant: u8, process: ProcessId) -> Self {
        self.tagged(variant, process_bits(process))
    }

    #[inline(always)]
    fn op(self, op: &Op) -> Self {
        match op {
            Op::Redis(node, argv) => {
                let digest = self.tagged(0, u64::from(*node) << 32 | argv.len() as u64);
                argv.words().fold(digest, |digest, word| digest.bytes(0, word))
            }
            Op::Sql(..) => unreachable!("SQL goes by the hash of its text"),
            Op::Call(request) => self.request(request),
            Op::Sleep(us) => self.number(3, *us),
            Op::Now => self.number(4, 0),
            Op::Choose(alternatives) => self.number(5, (*alternatives).into()),
            Op::Draw(draw) => self.draw(draw),
            Op::Spawn(job) => self.number(30, 0).request(job),
            Op::Join(count, children) => {
                let digest = self.number(31, u64::from(*count) << 32 | children.len() as u64);
                children.iter().fold(digest, |digest, child| digest.process(0, *child))
            }
            Op::Cancel(child) => self.process(32, *child),
        }
    }

    fn request(self, request: &Request) -> Self {
        let digest = self.number(2, request.sent_bytes.into()).text(request.route).text(request.name);
        digest.fields(request.fields.as_slice())
    }

    fn fields(self, fields: &[(&'static str, Value)]) -> Self {
        fields.iter().fold(self.word(fields.len() as u64), |digest, (name, value)| digest.text(name).value(value))
    }

    fn draw(self, draw: &Draw) -> Self {
        let (variant, low, high) = match draw.support {
            Support::Between { low, high } => (0, low.cast_unsigned(), high.cast_unsigned()),
            Support::Duration { low_us, high_us } => (1, low_us.cast_unsigned(), high_us.cast_unsigned()),
            Support::Distinct { count, of } => (2, count.into(), of.into()),
        };
        self.bytes(6, draw.name.as_bytes()).number(variant, low).word(high)
    }

    #[inline(always)]
    fn outcome(self, outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Reply(reply) => self.reply(reply),
            Outcome::Rows(Ok(rows)) => self.rows(rows),
            Outcome::Rows(Err(error)) => self.bytes(11, error.code.code().as_bytes()).text(&error.message),
            Outcome::Response(response) => self.response(response),
            Outcome::Lost => self.number(13, 0),
            Outcome::Woke => self.number(14, 0),
            Outcome::Now(instant) => self.number(15, instant.0),
            Outcome::Chosen(choice) => self.number(16, (*choice).into()),
            Outcome::Spawned(child) => self.process(33, *child),
            Outcome::Joined(results) => {
                let digest = self.number(34, results.len() as u64);
                results.iter().fold(digest, |digest, (child, response)| digest.process(0, *child).response(response))
            }
            Outcome::Cancelled => self.number(35, 0),
            Outcome::Drawn(drawn) => {
                let digest = self.number(17, drawn.len() as u64);
                drawn.iter().fold(digest, |digest, value| digest.word(value.cast_unsigned()))
            }
        }
    }

    fn response(self, Response { status, fields, received_bytes }: &Response) -> Self {
        self.number(12, u64::from(*received_bytes) << 16 | u64::from(*status)).fields(fields.as_slice())
    }

    fn reply(self, reply: &Reply) -> Self {
        match reply {
            Reply::Status(text) => self.bytes(20, text.as_bytes()),
            Reply::Error(text) => self.bytes(21, text.as_bytes()),
            Reply::Int(value) => self.number(22, value.cast_unsigned()),
            Reply::Bulk(bytes) => self.bytes(23, bytes.as_bytes()),
            Reply::Nil => self.number(24, 0),
            Reply::Array(items) => items.iter().fold(self.number(25, items.len() as u64), Self::reply),
            Reply::NilArray => self.number(26, 0),
        }
    }

    #[inline(always)]
    fn rows(self, Rows { rows, affected, is_rolled_back }: &Rows) -> Self {
        let digest = self.number(if *is_rolled_back { 10 } else { 9 }, *affected);
        let mut digest = digest.word(rows.len() as u64);
        for row in rows {
            for value in row.iter() {
                digest = digest.value(value);
            }
        }
        digest
    }

    /// Of these there are most.
    #[inline(always)]
    fn value(self, value: &Value) -> Self {
        match value {
            Value::Int(value) => self.number(2, value.cast_unsigned()),
            Value::Serial(Serial { process, nth }) => self.process(3, *process).word((*nth).into()),
            Value::Text(text) => self.text_value(text),
            other => self.rarer_value(other),
        }
    }

    /// Apart from what is rarer, whose lists need more registers than a text.
    #[inline(never)]
    fn text_value(self, text: &str) -> Self {
        self.bytes(5, text.as_bytes())
    }

    fn rarer_value(self, value: &Value) -> Self {
        match value {
            Value::Bool(value) => self.number(1, (*value).into()),
            Value::Timestamp(us) => self.number(4, us.cast_unsigned()),
            Value::List(values) => values.iter().fold(self.number(6, values.len() as u64), Self::value),
            Value::Null => self.number(0, 0),
            Value::Int(_) | Value::Serial(_) | Value::Text(_) => unreachable!("these have their own way"),
        }
    }
}

/// The name of a process in 48 bits.
fn process_bits(process: ProcessId) -> u64 {
    u64::from(process.client) << 32 | u64::from(process.call)
}
