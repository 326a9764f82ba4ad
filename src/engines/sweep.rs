//! One load test under many seeds, in parallel. Results do not depend on the number of threads.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;

use super::metrics::DeclarationError;
use super::panicking::LastOnPanic;
use super::simulate::{LoadTest, Run};
use crate::system::ModelError;
use crate::system::model::Model;
use crate::system::scenario::{Load, Scenario};

/// A load test by its parts, which every thread makes ready for itself.
#[derive(Copy, Clone, Debug)]
pub struct Recipe<'a> {
    /// The scenario file.
    pub scenario: &'a Scenario,
    /// Its load.
    pub load: &'a Load,
    /// Its model.
    pub model: &'static Model,
}

/// Why a sweep ended without a result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SweepError {
    /// The model is wrong.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A threshold does not fit its metric.
    #[error(transparent)]
    Threshold(#[from] DeclarationError),
}

/// What a sweep collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Swept<T> {
    /// The seeds without a gap from the first, all of them finished. Fewer than asked for after a stop.
    pub seeds: Range<u64>,
    /// What was collected from each of these, in order of seeds.
    pub collected: Vec<T>,
    /// The least seed whose run was reason to stop.
    pub stopped_at: Option<u64>,
}

/// Runs the test under each of the seeds.
///
/// `stops` says whether a run is reason to go no further; seeds below the first such one are still finished, so that
/// the least one is found whatever the number of threads. `collect` takes what is needed from a run. Setting
/// `interrupt` ends the sweep after the runs in progress. `progress` hears of every finished run.
///
/// # Errors
/// [`SweepError`]: a wrong model or threshold.
pub fn sweep<T: Send>(
    recipe: Recipe<'_>,
    seeds: Range<u64>,
    threads: NonZeroUsize,
    interrupt: &AtomicBool,
    stops: impl Fn(&Run) -> bool + Sync,
    collect: impl Fn(&Run) -> T + Sync,
    mut progress: impl FnMut(),
) -> Result<Swept<T>, SweepError> {
    let next = AtomicU64::new(seeds.start);
    let end = AtomicU64::new(seeds.end);
    let mut finished = BTreeMap::new();
    let mut failure = None;
    std::thread::scope(|scope| {
        let (sender, receiver) = mpsc::channel();
        let workers = (0..threads.get()).map(|_| {
            let (sender, next, end, stops, collect) = (sender.clone(), &next, &end, &stops, &collect);
            scope.spawn(move || {
                let _last = LastOnPanic(end);
                let result = work(recipe, next, end, interrupt, |run| {
                    if stops(&run) {
                        end.fetch_min(run.seed, Ordering::Relaxed);
                    }
                    // The receiver lives as long as this scope.
                    let _ = sender.send(Ok((run.seed, collect(&run))));
                });
                if let Err(error) = result {
                    end.store(0, Ordering::Relaxed);
                    let _ = sender.send(Err(error));
                }
            })
        });
        let workers = workers.collect::<Vec<_>>();
        drop(sender);
        for result in receiver {
            match result {
                Ok((seed, value)) => {
                    finished.insert(seed, value);
                    progress();
                }
                Err(error) => failure = Some(error),
            }
        }
        for worker in workers {
            worker.join().unwrap_or_else(|panic| resume_unwind(panic));
        }
    });
    if let Some(error) = failure {
        return Err(error);
    }
    let end = end.into_inner();
    let stopped_at = (end < seeds.end).then_some(end);
    let in_order = finished.into_iter().zip(seeds.clone());
    let collected = in_order.map_while(|((seed, value), wanted)| (seed == wanted).then_some(value)).collect::<Vec<_>>();
    let last = seeds.start + collected.len() as u64;
    Ok(Swept { seeds: seeds.start..last, collected, stopped_at: stopped_at.filter(|seed| *seed < last) })
}

fn work(
    recipe: Recipe<'_>,
    next: &AtomicU64,
    end: &AtomicU64,
    interrupt: &AtomicBool,
    mut each: impl FnMut(Run),
) -> Result<(), SweepError> {
    let test = LoadTest::new(recipe.scenario, recipe.load, recipe.model)?;
    while !interrupt.load(Ordering::Relaxed) {
        // Never beyond the end, which may be the last number there is.
        let taken = next.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |seed| {
            (seed < end.load(Ordering::Relaxed)).then(|| seed + 1)
        });
        let Ok(seed) = taken else { break };
        each(test.run(seed)?);
    }
    Ok(())
}
