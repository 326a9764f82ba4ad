//! loom with our world beside a hand-written loom test of the same protocol: SET NX PX, a sale, GET, compare, DEL. The
//! hand-written one has plain data, and one access to one atomic for each operation of ours, written so that loom tries
//! nothing twice: both have the same scheduling points and the same permutations, which is asserted. Ours judges the
//! properties in every state and tells final states apart; what it does the first time, when it fires steps, is in the
//! figures. Everything in one run, as ratios of the best of several.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use loom::sync::atomic::AtomicBool;
use seatproof::engines::loom::{Options, explore};
use seatproof::models;
use seatproof::system::state::Budgets;
use seatproof::system::{Setting, scenario, setting};

const RUNS: usize = 7;

fn main() {
    // Cargo asks benches for their tests too.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    println!("loom, SET NX PX with GET, compare, DEL: microseconds a permutation, best of {RUNS}");
    for (clients, rounds, preemptions) in [(2, 1, None), (2, 2, Some(3)), (3, 1, Some(3))] {
        let setting = contenders(clients, rounds);
        let (mut ours, mut hand) = (Duration::MAX, Duration::MAX);
        let (mut permutations, mut steps, mut by_hand) = (0, 0, 0);
        for _ in 0..RUNS {
            let began = Instant::now();
            let options = Options { preemptions, max_permutations: u64::MAX };
            let explored = explore(&setting, options, &Arc::default()).expect("the model is right");
            ours = ours.min(began.elapsed());
            assert!(explored.found.is_empty() && explored.bound.is_none());
            (permutations, steps) = (explored.permutations, explored.steps);
            let began = Instant::now();
            by_hand = by_hand_written(clients, rounds, preemptions);
            hand = hand.min(began.elapsed());
        }
        assert_eq!(permutations, by_hand, "both have the same scheduling points");
        let bound = preemptions.map_or("no bound".to_owned(), |bound| format!("bound {bound}"));
        let (ours, hand) = (each(ours, permutations), each(hand, by_hand));
        println!(
            "  {clients} contenders, {rounds} round(s), {bound:8}   {permutations:5} permutations of {} steps   ours \
             {ours:6.1}   by hand {hand:6.1}   ratio {:.2}",
            steps / permutations,
            ours / hand,
        );
    }
}

#[expect(clippy::cast_precision_loss, reason = "a time for people to read")]
fn each(elapsed: Duration, count: u64) -> f64 {
    elapsed.as_secs_f64() * 1e6 / count as f64
}

/// So many contenders for one seat, every customer buying.
fn contenders(clients: usize, rounds: u32) -> Setting {
    let entry = models::find("set_nx_px_get_del").expect("the model is built in");
    let declarations = models::CATALOG.map(|entry| entry.model.declaration());
    let (scenario, _) = scenario::parse(Path::new("bench"), entry.scenario, &declarations).expect("it is valid");
    let check = scenario.checks.iter().find(|it| it.name == "none").expect("the check exists");
    let setting = setting::of_check(&scenario, check, entry.model);
    let journeys = setting.journeys.iter().copied().cycle().take(clients).collect();
    let buys = [1_i64].as_slice().into();
    let draws = BTreeMap::from([("buys".to_owned(), vec![buys])]);
    Setting { journeys, rounds: Some(rounds), budgets: Budgets::default(), draws, ..setting }
}

/// What the contenders of the hand-written test share.
#[derive(Default)]
struct Shop {
    lock: Option<(usize, u64)>,
    bookings: Vec<u64>,
    now_ms: u64,
}

/// The number of permutations of the hand-written test.
fn by_hand_written(clients: usize, rounds: u32, preemptions: Option<u8>) -> u64 {
    let permutations = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&permutations);
    let mut builder = loom::model::Builder::new();
    builder.expect_explicit_explore = true;
    builder.preemption_bound = preemptions.map(usize::from);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        let shop = Arc::new(Mutex::new(Shop::default()));
        let point = Arc::new(AtomicBool::new(false));
        let start = |me| {
            let (shop, point) = (Arc::clone(&shop), Arc::clone(&point));
            loom::thread::spawn(move || {
                (0..rounds).for_each(|round| contend(me, round == 0, &shop, &point));
                assert!(shop.lock().expect("nobody panicked").bookings.len() <= 1);
            });
        };
        (1..=clients).for_each(start);
        loom::explore();
    });
    permutations.load(Ordering::Relaxed)
}

/// One round of one contender: as many accesses as the model has operations.
fn contend(me: usize, is_first: bool, shop: &Mutex<Shop>, point: &AtomicBool) {
    let operation = |f: &mut dyn FnMut(&mut Shop) -> bool| {
        point.store(true, Ordering::Relaxed);
        f(&mut shop.lock().expect("nobody panicked"))
    };
    let mut asked_at_ms = 0;
    // loom looks for alternatives where it chose the thread, not once more at its first access.
    if is_first {
        loom::stop_exploring();
    }
    operation(&mut |_| true);
    if is_first {
        loom::explore();
    }
    operation(&mut |shop| {
        asked_at_ms = shop.now_ms;
        true
    });
    let is_mine = operation(&mut |shop| {
        let is_free = shop.lock.is_none_or(|(_, until_ms)| until_ms < shop.now_ms);
        if is_free {
            shop.lock = Some((me, asked_at_ms + 30_000));
        }
        is_free
    });
    if !is_mine {
        return;
    }
    operation(&mut |_| true);
    let is_booked = operation(&mut |shop| shop.bookings.contains(&1));
    if !is_booked {
        operation(&mut |shop| {
            shop.bookings.push(1);
            true
        });
    }
    if operation(&mut |shop| shop.lock.is_some_and(|(owner, _)| owner == me)) {
        operation(&mut |shop| shop.lock.take().is_some());
    }
}
