//! Whether a suspected schedule can happen: at which step it cannot, why, and what would make it possible.

use std::rc::Rc;

use seatproof::engines::why_not::{Answer, Before, why_not};
use seatproof::models;
use seatproof::report::{self, Signs};
use seatproof::system::schedule::{Line, Schedule, SettingText, of_steps};
use seatproof::system::state::Budgets;
use seatproof::system::{Setting, setting};

use super::support::built_in::scenario;

/// Two clients, one lock that expires, and these steps.
fn suspected(budgets: Budgets, steps: &[&str]) -> (Rc<Setting>, Schedule) {
    let entry = models::find("set_nx_px_lua_release").expect("a built-in model");
    let (loaded, _) = scenario(entry.scenario).expect("the built-in scenario is right");
    let check = loaded.checks.iter().find(|it| it.name == "pause").expect("the check exists");
    let setting = Rc::new(Setting { budgets, ..setting::of_check(&loaded, check, entry.model) });
    let mut schedule = of_steps(&setting, &[], "explore", "suspicion", None).expect("the model is right");
    let line = |text: &&str| Line { at_us: None, text: (*text).to_owned(), label: String::new() };
    schedule.steps = steps.iter().map(line).collect();
    assert_eq!(schedule.setting, SettingText::of(&setting));
    (setting, schedule)
}

fn pause() -> Budgets {
    Budgets { time_steps: 2, ..Budgets::default() }
}

fn answered(budgets: Budgets, steps: &[&str]) -> (Answer, String) {
    let (setting, schedule) = suspected(budgets, steps);
    let answer = why_not(&setting, &schedule).expect("the model is right");
    let text = report::why_not::text(&schedule, &answer, Signs::UTF8);
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    (answer, text)
}

#[test]
fn what_can_happen_is_followed_to_its_end() {
    let (answer, text) = answered(pause(), &["vu1: draws seats = 1", "vu2: draws seats = 1"]);
    assert!(answer.obstacles.is_empty(), "{text}");
    assert!(text.contains("CAN HAPPEN  all 2 steps, in this order"), "{text}");
}

/// vu1 has the lock, so vu2 is refused and asks for seats again; both can only have it once time has passed.
#[test]
fn a_lock_that_is_held_is_named_with_its_owner_and_with_what_would_end_it() {
    let set = |vu: u8| format!("vu{vu}: SET lock:seat:1 vu{vu}#1 NX PX 30000");
    let (first, second) = (set(1), set(2));
    let steps = [
        "vu1: draws seats = 1",
        "vu1: reads its clock",
        &first,
        "vu2: draws seats = 1",
        "vu2: reads its clock",
        &second,
        "vu2: draws buys = 1",
    ];
    let (answer, text) = answered(pause(), &steps);
    let obstacle = &answer.obstacles[0];
    assert_eq!((obstacle.divergence.number, answer.followed), (7, 7), "{text}");
    for words in [
        "CANNOT HAPPEN  at step 7: vu2: draws buys = 1",
        "why       vu2 can do this instead: vu2: draws seats = 1",
        "heard     nil at step 6: vu2: SET lock:seat:1 vu2#1 NX PX 30000",
        "redis     lock:seat:1 is vu1#1 until 30000000us since step 3",
        "first     ",
        "all 7 steps can happen",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // vu2 comes to it in its second round, when vu1's lock is gone.
    let Before::Steps(before) = &obstacle.before else { panic!("it becomes possible: {text}") };
    let names = before.iter().map(|line| line.text.as_str()).collect::<Vec<_>>();
    assert!(names.iter().any(|name| name.starts_with("vu2: SET lock:seat:1 vu2#2")), "{names:?}");
}

#[test]
fn what_nothing_makes_possible_is_told_with_the_states_that_were_looked_at() {
    let (answer, text) =
        answered(Budgets::default(), &["vu1: draws seats = 1", "time 30000000", "vu2: draws seats = 1"]);
    assert!(matches!(answer.obstacles[0].before, Before::Nothing(states) if states > 10), "{text}");
    assert_eq!(answer.followed, 1);
    assert!(text.contains("CANNOT HAPPEN  at step 2: time 30000000"), "{text}");
    assert!(text.contains("why       the setting has no budget `time_steps`"), "{text}");
    assert!(text.contains("first     nothing makes it possible"), "{text}");
    assert!(text.contains("then      the first 1 of 3 steps can happen, and no further"), "{text}");
}

#[test]
fn every_obstacle_is_told_in_the_numbers_of_the_file() {
    let steps = ["vu1: reads its clock", "vu2: reads its clock"];
    let (answer, text) = answered(pause(), &steps);
    let numbers = answer.obstacles.iter().map(|it| it.divergence.number).collect::<Vec<_>>();
    assert_eq!((numbers, answer.followed), (vec![1, 2], 2), "{text}");
    assert!(text.contains("with the 2 step(s) named above put in, all 2 steps can happen"), "{text}");
    let json = report::why_not::json(&suspected(pause(), &steps).1, &answer);
    assert_eq!((&json["can_happen"], &json["obstacles"][1]["step"]), (&false.into(), &2.into()), "{json}");
    assert_eq!(json["obstacles"][0]["first"][0]["do"], "vu1: draws seats = 1", "{json}");
}
