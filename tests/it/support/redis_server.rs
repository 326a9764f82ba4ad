//! A real redis-server whose clock the test sets, asked over a socket in raw bytes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use seatproof::world::argv::Argv;
use seatproof::world::reply::Reply;

use super::require;

/// A running server; it ends with this value.
#[derive(Debug)]
pub(crate) struct RedisServer {
    process: Child,
    socket: PathBuf,
    connections: Vec<BufReader<UnixStream>>,
    clock: File,
    _directory: tempfile::TempDir,
}

impl RedisServer {
    /// Starts a server at `now_us`, or prints why the test is skipped.
    pub(crate) fn start(now_us: u64) -> Option<Self> {
        require::started("redis", find_programs())?;
        let directory = tempfile::tempdir().expect("a temporary directory");
        let shim = compile_shim(directory.path());
        let clock_path = directory.path().join("clock");
        std::fs::write(&clock_path, now_us.to_ne_bytes()).expect("the clock file is written");
        let socket = directory.path().join("redis.sock");
        let process = Command::new("redis-server")
            .args(["--port", "0", "--unixsocket"])
            .arg(&socket)
            .args(["--save", "", "--appendonly", "no", "--databases", "1", "--enable-debug-command", "yes"])
            .current_dir(directory.path())
            .env("LD_PRELOAD", shim)
            .env("REDIS_CLOCK_FILE", &clock_path)
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server starts");
        let clock = File::options().write(true).open(&clock_path).expect("the clock file opens");
        let connections = vec![BufReader::new(connect(&socket))];
        let mut server = Self { process, socket, connections, clock, _directory: directory };
        let reply = server.ask(&Argv::new(["DEBUG", "SET-ACTIVE-EXPIRE", "0"]));
        assert_eq!(reply, b"+OK\r\n", "active expiry stops");
        Some(server)
    }

    /// Sets the server's wall clock, in microseconds since the epoch.
    pub(crate) fn set_clock(&self, now_us: u64) {
        self.clock.write_all_at(&now_us.to_ne_bytes(), 0).expect("the clock file is written");
    }

    /// Sends one command and returns its reply as it came over the wire, but for two things: arrays of KEYS are
    /// sorted, and error texts are made UTF-8, as [`Reply::Error`] holds them.
    pub(crate) fn ask(&mut self, argv: &Argv) -> Vec<u8> {
        self.ask_on(0, argv)
    }

    /// [`Self::ask`] on the connection with this number, opened when first used.
    pub(crate) fn ask_on(&mut self, connection: usize, argv: &Argv) -> Vec<u8> {
        while self.connections.len() <= connection {
            self.connections.push(BufReader::new(connect(&self.socket)));
        }
        let connection = &mut self.connections[connection];
        let mut request = format!("*{}\r\n", argv.len()).into_bytes();
        argv.words().for_each(|word| push_bulk(&mut request, word));
        connection.get_mut().write_all(&request).expect("the server reads");
        Self::read_reply(connection, is_unordered(argv))
    }

    fn read_reply(connection: &mut BufReader<UnixStream>, unordered: bool) -> Vec<u8> {
        let mut reply = Vec::new();
        connection.read_until(b'\n', &mut reply).expect("the server answers");
        let number = || -> Option<usize> { std::str::from_utf8(&reply[1..]).ok()?.trim_end().parse().ok() };
        match reply.first() {
            Some(b'$') => {
                if let Some(length) = number() {
                    let start = reply.len();
                    reply.resize(start + length + 2, 0);
                    connection.read_exact(&mut reply[start..]).expect("the whole bulk arrives");
                }
            }
            Some(b'*') => {
                let mut items: Vec<_> =
                    (0..number().unwrap_or(0)).map(|_| Self::read_reply(connection, false)).collect();
                if unordered {
                    items.sort_unstable();
                }
                reply.extend(items.concat());
            }
            Some(b'-') => reply = String::from_utf8_lossy(&reply).into_owned().into_bytes(),
            Some(_) => {}
            None => panic!("the server closed the connection"),
        }
        reply
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // A server that is gone already has been noticed by the test.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The bytes that a server sends for this reply to `argv`, arrays of KEYS sorted.
pub(crate) fn encode(reply: &Reply, argv: &Argv) -> Vec<u8> {
    match reply {
        Reply::Status(text) => format!("+{text}\r\n").into_bytes(),
        Reply::Error(text) => format!("-{text}\r\n").into_bytes(),
        Reply::Int(value) => format!(":{value}\r\n").into_bytes(),
        Reply::Nil => b"$-1\r\n".to_vec(),
        Reply::NilArray => b"*-1\r\n".to_vec(),
        Reply::Bulk(bytes) => {
            let mut encoded = Vec::new();
            push_bulk(&mut encoded, bytes.as_bytes());
            encoded
        }
        Reply::Array(items) => {
            let mut encoded: Vec<_> = items.iter().map(|item| encode(item, argv)).collect();
            if is_unordered(argv) {
                encoded.sort_unstable();
            }
            [format!("*{}\r\n", items.len()).into_bytes(), encoded.concat()].concat()
        }
    }
}

/// KEYS answers in the order of a hash table.
fn is_unordered(argv: &Argv) -> bool {
    argv.get(0).is_some_and(|name| name.eq_ignore_ascii_case(b"KEYS"))
}

fn push_bulk(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.extend(format!("${}\r\n", bytes.len()).bytes());
    buffer.extend_from_slice(bytes);
    buffer.extend_from_slice(b"\r\n");
}

/// Other versions answer differently: 7.2 freezes the clock of a command, and some texts changed.
const VERSION: &str = "v=7.0.";

fn find_programs() -> Result<(), String> {
    for program in ["redis-server", "cc"] {
        let found = Command::new(program).arg("--version").output();
        let found = found.map_err(|error| format!("{program} does not run: {error}"))?;
        let version = String::from_utf8_lossy(&found.stdout);
        if program == "redis-server" && !version.contains(VERSION) {
            return Err(format!("redis-server is not {VERSION}x but {}", version.trim_end()));
        }
    }
    Ok(())
}

fn compile_shim(directory: &Path) -> std::path::PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/support/redis_clock.c");
    let library = directory.join("redis_clock.so");
    let compiled = Command::new("cc").args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
    assert!(compiled.expect("cc runs").success(), "redis_clock.c compiles");
    library
}

fn connect(socket: &Path) -> UnixStream {
    for _ in 0..1000 {
        if let Ok(stream) = UnixStream::connect(socket) {
            stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout can be set");
            return stream;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("redis-server did not open its socket within 10 seconds");
}
