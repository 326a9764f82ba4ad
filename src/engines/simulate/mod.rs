//! The load test in virtual time: k6's virtual users against the service, every message with its latency, one
//! execution per seed.

mod events;
pub mod latency;
mod load;
mod measure;
pub mod ramp;
mod run;
mod virtual_user;

use std::collections::BTreeMap;

use super::metrics::summary::Summary;
use crate::system::fingerprint::Fingerprint;
use crate::system::property::Violation;

pub use load::LoadTest;
pub(in crate::engines) use run::Execution;

/// One finished run.
#[derive(Clone, Debug, PartialEq)]
pub struct Run {
    /// The seed it ran under.
    pub seed: u64,
    /// k6's figures.
    pub summary: Summary,
    /// Hash over every operation that took effect, with its time and outcome, in order.
    pub digest: Fingerprint,
    /// The property that broke and stopped the run.
    pub violation: Option<Violation>,
    /// The threshold with `abortOnFail` that stopped the run: metric and expression.
    pub aborted_by: Option<(String, String)>,
    /// When somebody asked the run to end, in microseconds from its start: the figures are those until then.
    pub interrupted_at_us: Option<u64>,
    /// What k6 does not see.
    pub vitals: Vitals,
}

/// Figures of a run that k6 does not see.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Virtual users at the peak of the plan.
    pub vus_max: u32,
    /// Steps fired.
    pub steps: u64,
    /// Most seats held at one time.
    pub seats_held_max: usize,
    /// When that was first so, in microseconds from the start of the run.
    pub seats_held_max_at_us: u64,
    /// Seats that clients still held when the run ended: those of cut iterations, which sent no release.
    pub seats_left_held: usize,
    /// Iterations cut by a graceful period.
    pub iterations_cut: u64,
    /// Answers with a status that the scenario does not expect, by status; 0 counts calls without any answer.
    pub failed_by_status: BTreeMap<u16, u64>,
}
