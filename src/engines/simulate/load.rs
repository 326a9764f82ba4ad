//! A load test made ready: the scenario's load resolved against its model, to be run under any seed.

use std::cell::OnceCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::Run;
use super::latency::Latency;
use super::ramp::{self, Shift};
use super::run::Execution;
use crate::engines::metrics::{Catalogue, DeclarationError, Declarations, MetricId};
use crate::engines::shrink::{ShrinkError, ShrinkOptions, Shrunk, shrink_timed};
use crate::process::Params;
use crate::system::mishap::Clocks;
use crate::system::model::Model;
use crate::system::pace::Pace;
use crate::system::property::Violation;
use crate::system::scenario::{Load, Scenario, StatusRange};
use crate::system::schedule::{Recorder, Schedule, of_steps};
use crate::system::state::Budgets;
use crate::system::threshold::Aggregation;
use crate::system::{Halves, ModelError, Setting, System, setting};

/// A load test, ready to run under any seed. Runs share nothing but this.
#[derive(Clone, Debug)]
pub struct LoadTest {
    pub(super) setting: Rc<Setting>,
    /// For each virtual user (number - 1), when it works; from the start of the load.
    pub(super) shifts: Vec<Vec<Shift>>,
    pub(super) regular_end_us: u64,
    pub(super) links: Links,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) custom_metrics: Vec<(&'static str, MetricId)>,
    pub(super) expected_statuses: Vec<StatusRange>,
    pub(super) may_abort: bool,
    name: String,
    /// The execution before its first step, made by the first run. Later runs copy it: its tables are filled, and
    /// the statements that earlier runs met are planned.
    start: OnceCell<System>,
}

/// Round-trip latencies.
#[derive(Clone, Debug)]
pub(super) struct Links {
    pub(super) http: Latency,
    pub(super) redis: Latency,
    pub(super) sql: Latency,
}

impl LoadTest {
    /// Resolves a scenario's load against its model.
    ///
    /// # Errors
    /// A threshold that does not fit its metric; the scenario's loader reports the same with its place.
    pub fn new(scenario: &Scenario, load: &Load, model: &'static Model) -> Result<Self, DeclarationError> {
        let stages = load.stages.iter().map(|stage| (stage.duration_ns, stage.target)).collect::<Vec<_>>();
        let plan = ramp::plan(load.start_vus, &stages);
        let shifts = ramp::timetable(&plan, load.graceful_ramp_down_ns, load.graceful_stop_ns);
        let catalogue = catalogue(scenario, model)?;
        let custom = model.metrics.iter();
        let custom_metrics = custom.filter_map(|metric| Some((metric.name, catalogue.id(metric.name)?))).collect();
        let latency = |link: crate::system::scenario::Link| Latency::new(link.p50_us, link.p95_us);
        let links = scenario.links;
        let journey = u16::try_from(load.journey).expect("a model has fewer than 65,536 journeys");
        Ok(Self {
            setting: Rc::new(Setting {
                model,
                params: Params::new(model.params.iter().map(|it| it.name).zip(scenario.params.iter().copied())),
                service: setting::service(scenario.service),
                journeys: vec![journey; shifts.len()],
                rounds: None,
                jobs: setting::jobs(model, &load.jobs.iter().map(|job| (*job, u32::MAX)).collect::<Vec<_>>()),
                given: Vec::new(),
                replicas: 0,
                clocks: Clocks::default(),
                pace: Pace::default(),
                budgets: Budgets::default(),
                draws: std::collections::BTreeMap::new(),
                properties: model.all_properties().into_iter().filter(|property| property.is_default).collect(),
            }),
            shifts,
            regular_end_us: plan.regular_end_ns.div_ceil(1_000),
            links: Links { http: latency(links.http), redis: latency(links.redis), sql: latency(links.sql) },
            may_abort: scenario.thresholds.iter().flat_map(|of| &of.thresholds).any(|it| it.abort_on_fail),
            catalogue: Arc::new(catalogue),
            custom_metrics,
            expected_statuses: load.expected_statuses.clone(),
            name: format!("{} [load]", scenario.model),
            start: OnceCell::new(),
        })
    }

    /// Runs the test under this seed.
    ///
    /// # Errors
    /// When the model itself is wrong.
    pub fn run(&self, seed: u64) -> Result<Run, ModelError> {
        Ok(Execution::new(self, seed, self.start()?, None).run()?.0)
    }

    /// As [`Self::run`], and ends within a virtual second once `stop` is set.
    ///
    /// # Errors
    /// As of [`Self::run`].
    pub fn run_until(&self, seed: u64, stop: Arc<AtomicBool>) -> Result<Run, ModelError> {
        let mut execution = Execution::new(self, seed, self.start()?, None);
        execution.stop = Some(stop);
        Ok(execution.run()?.0)
    }

    /// The execution before its first step.
    pub(in crate::engines) fn start(&self) -> Result<System, ModelError> {
        if let Some(start) = self.start.get() {
            return Ok(start.clone());
        }
        let start = System::new(Rc::clone(&self.setting), Halves::Split, false)?;
        Ok(self.start.get_or_init(|| start).clone())
    }

    /// Runs the test under this seed and notes every step.
    ///
    /// # Errors
    /// When the model itself is wrong.
    pub fn record(&self, seed: u64) -> Result<(Run, Schedule), ModelError> {
        let start = System::new(Rc::clone(&self.setting), Halves::Split, true)?;
        let (run, system, recorder) = Execution::new(self, seed, start, Some(Recorder::default())).run()?;
        let violation = run.violation.clone().map(|violation| (violation.property.to_owned(), violation.reason));
        let schedule = recorder.unwrap_or_default().finish(&system, "simulate", Some(seed), &self.name, violation);
        Ok((run, schedule))
    }

    /// The schedule of a violation made small, and from which size; none if it needs what fused halves do not have,
    /// time between an effect and the arrival of its outcome, or if somebody asks to stop before a step is left out.
    ///
    /// # Errors
    /// When the model itself is wrong.
    pub fn shrink(
        &self,
        schedule: &Schedule,
        violation: &Violation,
        stop: &AtomicBool,
    ) -> Result<Option<(Schedule, Shrunk)>, ModelError> {
        let options = ShrinkOptions::default();
        let shrunk = match shrink_timed(&self.setting, schedule, violation.property, &options, stop) {
            Ok(shrunk) => shrunk,
            Err(ShrinkError::Model(error)) => return Err(error),
            Err(ShrinkError::NotBroken(_) | ShrinkError::Stopped) => return Ok(None),
        };
        let violation = Some((violation.property.to_owned(), shrunk.reason.clone()));
        let setting = Rc::new(shrunk.setting.clone());
        let small = of_steps(&setting, &shrunk.steps, &schedule.engine, &self.name, violation)?;
        Ok(Some((Schedule { seed: schedule.seed, ..small }, shrunk)))
    }

    /// Virtual users at the peak of the plan, k6's `vus_max`.
    #[must_use]
    pub fn vus_max(&self) -> usize {
        self.shifts.len()
    }

    /// For each virtual user (number - 1), when it works; from the start of the load.
    #[must_use]
    pub fn shifts(&self) -> &[Vec<Shift>] {
        &self.shifts
    }

    pub(super) fn is_expected(&self, status: u16) -> bool {
        self.expected_statuses.iter().any(|range| (range.low..=range.high).contains(&status))
    }
}

fn catalogue(scenario: &Scenario, model: &Model) -> Result<Catalogue, DeclarationError> {
    let tags = model.request_names.iter().map(|name| [("name", *name)]).collect::<Vec<_>>();
    let request_kinds = tags.iter().map(<[_; 1]>::as_slice).collect::<Vec<_>>();
    let thresholds = scenario.thresholds.iter().map(|of| (of.metric.clone(), of.thresholds.clone()));
    Catalogue::new(&Declarations {
        custom: model.metrics,
        request_kinds: &request_kinds,
        checks: model.checks,
        thresholds: &thresholds.collect::<Vec<_>>(),
        trend_stats: &Aggregation::DEFAULT_TREND_STATS,
    })
}
