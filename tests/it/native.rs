//! Executions in the notation of the engine that found them: its own replayer takes the same steps, and nothing that is
//! damaged or of another model makes it panic.

use std::num::NonZeroUsize;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use seatproof::engines::native;
use seatproof::engines::replay::replay;
use seatproof::engines::shuttle::{Options, Scheduler, sample};
use seatproof::engines::verdict::Finding;
use seatproof::engines::{loom, native::NativeError};
use seatproof::models;
use seatproof::system::schedule::{self, Schedule};
use seatproof::system::{Setting, setting};

use crate::support::built_in::scenario;

fn never() -> Arc<AtomicBool> {
    Arc::default()
}

/// So many clients of the broken lock, two rounds each.
fn naive(clients: usize) -> Rc<Setting> {
    let entry = models::find("get_then_set").expect("the model is built in");
    let loaded = scenario(entry.scenario).expect("it is valid").0;
    let setting = setting::of_check(&loaded, &loaded.checks[0], entry.model);
    let journeys = setting.journeys.iter().copied().cycle().take(clients).collect();
    Rc::new(Setting { journeys, rounds: Some(2), ..setting })
}

/// What each engine with a notation of its own finds, as it is written.
fn found() -> [(Rc<Setting>, Finding, Schedule); 2] {
    let (many, few) = (naive(30), naive(2));
    let threads = NonZeroUsize::MIN;
    let options = Options { scheduler: Scheduler::Urw, seed: 1, executions: 100, max_steps: 10_000, threads };
    let sampled = sample(&many, options, &never()).expect("the model is right").found.expect("it is broken");
    let options = loom::Options { preemptions: Some(2), max_permutations: 1_000 };
    let mut permuted = loom::explore(&few, options, &never()).expect("the model is right").found;
    let permuted = permuted.pop().expect("it is broken");
    let packed = |setting: &Rc<Setting>, found: &Finding, engine: &str| {
        native::schedule(setting, found, engine, "test").expect("the model is right").expect("it has a notation")
    };
    let schedules = [packed(&many, &sampled, "shuttle"), packed(&few, &permuted, "loom")];
    let [of_shuttle, of_loom] = schedules;
    [(many, sampled, of_shuttle), (few, permuted, of_loom)]
}

fn parsed(text: &str) -> Schedule {
    schedule::parse(Path::new("found.shuttle"), text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn what_an_engine_found_its_own_replayer_finds_again_from_the_file_alone() {
    for (setting, finding, packed) in found() {
        let text = packed.to_string();
        assert!(!text.contains("do = "), "no step is written out:\n{text}");
        let read = parsed(&text);
        let resolved = Rc::new(read.resolve(setting.model).expect("the model is the same"));
        let named = native::named(&resolved, read).expect("the model is the same");
        assert_eq!(named.steps, packed.steps, "{}", packed.engine);
        let again = replay(&resolved, &named).expect("the model is right");
        assert_eq!(again.divergence, None);
        assert_eq!(again.steps, finding.counterexample.steps);
        assert_eq!((again.fingerprint.to_string(), again.model_hash), (packed.fingerprint, packed.model_hash));
        let mut last = again.violations.iter().filter(|(number, _)| *number == again.steps.len());
        assert!(last.any(|(_, it)| it.property == finding.property), "{:?}", again.violations);
    }
}

#[test]
fn an_execution_of_another_model_is_refused_or_ends_otherwise() {
    for (setting, _, packed) in found() {
        let read = parsed(&packed.to_string());
        // As if clients had one round less, or one of them had gone.
        let shorter = Setting { rounds: Some(1), ..Setting::clone(&setting) };
        let smaller = Setting { journeys: setting.journeys[1..].to_vec(), ..shorter.clone() };
        for other in [shorter, smaller] {
            match native::named(&Rc::new(other), read.clone()) {
                Err(NativeError::Refused { engine, reason }) => assert!(engine == packed.engine && !reason.is_empty()),
                Err(NativeError::Model(error)) => panic!("{error}"),
                Ok(named) => assert!(named.steps.len() <= packed.steps.len()),
            }
        }
    }
}

#[test]
fn a_damaged_one_is_refused_before_the_engine_sees_it() {
    for (_, _, packed) in found() {
        let text = packed.to_string();
        let at = text.find("\nnative = ").expect("it is there") + 20;
        let mut damaged =
            vec![text.replace("rounds = 2", "rounds = 2000000000"), text.replace("native = ", "nativ = ")];
        damaged.push(text.replace("engine = \"shuttle\"", "engine = \"loom\"").replace("\"loom\"", "\"shuttle\""));
        damaged.extend([at, at + 7, at + 30].map(|at| {
            let digit = if &text[at..=at] == "1" { "2" } else { "1" };
            format!("{}{digit}{}", &text[..at], &text[at + 1..])
        }));
        for (index, text) in damaged.iter().enumerate().filter(|(_, damaged)| **damaged != text) {
            let error = schedule::parse(Path::new("found.shuttle"), text).expect_err("it was damaged");
            assert_eq!(error.code.id, "SP0401", "{index}: {error}");
        }
    }
}
