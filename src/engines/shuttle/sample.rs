//! Many executions, each under a seed of its own, on several threads of the operating system. What comes out does not
//! depend on their number: executions are numbered, and those after the first violation do not count.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use xxhash_rust::xxh3::xxh3_64;

use super::director::{Choose, Director};
use super::policy::{Policy, Scheduler};
use super::stage::Stage;
use super::threads::{Thread, Threads};
use crate::engines::panicking::LastOnPanic;
use crate::engines::prng::{Purpose, Stream};
use crate::engines::verdict::{Counterexample, Finding};
use crate::system::exercised::Exercised;
use crate::system::fingerprint::Fingerprint;
use crate::system::{Halves, ModelError, Setting, System};

/// How to sample.
#[derive(Copy, Clone, Debug)]
pub struct Options {
    /// Who picks the next thread. The first execution is always random: it tells how long the others will be.
    pub scheduler: Scheduler,
    /// Everything that is drawn follows from it.
    pub seed: u64,
    /// Executions, at most.
    pub executions: u64,
    /// Steps after which an execution is given up.
    pub max_steps: usize,
    /// Threads of the operating system.
    pub threads: NonZeroUsize,
}

/// What sampling met.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sampled {
    /// Executions, the violating one included.
    pub executions: u64,
    /// Their steps.
    pub steps: u64,
    /// Different schedules among them.
    pub distinct_schedules: usize,
    /// Different states in which they ended.
    pub distinct_final_states: usize,
    /// What the executions exercised.
    pub exercised: Exercised,
    /// The violation of the first execution that met one.
    pub found: Option<Finding>,
}

/// One execution.
struct Record {
    steps: u64,
    schedule: u64,
    last: Fingerprint,
    exercised: Exercised,
    found: Option<Finding>,
}

/// What the threads of a run share.
struct Shared {
    /// Number of the next execution that nobody has taken.
    next: AtomicU64,
    /// Number of the first violating execution so far.
    first: AtomicU64,
    stop: Arc<AtomicBool>,
}

/// Samples executions until one violates a property of the setting, or there were enough.
///
/// Setting `stop` ends the run early; the executions that were finished by then count, as far as no earlier one is
/// missing.
///
/// # Errors
/// [`ModelError`]: a wrong model.
pub fn sample(setting: &Setting, options: Options, stop: &Arc<AtomicBool>) -> Result<Sampled, ModelError> {
    let shared = Arc::new(Shared { next: AtomicU64::new(2), first: AtomicU64::new(u64::MAX), stop: Arc::clone(stop) });
    let results = std::thread::scope(|scope| {
        let workers = (0..options.threads.get()).map(|_| scope.spawn(|| work(setting, options, &shared)));
        let workers = workers.collect::<Vec<_>>();
        let joined = workers.into_iter().map(|worker| worker.join());
        joined.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect::<Vec<_>>()
    });
    let mut records = BTreeMap::new();
    for result in results {
        records.extend(result?);
    }
    Ok(Sampled::of(records))
}

impl Sampled {
    fn of(records: BTreeMap<u64, Record>) -> Self {
        let (mut schedules, mut states) = (BTreeSet::new(), BTreeSet::new());
        let mut sampled = Self::default();
        for (number, record) in records {
            if number != sampled.executions + 1 {
                break;
            }
            sampled.executions = number;
            sampled.steps += record.steps;
            schedules.insert(record.schedule);
            states.insert(record.last);
            sampled.exercised.merge(record.exercised);
            if record.found.is_some() {
                sampled.found = record.found;
                break;
            }
        }
        sampled.distinct_schedules = schedules.len();
        sampled.distinct_final_states = states.len();
        sampled
    }
}

fn work(setting: &Setting, options: Options, shared: &Arc<Shared>) -> Result<BTreeMap<u64, Record>, ModelError> {
    let _last = LastOnPanic(&shared.first);
    let template = System::unbegun(Rc::new(setting.clone()), Halves::Fused, false)?;
    let threads = Threads::of(&template).count();
    Stage::set(template, options.max_steps, true);
    let records = Rc::new(RefCell::new(BTreeMap::new()));
    let stream = Stream::new(0, 0, Purpose::Scheduler);
    let sampler = Sampler {
        options,
        shared: Arc::clone(shared),
        records: Rc::clone(&records),
        number: 0,
        lengths: vec![0; threads],
        policy: Policy::Random,
        stream,
    };
    super::run(Director::new(sampler), threads);
    let error = Stage::with(|stage| stage.error.take());
    Stage::clear();
    error.map_or_else(|| Ok(records.take()), Err)
}

/// Picks threads for one execution after the other.
struct Sampler {
    options: Options,
    shared: Arc<Shared>,
    records: Rc<RefCell<BTreeMap<u64, Record>>>,
    /// Of the execution in progress; 0 before the first.
    number: u64,
    /// Steps of each thread in the first execution.
    lengths: Vec<u64>,
    policy: Policy,
    stream: Stream,
}

impl Choose for Sampler {
    fn begin(&mut self) -> Option<u64> {
        let is_first = self.number == 0;
        // Every thread needs the lengths of the first execution, and whoever comes first records it.
        self.number = if is_first { 1 } else { self.shared.next.fetch_add(1, Ordering::Relaxed) };
        let is_over = self.number > self.options.executions || self.number > self.shared.first.load(Ordering::Relaxed);
        let is_failed = Stage::with(|stage| stage.error.is_some());
        if is_failed || !is_first && (is_over || self.shared.stop.load(Ordering::Relaxed)) {
            return None;
        }
        let seed = seed_of(self.options.seed, self.number);
        self.stream = Stream::new(seed, 0, Purpose::Scheduler);
        let scheduler = if is_first { Scheduler::Random } else { self.options.scheduler };
        self.policy = Policy::new(scheduler, &self.lengths, &mut self.stream);
        Stage::with(Stage::begin);
        Some(seed)
    }

    fn next(&mut self, stage: &mut Stage) -> Option<Thread> {
        loop {
            if stage.ready.is_empty() {
                return None;
            }
            let thread = self.policy.pick(&stage.ready, &mut self.stream);
            if stage.has_step(thread) {
                self.policy.took(thread);
                if self.number == 1 {
                    self.lengths[thread] += 1;
                }
                return Some(thread);
            }
        }
    }

    fn end(&mut self, stage: &mut Stage) {
        if stage.error.is_some() {
            return;
        }
        let found = stage.broken.first().map(|(_, violation)| Finding {
            property: violation.property,
            counterexample: Counterexample { steps: stage.steps.clone(), reason: violation.reason.clone() },
            execution: self.number,
            native: Some(super::native()),
        });
        if found.is_some() {
            self.shared.first.fetch_min(self.number, Ordering::Relaxed);
        }
        let record = Record {
            steps: stage.steps.len() as u64,
            schedule: stage.schedule_hash(),
            last: stage.fingerprint(),
            exercised: stage.system.take_exercised(),
            found,
        };
        self.records.borrow_mut().insert(self.number, record);
    }
}

/// The seed of an execution: far apart for neighbours, whatever the first seed.
fn seed_of(seed: u64, execution: u64) -> u64 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8..].copy_from_slice(&execution.to_le_bytes());
    xxh3_64(&bytes)
}
