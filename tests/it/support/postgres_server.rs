//! A PostgreSQL server of the test's own, and the arm that plays scripts on it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use postgres::{Client, Config, NoTls, SimpleQueryMessage};

use super::sql_script::{DDL, Outcomes, ROWS, Step, render};

/// How long the server waits before it looks for a deadlock.
const DEADLOCK_TIMEOUT_MS: u64 = 20;

/// A statement that has waited for this long waits for good: longer than the deadlock timeout.
const SETTLED: Duration = Duration::from_millis(3 * DEADLOCK_TIMEOUT_MS);

/// A running server; dropping it stops it and removes its data.
#[derive(Debug)]
pub(crate) struct Server {
    folder: tempfile::TempDir,
    binaries: PathBuf,
}

impl Server {
    /// Starts a server on a socket in a temporary folder.
    pub(crate) fn start() -> Result<Self, String> {
        let binaries = find_binaries().ok_or("no PostgreSQL server (initdb, pg_ctl) found")?;
        let folder = tempfile::Builder::new().prefix("seatproof-pg").tempdir().map_err(|error| error.to_string())?;
        if is_root() {
            // PostgreSQL refuses to run as root.
            run(Command::new("chown").arg("postgres").arg(folder.path()))?;
        }
        let server = Self { folder, binaries };
        let data = server.data();
        run(server
            .command("initdb")
            .args(["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data))?;
        let options = format!(
            "-c listen_addresses='' -c unix_socket_directories='{}' -c unix_socket_permissions=0777 -c fsync=off \
             -c deadlock_timeout={DEADLOCK_TIMEOUT_MS}ms -c autovacuum=off -c enable_seqscan=off \
             -c enable_bitmapscan=off",
            server.folder.path().display()
        );
        let log = server.folder.path().join("log");
        run(server
            .command("pg_ctl")
            .arg("-w")
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(log)
            .arg("-o")
            .arg(options)
            .arg("start"))?;
        Ok(server)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn command(&self, program: &str) -> Command {
        let program = self.binaries.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn connect(&self) -> Client {
        let mut config = Config::new();
        config.host_path(self.folder.path()).user("postgres").dbname("postgres");
        config.connect(NoTls).expect("the server accepts connections")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data = self.data();
        // Nothing can be done about a failure here; the server also ends when its data are gone.
        let _ = run(self.command("pg_ctl").args(["-m", "immediate", "-D"]).arg(data).arg("stop"));
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    // The server inherits what its starter was given, so nothing may wait for these to close.
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

fn find_binaries() -> Option<PathBuf> {
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let packaged = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut packaged: Vec<PathBuf> = packaged.map(|entry| entry.path().join("bin")).collect();
    packaged.sort();
    let folders = packaged.into_iter().rev().chain(on_path.into_iter().flatten());
    let is_complete = |folder: &Path| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).exists());
    folders.into_iter().find(|folder| is_complete(folder))
}

/// A session and how its statement ended.
type Ended = (char, String);

/// One session: a thread that sends statements and reports how they end.
#[derive(Debug)]
struct Session {
    pid: i32,
    statements: Sender<String>,
    is_busy: bool,
}

/// The real server as a player of scripts.
pub(crate) struct PostgresArm<'s> {
    server: &'s Server,
    monitor: Client,
    sessions: BTreeMap<char, Session>,
    /// Where the sessions report.
    report: Sender<Ended>,
    reports: Receiver<Ended>,
}

impl<'s> PostgresArm<'s> {
    /// A database with the common tables and rows.
    pub(crate) fn new(server: &'s Server) -> Self {
        let mut monitor = server.connect();
        monitor.batch_execute("DROP SCHEMA IF EXISTS public CASCADE; CREATE SCHEMA public").expect("an empty database");
        monitor.batch_execute(DDL).expect("the tables are well formed");
        ROWS.iter().for_each(|rows| monitor.batch_execute(rows).expect("the rows are well formed"));
        let (report, reports) = channel();
        Self { server, monitor, sessions: BTreeMap::new(), report, reports }
    }

    /// Plays one step and waits until nothing moves any more.
    pub(crate) fn perform(&mut self, step: &Step) -> Outcomes {
        let mut text = step.text.to_owned();
        for (number, param) in step.params.iter().enumerate() {
            let literal = if param.starts_with('{') { format!("'{param}'") } else { param.clone() };
            text = text.replace(&format!("${}", number + 1), &literal);
        }
        if !self.sessions.contains_key(&step.session) {
            let session = self.open(step.session);
            self.sessions.insert(step.session, session);
        }
        let session = self.sessions.get_mut(&step.session).expect("it was just opened");
        assert!(!session.is_busy, "session {} is given a statement while it waits", step.session);
        session.is_busy = true;
        session.statements.send(text).expect("the session's thread is alive");
        let (mut ended, own_waited) = self.settle(step.session);
        let own = match (ended.remove(&step.session), own_waited) {
            (Some(outcome), false) => outcome,
            (Some(outcome), true) => format!("waits\n {} => {outcome}", step.session),
            (None, _) => "waits".to_owned(),
        };
        (own, ended)
    }

    /// True if the session's statement has not ended.
    pub(crate) fn is_waiting(&self, session: char) -> bool {
        self.sessions.get(&session).is_some_and(|session| session.is_busy)
    }

    fn open(&self, name: char) -> Session {
        let mut client = self.server.connect();
        let pid = client.query_one("SELECT pg_backend_pid()", &[]).expect("a backend").get(0);
        let (statements, orders) = channel::<String>();
        let ended = self.report.clone();
        thread::spawn(move || {
            for text in orders {
                if ended.send((name, outcome(&mut client, &text))).is_err() {
                    break;
                }
            }
        });
        Session { pid, statements, is_busy: false }
    }

    /// Collects outcomes until every statement has ended or has waited for a lock for long enough. Also says
    /// whether the statement of `own` was seen waiting.
    fn settle(&mut self, own: char) -> (BTreeMap<char, String>, bool) {
        let mut ended = BTreeMap::new();
        let (mut own_waited, mut still_since) = (false, Instant::now());
        loop {
            if let Ok((name, outcome)) = self.reports.recv_timeout(Duration::from_millis(1)) {
                self.sessions.get_mut(&name).expect("a session of this arm").is_busy = false;
                ended.insert(name, outcome);
                still_since = Instant::now();
            }
            let busy: Vec<i32> = self.sessions.values().filter(|session| session.is_busy).map(|s| s.pid).collect();
            if busy.is_empty() {
                return (ended, own_waited);
            }
            let waiting = self.waiting();
            own_waited |= self.sessions.get(&own).is_some_and(|own| own.is_busy && waiting.contains(&own.pid));
            if !busy.iter().all(|pid| waiting.contains(pid)) {
                still_since = Instant::now();
            }
            if still_since.elapsed() > SETTLED {
                return (ended, own_waited);
            }
        }
    }

    /// Backends that wait for a lock.
    fn waiting(&mut self) -> Vec<i32> {
        let text = "SELECT DISTINCT pid FROM pg_locks WHERE NOT granted";
        let rows = self.monitor.query(text, &[]).expect("the server's lock table");
        rows.iter().map(|row| row.get(0)).collect()
    }
}

fn outcome(client: &mut Client, text: &str) -> String {
    match client.simple_query(text) {
        Err(error) => match error.as_db_error() {
            Some(error) => {
                // The server reports an error before it undoes the transaction; the next answer comes after.
                drop(client.simple_query(""));
                format!("{} {}", error.code().code(), error.message())
            }
            None => format!("connection: {error}"),
        },
        Ok(messages) => {
            let (mut affected, mut rows) = (0, Vec::new());
            for message in messages {
                match message {
                    SimpleQueryMessage::Row(row) => {
                        let cells = (0..row.len()).map(|column| row.get(column).unwrap_or("NULL"));
                        rows.push(cells.collect::<Vec<_>>().join("|"));
                    }
                    SimpleQueryMessage::CommandComplete(count) => affected = count,
                    _ => {}
                }
            }
            render(text, affected, rows)
        }
    }
}
