//! What a model is: its code, its data, and what it declares so that scenarios can be checked against it.

use smallvec::SmallVec;

use super::property::{GENERAL, Property};
use super::scenario::Declaration;
use super::state::State;
use crate::process::{Ctx, Flow, Request, Response, Started, name};
pub use crate::process::{ParamValue, Params};
use crate::world::argv::ByteString;
use crate::world::sql::SqlStore;
use crate::world::value::Value;

/// One lock service with its clients.
#[derive(Clone, Debug)]
pub struct Model {
    /// Name in scenario files and on the command line.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What a scenario may set.
    pub params: &'static [Param],
    /// Tables and indexes, as PostgreSQL DDL.
    pub schema: &'static str,
    /// Statements that fill the tables before the first step.
    pub rows: fn(&Params) -> Vec<Insert>,
    /// Runs once before a load test, as k6's `setup()`.
    pub setup: Option<Journey>,
    /// What clients can do.
    pub journeys: &'static [Journey],
    /// The service's request handlers.
    pub handlers: &'static [Handler],
    /// What clients and handlers start beside themselves ([`Ctx::spawn`]).
    pub children: &'static [Handler],
    /// What the service does by itself, again and again.
    pub jobs: &'static [Job],
    /// Where seats are locked.
    pub seats: SeatMap,
    /// k6 metrics of the measured script, beside the built-in ones.
    pub metrics: &'static [CustomMetric],
    /// The rate metric that gets one sample per attempt to lock seats, if there is one.
    pub attempts: Option<&'static str>,
    /// HTTP statuses by which the service says that a seat is taken.
    pub conflicts: &'static [u16],
    /// Texts of the script's checks.
    pub checks: &'static [&'static str],
    /// Values of k6's `name` tag that requests carry.
    pub request_names: &'static [&'static str],
    /// Names of its draws, for scenarios that name representatives.
    pub draws: &'static [&'static str],
    /// What must hold for this model, beside the properties of every model.
    pub properties: &'static [Property],
}

impl Model {
    /// A model of nothing, to begin one of your own with: `Model { name, journeys, ..Model::BARE }`. Seats are locked
    /// under keys like `seat:7`.
    pub const BARE: Self = Self {
        name: "bare",
        about: "",
        params: &[],
        schema: "",
        rows: |_| Vec::new(),
        setup: None,
        journeys: &[],
        jobs: &[],
        handlers: &[],
        children: &[],
        seats: SeatMap { key: |seat| ByteString::from(format!("seat:{seat}").as_str()), ..SeatMap::NONE },
        metrics: &[],
        attempts: None,
        conflicts: &[],
        checks: &[],
        request_names: &[],
        draws: &[],
        properties: &[],
    };

    /// The handler for a request, or the child for a job.
    pub(super) fn handler_of(&self, request: &Request) -> &'static Handler {
        let mut handlers = self.handlers.iter().chain(self.children);
        let handler = handlers.find(|handler| name::is_same(handler.route, request.route));
        handler.unwrap_or_else(|| panic!("model `{}` has no handler or child for `{}`", self.name, request.route))
    }

    /// What scenario files are checked against.
    #[must_use]
    pub fn declaration(&self) -> Declaration<'static> {
        Declaration {
            name: self.name,
            params: self.params,
            journeys: self.journeys.iter().map(|journey| journey.name).collect(),
            jobs: self.jobs.iter().map(|job| job.name).collect(),
            metrics: self.metrics,
            request_names: self.request_names,
            checks: self.checks,
            properties: self.all_properties().iter().map(|property| property.name).collect(),
            default_properties: {
                let all = self.all_properties();
                all.iter().filter(|property| property.is_default).map(|property| property.name).collect()
            },
            draws: self.draws,
        }
    }

    /// What must hold: the properties of every model, then its own.
    #[must_use]
    pub fn all_properties(&self) -> Vec<Property> {
        GENERAL.iter().chain(self.properties).copied().collect()
    }
}

/// An `INSERT` statement and its parameters.
pub type Insert = (&'static str, Vec<Value>);

/// What one client does in a round.
#[derive(Copy, Clone, Debug)]
pub struct Journey {
    /// Name in scenario files.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Its code.
    pub run: fn(Ctx) -> Started<Flow>,
}

/// What the service does for one kind of request, or a child for one kind of job.
#[derive(Copy, Clone, Debug)]
pub struct Handler {
    /// Method and path pattern: `POST /seat-locks`; for a child a name.
    pub route: &'static str,
    /// Its code.
    pub run: fn(Ctx, Request) -> Started<Response>,
}

/// A background job of the service.
#[derive(Copy, Clone, Debug)]
pub struct Job {
    /// Name in scenario files.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Virtual microseconds from one begin to the next.
    pub period_us: u64,
    /// Its code: one run, after which it says whether there is another.
    pub run: fn(Ctx) -> Started<Flow>,
}

/// How locks on seats are laid out in Redis, for the properties that speak of seats and owners.
#[derive(Copy, Clone, Debug)]
pub struct SeatMap {
    /// The key whose value is the owner's token while the seat is locked.
    pub key: fn(seat: i64) -> ByteString,
    /// The seats that a request asks to lock, all or none; `None` for other requests.
    pub asked: fn(&Request) -> Option<SmallVec<[i64; 4]>>,
    /// Whether a seat is sold: a live booking of it is committed.
    pub sold: fn(&SqlStore, seat: i64) -> bool,
    /// Whether the service has done for this client what the request asks, and the client was never told so.
    pub done: fn(&State, &Request, client: u16) -> bool,
    /// The journey by which a client asks for seats that it draws as `seats`, to find out whether they are free.
    pub probe: Option<&'static str>,
}

impl SeatMap {
    /// Of a model that says nothing about seats.
    pub const NONE: Self = Self {
        key: |_| ByteString::from(&b""[..]),
        asked: |_| None,
        sold: |_, _| false,
        done: |_, _, _| false,
        probe: None,
    };
}

/// A value that a scenario may set under `[params]`.
#[derive(Copy, Clone, Debug)]
pub struct Param {
    /// Name in the scenario file, units left out (`lock_ttl = "600s"`).
    pub name: &'static str,
    /// One sentence for `list` and for error messages.
    pub about: &'static str,
    /// What may be written.
    pub kind: ParamKind,
    /// Used where the scenario is silent.
    pub default: ParamValue,
}

impl Param {
    /// True when a scenario or a schedule may give this value. Either end of a range that it may give is admitted as a
    /// value of its own.
    #[must_use]
    pub fn admits(&self, value: ParamValue) -> bool {
        let ParamValue { low, high } = value;
        let (min, max) = match self.kind {
            ParamKind::Count { min, max } | ParamKind::CountRange { min, max } => (min, max),
            ParamKind::Duration | ParamKind::DurationRange => (0, LONGEST_US),
            ParamKind::Ttl if low % TTL_UNIT_US != 0 => return false,
            ParamKind::Ttl => (TTL_UNIT_US, LONGEST_US),
        };
        let is_range = matches!(self.kind, ParamKind::CountRange { .. } | ParamKind::DurationRange);
        min <= low && low <= high && high <= max && (is_range || low == high)
    }
}

/// No duration is longer, in microseconds: 292 years, so that sums of two such times still fit 64 bits.
const LONGEST_US: i64 = i64::MAX / 1_000;

/// A TTL is a multiple of this, in microseconds: Redis counts milliseconds.
const TTL_UNIT_US: i64 = 1_000;

/// What may be written for a parameter.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// A whole number within these bounds (inclusive).
    Count {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// `[1, 3]`: a range of whole numbers within these bounds, both ends included.
    CountRange {
        /// Least value.
        min: i64,
        /// Greatest value.
        max: i64,
    },
    /// `"600s"`.
    Duration,
    /// `"600s"`, in whole milliseconds and at least one, as Redis takes it.
    Ttl,
    /// `["1s", "4s"]`: a range of durations, the upper end excluded.
    DurationRange,
}

/// A k6 metric of the measured script, beside the built-in ones.
#[derive(Copy, Clone, Debug)]
pub struct CustomMetric {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub kind: MetricKind,
    /// True for `new Trend(name, true)`: values are times in milliseconds.
    pub is_time: bool,
}

/// k6's four metric types.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// A sum.
    Counter,
    /// Last, least and greatest value.
    Gauge,
    /// Share of non-zero samples.
    Rate,
    /// A distribution.
    Trend,
}

impl MetricKind {
    /// k6's own word for the type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Rate => "rate",
            Self::Trend => "trend",
        }
    }
}
