//! The form of a scenario file: which keys it has and which types they take.
//!
//! Reading and the published JSON schema are both derived from these types; the comments are the schema's
//! descriptions. Values that may be spelled in several ways are kept as [`Node`] and read by `load`, `params`,
//! `thresholds` and `check`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::de::Table;
use super::schema;
use super::tree::{At, Node};

/// A scenario of seatproof: under which load, faults and bounds a model is judged, and what verdict is expected.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
#[schemars(title = "seatproof scenario")]
pub(super) struct File {
    /// Name of the model, as `list models` prints it.
    pub(super) model: At<String>,
    /// One line for lists and reports.
    pub(super) title: At<String>,
    /// Longer text for reports.
    #[serde(default)]
    pub(super) about: String,
    /// Values of the model's parameters; the model's defaults stand for those left out.
    #[serde(default)]
    #[schemars(schema_with = "schema::params")]
    pub(super) params: Table<Node>,
    /// Bounded resources of the service.
    #[serde(default)]
    pub(super) service: Service,
    /// Round-trip latency per kind of link. A link left out takes no time.
    #[serde(default)]
    pub(super) links: Links,
    /// The load test, in k6's words.
    pub(super) load: Option<Load>,
    /// k6 thresholds by metric, such as `"http_req_duration{name:lock_seats}" = ["p(95)<2000"]`.
    #[serde(default)]
    #[schemars(schema_with = "schema::thresholds")]
    pub(super) thresholds: Table<Node>,
    /// Named scenarios for exhaustive checking.
    #[serde(default)]
    pub(super) check: Table<At<Check>>,
}

/// Bounded resources of the service.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Service {
    /// Instances behind the load balancer, at least 1. Default 1.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) instances: Option<At<i64>>,
    /// Worker threads per instance: requests that it handles at a time. Default 200.
    #[schemars(range(min = 1, max = 100_000))]
    pub(super) workers: Option<At<i64>>,
    /// Database connections per instance. Default 10.
    #[schemars(range(min = 1, max = 100_000))]
    pub(super) connections: Option<At<i64>>,
}

/// Round-trip latency per kind of link.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Links {
    /// Client to service and back, without the time inside the service.
    pub(super) http: Option<Link>,
    /// Service to Redis and back.
    pub(super) redis: Option<Link>,
    /// Service to database and back.
    pub(super) sql: Option<Link>,
}

/// Round-trip latency of one link.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `p50` and `p95`")]
pub(super) struct Link {
    /// Median round trip, such as `"2ms"`, kept in microseconds.
    #[schemars(schema_with = "schema::duration")]
    pub(super) p50: Node,
    /// 95th percentile of the round trip, at least the median.
    #[schemars(schema_with = "schema::duration")]
    pub(super) p95: Node,
}

/// The load test, in k6's words.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a table")]
pub(super) struct Load {
    /// k6's executor. Only `ramping-vus` can be simulated.
    #[schemars(extend("const" = "ramping-vus"))]
    pub(super) executor: At<String>,
    /// The journey of the model that each virtual user repeats.
    pub(super) journey: At<String>,
    /// Virtual users at the start. Default 1, as in k6.
    #[serde(rename = "startVUs")]
    #[schemars(range(min = 0, max = 100_000))]
    pub(super) start_vus: Option<At<i64>>,
    /// Stages that ramp the number of virtual users linearly, at least one.
    #[schemars(length(min = 1))]
    pub(super) stages: At<Vec<At<Stage>>>,
    /// How long a virtual user that a stage removes may finish its iteration. Default `"30s"`, as in k6.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration")]
    pub(super) graceful_ramp_down: Option<Node>,
    /// How long iterations may go on after the last stage. Default `"30s"`, as in k6.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration")]
    pub(super) graceful_stop: Option<Node>,
    /// Background jobs of the model that run during the load test, each whenever its period has passed. Default: none.
    pub(super) jobs: Option<At<Vec<At<String>>>>,
    /// HTTP statuses that do not count as failed requests: numbers and ranges. Default `["200-399"]`, as in k6.
    #[serde(rename = "expected_statuses")]
    #[serde(default)]
    #[schemars(schema_with = "schema::statuses")]
    pub(super) expected_statuses: Option<At<Vec<Node>>>,
    /// Seed of the run that reproduces the measured one; `--seed measured` uses it.
    #[serde(rename = "measured_seed")]
    #[schemars(range(min = 0))]
    pub(super) measured_seed: Option<At<i64>>,
}

/// A stage of the load test.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table with `duration` and `target`")]
pub(super) struct Stage {
    /// How long the stage lasts, such as `"30s"`. `"0s"` jumps to the target.
    #[schemars(schema_with = "schema::duration", required)]
    pub(super) duration: Option<Node>,
    /// Virtual users at the end of the stage.
    #[schemars(range(min = 0, max = 100_000), required)]
    pub(super) target: Option<At<i64>>,
}

/// A threshold with k6's options.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase", expecting = "a table with `threshold`")]
pub(super) struct Threshold {
    /// The expression, such as `"p(95)<2000"`.
    pub(super) threshold: At<String>,
    /// Stop the run as soon as the threshold is crossed. Default false.
    pub(super) abort_on_fail: Option<bool>,
    /// Do not stop before this time has passed, such as `"10s"`. Default `"0s"`.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration")]
    pub(super) delay_abort_eval: Option<Node>,
}

/// A named scenario for exhaustive checking.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Check {
    /// One line for lists and reports.
    pub(super) title: At<String>,
    /// Longer text for reports.
    #[serde(default)]
    pub(super) about: String,
    /// Number of clients. Default: one per entry of `journeys`.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) clients: Option<At<i64>>,
    /// The journey that every client runs.
    pub(super) journey: Option<At<String>>,
    /// Instead of `journey`: one journey per client.
    #[schemars(length(min = 1))]
    pub(super) journeys: Option<At<Vec<At<String>>>>,
    /// Parameters that differ from the scenario's.
    #[serde(default)]
    #[schemars(schema_with = "schema::params")]
    pub(super) params: Table<Node>,
    /// Bounded resources of the service that differ from the scenario's.
    pub(super) service: Option<Service>,
    /// Values that stand for all values of a draw: at most 16 lists of numbers each.
    #[serde(default)]
    #[schemars(schema_with = "schema::draws")]
    pub(super) draws: Table<At<Vec<Vec<At<i64>>>>>,
    /// What has happened before, done once and in this order: `"vu1 until POST /checkout"` (the client and its handlers
    /// act alone), `"job cleanup"`, `"wait 601s"`, or the name of a step. Neither explored nor counted.
    pub(super) given: Option<At<Vec<At<String>>>>,
    /// How often each background job of the model may begin in one execution. Default: never.
    #[serde(default)]
    pub(super) jobs: Table<At<i64>>,
    /// Replicas of the Redis node, which lag behind it. Default 0.
    #[schemars(range(min = 0, max = 5))]
    pub(super) replicas: Option<At<i64>>,
    /// Clocks that run ahead of those of Redis and the database.
    #[serde(default)]
    pub(super) clocks: Clocks,
    /// How often each fault may happen in one execution. Default: never.
    #[serde(default)]
    pub(super) faults: Faults,
    /// Bounds that make the verdict conditional.
    #[serde(default)]
    pub(super) bounds: Bounds,
    /// Properties to judge. Default: all that speak of exclusion and of errors.
    #[schemars(length(min = 1))]
    pub(super) properties: Option<At<Vec<At<String>>>>,
    /// What the schedulers sample, larger than what can be explored to its end. Default: the check as it is.
    pub(super) sample: Option<At<Sample>>,
    /// Expected verdict per property, judged with `--expect`: `"holds"`, `"violated"`, or a table. The key `states`
    /// pins the number of distinct states.
    #[serde(default)]
    #[schemars(schema_with = "schema::expect")]
    pub(super) expect: Table<Node>,
}

/// How often each fault may happen in one execution.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of fault budgets")]
pub(super) struct Faults {
    /// A request never arrives. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) lose_request: Option<At<i64>>,
    /// A request is applied and its reply never arrives. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) lose_reply: Option<At<i64>>,
    /// A client or a service instance ends at once. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) crash: Option<At<i64>>,
    /// Redis restarts without its data. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) redis_restart: Option<At<i64>>,
    /// The Redis node is gone and a replica takes its place, without what it did not have yet. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) failover: Option<At<i64>>,
    /// Redis evicts a key. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) evict: Option<At<i64>>,
    /// What was sent takes effect after its sender has stopped waiting. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) late: Option<At<i64>>,
    /// A driver sends a Redis command again whose reply was lost. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) driver_repeat: Option<At<i64>>,
    /// A client makes a call again whose answer has not come. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) client_retry: Option<At<i64>>,
    /// The database cancels a statement. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) sql_abort: Option<At<i64>>,
    /// The connection breaks during a COMMIT, which was done or not. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) commit_unknown: Option<At<i64>>,
    /// The clock of Redis jumps forwards, past the next deadline of its keys. Default 0.
    #[schemars(range(min = 0, max = 1000))]
    pub(super) clock_jump: Option<At<i64>>,
}

/// By how much clocks run ahead of those of Redis and the database.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of clocks")]
pub(super) struct Clocks {
    /// By client, from the first. Default `"0s"` each.
    #[serde(default)]
    #[schemars(schema_with = "schema::durations")]
    pub(super) clients: Option<At<Vec<Node>>>,
    /// By instance of the service, from the first. Default `"0s"` each.
    #[serde(default)]
    #[schemars(schema_with = "schema::durations")]
    pub(super) instances: Option<At<Vec<Node>>>,
}

/// Bounds that make the verdict conditional.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table of bounds")]
pub(super) struct Bounds {
    /// Most `time` steps in one execution. Default: no bound.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(super) time_steps: Option<At<i64>>,
    /// Rounds of its journey that each client runs. Default 1.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) rounds: Option<At<i64>>,
    /// Longest time that a message is under way. Counts together with `max_pause`. Default: no bound.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration")]
    pub(super) max_delay: Option<Node>,
    /// Longest time that a process stands still between an outcome and its next operation. Default: no bound.
    #[serde(default)]
    #[schemars(schema_with = "schema::duration")]
    pub(super) max_pause: Option<Node>,
    /// Distinct states after which the search stops undecided. Default 2,000,000.
    #[schemars(range(min = 1))]
    pub(super) max_states: Option<At<i64>>,
}

/// The check at the size that schedulers sample. What is left out is as in the check.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct Sample {
    /// Number of clients. The check's journeys are dealt out to them in turn. Default: as many as the check has.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) clients: Option<At<i64>>,
    /// Parameters that differ from the check's.
    #[serde(default)]
    #[schemars(schema_with = "schema::params")]
    pub(super) params: Table<Node>,
    /// Values that stand for all values of a draw, where they differ from the check's.
    #[serde(default)]
    #[schemars(schema_with = "schema::draws")]
    pub(super) draws: Table<At<Vec<Vec<At<i64>>>>>,
    /// How often each fault may happen, instead of the check's budgets.
    pub(super) faults: Option<Faults>,
    /// Most `time` steps in one execution.
    #[schemars(range(min = 0, max = 1_000_000))]
    pub(super) time_steps: Option<At<i64>>,
    /// Rounds of its journey that each client runs.
    #[schemars(range(min = 1, max = 1000))]
    pub(super) rounds: Option<At<i64>>,
    /// Executions of each scheduler. Default 1000.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) executions: Option<At<i64>>,
}

/// An expected verdict with the length of the shortest counterexample.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "\"holds\", \"violated\", or a table with `verdict`")]
pub(super) struct Expect {
    /// `"holds"` or `"violated"`.
    pub(super) verdict: Verdict,
    /// Length of the shortest counterexample in labelled steps.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) labels: Option<At<i64>>,
    /// Length of the shortest counterexample in operations.
    #[schemars(range(min = 1, max = 1_000_000))]
    pub(super) ops: Option<At<i64>>,
}

/// An expected verdict.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    /// No execution within the bounds violates the property.
    Holds,
    /// Some execution violates the property.
    Violated,
}
