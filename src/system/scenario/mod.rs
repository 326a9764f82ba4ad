//! The scenario file: under which load, faults and bounds a model is judged, and what verdict is expected.
//!
//! [`load`] reads `models/NAME.toml` and checks it against what the model declares; [`apply_k6_options`] lays the
//! options of a k6 script over it. `docs/scenario.md` describes every key.

mod build;
mod check;
mod de;
pub mod duration;
mod fault;
mod form;
mod given;
mod json;
mod load;
mod names;
mod options;
mod params;
mod schema;
mod tags;
mod thresholds;
mod tree;
mod values;

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::system::diagnostic::Diagnostic;
use crate::system::diagnostic::read::{SCENARIO_LIMIT_BYTES, read_text};
use crate::system::given::Given;
use crate::system::mishap::Clocks;
use crate::system::model::{CustomMetric, Param, ParamValue};
use crate::system::pace::Pace;
use crate::system::state::Budgets;
use crate::system::threshold::{MetricName, Threshold};

pub use build::parse;
pub use options::apply_k6_options;
pub use schema::schema;

/// What a model declares, as far as a scenario can refer to it.
#[derive(Clone, Debug)]
pub struct Declaration<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Parameters, in the order of [`Scenario::params`].
    pub params: &'a [Param],
    /// Names of the journeys, in the order that [`Load::journey`] and [`Check::journeys`] count.
    pub journeys: Cow<'a, [&'a str]>,
    /// Names of the background jobs, in the order that [`Load::jobs`] and [`Check::jobs`] count.
    pub jobs: Cow<'a, [&'a str]>,
    /// k6 metrics of the model's script, beside the built-in ones.
    pub metrics: &'a [CustomMetric],
    /// Values of k6's `name` tag that the model's requests carry.
    pub request_names: &'a [&'a str],
    /// Texts of the checks of the model's script, the values of k6's `check` tag.
    pub checks: &'a [&'a str],
    /// Names of all properties that can be judged, the tool's own included.
    pub properties: Cow<'a, [&'a str]>,
    /// Names of those that a check judges which names none.
    pub default_properties: Cow<'a, [&'a str]>,
    /// Names of the draws whose values a check may represent.
    pub draws: &'a [&'a str],
}

/// A scenario file, checked against its model.
#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    /// Where it was read from.
    pub path: PathBuf,
    /// Name of the model.
    pub model: String,
    /// One line for lists and reports.
    pub title: String,
    /// Longer text for reports, empty when not given.
    pub about: String,
    /// One value per declared parameter, in the model's order.
    pub params: Vec<ParamValue>,
    /// Bounded resources of the service.
    pub service: Service,
    /// Round-trip latencies.
    pub links: Links,
    /// The load test, if the scenario has one.
    pub load: Option<Load>,
    /// k6 thresholds by metric, in k6's order: sorted by metric name.
    pub thresholds: Vec<MetricThresholds>,
    /// Named checks, in the order of the file.
    pub checks: Vec<Check>,
}

/// Bounded resources of the service.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Instances behind the load balancer.
    pub instances: u32,
    /// Worker threads per instance: requests handled at a time.
    pub workers: u32,
    /// Database connections per instance.
    pub connections: u32,
}

/// Latency per kind of link.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Client to service and back.
    pub http: Link,
    /// Service to Redis and back.
    pub redis: Link,
    /// Service to database and back.
    pub sql: Link,
}

/// Round-trip latency of a link; all zero for a link that takes no time.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Median, in microseconds.
    pub p50_us: u64,
    /// 95th percentile, in microseconds, at least the median.
    pub p95_us: u64,
}

/// A load test with k6's executor `ramping-vus`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// The journey that each virtual user repeats, counted in [`Declaration::journeys`].
    pub journey: usize,
    /// k6's `startVUs`.
    pub start_vus: u32,
    /// k6's `stages`, at least one.
    pub stages: Vec<Stage>,
    /// k6's `gracefulRampDown`, in nanoseconds.
    pub graceful_ramp_down_ns: u64,
    /// k6's `gracefulStop`, in nanoseconds.
    pub graceful_stop_ns: u64,
    /// Background jobs that run, each whenever its period has passed.
    pub jobs: Vec<usize>,
    /// HTTP statuses that do not count as failed; k6's `http.expectedStatuses`.
    pub expected_statuses: Vec<StatusRange>,
    /// Seed of the run that reproduces a measured one.
    pub measured_seed: Option<u64>,
}

/// One of k6's `stages`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Stage {
    /// How long the stage lasts, in nanoseconds.
    pub duration_ns: u64,
    /// Virtual users at its end.
    pub target: u32,
}

/// HTTP statuses from `low` to `high`, both included.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct StatusRange {
    /// Least status.
    pub low: u16,
    /// Greatest status.
    pub high: u16,
}

/// All thresholds of one metric.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricThresholds {
    /// Metric or sub-metric.
    pub metric: MetricName,
    /// In the order of the file; none only makes the summary show the sub-metric.
    pub thresholds: Vec<Threshold>,
}

/// A named scenario for exhaustive checking.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// One line for lists and reports.
    pub title: String,
    /// Longer text for reports, empty when not given.
    pub about: String,
    /// One journey per client, counted in [`Declaration::journeys`].
    pub journeys: Vec<usize>,
    /// The scenario's parameters with this check's own laid over them.
    pub params: Vec<ParamValue>,
    /// The scenario's bounded resources with this check's own laid over them, if it has any.
    pub service: Option<Service>,
    /// Representatives of drawn values.
    pub draws: Vec<Draw>,
    /// What has happened before, and where the file says so.
    pub given: Vec<(Given, Range<usize>)>,
    /// How often each background job may begin; jobs that are not listed never do.
    pub jobs: Vec<(usize, u32)>,
    /// Replicas of the Redis node.
    pub replicas: u8,
    /// Which clocks run ahead.
    pub clocks: Clocks,
    /// How often each fault, and the passing of time, may happen in one execution; `u32::MAX`: no bound.
    pub budgets: Budgets,
    /// Further bounds that make the verdict conditional.
    pub bounds: Bounds,
    /// Names of the properties to judge.
    pub properties: Vec<String>,
    /// What the schedulers sample, if that is not the check as it is.
    pub sample: Option<Sample>,
    /// Expected verdicts, in the order of the file.
    pub expect: Vec<Expectation>,
    /// Pinned number of distinct states.
    pub expect_states: Option<u64>,
}

/// A check at the size that schedulers sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// As [`Check::journeys`].
    pub journeys: Vec<usize>,
    /// As [`Check::params`].
    pub params: Vec<ParamValue>,
    /// As [`Check::draws`].
    pub draws: Vec<Draw>,
    /// As [`Check::budgets`].
    pub budgets: Budgets,
    /// As [`Bounds::rounds`].
    pub rounds: u32,
    /// Executions of each scheduler.
    pub executions: u64,
}

/// The values that stand for all values of a draw under exploration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draw {
    /// Name of the draw.
    pub name: String,
    /// 1 to 16 representatives, each a list of numbers.
    pub values: Vec<Vec<i64>>,
}

/// Bounds of a check.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Rounds of its journey that each client runs.
    pub rounds: u32,
    /// How slow anything may be.
    pub pace: Pace,
    /// Distinct states after which the search stops undecided.
    pub max_states: u64,
}

/// What a check is expected to find for one property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectation {
    /// Name of the property.
    pub property: String,
    /// The expected verdict.
    pub verdict: ExpectedVerdict,
}

/// An expected verdict.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ExpectedVerdict {
    /// No execution within the bounds violates the property.
    Holds,
    /// Some execution violates the property; the lengths of the shortest, where given.
    Violated {
        /// In steps that carry a label of the model's documentation.
        labels: Option<u32>,
        /// In operations.
        ops: Option<u32>,
    },
}

/// Reads the scenario at `path` and checks it against the model it names.
///
/// # Errors
/// The file cannot be read, or something in it is wrong; warnings are returned with the scenario.
pub fn load(path: &Path, models: &[Declaration<'_>]) -> Result<(Scenario, Vec<Diagnostic>), Diagnostic> {
    let text = read_text(path, SCENARIO_LIMIT_BYTES)?;
    parse(path, &text, models)
}
