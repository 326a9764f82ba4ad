//! PostgreSQL's protocol over a socket, as far as its simple queries ("Frontend/Backend Protocol", chapter 55).

use std::io::{self, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

/// Version 3.0.
const PROTOCOL: i32 = 3 << 16;

/// A connection to a server that trusts its clients.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<UnixStream>,
    /// The server's process for this connection.
    pub(crate) pid: i32,
}

/// What a query gave.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// The columns of each row as text; `None` is NULL.
    pub(crate) rows: Vec<Vec<Option<String>>>,
    /// The number at the end of the last statement's tag, such as `UPDATE 3`.
    pub(crate) affected: u64,
    /// SQLSTATE and message.
    error: Option<String>,
}

impl Connection {
    /// Connects as the user `postgres` to the database of the same name.
    pub(crate) fn open(socket: &Path) -> io::Result<Self> {
        let mut connection = Self { stream: BufReader::new(UnixStream::connect(socket)?), pid: 0 };
        let parameters = b"user\0postgres\0database\0postgres\0\0";
        let mut startup = PROTOCOL.to_be_bytes().to_vec();
        startup.extend(parameters);
        connection.send(&startup)?;
        let answer = connection.answer()?;
        assert_eq!(answer.error, None, "the server trusts its clients");
        Ok(connection)
    }

    /// Sends one text of statements and waits until the server is ready for the next.
    ///
    /// # Errors
    /// SQLSTATE and message.
    pub(crate) fn query(&mut self, text: &str) -> Result<Answer, String> {
        let answer = self.stream.get_mut().write_all(b"Q").and_then(|()| self.send(format!("{text}\0").as_bytes()));
        let answer = answer.and_then(|()| self.answer()).map_err(|error| format!("connection: {error}"))?;
        match answer.error {
            Some(error) => Err(error),
            None => Ok(answer),
        }
    }

    /// Sends a message without its type; its length counts itself.
    fn send(&mut self, body: &[u8]) -> io::Result<()> {
        let length = u32::try_from(body.len() + 4).expect("a message below 4 GiB");
        self.stream.get_mut().write_all(&[&length.to_be_bytes(), body].concat())
    }

    /// Reads up to ReadyForQuery. An error precedes it, so that its effects are over as well.
    fn answer(&mut self) -> io::Result<Answer> {
        let mut answer = Answer::default();
        loop {
            let [kind] = self.bytes()?;
            let length = u32::from_be_bytes(self.bytes()?);
            let mut body = vec![0; usize::try_from(length - 4).expect("a length of 32 bits")];
            self.stream.read_exact(&mut body)?;
            match kind {
                b'Z' => return Ok(answer),
                b'K' => self.pid = i32::from_be_bytes(*body.first_chunk().expect("the process and a secret")),
                b'D' => answer.rows.push(columns(&body)),
                b'C' => answer.affected = number_in_tag(&text(&body)),
                b'E' => answer.error = Some(error(&body)),
                _ => {}
            }
        }
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches('\0').to_owned()
}

fn number_in_tag(tag: &str) -> u64 {
    tag.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// A count, then for each column its length, -1 for NULL, and its bytes.
fn columns(body: &[u8]) -> Vec<Option<String>> {
    let (_, mut rest) = body.split_first_chunk::<2>().expect("the count");
    let mut columns = Vec::new();
    while let Some((length, after)) = rest.split_first_chunk() {
        let value = usize::try_from(i32::from_be_bytes(*length)).ok().map(|length| after.split_at(length));
        rest = value.map_or(after, |(_, after)| after);
        columns.push(value.map(|(value, _)| text(value)));
    }
    columns
}

/// Of the fields, each a letter and a text, SQLSTATE (`C`) and message (`M`).
fn error(body: &[u8]) -> String {
    let field = |letter: u8| {
        let found = body.split(|byte| *byte == 0).find(|field| field.first() == Some(&letter));
        found.map(|field| text(&field[1..])).unwrap_or_default()
    };
    format!("{} {}", field(b'C'), field(b'M'))
}
