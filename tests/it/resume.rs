//! A search that is stopped, kept and gone on with comes to what one comes to that nobody stopped.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::explore::{Explored, Keep, Options, Reductions, explore, explore_kept};
use seatproof::models;
use seatproof::system::state::Budgets;
use seatproof::system::{Service, Setting, setting};

use crate::support::built_in::scenario;

fn setting_of(model: &str, check: &str) -> Setting {
    let entry = models::find(model).expect("a built-in model");
    let (loaded, _) = scenario(entry.scenario).expect("the built-in scenario is right");
    let check = loaded.checks.iter().find(|it| it.name == check).expect("the check exists");
    setting::of_check(&loaded, check, entry.model)
}

fn options(max_states: usize, threads: usize, reduction: bool) -> Options {
    let threads = NonZeroUsize::new(threads).expect("at least one");
    Options {
        max_states,
        max_bytes: None,
        threads,
        reductions: Reductions::all_if(reduction),
        exact: false,
        final_states: !reduction,
    }
}

/// Stopped after every so many states; how often it was, and what it came to.
fn piece_by_piece(setting: &Rc<Setting>, piece: usize, threads: usize, reduction: bool) -> (usize, Explored) {
    let (mut stops, mut kept): (usize, Option<Vec<u8>>) = (0, None);
    loop {
        let keep = kept.as_deref().map_or(Keep::Yes, Keep::From);
        let options = options((stops + 1) * piece, threads, reduction);
        let explored = explore_kept(setting, options, keep, &AtomicBool::new(false), &mut |_| ());
        let (explored, left) = explored.expect("explorable").expect("it is of this setting");
        let Some(left) = left else { return (stops, explored) };
        kept = Some(left);
        stops += 1;
    }
}

#[test]
fn stopping_changes_nothing() {
    let crash = Budgets { crash: 1, ..Budgets::default() };
    let scarce = Service { instances: 1, workers: 1, connections: 1 };
    let settings = [
        // Interchangeable clients, and a violation that is found late.
        setting_of("set_nx_px_blind_del", "pause"),
        // Everything holds, so the search goes on to its end.
        setting_of("moviebooking", "lock-release"),
        // A prologue, a violation.
        setting_of("moviebooking", "confirm-and-release"),
        // Steps that depend on everything: queues are served.
        Setting { service: scarce, ..setting_of("moviebooking", "lock-release") },
        Setting { budgets: crash, ..setting_of("get_then_set", "none") },
    ];
    for setting in settings {
        let (name, setting) = (setting.model.name, Rc::new(setting));
        for reduction in [true, false] {
            let never = AtomicBool::new(false);
            let whole = explore(&setting, options(usize::MAX, 1, reduction), &never).expect("explorable");
            let (stops, pieces) = piece_by_piece(&setting, whole.exploration.states / 4, 1, reduction);
            assert!(stops > 2, "{name}: {} states", whole.exploration.states);
            assert_eq!(pieces.exploration, whole.exploration, "{name}, reduction {reduction}, {stops} stops");
            assert_eq!(pieces.is_symmetric, whole.is_symmetric, "{name}");
        }
    }
}

/// Levels of more than 8,192 states are expanded by several threads.
#[test]
fn a_search_by_several_threads_is_gone_on_with_by_one() {
    let mut seatlock = setting_of("seatlock", "fenced");
    seatlock.journeys = vec![seatlock.journeys[0]; 4];
    seatlock.budgets.evict = 1;
    let setting = Rc::new(seatlock);
    let whole = explore(&setting, options(usize::MAX, 2, false), &AtomicBool::new(false)).expect("explorable");
    let (stops, pieces) = piece_by_piece(&setting, whole.exploration.states / 2, 2, false);
    assert!(stops == 1 || stops == 2, "{stops}");
    assert_eq!(pieces.exploration, whole.exploration);
    // Each of them would otherwise be started at every pause, and wait at work for its turn.
    let crowd = explore(&setting, options(usize::MAX, 1_000, false), &AtomicBool::new(false)).expect("explorable");
    assert_eq!(crowd.exploration, whole.exploration);
}

#[test]
fn what_is_of_another_setting_is_refused() {
    let (one, other) = (setting_of("moviebooking", "lock-release"), setting_of("moviebooking", "double-confirm"));
    let stop = AtomicBool::new(false);
    let kept = explore_kept(&Rc::new(one), options(100, 1, true), Keep::Yes, &stop, &mut |_| ());
    let kept = kept.expect("explorable").expect("nothing was kept before").1.expect("it was stopped");
    for bytes in [&kept[..kept.len() / 2], &[], b"nothing of the kind"] {
        let setting = Rc::new(other.clone());
        let refused = explore_kept(&setting, options(100, 1, true), Keep::From(bytes), &stop, &mut |_| ());
        assert!(refused.expect("explorable").is_none());
    }
}
