//! Checks as `cargo test` runs them: one call in a test explores a setting, samples it, and fails with everything that
//! is needed to see the violation again.
//!
//! ```
//! use seatproof::process::{Ctx, Flow, Mark};
//! use seatproof::system::Setting;
//! use seatproof::system::model::{Journey, Model};
//! use seatproof::testing::assert_safe;
//! use seatproof::world::reply::Reply;
//!
//! static MINE: Model = Model {
//!     name: "mine",
//!     about: "SET NX, and the seat is sold.",
//!     journeys: &[Journey { name: "buy", about: "One seat.", run: |ctx| Box::pin(buy(ctx)) }],
//!     ..Model::BARE
//! };
//!
//! async fn buy(mut ctx: Ctx) -> Flow {
//!     let token = ctx.token();
//!     if ctx.redis([b"SET".as_slice(), b"seat:1", &token, b"NX"]).await == Ok(Reply::OK) {
//!         ctx.mark(Mark::Holds { seats: [1].as_slice().into(), until_us: u64::MAX });
//!     }
//!     Flow::Done
//! }
//!
//! // In a function that is a #[test]:
//! assert_safe("nobody else gets the seat", &Setting::of(&MINE, &["buy", "buy", "buy"]));
//! ```
//!
//! A test first follows the schedules that it found earlier. Two variables of the environment change what it does
//! without changing its source: `SEATPROOF_SEED` gives the schedulers another seed, and `SEATPROOF_SCHEDULE` names a
//! schedule, which the tests of its model then follow instead of searching.

use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::engines::DEFAULT_SEED;
use crate::engines::doublecheck::{self, DoublecheckError, Nondeterminism};
use crate::engines::portfolio::{self, SCHEDULERS, Sample};
use crate::engines::reference::{ExploreError, explore};
use crate::engines::regressions::{self, Followed, Outcome, RegressionError, follow_all};
use crate::engines::replay::{Divergence, record};
use crate::engines::shrink::ShrinkOptions;
use crate::engines::shuttle::{MAX_STEPS, Options};
use crate::engines::verdict::{Bound, Exploration, Verdict};
use crate::report::{Signs, diagram};
use crate::system::diagnostic::Diagnostic;
use crate::system::property::{GENERAL, Property, Subject};
use crate::system::schedule::{Schedule, directory};
use crate::system::{ModelError, Setting, Unexplorable};

/// Executions that are done twice, to see that the model reads nothing but outcomes.
const WALKS: u64 = 8;

/// How hard a test looks, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// States that the explorer may keep; beyond, its verdict is `unknown`.
    pub max_states: usize,
    /// Executions of each scheduler.
    pub executions: u64,
    /// Everything that the schedulers draw follows from it.
    pub seed: u64,
    /// Where schedules of violations are followed first, and written to.
    pub regressions: PathBuf,
    /// Followed instead of searching, by tests of its model.
    pub schedule: Option<PathBuf>,
}

impl Default for Plan {
    /// Some seconds for a model of two clients.
    fn default() -> Self {
        let regressions = PathBuf::from(directory::REGRESSIONS);
        Self { max_states: 20_000, executions: 200, seed: DEFAULT_SEED, regressions, schedule: None }
    }
}

impl Plan {
    /// The default, with the seed of `SEATPROOF_SEED` and the schedule of `SEATPROOF_SCHEDULE`.
    ///
    /// # Panics
    /// When `SEATPROOF_SEED` is no whole number below 2⁶⁴: a test that went on with another seed would mislead.
    #[must_use]
    pub fn from_env() -> Self {
        let seed = std::env::var("SEATPROOF_SEED").map_or(DEFAULT_SEED, |text| match text.trim().parse() {
            Ok(seed) => seed,
            Err(_) => panic!("SEATPROOF_SEED is `{text}`; a seed is a whole number below 2^64"),
        });
        let schedule = std::env::var_os("SEATPROOF_SCHEDULE").filter(|path| !path.is_empty()).map(PathBuf::from);
        Self { seed, schedule, ..Self::default() }
    }
}

/// Why a test fails; printed, it is the test's failure message.
#[derive(Debug)]
pub enum Failure {
    /// A property is broken.
    Violated(Box<Violated>),
    /// What a property wants to be reachable is not, which no schedule shows: the property, where, and how so.
    Unreachable(&'static str, String, String),
    /// Everything was explored, and these properties never had anything to judge: the test cannot fail.
    Vacuous(String, Vec<&'static str>),
    /// A schedule that `SEATPROOF_SCHEDULE` names cannot be followed to its end.
    Diverged(PathBuf, Box<Divergence>),
    /// A schedule cannot be read, followed or written.
    Schedule(Box<Diagnostic>),
    /// The model is wrong.
    Model(ModelError),
    /// A draw has no values to explore.
    Draw(Box<Unexplorable>),
    /// The model reads something that is not an outcome.
    Nondeterminism(Box<Nondeterminism>),
}

/// A broken property, and all that is needed to see it again.
#[derive(Debug)]
pub struct Violated {
    /// The smallest way to it that is known.
    pub schedule: Schedule,
    /// Who found it, in which run.
    pub found_by: String,
    /// Where the schedule was written.
    pub path: PathBuf,
    /// The steps as a space-time diagram.
    pub diagram: String,
}

/// Asserts that no order of events breaks a property of the setting, as far as [`Plan::from_env`] goes; `name` says in
/// a schedule where it came from. What was proved and what was only sampled is in the result.
///
/// # Panics
/// With a [`Failure`] as the message.
#[track_caller]
pub fn assert_safe(name: &str, setting: &Setting) -> Exploration {
    match check(name, setting, &Plan::from_env()) {
        Ok(exploration) => exploration,
        Err(failure) => panic!("{failure}"),
    }
}

/// Follows earlier schedules of the model, explores the setting, then samples it with every scheduler. Where all is
/// explored and no property had anything to judge, that fails too.
///
/// # Errors
/// [`Failure`]: the first property that is broken, with its schedule written, or what kept the check from running.
pub fn check(name: &str, setting: &Setting, plan: &Plan) -> Result<Exploration, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    if let Some(path) = &plan.schedule {
        let schedule = regressions::load(path)?;
        if schedule.setting.model == setting.model.name {
            return follow(path, schedule, setting);
        }
    }
    // Other tests of the model may allow more to go wrong, and mean to.
    let old = follow_all(&plan.regressions, setting.model)?;
    let is_again = |it: &Followed| it.schedule.scenario == name && it.outcome == Outcome::StillViolates;
    if let Some(Followed { path, schedule, .. }) = old.into_iter().find(is_again) {
        let diagram = drawn(&path, &schedule, setting)?;
        let found_by = "an earlier run; delete the file if the violation is meant to be there".to_owned();
        return Err(Failure::Violated(Box::new(Violated { schedule, found_by, path, diagram })));
    }
    let setting = Rc::new(setting.clone());
    doublecheck::walks(&setting, plan.seed, WALKS, &stop)?;
    let mut exploration = explore(&setting, plan.max_states, &stop)?;
    let threads = std::thread::available_parallelism().unwrap_or(std::num::NonZeroUsize::MIN);
    let mut samples = Vec::new();
    for scheduler in SCHEDULERS {
        let Plan { seed, executions, .. } = *plan;
        let options = Options { scheduler, seed, executions, max_steps: MAX_STEPS, threads };
        samples.extend(portfolio::sample(&setting, options, &mut exploration, &stop)?);
    }
    for sample in &mut samples {
        portfolio::shrink_sample(sample, &ShrinkOptions::default(), &mut exploration, &stop)?;
    }
    let schedules = portfolio::schedules(name, &setting, &exploration, &samples, None, plan.seed)?;
    if let Some(schedule) = schedules.into_iter().next() {
        return Err(violated(schedule, &setting, &samples, plan)?);
    }
    let missed = exploration.verdicts.iter().find_map(|(name, verdict)| Some((*name, verdict.counterexample()?)));
    match missed {
        Some((property, found)) => Err(Failure::Unreachable(property, name.to_owned(), found.reason.clone())),
        None if is_vacuous(&setting, &exploration) => Err(Failure::Vacuous(name.to_owned(), exploration.vacuous)),
        None => Ok(exploration),
    }
}

/// True when all that is proved is what needs nothing to judge, such as that nobody panics, and more was asked for.
fn is_vacuous(setting: &Setting, exploration: &Exploration) -> bool {
    let is_idle = |property: &Property| {
        let is_always = GENERAL.iter().any(|it| it.name == property.name && it.subject == Subject::Always);
        is_always || exploration.vacuous.contains(&property.name)
    };
    let is_exhausted = exploration.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Holds);
    is_exhausted && !exploration.vacuous.is_empty() && setting.properties.iter().all(is_idle)
}

/// The failure of a broken property, its schedule written.
fn violated(schedule: Schedule, setting: &Setting, samples: &[Sample], plan: &Plan) -> Result<Failure, Failure> {
    let property = schedule.violation.as_ref().map(|(property, _)| property.as_str());
    let found = |sample: &&Sample| sample.sampled.found.as_ref().map(|found| found.property) == property;
    let found_by = match samples.iter().find(found) {
        Some(sample) => format!("{}, seed {}, execution {}", sample.scheduler, plan.seed, sample.sampled.executions),
        None => format!("exploring every order; seed {} was not needed", plan.seed),
    };
    let as_found = portfolio::as_found(&schedule.scenario, property.unwrap_or_default(), samples, None, plan.seed)?;
    let path = directory::write(&plan.regressions, &schedule, as_found.as_ref())?;
    let diagram = drawn(&path, &schedule, setting)?;
    Ok(Failure::Violated(Box::new(Violated { schedule, found_by, path, diagram })))
}

fn drawn(path: &std::path::Path, schedule: &Schedule, setting: &Setting) -> Result<String, Failure> {
    let resolved = regressions::resolved(path, schedule, setting.model)?;
    Ok(diagram::diagram(&record(&resolved, schedule, None)?.frames, Signs::UTF8))
}

/// Follows one schedule instead of searching. That it breaks nothing is no proof.
fn follow(path: &std::path::Path, schedule: Schedule, setting: &Setting) -> Result<Exploration, Failure> {
    let resolved = regressions::resolved(path, &schedule, setting.model)?;
    let schedule = regressions::named(path, &resolved, schedule)?;
    let recording = record(&resolved, &schedule, None)?;
    if !recording.replay.steps.is_empty() {
        let times = schedule.steps.iter().map(|line| line.at_us);
        doublecheck::steps(&resolved, schedule.halves, times.zip(&recording.replay.steps))?;
    }
    if recording.replay.violations.is_empty() {
        return match recording.replay.divergence {
            Some(divergence) => Err(Failure::Diverged(path.to_owned(), Box::new(divergence))),
            None => Ok(portfolio::unexplored(setting, &Bound::Sampled)),
        };
    }
    let diagram = diagram::diagram(&recording.frames, Signs::UTF8);
    let found_by = format!("{}, which SEATPROOF_SCHEDULE names", path.display());
    Err(Failure::Violated(Box::new(Violated { schedule, found_by, path: path.to_owned(), diagram })))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violated(violated) => write!(f, "{violated}"),
            Self::Unreachable(property, name, why) => write!(f, "{property} is violated in {name}\nwhy     {why}"),
            Self::Vacuous(name, properties) => {
                writeln!(f, "nothing was judged in {name}, so it cannot fail: {}", properties.join(", "))?;
                write!(
                    f,
                    "help    a model says what its clients believe by ctx.mark(Mark::Holds {{ .. }}), or has properties"
                )
            }
            Self::Diverged(path, divergence) => {
                let Divergence { number, wanted, reason, .. } = &**divergence;
                let path = path.display();
                writeln!(f, "{path} DIVERGED at step {number}: {wanted}\nwhy     {reason}")?;
                write!(f, "The model has changed since: the schedule says nothing about it any more.")
            }
            Self::Schedule(diagnostic) => write!(f, "{diagnostic}"),
            Self::Model(error) => write!(f, "{error}"),
            Self::Nondeterminism(difference) => write!(f, "{difference}"),
            Self::Draw(draw) => match draw.remedy() {
                Some(remedy) => write!(f, "{draw}; name some in the setting, as a scenario would by {remedy}"),
                None => write!(f, "{draw}"),
            },
        }
    }
}

impl fmt::Display for Violated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { schedule, found_by, path, diagram } = self;
        let (property, reason) = schedule.violation.clone().unwrap_or_default();
        let path = path.display();
        writeln!(f, "{property} is violated in {}, {} steps", schedule.scenario, schedule.steps.len())?;
        writeln!(f, "why     {reason}")?;
        writeln!(f, "found   by {found_by}")?;
        writeln!(f, "file    {path}   (commit it)")?;
        writeln!(f, "replay  SEATPROOF_SCHEDULE={path} cargo test{}", this_test())?;
        write!(f, "{diagram}")
    }
}

/// What narrows `cargo test` down to the test that runs now; libtest names its threads after their tests.
fn this_test() -> String {
    let thread = std::thread::current();
    thread.name().filter(|name| *name != "main").map_or_else(String::new, |name| format!(" -- --exact {name}"))
}

impl std::error::Error for Failure {}

impl From<Diagnostic> for Failure {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Schedule(Box::new(diagnostic))
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<RegressionError> for Failure {
    fn from(error: RegressionError) -> Self {
        match error {
            RegressionError::File(diagnostic) => Self::Schedule(diagnostic),
            RegressionError::Model(error) => Self::Model(error),
        }
    }
}

impl From<DoublecheckError> for Failure {
    fn from(error: DoublecheckError) -> Self {
        match error {
            DoublecheckError::Model(error) => Self::Model(error),
            DoublecheckError::Differs(difference) => Self::Nondeterminism(difference),
        }
    }
}

impl From<ExploreError> for Failure {
    fn from(error: ExploreError) -> Self {
        match error {
            ExploreError::Model(error) => Self::Model(error),
            ExploreError::Draw(draw) => Self::Draw(draw),
        }
    }
}
