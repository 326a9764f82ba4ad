//! The SQL store as state: what it keeps, what it forgets, what it tells the simulator, and what it refuses.

use seatproof::world::identity::{ProcessId, SessionId};
use seatproof::world::sql::{Progress, Rows, SerialSource, SqlError, SqlState, SqlStore};
use seatproof::world::value::{Serial, Value};

const DDL: &str = "
    CREATE TABLE seat (id integer PRIMARY KEY, status text NOT NULL, until timestamp);
    CREATE TABLE hold (id bigserial PRIMARY KEY, owner varchar(8) NOT NULL, active boolean NOT NULL DEFAULT true);
    CREATE INDEX hold_live ON hold (owner) WHERE active = true;
    CREATE UNIQUE INDEX hold_once ON hold (owner, active);
    CREATE TABLE log (line text);
";

const A: SessionId = SessionId::Own(ProcessId::client(1));
const B: SessionId = SessionId::Own(ProcessId::client(2));
const C: SessionId = SessionId::Own(ProcessId::client(3));

fn seats() -> SqlStore {
    let mut store = SqlStore::from_ddl(DDL).expect("the tables are well formed");
    ok(&mut store, A, "INSERT INTO seat VALUES (2, 'FREE', NULL), (1, 'FREE', NULL), (3, 'FREE', NULL)");
    store
}

fn run_at(
    store: &mut SqlStore,
    session: SessionId,
    text: &'static str,
    params: &[Value],
    now_us: u64,
) -> (Progress, Rows) {
    let plan = store.plan(text).unwrap_or_else(|error| panic!("{error}"));
    let mut serials = SerialSource { process: ProcessId::client(9), count: 0 };
    let mut rows = Rows::default();
    (store.execute(session, &plan, params, now_us, &mut serials, &mut rows), rows)
}

fn run(store: &mut SqlStore, session: SessionId, text: &'static str) -> (Progress, Rows) {
    run_at(store, session, text, &[], 0)
}

fn ok(store: &mut SqlStore, session: SessionId, text: &'static str) -> Rows {
    let (progress, rows) = run(store, session, text);
    assert_eq!(progress, Progress::Done { in_transaction: store.in_transaction(session) }, "{text}");
    rows
}

fn failure(store: &mut SqlStore, text: &'static str, params: &[Value]) -> SqlError {
    match run_at(store, A, text, params, 0).0 {
        Progress::Failed(error) => *error,
        other => panic!("{text}: {other:?}"),
    }
}

#[track_caller]
fn assert_waits(store: &mut SqlStore, session: SessionId, text: &'static str) {
    assert_eq!(run(store, session, text).0, Progress::Waits);
}

fn bytes(store: &SqlStore) -> Vec<u8> {
    postcard::to_stdvec(store).expect("a store can be serialised")
}

#[track_caller]
fn assert_same(one: &SqlStore, other: &SqlStore) {
    assert_eq!(one, other);
    assert_eq!(bytes(one), bytes(other));
}

#[test]
fn stores_with_one_meaning_are_equal() {
    let mut one = SqlStore::from_ddl(DDL).expect("the tables are well formed");
    for text in [
        "INSERT INTO seat VALUES (3, 'FREE', NULL)",
        "INSERT INTO seat VALUES (1, 'HELD', NULL), (4, 'X', NULL)",
        "INSERT INTO seat VALUES (2, 'FREE', NULL)",
        "UPDATE seat SET status = 'FREE' WHERE id = 1",
        "DELETE FROM seat WHERE id = 4",
        "BEGIN",
        "UPDATE seat SET status = 'LOST'",
        "ROLLBACK",
        "BEGIN",
        "SELECT * FROM seat FOR UPDATE",
        "COMMIT",
    ] {
        ok(&mut one, B, text);
    }
    assert_same(&one, &seats());
}

#[test]
fn the_order_of_writes_in_a_transaction_leaves_no_trace() {
    let play = |texts: [&'static str; 4]| {
        let mut store = seats();
        texts.iter().for_each(|text| drop(ok(&mut store, A, text)));
        store
    };
    let [begin, lock] = ["BEGIN", "SELECT id FROM seat WHERE id = 1 FOR UPDATE"];
    let (first, second) = ("UPDATE seat SET status = 'A' WHERE id = 1", "UPDATE seat SET status = 'B' WHERE id = 2");
    assert_same(&play([begin, first, second, lock]), &play([begin, lock, second, first]));
    assert_same(&play([begin, first, first, second]), &play([begin, second, first, lock]));
}

#[test]
fn what_only_a_snapshot_saw_goes_with_it() {
    let mut store = seats();
    ok(&mut store, A, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    ok(&mut store, A, "SELECT * FROM seat");
    ok(&mut store, B, "UPDATE seat SET status = 'HELD' WHERE id = 1");
    ok(&mut store, C, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    ok(&mut store, C, "SELECT * FROM seat");
    ok(&mut store, B, "UPDATE seat SET status = 'SOLD' WHERE id = 1");
    ok(&mut store, B, "DELETE FROM seat WHERE id = 2");
    for (session, status) in [(A, "FREE"), (C, "HELD"), (B, "SOLD")] {
        let rows = ok(&mut store, session, "SELECT status FROM seat WHERE id = 1").rows;
        assert_eq!(rows[0][0], Value::from(status), "{session}");
    }
    ok(&mut store, A, "COMMIT");
    assert_eq!(ok(&mut store, C, "SELECT status FROM seat WHERE id = 1").rows[0][0], Value::from("HELD"));
    store.close(C);
    let mut plain = seats();
    ok(&mut plain, B, "UPDATE seat SET status = 'SOLD' WHERE id = 1");
    ok(&mut plain, B, "DELETE FROM seat WHERE id = 2");
    assert_same(&store, &plain);
}

#[test]
fn rows_come_in_the_order_of_their_keys_or_of_insertion() {
    let mut store = seats();
    let ids: Vec<Value> = store.committed_rows("seat").map(|row| row[0].clone()).collect();
    assert_eq!(ids, [1, 2, 3].map(Value::Int));
    let rows = ok(&mut store, A, "SELECT id FROM seat WHERE id IN (3, 1, 3)").rows;
    assert_eq!(rows.iter().map(|row| row[0].clone()).collect::<Vec<_>>(), [1, 3].map(Value::Int));
    ok(&mut store, A, "INSERT INTO log VALUES ('z'), ('a')");
    ok(&mut store, A, "INSERT INTO log VALUES ('m')");
    let lines: Vec<String> =
        ok(&mut store, A, "SELECT line FROM log").rows.iter().map(|row| row[0].to_string()).collect();
    assert_eq!(lines, ["'z'", "'a'", "'m'"]);
}

#[test]
fn committed_rows_show_no_unfinished_work() {
    let mut store = seats();
    let committed = |store: &SqlStore| {
        let status = store.column("seat", "status").expect("the column exists");
        store.committed_rows("seat").map(|row| row[status].to_string()).collect::<Vec<_>>()
    };
    ok(&mut store, A, "BEGIN");
    ok(&mut store, A, "UPDATE seat SET status = 'HELD' WHERE id = 1");
    ok(&mut store, A, "DELETE FROM seat WHERE id = 2");
    ok(&mut store, A, "INSERT INTO seat VALUES (9, 'NEW', NULL)");
    assert_eq!(committed(&store), ["'FREE'", "'FREE'", "'FREE'"]);
    ok(&mut store, A, "COMMIT");
    assert_eq!(committed(&store), ["'HELD'", "'FREE'", "'NEW'"]);
}

#[test]
fn waiting_is_visible_and_ends_in_every_way() {
    let mut store = seats();
    let update = "UPDATE seat SET status = 'MINE' WHERE id = 1";
    ok(&mut store, A, "BEGIN");
    ok(&mut store, A, update);
    assert_waits(&mut store, B, update);
    assert_eq!(store.blockers(B).as_slice(), [A]);
    assert!(store.is_waiting(B) && !store.in_transaction(B) && store.in_transaction(A));
    assert_eq!(store.fail_waiting(B, SqlError::statement_timeout()), SqlError::statement_timeout().into());
    assert!(!store.is_waiting(B));

    assert_waits(&mut store, B, update);
    store.close(A);
    assert!(store.blockers(B).is_empty());
    // A newcomer may take the row before the waiter goes on.
    ok(&mut store, C, "BEGIN");
    ok(&mut store, C, update);
    assert_eq!(store.blockers(B).as_slice(), [C]);
    store.close(B);
    ok(&mut store, C, "ROLLBACK");
    assert_same(&store, &seats());
}

#[test]
fn every_waiter_on_a_circle_is_named() {
    let mut store = seats();
    let updates = [
        (A, "UPDATE seat SET status = 'A' WHERE id = 1", "UPDATE seat SET status = 'A' WHERE id = 2"),
        (B, "UPDATE seat SET status = 'B' WHERE id = 2", "UPDATE seat SET status = 'B' WHERE id = 1"),
    ];
    for (session, first, _) in updates {
        ok(&mut store, session, "BEGIN");
        ok(&mut store, session, first);
    }
    assert_waits(&mut store, C, updates[0].1);
    assert_waits(&mut store, A, updates[0].2);
    assert!(store.deadlocked().is_empty());
    assert_waits(&mut store, B, updates[1].2);
    assert_eq!(store.deadlocked(), [A, B]);
    assert_eq!(store.fail_waiting(A, SqlError::deadlock()), SqlError::deadlock().into());
    assert!(store.deadlocked().is_empty() && store.blockers(B).is_empty());
    assert!(ok(&mut store, A, "COMMIT").is_rolled_back);
}

#[test]
fn now_is_when_the_transaction_began() {
    let mut store = seats();
    run_at(&mut store, A, "BEGIN", &[], 5_000_000);
    let update = "UPDATE seat SET until = now() + INTERVAL '10 minutes' WHERE id = 1 RETURNING until";
    let (progress, rows) = run_at(&mut store, A, update, &[], 9_000_000);
    assert_eq!(progress, Progress::Done { in_transaction: true });
    assert_eq!(rows.rows[0][0], Value::Timestamp(605_000_000));
    ok(&mut store, A, "COMMIT");
    let expired = "SELECT id FROM seat WHERE until < $1 - INTERVAL '1' SECOND";
    for (at, count) in [(606_000_000, 0), (606_000_001, 1)] {
        let (progress, rows) = run_at(&mut store, A, expired, &[Value::Timestamp(at)], 0);
        assert_eq!((progress, rows.affected), (Progress::Done { in_transaction: false }, count), "{at}");
    }
    let mut instants = Vec::new();
    store.timestamps_after(604_999_999, &mut |at| instants.push(at));
    store.timestamps_after(605_000_000, &mut |at| instants.push(at));
    assert_eq!(instants, [605_000_000]);
}

#[test]
fn sequence_values_are_named() {
    let mut store = seats();
    let rows = ok(&mut store, A, "INSERT INTO hold (owner) VALUES ('ann'), ('bob') RETURNING id").rows;
    let name = |nth| Value::Serial(Serial { process: ProcessId::client(9), nth });
    assert_eq!([&rows[0][0], &rows[1][0]], [&name(1), &name(2)]);
    let found = run_at(&mut store, B, "SELECT owner FROM hold WHERE id = $1", &[name(2)], 0);
    assert_eq!((found.0, &found.1.rows[0][0]), (Progress::Done { in_transaction: false }, &Value::from("bob")));
}

#[test]
fn indexes_are_chosen_once() {
    let store = seats();
    for (text, access) in [
        ("SELECT * FROM seat WHERE id = $1 AND status = 'FREE'", "Key(Integer, One("),
        ("SELECT * FROM seat WHERE status = 'FREE'", "Scan"),
        ("SELECT * FROM hold WHERE owner = $1", "Index { index: 2,"),
        ("SELECT * FROM hold WHERE active", "Index { index: 1,"),
        ("UPDATE hold SET active = false WHERE active = true AND owner = $1", "Index { index: 2,"),
        ("DELETE FROM hold WHERE owner = ANY($1) AND id = 4", "Key(Bigint, One("),
    ] {
        let plan = format!("{:?}", store.plan(text).expect("the statement is well formed"));
        assert!(plan.contains(access), "{text}: {plan}");
    }
}

#[test]
fn wrong_values_are_errors_as_in_postgresql() {
    let mut store = seats();
    let text = Value::from("x");
    for (statement, params, code) in [
        ("SELECT * FROM seat WHERE id = $1", vec![text.clone()], SqlState::UndefinedFunction),
        ("SELECT * FROM seat WHERE status = $1", vec![Value::Int(1)], SqlState::UndefinedFunction),
        ("SELECT * FROM seat WHERE id = ANY($1)", vec![Value::Int(1)], SqlState::UndefinedFunction),
        ("SELECT * FROM seat WHERE id = $1", vec![], SqlState::ProtocolViolation),
        ("INSERT INTO seat VALUES ($1, 'A', NULL)", vec![text], SqlState::DatatypeMismatch),
        ("INSERT INTO seat VALUES (1, 'A', NULL)", vec![], SqlState::UniqueViolation),
        ("INSERT INTO seat VALUES (2147483648, 'A', NULL)", vec![], SqlState::OutOfRange),
        ("INSERT INTO hold (owner) VALUES ('123456789')", vec![], SqlState::StringTooLong),
    ] {
        assert_eq!(failure(&mut store, statement, &params).code, code, "{statement}");
    }
    assert_same(&store, &seats());
}

#[test]
fn what_is_not_understood_is_refused_with_a_reason() {
    let store = seats();
    for (text, reason) in [
        ("SELECT * FROM seats", "relation \"seats\" does not exist"),
        ("SELECT place FROM seat", "column \"place\" does not exist"),
        ("SELECT id FROM seat s JOIN hold h ON h.id = s.id", "column reference \"id\" is ambiguous"),
        ("SELECT id FROM seat WHERE id = 'one'", "invalid input syntax for type integer: \"one\""),
        ("SELECT id FROM seat WHERE id = status", "operator does not exist: integer = text"),
        ("SELECT id FROM seat FOR SHARE", "use FOR UPDATE"),
        ("SELECT id, COUNT(*) FROM seat", "must appear in the GROUP BY clause"),
        ("SELECT id FROM seat WHERE COUNT(*) = 1", "aggregate functions are not allowed here"),
        ("SELECT * FROM seat GROUP BY id", "name the columns"),
        ("SELECT id FROM seat LIMIT id", "may not depend on a row"),
        ("SELECT 1 WHERE 1 = 2", "WHERE needs a FROM"),
        ("UPDATE seat SET until = until - INTERVAL '-9223372036854775808 us'", "write an interval such as"),
        ("SELECT DISTINCT status FROM seat", "DISTINCT is not supported"),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE", "use READ COMMITTED or REPEATABLE READ"),
        ("UPDATE seat SET until = until + INTERVAL '1 month'", "write an interval such as"),
        ("INSERT INTO seat (id) VALUES (1, 2)", "INSERT has more expressions than target columns"),
        ("INSERT INTO seat VALUES (1) ON CONFLICT (status) DO NOTHING", "no unique or exclusion constraint"),
        ("SELECT 1; SELECT 2", "write exactly one statement"),
        ("SELEC 1", "SELEC"),
        ("DROP TABLE seat", "only SELECT, INSERT"),
    ] {
        let error = store.plan(text).expect_err(text);
        assert!(error.message.contains(reason), "{text}: {error}");
    }
    for (ddl, reason) in [
        ("CREATE TABLE t (id money)", "type MONEY is not supported"),
        ("CREATE TABLE t (id integer REFERENCES u)", "is not supported"),
        ("CREATE TABLE t (id integer DEFAULT $1)", "may not have parameters"),
        ("CREATE INDEX i ON t (id)", "relation \"t\" does not exist"),
        ("CREATE TABLE t (at timestamp); CREATE INDEX i ON t (at) WHERE at < now()", "may only depend on the row"),
        ("CREATE TABLE", "Expected"),
    ] {
        let error = SqlStore::from_ddl(ddl).expect_err(ddl);
        assert!(error.to_string().to_lowercase().contains(&reason.to_lowercase()), "{ddl}: {error}");
    }
}
