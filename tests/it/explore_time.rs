//! Time without a bound: the explorer keeps it relative to the present, comes to an end, and finds what the reference
//! explorer finds with absolute time.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::explore::audit::audit;
use seatproof::engines::explore::{Options, Reductions, explore};
use seatproof::engines::reference;
use seatproof::engines::verdict::{Exploration, Verdict};
use seatproof::models::CATALOG;
use seatproof::process::{Ctx, Flow, Mark};
use seatproof::system::model::{Journey, Model};
use seatproof::system::pace::Pace;
use seatproof::system::property::{GENERAL, Property, Reads, Rule, Subject};
use seatproof::system::state::Budgets;
use seatproof::system::{Setting, setting};
use seatproof::world::reply::Reply;

use crate::support::built_in::scenario;

static PATIENT: Model = Model {
    name: "patient",
    about: "Clients that wait, and take a lock with a TTL.",
    journeys: &[
        Journey { name: "retry", about: "SET NX PX, a pause, again.", run: |ctx| Box::pin(retry(ctx)) },
        Journey { name: "reckless", about: "As if there were no TTL.", run: |ctx| Box::pin(reckless(ctx)) },
        Journey { name: "historian", about: "Asks when the lock ends.", run: |ctx| Box::pin(historian(ctx)) },
        Journey { name: "prompt", about: "Holds what it gets at once.", run: |ctx| Box::pin(prompt(ctx)) },
    ],
    properties: &[Property {
        name: "early",
        about: "No lock is seen to end later than two seconds after the start.",
        reads: Reads::Locks,
        subject: Subject::Always,
        rule: Rule::Never(|state| state.world.redis[0].live_value(b"late", 0).map(|_| "one is".to_owned())),
        is_default: true,
    }],
    ..Model::BARE
};

async fn take(ctx: &mut Ctx) -> bool {
    let token = ctx.token();
    ctx.redis([b"SET".as_slice(), b"k", &token, b"NX", b"PX", b"1000"]).await == Ok(Reply::OK)
}

async fn retry(mut ctx: Ctx) -> Flow {
    let is_taken = take(&mut ctx).await;
    ctx.sleep_us(if is_taken { 1_500_000 } else { 300_000 }).await;
    Flow::Again
}

async fn reckless(mut ctx: Ctx) -> Flow {
    if take(&mut ctx).await {
        ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
        ctx.sleep_us(700_000).await;
    }
    Flow::Again
}

async fn historian(mut ctx: Ctx) -> Flow {
    take(&mut ctx).await;
    if let Ok(Reply::Int(ends_s)) = ctx.redis(["EXPIRETIME", "k"]).await
        && ends_s > 2
    {
        let _ = ctx.redis(["SET", "late", "1"]).await;
    }
    ctx.sleep_us(900_000).await;
    Flow::Again
}

async fn prompt(mut ctx: Ctx) -> Flow {
    let asked = ctx.now().await;
    if take(&mut ctx).await && ctx.now().await == asked {
        ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
    }
    Flow::Done
}

fn patient(journeys: &[&str], rounds: u32) -> Rc<Setting> {
    Rc::new(Setting {
        rounds: Some(rounds),
        budgets: Budgets { time_steps: u32::MAX, ..Budgets::default() },
        properties: GENERAL.iter().chain(PATIENT.properties).copied().collect(),
        ..Setting::of(&PATIENT, journeys)
    })
}

fn explored(setting: &Rc<Setting>, max_states: usize, reduction: bool) -> Exploration {
    let threads = NonZeroUsize::MIN;
    let options = Options {
        max_states,
        max_bytes: None,
        threads,
        reductions: Reductions::all_if(reduction),
        exact: false,
        final_states: false,
    };
    explore(setting, options, &AtomicBool::new(false)).expect("explorable").exploration
}

fn lengths(exploration: &Exploration) -> Vec<Option<usize>> {
    let length = |verdict: &Verdict| match verdict {
        Verdict::Violated(found) => Some(found.steps.len()),
        Verdict::Holds => None,
        Verdict::Unknown(bound) => panic!("stopped at {bound:?}"),
    };
    exploration.verdicts.iter().map(|(_, verdict)| length(verdict)).collect()
}

#[test]
fn states_that_differ_in_when_they_are_reached_are_one() {
    let mut sizes = Vec::new();
    for (journeys, rounds) in [(["retry", "retry"], 2), (["retry", "retry"], 3), (["reckless", "retry"], 2)] {
        let setting = patient(&journeys, rounds);
        let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable");
        let relative = explored(&setting, usize::MAX, true);
        assert_eq!(lengths(&relative), lengths(&oracle), "{journeys:?}");
        sizes.push((oracle.states, relative.states));
        assert!(audit(&setting).expect("explorable") < oracle.states, "{journeys:?}");
    }
    assert_eq!(sizes, [(956, 124), (6_349, 319), (1_102, 249)]);
}

/// Relative to the present no lock of a second would end later than two seconds from the start.
#[test]
fn a_model_that_asks_when_something_is_keeps_absolute_time() {
    let setting = patient(&["historian"], 3);
    let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable");
    let found = explored(&setting, usize::MAX, true);
    assert_eq!(lengths(&found), lengths(&oracle));
    assert!(matches!(found.verdicts.last(), Some(("early", Verdict::Violated(_)))));
}

/// Nobody stands still for longer than the lock lives, so whoever comes second finds it there. With a millisecond more
/// he may find it gone.
#[test]
fn how_long_somebody_has_waited_is_not_forgotten_when_the_present_moves_back() {
    let shared = Property {
        name: "two-can-hold",
        about: "Two clients can hold the seat.",
        reads: Reads::Ghost,
        subject: Subject::Always,
        rule: Rule::Reachable(|state| {
            let holders = state.world.ghost.holders.get(&1)?;
            (holders.len() == 2).then(|| "two hold it".to_owned())
        }),
        is_default: true,
    };
    let mut found = Vec::new();
    for max_pause_us in [1_000_000, 1_000_500, 1_001_000] {
        let mut setting = (*patient(&["prompt", "prompt"], 1)).clone();
        setting.pace = Pace { max_delay_us: None, max_pause_us: Some(max_pause_us) };
        setting.properties.push(shared);
        let setting = Rc::new(setting);
        let oracle = reference::explore(&setting, usize::MAX, &AtomicBool::new(false)).expect("explorable");
        let relative = explored(&setting, usize::MAX, true);
        assert_eq!(lengths(&relative), lengths(&oracle), "{max_pause_us}");
        audit(&setting).expect("explorable");
        let reached = relative.verdicts.iter().find(|(property, _)| *property == "two-can-hold").expect("it is judged");
        found.push(reached.1 == Verdict::Holds);
    }
    assert_eq!(found, [false, false, true], "a key is dead only after its last millisecond");
}

/// What is small enough with time that passes without a bound.
#[test]
fn every_small_check_gives_the_same_verdicts_without_a_bound_on_time() {
    const STATES_MAX: usize = 1_000;
    let (mut compared, mut merged) = (0, 0);
    for entry in CATALOG {
        let (judged, _) = scenario(entry.scenario).expect("it is valid");
        for check in &judged.checks {
            let mut setting = setting::of_check(&judged, check, entry.model);
            setting.budgets.time_steps = u32::MAX;
            let setting = Rc::new(setting);
            let absolute = explored(&setting, STATES_MAX, false);
            if absolute.states <= STATES_MAX {
                let relative = explored(&setting, usize::MAX, true);
                assert_eq!(lengths(&relative), lengths(&absolute), "{} {}", entry.model.name, check.name);
                compared += 1;
                merged += usize::from(relative.states < absolute.states);
            }
        }
    }
    assert!(compared > 10 && merged > 10, "{compared} compared, {merged} of them smaller");
}

/// What a replica has and what is on its way to it move back with the present.
#[test]
fn replicas_change_nothing_about_time_without_a_bound() {
    const STATES_MAX: usize = 9_000;
    let mut compared = Vec::new();
    for entry in CATALOG {
        let (judged, _) = scenario(entry.scenario).expect("it is valid");
        let whole = setting::of_check(&judged, &judged.checks[0], entry.model);
        for failover in [0, 1] {
            let budgets = Budgets { time_steps: u32::MAX, failover, ..Budgets::default() };
            let setting = Rc::new(Setting { replicas: 1, rounds: Some(1), budgets, ..whole.clone() });
            let absolute = explored(&setting, STATES_MAX, false);
            if absolute.states <= STATES_MAX {
                let relative = explored(&setting, usize::MAX, true);
                assert_eq!(lengths(&relative), lengths(&absolute), "{}, {failover}", entry.model.name);
                compared.push((entry.model.name, failover, absolute.states, relative.states));
            }
        }
    }
    assert!(compared.len() >= 9, "{compared:?}");
}
