//! What one command costs on a node that holds a hundred locks: `cargo bench --bench redis`.

use std::hint::black_box;

use divan::Bencher;
use divan::counter::ItemsCount;
use seatproof::world::argv::Argv;
use seatproof::world::identity::{ProcessId, SessionId};
use seatproof::world::redis::Redis;

const SESSION: SessionId = SessionId::Own(ProcessId::client(1));
const NOW_US: u64 = 1_000_000_000;

fn main() {
    divan::main();
}

fn node_with_locks() -> Redis {
    let mut node = Redis::new();
    for seat in 1..=100 {
        let key = format!("lock:seat:1:{seat}");
        node.execute(SESSION, &Argv::new(["SET", &key, "vu1#1", "EX", "600"]), NOW_US, &mut Vec::new());
    }
    node
}

/// Executes these commands for every seat in a scattered order, `SEAT` standing for its number. The figure to
/// read is the time of one command: items are commands.
fn run(bencher: Bencher<'_, '_>, templates: &[&str]) {
    let seats = (0..100).map(|index| (index * 37 % 100 + 1).to_string());
    let commands: Vec<Argv> = seats
        .flat_map(|seat| templates.iter().map(move |template| template.replace("SEAT", &seat)))
        .map(|command| Argv::new(command.split(' ')))
        .collect();
    let mut node = node_with_locks();
    let mut removed = Vec::new();
    bencher.counter(ItemsCount::new(commands.len())).bench_local(|| {
        for argv in &commands {
            black_box(node.execute(SESSION, black_box(argv), NOW_US, &mut removed));
        }
        removed.clear();
    });
}

#[divan::bench]
fn get(bencher: Bencher<'_, '_>) {
    run(bencher, &["GET lock:seat:1:SEAT"]);
}

#[divan::bench]
fn exists(bencher: Bencher<'_, '_>) {
    run(bencher, &["EXISTS lock:seat:1:SEAT"]);
}

#[divan::bench]
fn set_nx_refused(bencher: Bencher<'_, '_>) {
    run(bencher, &["SET lock:seat:1:SEAT vu1#2 NX EX 600"]);
}

#[divan::bench]
fn del_then_set_nx(bencher: Bencher<'_, '_>) {
    run(bencher, &["DEL lock:seat:1:SEAT", "SET lock:seat:1:SEAT vu1#2 NX EX 600"]);
}

#[divan::bench]
fn clone_node(bencher: Bencher<'_, '_>) {
    let node = node_with_locks();
    bencher.bench_local(|| black_box(node.clone()));
}

#[divan::bench]
fn eval_compare_and_delete(bencher: Bencher<'_, '_>) {
    let script = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
    let mut node = node_with_locks();
    let mut removed = Vec::new();
    let argv = Argv::new(["EVAL", script, "1", "lock:seat:1:17", "vu1#2"]);
    bencher.bench_local(|| black_box(node.execute(SESSION, black_box(&argv), NOW_US, &mut removed)));
}
