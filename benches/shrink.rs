//! How small a violation among 100 contenders becomes, beside the shortest one that exhausting two of them knows.
//! The table of docs/replay.md, with times.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use seatproof::engines::exact::Ratio;
use seatproof::engines::portfolio::SCHEDULERS;
use seatproof::engines::reference::explore;
use seatproof::engines::shrink::{Minimality, ShrinkOptions, shrink};
use seatproof::engines::shuttle::{MAX_STEPS, Options, sample};
use seatproof::engines::verdict::{Finding, Verdict};
use seatproof::models;
use seatproof::system::scenario::{self, Check, ExpectedVerdict, Scenario};
use seatproof::system::{Setting, setting};

const CONTENDERS: usize = 100;
const SEED: u64 = 42;

fn main() {
    // Cargo asks benches for their tests too.
    if std::env::args().any(|arg| arg == "--list" || arg == "--test") {
        return;
    }
    println!("| model, check | property | found | shrunk | shortest | ratio | executions | seconds |");
    println!("|---|---|---|---|---|---|---|---|");
    let mut ratios = Vec::new();
    for entry in models::CATALOG {
        let declarations = models::CATALOG.map(|entry| entry.model.declaration());
        let (scenario, _) = scenario::parse(Path::new("shrink"), entry.scenario, &declarations).expect("it is valid");
        let Some((check, large, found)) = first(&scenario, entry.model) else { continue };
        let began = Instant::now();
        let steps = &found.counterexample.steps;
        let never = AtomicBool::new(false);
        let small = shrink(&large, steps, found.property, &ShrinkOptions::default(), &never).expect("it is broken");
        let seconds = began.elapsed().as_secs_f64();
        let mut oracle = setting::of_check(&scenario, check, entry.model);
        oracle.properties.retain(|property| property.name == found.property);
        let explored = explore(&Rc::new(oracle), 2_000_000, &never).expect("the model is right");
        let shortest = match explored.verdicts.first() {
            Some((_, Verdict::Violated(shortest))) => shortest.steps.len(),
            other => panic!("{}: {other:?}", entry.model.name),
        };
        let after = small.steps.len();
        let ratio = Ratio::of_counts(after as u64, shortest as u64);
        ratios.push(ratio);
        println!(
            "| {}, {} | {} | {} | {after}{} | {shortest} | {} | {} | {seconds:.2} |",
            entry.model.name,
            check.name,
            found.property,
            steps.len(),
            if small.minimality == Minimality::Shortest { "" } else { " (not searched)" },
            ratio.fixed(2),
            small.replays,
        );
    }
    let sum = ratios.iter().map(|ratio| ratio.times(10_000).floor()).sum::<i128>();
    let count = i128::try_from(ratios.len()).expect("a few models");
    println!("\nmean ratio over {count} models: {}", Ratio::new(sum, count * 10_000).fixed(2));
}

/// What the first violated check that any scheduler finds broken at full size is broken by.
fn first<'a>(
    scenario: &'a Scenario,
    model: &'static seatproof::system::model::Model,
) -> Option<(&'a Check, Setting, Finding)> {
    let is_violated = |it: &scenario::Expectation| matches!(it.verdict, ExpectedVerdict::Violated { .. });
    let broken = scenario.checks.iter().filter(|check| check.expect.iter().any(is_violated));
    broken.into_iter().find_map(|check| {
        let setting = setting::of_check(scenario, check, model);
        let journeys = setting.journeys.iter().copied().cycle().take(CONTENDERS).collect();
        let large = Setting { journeys, ..setting };
        SCHEDULERS.into_iter().find_map(|scheduler| {
            let threads = std::thread::available_parallelism().expect("a number of cores");
            let options = Options { scheduler, seed: SEED, executions: 500, max_steps: MAX_STEPS, threads };
            let never = Arc::new(AtomicBool::new(false));
            let found = sample(&large, options, &never).expect("the model is right").found?;
            Some((check, large.clone(), found))
        })
    })
}
