//! Scripts of several database sessions, and the arm that plays them on the simulated store.
//!
//! A script is a transcript: `A: STATEMENT` is what session A does, ` => outcome` below it how that ended, and
//! ` B => outcome` that session B's waiting statement ended because of it. `| 5, {1,2}` after a statement gives
//! `$1` and `$2`. Playing a script writes the transcript anew; the two must be equal.

use std::collections::BTreeMap;

use seatproof::world::identity::{ProcessId, SessionId};
use seatproof::world::sql::{Plan, Progress, Row, Rows, SerialSource, SqlError, SqlStore};
use seatproof::world::value::Value;

/// The tables that all scripts use.
pub(crate) const DDL: &str = "
    CREATE TABLE seat (id integer PRIMARY KEY, hall integer NOT NULL, status text NOT NULL DEFAULT 'FREE', note text);
    CREATE TABLE hold (id bigint PRIMARY KEY, seat_id integer NOT NULL, owner text, active boolean NOT NULL);
    CREATE INDEX hold_by_owner ON hold (owner) WHERE active;
    CREATE UNIQUE INDEX hold_live ON hold (seat_id) WHERE active;
    CREATE TABLE account (name text PRIMARY KEY, email text UNIQUE, points bigint NOT NULL DEFAULT 0);
";

/// The rows that all scripts begin with.
pub(crate) const ROWS: [&str; 3] = [
    "INSERT INTO seat (id, hall) VALUES (1, 1), (2, 1), (3, 1), (4, 2), (5, 2)",
    "INSERT INTO hold VALUES (10, 4, 'ann', true), (11, 5, 'bob', false)",
    "INSERT INTO account VALUES ('ann', 'a@x', 5), ('bob', NULL, 7)",
];

/// One step of a script.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) session: char,
    pub(crate) text: &'static str,
    pub(crate) params: Vec<String>,
}

impl Step {
    /// Reads `A: STATEMENT | params`.
    pub(crate) fn read(line: &str) -> Option<Self> {
        let (session, rest) = line.split_once(": ")?;
        let (text, params) = rest.split_once(" | ").unwrap_or((rest, ""));
        let params = params.split(", ").filter(|param| !param.is_empty()).map(str::to_owned).collect();
        Some(Self { session: session.parse().ok()?, text: String::leak(text.trim().to_owned()), params })
    }
}

/// What came of one step: its own outcome, then those of statements that it let end.
pub(crate) type Outcomes = (String, BTreeMap<char, String>);

/// Plays a script and writes its transcript.
pub(crate) fn play(transcript: &str, mut perform: impl FnMut(&Step) -> Outcomes) -> String {
    let mut played = String::new();
    for line in transcript.lines() {
        let step = if line.starts_with([' ', '#']) { None } else { Step::read(line) };
        match step {
            Some(step) => {
                let (own, others) = perform(&step);
                played += &format!("{line}\n => {own}\n");
                others.iter().for_each(|(session, outcome)| played += &format!(" {session} => {outcome}\n"));
            }
            None if line.starts_with(' ') => {}
            None => played += &format!("{line}\n"),
        }
    }
    played
}

/// The simulated store.
#[derive(Clone, Debug)]
pub(crate) struct StoreArm {
    /// Who goes first when several statements can go on; the others follow in the order in which they waited.
    pub(crate) first: Vec<char>,
    pub(crate) store: SqlStore,
    plans: BTreeMap<&'static str, Plan>,
    /// The statement that each waiting session is at, in the order in which they began to wait.
    waiting: Vec<(char, Plan)>,
    serials: SerialSource,
}

impl StoreArm {
    /// A store with the common tables and rows.
    pub(crate) fn new() -> Self {
        let store = SqlStore::from_ddl(DDL).expect("the tables are well formed");
        let serials = SerialSource { process: ProcessId::client(1), count: 0 };
        let mut arm = Self { first: Vec::new(), store, plans: BTreeMap::new(), waiting: Vec::new(), serials };
        for text in ROWS {
            arm.perform(&Step { session: 'A', text, params: Vec::new() });
        }
        arm
    }

    /// Plays one step, then whatever it lets go on.
    pub(crate) fn perform(&mut self, step: &Step) -> Outcomes {
        let session = session(step.session);
        let plan = match self.plans.get(step.text) {
            Some(plan) => plan.clone(),
            None => self.store.plan(step.text).unwrap_or_else(|error| panic!("{error}")),
        };
        self.plans.insert(step.text, plan.clone());
        let params: Vec<Value> = step.params.iter().map(|param| value(param)).collect();
        let mut rows = Rows::default();
        let progress = self.store.execute(session, &plan, &params, 0, &mut self.serials, &mut rows);
        if progress == Progress::Waits {
            self.waiting.push((step.session, plan));
        }
        let mut others = self.go_on();
        let own = match others.remove(&step.session) {
            Some(outcome) => format!("waits\n {} => {outcome}", step.session),
            None => outcome(step.text, &progress, &rows),
        };
        (own, others)
    }

    /// Resumes statements and breaks deadlocks until nothing moves. PostgreSQL's victim is the last to wait, if the
    /// others have waited for longer than `deadlock_timeout`.
    fn go_on(&mut self) -> BTreeMap<char, String> {
        let mut ended = BTreeMap::new();
        loop {
            let rank = |name: char| self.first.iter().position(|first| *first == name).unwrap_or(self.first.len());
            let waiting = self.waiting.iter().enumerate();
            let free = waiting.filter(|(_, (name, _))| self.store.blockers(session(*name)).is_empty());
            let free = free.min_by_key(|(_, (name, _))| rank(*name)).map(|(place, _)| place);
            let mut rows = Rows::default();
            let (name, text, progress) = if let Some(place) = free {
                let (name, plan) = self.waiting.remove(place);
                let progress = self.store.resume(session(name), &plan, &mut self.serials, &mut rows);
                let text = plan.text();
                if progress == Progress::Waits {
                    self.waiting.push((name, plan));
                }
                (name, text, progress)
            } else {
                let deadlocked = self.store.deadlocked();
                let victim = self.waiting.iter().rposition(|(name, _)| deadlocked.contains(&session(*name)));
                let Some(place) = victim else { return ended };
                let (name, plan) = self.waiting.remove(place);
                (name, plan.text(), self.store.fail_waiting(session(name), SqlError::deadlock()))
            };
            if progress != Progress::Waits {
                ended.insert(name, outcome(text, &progress, &rows));
            }
        }
    }
}

/// The session that a script calls by this letter.
pub(crate) fn session(name: char) -> SessionId {
    SessionId::Own(ProcessId::client(u16::try_from(u32::from(name)).expect("a letter")))
}

fn value(text: &str) -> Value {
    if let Some(list) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
        return Value::List(list.split(',').filter(|item| !item.is_empty()).map(value).collect());
    }
    match text {
        "NULL" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse().map_or_else(|_| Value::from(text.trim_matches('\'')), Value::Int),
    }
}

fn outcome(text: &str, progress: &Progress, rows: &Rows) -> String {
    match progress {
        Progress::Waits => "waits".to_owned(),
        Progress::Failed(error) => format!("{} {}", error.code.code(), error.message),
        Progress::Done { .. } => {
            let line = |row: &Row| row.iter().map(cell).collect::<Vec<_>>().join("|");
            render(text, rows.affected, rows.rows.iter().map(line).collect())
        }
    }
}

/// How transcripts write a count and rows. Without ORDER BY a real server may give rows in any order.
pub(crate) fn render(text: &str, affected: u64, mut rows: Vec<String>) -> String {
    if !text.contains("ORDER BY") {
        rows.sort();
    }
    if rows.is_empty() { affected.to_string() } else { format!("{affected}: {}", rows.join("; ")) }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Bool(truth) => if *truth { "t" } else { "f" }.to_owned(),
        Value::Text(text) => text.to_string(),
        other => other.to_string(),
    }
}
