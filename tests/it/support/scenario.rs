//! A model's declaration and a scenario that fits it, for the tests of the scenario file.

use std::borrow::Cow;
use std::path::Path;

use seatproof::system::diagnostic::Diagnostic;
use seatproof::system::model::{CustomMetric, MetricKind, Param, ParamKind, ParamValue};
use seatproof::system::scenario::{Declaration, Scenario, parse};

/// The parameters of the model.
const PARAMS: [Param; 4] = [
    Param {
        name: "seats",
        about: "Seats that can be locked.",
        kind: ParamKind::Count { min: 1, max: 10_000 },
        default: ParamValue::one(100),
    },
    Param {
        name: "picks",
        about: "Seats per attempt.",
        kind: ParamKind::CountRange { min: 1, max: 10 },
        default: ParamValue { low: 1, high: 3 },
    },
    Param {
        name: "lock_ttl",
        about: "How long a lock lasts.",
        kind: ParamKind::Ttl,
        default: ParamValue::one(600_000_000),
    },
    Param {
        name: "hold",
        about: "Pause between lock and release.",
        kind: ParamKind::DurationRange,
        default: ParamValue { low: 1_000_000, high: 4_000_000 },
    },
];

/// The model.
pub(crate) const MODEL: Declaration<'_> = Declaration {
    name: "moviebooking",
    params: &PARAMS,
    journeys: Cow::Borrowed(&["contend", "lock_release", "book"]),
    jobs: Cow::Borrowed(&["cleanup"]),
    metrics: &[
        CustomMetric { name: "seat_lock_success", kind: MetricKind::Counter, is_time: false },
        CustomMetric { name: "seat_lock_success_rate", kind: MetricKind::Rate, is_time: false },
        CustomMetric { name: "seat_lock_duration_ms", kind: MetricKind::Trend, is_time: true },
    ],
    request_names: &["lock_seats", "release_seats"],
    checks: &["lock object is valid"],
    properties: Cow::Borrowed(&["one-holder-per-seat", "all-or-nothing", "no-stuck-seat"]),
    default_properties: Cow::Borrowed(&["one-holder-per-seat", "all-or-nothing", "no-stuck-seat"]),
    draws: &["seats"],
};

/// A scenario that uses every key.
pub(crate) const FULL: &str = r#"# A comment.
model = "moviebooking"
title = "The measured load test"
about = "100 contenders want 100 seats."

[params]
seats = 100
picks = [1, 3]
lock_ttl = "600s"
hold = ["1s", "4s"]

[service]
instances = 2
workers = 200
connections = 10

[links.http]
p50 = "2ms"
p95 = "26.76ms"

[links.redis]
p50 = "150us"
p95 = "300us"

[links.sql]
p50 = "1ms"
p95 = "1.5ms"

[load]
executor = "ramping-vus"
journey = "contend"
startVUs = 0
stages = [
  { duration = "20s", target = 30 },
  { duration = "1m30s", target = 100 },
  { duration = "10s", target = 0 },
]
gracefulRampDown = "15s"
gracefulStop = "45s"
expected_statuses = ["200-399", 409, "423"]
measured_seed = 42
jobs = ["cleanup"]

[thresholds]
http_req_failed = ["rate<0.3"]
"http_req_duration{name:lock_seats}" = "p(95)<2000"
seat_lock_success = [{ threshold = "count>50", abortOnFail = true, delayAbortEval = "10s" }]
"http_req_duration{name:release_seats}" = []

[check.lock-release]
title = "Lock and release"
about = "Two clients."
clients = 2
journey = "lock_release"
params = { seats = 2 }
service = { workers = 3 }
draws = { seats = [[1], [1, 2]] }
given = ["vu1 until POST /seat-locks", "wait 601s", "job cleanup"]
jobs = { cleanup = 2 }
faults.lose_request = 1
faults.lose_reply = 2
faults.crash = 3
faults.redis_restart = 4
faults.evict = 5
faults.late = 6
faults.driver_repeat = 7
faults.client_retry = 8
faults.sql_abort = 9
faults.commit_unknown = 10
faults.clock_jump = 11
faults.failover = 12
replicas = 2
clocks = { clients = ["0s", "2s"], instances = ["5us"] }
bounds = { time_steps = 2, rounds = 3, max_delay = "5s", max_pause = "1s", max_states = 1000 }
properties = ["one-holder-per-seat", "all-or-nothing"]

[check.lock-release.sample]
clients = 5
params = { picks = 1 }
draws = { seats = [[2]] }
faults = { crash = 1 }
time_steps = 7
rounds = 4
executions = 50

[check.lock-release.expect]
one-holder-per-seat = "holds"
all-or-nothing = { verdict = "violated", labels = 6, ops = 14 }
states = 1234

[check.confirm]
title = "Lock and confirm"
journeys = ["book", "contend"]
"#;

/// Reads a scenario for [`MODEL`].
pub(crate) fn read(text: &str) -> Result<(Scenario, Vec<Diagnostic>), Diagnostic> {
    parse(Path::new("models/moviebooking.toml"), text, &[MODEL])
}
