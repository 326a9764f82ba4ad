//! The changes of `moviebooking_fixed` are the smallest set: without any one of them a race is back.

use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::reference::explore;
use seatproof::engines::verdict::Verdict;
use seatproof::models;
use seatproof::models::moviebooking::{FIXED, MODEL};
use seatproof::system::model::{Model, ParamKind};
use seatproof::system::scenario::{ExpectedVerdict, Scenario};
use seatproof::system::{Setting, setting};

use crate::support::built_in::scenario;

fn repaired() -> Scenario {
    scenario(models::find(FIXED.name).expect("it is built in").scenario).expect("it is valid").0
}

/// What each of these checks finds is judged with all other checks.
#[test]
fn every_change_has_a_check_that_leaves_it_out_and_expects_a_race() {
    let without = FIXED.params.iter().position(|param| param.name == "without").expect("changes can be left out");
    let ParamKind::Count { max, .. } = FIXED.params[without].kind else { panic!("a number") };
    assert_eq!(max, 8);
    let repaired = repaired();
    let left_out = repaired.checks.iter().filter(|check| check.params[without].low > 0).collect::<Vec<_>>();
    let numbers = left_out.iter().map(|check| check.params[without].low).collect::<Vec<_>>();
    assert_eq!(numbers, (1..=max).collect::<Vec<_>>());
    for check in left_out {
        let is_broken = |expected: ExpectedVerdict| matches!(expected, ExpectedVerdict::Violated { .. });
        assert!(check.expect.iter().all(|it| is_broken(it.verdict)), "{}", check.name);
    }
}

/// The part of a change that lies in the schema, and so is no parameter.
static WITHOUT_INDEX: Model = Model { schema: MODEL.schema, ..FIXED };

#[test]
fn the_unique_index_is_needed() {
    let repaired = repaired();
    let check = repaired.checks.iter().find(|check| check.name == "two-locks").expect("the check exists");
    for (model, is_safe) in [(models::find(FIXED.name).expect("it is built in").model, true), (&WITHOUT_INDEX, false)] {
        let setting: Setting = setting::of_check(&repaired, check, model);
        let found = explore(&Rc::new(setting), usize::MAX, &AtomicBool::new(false)).expect("explorable");
        let holds = found.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds);
        assert_eq!(holds, is_safe, "{:?}", found.verdicts);
    }
}
