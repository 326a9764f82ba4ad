//! The same scripts on a real PostgreSQL and on the simulated store: rows, row counts, SQLSTATEs, messages, who waits
//! and who is a deadlock's victim must be the same.

use std::fs;

use proptest::prelude::{Strategy, prop, prop_oneof};
use proptest::strategy::{Just, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::support::postgres_server::{PostgresArm, Server};
use crate::support::sql_script::{Step, StoreArm, play};
use crate::support::{golden, require};

/// A server, or `None` where a missing one is no failure.
fn server() -> Option<Server> {
    require::started("postgres", Server::start())
}

#[test]
fn every_transcript_is_what_postgresql_does() {
    let Some(server) = server() else { return };
    for file in golden::files("tests/fixtures/sql") {
        let expected = fs::read_to_string(golden::project(&file)).expect("a transcript");
        let mut arm = PostgresArm::new(&server);
        let played = play(&expected, |step| arm.perform(step));
        golden::assert_file(&file, &played);
    }
}

/// Statements over few rows, so that sessions meet.
fn statement() -> impl Strategy<Value = String> {
    let id = 1..4;
    let status = prop_oneof![Just("FREE"), Just("HELD"), Just("SOLD")];
    let ids = prop::collection::vec(1..5, 1..3)
        .prop_map(|ids| ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    prop_oneof![
        4 => Just("BEGIN".to_owned()),
        2 => Just("BEGIN ISOLATION LEVEL REPEATABLE READ".to_owned()),
        5 => Just("COMMIT".to_owned()),
        2 => Just("ROLLBACK".to_owned()),
        3 => Just("SELECT id, hall, status FROM seat ORDER BY id".to_owned()),
        2 => Just("SELECT COUNT(*), MAX(id) FROM hold WHERE active".to_owned()),
        4 => (id.clone(), status.clone(), status.clone()).prop_map(|(id, to, from)| format!(
            "UPDATE seat SET status = '{to}' WHERE id = {id} AND status = '{from}'"
        )),
        1 => Just("SELECT id FROM seat WHERE hall > id ORDER BY id".to_owned()),
        2 => id.clone().prop_map(|id| format!("UPDATE seat SET hall = hall - 1 WHERE id = {id} AND id < hall")),
        3 => (ids.clone(), status.clone()).prop_map(|(ids, to)| format!(
            "UPDATE seat SET status = '{to}', hall = hall + 1 WHERE id IN ({ids})"
        )),
        2 => id.clone().prop_map(|id| format!("DELETE FROM seat WHERE id = {id} RETURNING status")),
        1 => (id.clone(), id.clone()).prop_map(|(from, to)| format!("UPDATE seat SET id = {to} WHERE id = {from}")),
        3 => id.clone().prop_map(|id| format!("INSERT INTO seat (id, hall) VALUES ({id}, 7)")),
        1 => id.clone().prop_map(|id| format!("INSERT INTO seat (id, hall) VALUES ({id}, 8) ON CONFLICT DO NOTHING")),
        2 => id.clone().prop_map(|id| format!(
            "INSERT INTO seat (id, hall) VALUES ({id}, 9) \
             ON CONFLICT (id) DO UPDATE SET hall = seat.hall + excluded.hall"
        )),
        2 => (id.clone(), status).prop_map(|(id, status)| format!(
            "SELECT id FROM seat WHERE id = {id} AND status = '{status}' FOR UPDATE"
        )),
        1 => ids.clone().prop_map(|ids| format!(
            "SELECT id FROM seat WHERE id IN ({ids}) ORDER BY id FOR UPDATE SKIP LOCKED"
        )),
        1 => ids.prop_map(|ids| format!("SELECT id FROM seat WHERE id IN ({ids}) ORDER BY id FOR UPDATE NOWAIT")),
        3 => (10..14, id.clone(), prop::bool::ANY)
            .prop_map(|(hold, seat, active)| format!("INSERT INTO hold VALUES ({hold}, {seat}, 'x', {active})")),
        3 => (10..14, prop::bool::ANY)
            .prop_map(|(hold, active)| format!("UPDATE hold SET active = {active} WHERE id = {hold}")),
        1 => (10..14, id).prop_map(|(hold, seat)| format!("UPDATE hold SET seat_id = {seat} WHERE id = {hold}")),
        1 => (10..14).prop_map(|hold| format!("DELETE FROM hold WHERE id = {hold}")),
    ]
}

/// Plays a random script on both arms; a session whose statement waits is passed over. When one end lets several
/// statements go on, their order is free, so the store must agree in one of the orders.
fn compare(server: &Server, script: Vec<(char, String)>) {
    let (mut real, mut store) = (PostgresArm::new(server), StoreArm::new());
    let mut transcript = String::new();
    for (session, text) in script {
        if real.is_waiting(session) {
            continue;
        }
        let step = Step { session, text: String::leak(text), params: Vec::new() };
        let expected = real.perform(&step);
        let mut found = None;
        for first in ["", "BC", "CB", "BA", "CA", "AC"] {
            let mut arm = store.clone();
            arm.first = first.chars().collect();
            let outcomes = arm.perform(&step);
            let agrees = outcomes == expected;
            if found.is_none() || agrees {
                found = Some((outcomes, arm));
            }
            if agrees {
                break;
            }
        }
        let (found, arm) = found.expect("some order was played");
        store = arm;
        assert_eq!(found, expected, "left: the store, right: PostgreSQL, after\n{transcript}{session}: {}", step.text);
        transcript += &format!("{session}: {}\n => {} {:?}\n", step.text, expected.0, expected.1);
    }
}

fn random_scripts(sessions: &'static [char], seed: u8) {
    let Some(server) = server() else { return };
    let cases: u64 = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(40);
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let script = prop::collection::vec((prop::sample::select(sessions), statement()), 10..30);
    for _ in 0..cases {
        compare(&server, script.new_tree(&mut runner).expect("a script").current());
    }
}

#[test]
fn random_scripts_of_two_sessions_agree() {
    random_scripts(&['A', 'B'], 7);
}

#[test]
fn random_scripts_of_three_sessions_agree() {
    random_scripts(&['A', 'B', 'C'], 8);
}
