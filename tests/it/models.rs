//! Every scenario of `models/` is a test case: the expected verdicts, the pinned numbers of states, and every found
//! schedule replays.

use std::path::Path;
use std::rc::Rc;
use std::sync::atomic::AtomicBool;
use std::thread;

use seatproof::engines::reference::explore;
use seatproof::engines::replay::replay;
use seatproof::engines::verdict::Exploration;
use seatproof::models::{self, CATALOG, Entry};
use seatproof::report::exploration::judge;
use seatproof::system::Setting;
use seatproof::system::schedule::{self, Schedule, of_steps};
use seatproof::system::{model::Model, setting};

use crate::support::built_in::scenario;
use crate::support::golden;

/// The model whose counterexamples are kept, and where.
const KEPT: &str = "moviebooking";
const SCHEDULES: &str = "tests/schedules";

fn schedules(setting: &Rc<Setting>, exploration: &Exploration) -> Vec<Schedule> {
    let violated = exploration.verdicts.iter().filter_map(|(property, verdict)| {
        let found = verdict.counterexample().filter(|found| found.is_shown())?;
        Some((property, found))
    });
    let schedules = violated.map(|(property, found)| {
        let violation = Some(((*property).to_owned(), found.reason.clone()));
        of_steps(setting, &found.steps, "reference", "test", violation).expect("the model is right")
    });
    schedules.collect()
}

#[test]
fn every_check_gives_the_expected_verdicts() {
    // A thread for each model: one after the other they take longer than all other tests together.
    thread::scope(|scope| {
        for entry in CATALOG {
            scope.spawn(move || gives_the_expected_verdicts(entry));
        }
    });
}

fn gives_the_expected_verdicts(entry: Entry) {
    let (loaded, warnings) = scenario(entry.scenario).expect("the built-in scenario is right");
    assert_eq!(warnings, [], "{}", entry.model.name);
    for check in &loaded.checks {
        assert!(!check.expect.is_empty(), "check {} says what is expected", check.name);
        let setting = Rc::new(setting::of_check(&loaded, check, entry.model));
        let states = usize::try_from(check.bounds.max_states).expect("fits");
        let found = explore(&setting, states, &AtomicBool::new(false)).expect("the model is right");
        let schedules = schedules(&setting, &found);
        let judged = judge(check, &found, &schedules);
        assert!(judged.is_as_expected(), "{} / {}: {judged:?} {found:?}", entry.model.name, check.name);
        for schedule in &schedules {
            replays(entry.model, schedule);
            if entry.model.name == KEPT {
                let (property, _) = schedule.violation.as_ref().expect("the schedule breaks a property");
                let path = format!("{SCHEDULES}/{}-{property}.replay", check.name);
                golden::assert_file(&path, &schedule.to_string());
            }
        }
    }
}

/// Through its text, as a user would: the same steps break the same property and end in the same state.
fn replays(model: &'static Model, schedule: &Schedule) {
    let text = schedule.to_string();
    let read = schedule::parse(Path::new("found.replay"), &text).expect("what is written can be read");
    assert_eq!(read, *schedule);
    let setting = Rc::new(read.setting.resolve(model).expect("the model has all that the schedule names"));
    let replayed = replay(&setting, &read).expect("the model is right");
    assert_eq!(replayed.divergence, None);
    assert_eq!(replayed.fingerprint.to_string(), schedule.fingerprint);
    let (property, _) = schedule.violation.as_ref().expect("the schedule breaks a property");
    let (at, _) = replayed.violations.iter().find(|(_, found)| found.property == property).expect("the same property");
    assert_eq!(*at, schedule.steps.len(), "a shortest way breaks the property with its last step");
}

/// Every race of the measured service is kept as a schedule, and each still breaks what its file says.
#[test]
fn the_schedules_that_are_kept_replay() {
    for path in golden::files(SCHEDULES) {
        let text = std::fs::read_to_string(golden::project(&path)).expect("a readable file");
        let schedule = schedule::parse(Path::new(&path), &text).expect("a schedule");
        replays(models::find(&schedule.setting.model).expect("a built-in model").model, &schedule);
    }
}

#[test]
fn the_catalogue_finds_models_by_name_and_each_has_its_file() {
    for entry in CATALOG {
        assert!(models::find(entry.model.name).is_some());
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
        let file = std::fs::read_to_string(folder.join(format!("{}.toml", entry.model.name))).expect("the pair exists");
        assert_eq!(file, entry.scenario);
    }
    assert!(models::find("no-such-model").is_none());
}
