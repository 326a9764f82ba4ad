//! The command line: what it says about violations, how small they become, and what is left of them as files.

use crate::cli::short_scenario;
use crate::support::sandbox::Sandbox;

/// What a scheduler finds at full size is printed small; how long that took is a note.
#[test]
fn what_shrinking_did_is_said_and_its_time_only_on_stderr() {
    let sandbox = Sandbox::new();
    let args = ["check", "set_nx_px_get_del", "--only", "pause", "--engine", "shuttle", "--executions", "40"];
    let (code, out, err) = sandbox.run(&args);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("steps (shrunk from ") && out.contains("shrunk      "), "{out}");
    assert!(err.contains(" steps, shrunk from ") && err.contains(" s\n"), "{err}");
    assert!(out.lines().all(|line| line.chars().count() <= 80), "{out}");
    let as_found = sandbox.written("shuttle");
    let (code, found, err) = sandbox.run(&["replay", &as_found]);
    assert!(code == 1 && found.contains("REPRODUCED"), "{found}");
    assert!(err.contains("shuttle's own replayer took these "), "{err}");
    std::fs::remove_dir_all(sandbox.0.path().join("seatproof-regressions")).expect("schedules were written");
    assert_eq!(sandbox.run(&args).1, out, "the same bytes again");
}

#[test]
fn loom_says_its_bound_and_leaves_its_checkpoint_beside_what_it_finds() {
    let sandbox = Sandbox::new();
    let check = |args: &[&str]| sandbox.run(&[&["check", "--engine", "loom", "--only", "none"], args].concat());
    let (code, out, _) = check(&["set_nx_px_get_del", "--preemptions", "1"]);
    assert_eq!(code, 3, "a bound proves nothing beyond it: {out}");
    let said = out.split_whitespace().collect::<Vec<_>>().join(" ");
    for words in ["? bounded release-own-only", "complete for 2 client(s), preemption bound 1", " permutation(s), "] {
        assert!(said.contains(words), "{words}\n{out}");
    }
    let (code, out, _) = check(&["get_then_set", "--executions", "200"]);
    assert_eq!(code, 1, "{out}");
    let (code, out, err) = sandbox.run(&["replay", &sandbox.written("loom"), "--diagram"]);
    assert!(code == 1 && out.contains("REPRODUCED") && out.contains("●──────"), "{out}{err}");
    assert!(err.contains("loom's own replayer took these "), "{err}");
}

/// A database so slow that the lock's TTL runs out inside the transaction.
#[test]
fn a_violation_under_load_stops_the_run_and_names_step_and_seed() {
    let sandbox = Sandbox::new();
    let slow = short_scenario()
        .replace("lock_ttl = \"600s\"", "lock_ttl = \"60ms\"")
        .replace("seats = 100", "seats = 3")
        .replace("p50 = \"1300us\"\np95 = \"3200us\"", "p50 = \"30ms\"\np95 = \"300ms\"");
    sandbox.file("slow.toml", slow);
    let (code, out, err) = sandbox.run(&["simulate", "slow.toml", "--seed", "1"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(err.contains("✗ violated  ") && err.contains("seed 1, step "), "{err}");
    let written = err.lines().find_map(|line| line.strip_prefix("wrote ")).expect("a schedule is written");
    let (code, out, _) = sandbox.run(&["replay", written]);
    assert_eq!(code, 1, "{out}");
    assert!(out.contains("REPRODUCED"), "{out}");
    let is_small = out.contains("engine simulate, seed 1, 17 steps");
    assert!(is_small && err.contains("\nshrunk  20 client(s), "), "the time passes in it too: {err}{out}");
    let (.., large) = sandbox.run(&["simulate", "slow.toml", "--seed", "1", "--no-shrink"]);
    let written = large.lines().find_map(|line| line.strip_prefix("wrote ")).expect("a schedule is written");
    let (_, out, _) = sandbox.run(&["replay", written]);
    assert!(out.contains("51 steps") && out.contains("26089 us"), "as found, with its times: {out}");
    let (code, _, err) = sandbox.run(&["simulate", "slow.toml", "--seeds", "0..10"]);
    assert_eq!(code, 1, "{err}");
}
