//! The samples of one run.

use std::sync::Arc;

use super::catalogue::{Catalogue, Declared, MetricId, Route};
use super::sink::Sink;
use super::summary::{Check, Metric, Summary, ThresholdResult};
use crate::system::model::MetricKind;
use crate::system::threshold::Threshold;

/// Takes the samples of one run. Adding one costs an index and an addition, whatever the number of metrics. Kinds of
/// requests, checks and metrics are places in its own catalogue; others panic.
#[derive(Clone, Debug)]
pub struct Recorder {
    catalogue: Arc<Catalogue>,
    /// One for each metric of the catalogue.
    sinks: Vec<Sink>,
    /// Passes and fails of each check.
    checks: Vec<(u64, u64)>,
    /// Checks in order of first appearance.
    seen_checks: Vec<usize>,
}

impl Recorder {
    /// Without samples.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>) -> Self {
        Self {
            sinks: catalogue.metrics.iter().map(|metric| Sink::new(metric.kind)).collect(),
            checks: vec![(0, 0); catalogue.checks.len()],
            seen_checks: Vec::new(),
            catalogue,
        }
    }

    /// One sample of a metric: an amount for a counter, a level for a gauge, 0 or not 0 for a rate, and thousandths of
    /// the unit for a trend (microseconds for times, which k6 counts in milliseconds).
    #[inline(always)]
    pub fn add(&mut self, metric: MetricId, sample: u64) {
        self.sinks[metric.0].add(sample);
    }

    /// One answered or failed request of the kind at this place in the catalogue's `request_kinds`. `is_expected` is
    /// k6's `expected_response`: unless the scenario says otherwise, a status from 200 to 399.
    pub fn request(&mut self, kind: usize, duration_us: u64, status: u16, is_expected: bool, sent: u64, received: u64) {
        self.add(MetricId::HTTP_REQS, 1);
        self.add(MetricId::HTTP_REQ_FAILED, u64::from(!is_expected));
        self.add(MetricId::HTTP_REQ_DURATION, duration_us);
        self.add(MetricId::DATA_SENT, sent);
        self.add(MetricId::DATA_RECEIVED, received);
        let routes = &self.catalogue.routes[kind];
        for (routes, sample) in
            [(&routes.requests, 1), (&routes.failures, u64::from(!is_expected)), (&routes.durations, duration_us)]
        {
            let fits = |route: &&Route| {
                route.status.is_none_or(|wanted| wanted == status)
                    && route.expected.is_none_or(|wanted| wanted == is_expected)
            };
            for route in routes.iter().filter(fits) {
                self.sinks[route.to.0].add(sample);
            }
        }
    }

    /// One completed iteration. A cut one has no such sample.
    pub fn iteration(&mut self, duration_us: u64) {
        self.add(MetricId::ITERATIONS, 1);
        self.add(MetricId::ITERATION_DURATION, duration_us);
        // k6 reports the network traffic of every iteration, none included.
        self.add(MetricId::DATA_SENT, 0);
        self.add(MetricId::DATA_RECEIVED, 0);
    }

    /// The level of VUs, which k6 samples once a second: those at work, and those initialised.
    pub fn vus(&mut self, active: u32, initialised: u32) {
        self.add(MetricId::VUS, active.into());
        self.add(MetricId::VUS_MAX, initialised.into());
    }

    /// One evaluation of the check at this place in the catalogue's `checks`.
    pub fn check(&mut self, check: usize, holds: bool) {
        let (passes, fails) = &mut self.checks[check];
        if *passes + *fails == 0 {
            self.seen_checks.push(check);
        }
        *(if holds { passes } else { fails }) += 1;
        self.sinks[MetricId::CHECKS.0].add(holds.into());
        for to in &self.catalogue.check_routes[check] {
            self.sinks[to.0].add(holds.into());
        }
    }

    /// The first threshold with `abortOnFail` that fails now, with its metric. k6 evaluates every 2 s; metrics without
    /// samples are skipped, and so are thresholds whose `delayAbortEval` has not passed.
    pub fn evaluate_abort(&mut self, now_us: u64) -> Option<(&str, &Threshold)> {
        let may_abort = |threshold: &&Threshold| {
            threshold.abort_on_fail && threshold.delay_abort_eval_us.is_none_or(|delay_us| now_us >= delay_us)
        };
        let mut sampled = self.catalogue.metrics.iter().zip(&mut self.sinks).filter(|(_, sink)| !sink.is_empty());
        sampled.find_map(|(metric, sink)| {
            let mut candidates = metric.thresholds.iter().filter(may_abort);
            let failed = candidates.find(|one| !one.holds(sink.aggregate(one.aggregation, now_us)))?;
            Some((metric.name.as_str(), failed))
        })
    }

    /// The figures and verdicts of the finished run, which lasted this long with set-up and graceful tail. Metrics
    /// with neither samples nor thresholds are left out.
    #[must_use]
    pub fn finish(mut self, run_duration_us: u64) -> Summary {
        let mut metrics = Vec::new();
        for (declared, sink) in self.catalogue.metrics.iter().zip(&mut self.sinks) {
            if !sink.is_empty() || !declared.thresholds.is_empty() {
                metrics.push(Metric {
                    name: declared.name.clone(),
                    contains: declared.contains,
                    values: sink.values(&self.catalogue.trend_stats, run_duration_us),
                    thresholds: judge(declared, sink, run_duration_us),
                });
            }
        }
        metrics.sort_by(|left, right| left.name.cmp(&right.name));
        let check = |&at: &usize| {
            let (passes, fails) = self.checks[at];
            Check { name: self.catalogue.checks[at].clone(), passes, fails }
        };
        Summary {
            duration_ms: run_duration_us as f64 / 1000.0,
            metrics,
            checks: self.seen_checks.iter().map(check).collect(),
            groups: Vec::new(),
        }
    }
}

/// Without samples k6 compares 0, but lets a rate pass.
fn judge(declared: &Declared, sink: &mut Sink, run_duration_us: u64) -> Vec<ThresholdResult> {
    let vacuous = sink.is_empty();
    let judged = |threshold: &Threshold| {
        let value = sink.aggregate(threshold.aggregation, run_duration_us);
        let ok = threshold.holds(value) || (vacuous && declared.kind == MetricKind::Rate);
        ThresholdResult { source: threshold.source.clone(), ok, value: Some(value), vacuous }
    };
    declared.thresholds.iter().map(judged).collect()
}
