//! Cost of the SQL store's most frequent statements, in a database like the measured service's: 100 seats, each with
//! 50 finished locks.

use divan::{Bencher, black_box};
use seatproof::world::identity::{ProcessId, SessionId};
use seatproof::world::sql::{Plan, Progress, Rows, SerialSource, SqlStore};
use seatproof::world::value::Value;

const DDL: &str = "
    CREATE TABLE seats (id bigint PRIMARY KEY, showtime_id bigint NOT NULL, status varchar(20) NOT NULL,
        row_label text, price integer NOT NULL);
    CREATE TABLE seat_locks (id bigserial PRIMARY KEY, owner varchar(64) NOT NULL, showtime_id bigint NOT NULL,
        active boolean NOT NULL, expires_at timestamp NOT NULL);
    CREATE INDEX seat_locks_live ON seat_locks (owner) WHERE active;
";

const SESSION: SessionId = SessionId::Own(ProcessId::client(1));

struct Database {
    store: SqlStore,
    serials: SerialSource,
}

impl Database {
    fn new() -> Self {
        let store = SqlStore::from_ddl(DDL).expect("the tables are well formed");
        let mut database = Self { store, serials: SerialSource { process: ProcessId::client(1), count: 0 } };
        let seat = database.plan("INSERT INTO seats VALUES ($1, 1, 'AVAILABLE', 'A', 900)");
        let lock =
            database.plan("INSERT INTO seat_locks (owner, showtime_id, active, expires_at) VALUES ($1, 1, $2, $3)");
        for id in 0..100_i64 {
            database.run(&seat, &[Value::Int(id)]);
            for nth in 0..50 {
                let owner = Value::from(format!("session-{id}").as_str());
                database.run(&lock, &[owner, Value::Bool(nth == 0), Value::Timestamp(nth)]);
            }
        }
        database
    }

    fn plan(&self, text: &'static str) -> Plan {
        self.store.plan(text).expect("the statement is well formed")
    }

    fn run(&mut self, plan: &Plan, params: &[Value]) -> (Progress, Rows) {
        let mut rows = Rows::default();
        let progress = self.store.execute(SESSION, plan, params, 0, &mut self.serials, &mut rows);
        (progress, rows)
    }
}

fn main() {
    divan::main();
}

#[divan::bench(sample_size = 1000)]
fn select_by_primary_key(bencher: Bencher<'_, '_>) {
    let mut database = Database::new();
    let plan = database.plan("SELECT status FROM seats WHERE id = $1");
    bencher.bench_local(|| database.run(&plan, black_box(&[Value::Int(57)])));
}

#[divan::bench(sample_size = 1000)]
fn select_three_by_primary_key(bencher: Bencher<'_, '_>) {
    let mut database = Database::new();
    let plan = database.plan("SELECT id, status FROM seats WHERE id = ANY($1) AND showtime_id = $2");
    let ids = Value::List([Value::Int(12), Value::Int(88), Value::Int(45)].into());
    let params = [ids, Value::Int(1)];
    bencher.bench_local(|| database.run(&plan, black_box(&params)));
}

#[divan::bench(sample_size = 1000)]
fn select_by_partial_index(bencher: Bencher<'_, '_>) {
    let mut database = Database::new();
    let plan = database.plan("SELECT id, expires_at FROM seat_locks WHERE owner = $1 AND active");
    bencher.bench_local(|| database.run(&plan, black_box(&[Value::from("session-57")])));
}

#[divan::bench(sample_size = 1000)]
fn update_one_and_commit(bencher: Bencher<'_, '_>) {
    let mut database = Database::new();
    let plan = database.plan("UPDATE seats SET status = $2 WHERE id = $1");
    bencher.bench_local(|| database.run(&plan, black_box(&[Value::Int(57), Value::from("LOCKED")])));
}

#[divan::bench(sample_size = 1000)]
fn update_three_and_commit(bencher: Bencher<'_, '_>) {
    let mut database = Database::new();
    let plan = database.plan("UPDATE seats SET status = 'LOCKED' WHERE id IN ($1, $2, $3)");
    let params = [Value::Int(12), Value::Int(88), Value::Int(45)];
    bencher.bench_local(|| database.run(&plan, black_box(&params)));
}

#[divan::bench(sample_size = 50)]
fn insert_and_commit(bencher: Bencher<'_, '_>) {
    let mut database = Database::new();
    let plan =
        database.plan("INSERT INTO seat_locks (owner, showtime_id, active, expires_at) VALUES ($1, 1, true, $2)");
    let mut nth = 0;
    bencher.bench_local(|| {
        nth = (nth + 1) % 100;
        let owner = Value::from(format!("session-{nth}").as_str());
        database.run(&plan, &[owner, Value::Timestamp(600_000_000)])
    });
}

#[divan::bench(sample_size = 1000)]
fn transaction_of_two_statements(bencher: Bencher<'_, '_>) {
    let mut database = Database::new();
    let [begin, commit] = ["BEGIN", "COMMIT"].map(|text| database.plan(text));
    let select = database.plan("SELECT status FROM seats WHERE id = $1");
    let update = database.plan("UPDATE seats SET status = $2 WHERE id = $1");
    bencher.bench_local(|| {
        database.run(&begin, &[]);
        database.run(&select, black_box(&[Value::Int(57)]));
        database.run(&update, black_box(&[Value::Int(57), Value::from("LOCKED")]));
        database.run(&commit, &[])
    });
}
