//! Owner tokens: what a lock is signed with.

use crate::world::identity::ProcessId;

/// Bytes of a token.
pub const TOKEN_BYTES: usize = 16;

/// A unique owner token, where production draws a random UUID: a function of the process's name and of how many
/// tokens it made before. Fixed width and self-delimiting (`<0001-00002-003>`), so that it can be recognised and
/// renamed anywhere, also inside a longer string.
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
    /// After 1,048,575 calls of one client or 4,095 tokens of one process, which a scenario's bounds exclude.
    #[must_use]
    pub fn to_bytes(self) -> [u8; TOKEN_BYTES] {
        assert!(self.process.call < 1 << 20 && self.nth < 1 << 12, "{self:?} does not fit a token");
        let mut bytes = *b"<0000-00000-000>";
        write_hex(&mut bytes[1..5], u32::from(self.process.client));
        write_hex(&mut bytes[6..11], self.process.call);
        write_hex(&mut bytes[12..15], self.nth);
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
        if bytes[0] != b'<' || bytes[5] != b'-' || bytes[11] != b'-' || bytes[15] != b'>' {
            return None;
        }
        let client = u16::try_from(read_hex(&bytes[1..5])?).ok()?;
        let process = ProcessId { client, call: read_hex(&bytes[6..11])? };
        Some(Self { process, nth: read_hex(&bytes[12..15])? })
    }
}

fn write_hex(out: &mut [u8], mut value: u32) {
    for digit in out.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 15) as usize];
        value >>= 4;
    }
}

#[inline]
fn read_hex(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = char::from(*digit).to_digit(16).filter(|_| !digit.is_ascii_uppercase())?;
        Some(value << 4 | digit)
    })
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
        let token = Token { process: ProcessId::handler(300, 70_000), nth: 4_095 };
        assert_eq!(Token::parse(&token.to_bytes()), Some(token));
        let small = Token { process: ProcessId::handler(1, 2), nth: 1 };
        let text = format!("SET k {} < 3", String::from_utf8_lossy(&small.to_bytes()));
        assert_eq!(readable(&text), "SET k vu1/2#1 < 3");
    }

    #[test]
    fn what_only_looks_like_a_token_is_none() {
        for text in ["<0001-00002-003", "<0001-00002-00g>", "<0001+00002-003>", "", "<000A-00002-003>"] {
            assert_eq!(Token::parse(text.as_bytes()), None, "{text}");
        }
    }
}
