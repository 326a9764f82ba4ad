//! Owner tokens: what a lock is signed with.

use crate::world::identity::ProcessId;

/// Bytes of a token. With a word before it, as in `guest:`, it still fits a text without an allocation.
pub const TOKEN_BYTES: usize = 18;

/// The digits of the numbers in a token, in ascending order also as bytes, so that tokens are ordered as their numbers.
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

/// A unique owner token, where production draws a random UUID: a function of the process's name and of how many
/// tokens it made before. Fixed width and self-delimiting (`<001-000002-00003>`, in digits to base 64), so that it can
/// be recognised and renamed anywhere, also inside a longer string.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// Who made it.
    pub process: ProcessId,
    /// Which of its tokens, from 1.
    pub nth: u32,
}

impl Token {
    /// The bytes that go into Redis, SQL or HTTP.
    ///
    /// # Panics
    /// After 1,073,741,823 tokens of one process, for which no machine has the memory.
    #[must_use]
    pub fn to_bytes(self) -> [u8; TOKEN_BYTES] {
        assert!(self.nth < 1 << 30, "{self:?} does not fit a token");
        let mut bytes = *b"<000-000000-00000>";
        write_digits(&mut bytes[1..4], u32::from(self.process.client));
        write_digits(&mut bytes[5..11], self.process.call);
        write_digits(&mut bytes[12..17], self.nth);
        bytes
    }

    /// A test whether bytes begin with a token of this process.
    pub fn is_of(process: ProcessId) -> impl Fn(&[u8]) -> bool {
        // Each process has one way to be written, and its tokens differ in their last digits only.
        let token = Self { process, nth: 0 }.to_bytes();
        move |bytes| bytes.starts_with(&token[..12]) && Self::parse(bytes).is_some()
    }

    /// The token that these bytes begin with.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; TOKEN_BYTES] = bytes.get(..TOKEN_BYTES)?.try_into().ok()?;
        if bytes[0] != b'<' || bytes[4] != b'-' || bytes[11] != b'-' || bytes[17] != b'>' {
            return None;
        }
        let client = u16::try_from(read_digits(&bytes[1..4])?).ok()?;
        let process = ProcessId { client, call: read_digits(&bytes[5..11])? };
        Some(Self { process, nth: read_digits(&bytes[12..17])? })
    }
}

fn write_digits(out: &mut [u8], mut value: u32) {
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[(value & 63) as usize];
        value >>= 6;
    }
}

/// The number that these digits write, if they are digits and it has 32 bits at most.
#[inline]
fn read_digits(digits: &[u8]) -> Option<u32> {
    let value = digits.iter().try_fold(0, |value: u64, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'_' => 36,
            b'a'..=b'z' => digit - b'a' + 37,
            b'~' => 63,
            _ => return None,
        };
        Some(value << 6 | u64::from(digit))
    })?;
    u32::try_from(value).ok()
}

/// The text with every token in it replaced by its short name `vu1/2#1`.
#[must_use]
pub fn readable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(token) = Token::parse(rest.as_bytes()) {
            out.push_str(&format!("{}#{}", token.process, token.nth));
            rest = &rest[TOKEN_BYTES..];
        } else {
            out.push('<');
            rest = &rest[1..];
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back_and_named_inside_a_longer_text() {
        for (process, nth) in
            [(ProcessId::handler(u16::MAX, u32::MAX), (1 << 30) - 1), (ProcessId::client(300), 70_000)]
        {
            let token = Token { process, nth };
            assert_eq!(Token::parse(&token.to_bytes()), Some(token));
        }
        let small = Token { process: ProcessId::handler(1, 2), nth: 1 };
        let text = format!("SET k {} < 3", String::from_utf8_lossy(&small.to_bytes()));
        assert_eq!(readable(&text), "SET k vu1/2#1 < 3");
    }

    #[test]
    fn tokens_are_ordered_as_their_numbers_and_every_digit_is_read() {
        let tokens = (1..5_000).map(|nth| Token { process: ProcessId::client(1), nth });
        let written = tokens.map(Token::to_bytes).collect::<Vec<_>>();
        assert!(written.is_sorted());
        let nths = written.iter().map(|bytes| Token::parse(bytes).expect("a token").nth);
        assert!(nths.eq(1..5_000));
    }

    #[test]
    fn what_only_looks_like_a_token_is_none() {
        for text in [
            "<001-000002-00003",
            "<001-000002-0000!>",
            "<001+000002-00003>",
            "",
            "<~~~-000002-00003>",
            "<001-~~~~~~-00003>",
        ] {
            assert_eq!(Token::parse(text.as_bytes()), None, "{text}");
        }
    }
}
