//! Which metrics a run has, and which of them a sample belongs to. Made once, shared by all runs of a scenario.

use super::summary::Contains;
use crate::system::model::{CustomMetric, MetricKind};
use crate::system::threshold::{
    Aggregation, MetricName, MetricNameError, Threshold, ThresholdError, built_in_metrics, resolve,
};

/// A metric of one [`Catalogue`]: its place in the recorder, so that adding a sample looks up no name.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct MetricId(pub(super) usize);

impl MetricId {
    pub(super) const CHECKS: Self = Self::built_in("checks");
    pub(super) const DATA_RECEIVED: Self = Self::built_in("data_received");
    pub(super) const DATA_SENT: Self = Self::built_in("data_sent");
    pub(super) const HTTP_REQ_DURATION: Self = Self::built_in("http_req_duration");
    pub(super) const HTTP_REQ_FAILED: Self = Self::built_in("http_req_failed");
    pub(super) const HTTP_REQS: Self = Self::built_in("http_reqs");
    pub(super) const ITERATION_DURATION: Self = Self::built_in("iteration_duration");
    pub(super) const ITERATIONS: Self = Self::built_in("iterations");
    pub(super) const VUS: Self = Self::built_in("vus");
    pub(super) const VUS_MAX: Self = Self::built_in("vus_max");

    /// Place among the built-in metrics, with which every catalogue begins; a wrong name does not compile.
    const fn built_in(name: &str) -> Self {
        let mut at = 0;
        while !same_text(built_in_metrics()[at].name, name) {
            at += 1;
        }
        Self(at)
    }
}

const fn same_text(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let mut at = 0;
    while at < left.len() && at < right.len() && left[at] == right[at] {
        at += 1;
    }
    at == left.len() && at == right.len()
}

/// What a scenario and its model declare about metrics.
#[derive(Copy, Clone, Debug)]
pub struct Declarations<'a> {
    /// The model's own metrics.
    pub custom: &'a [CustomMetric],
    /// The tags that are the same for all requests of a kind, such as `("name", "lock_seats")`; a request names its
    /// kind by its place here. The tags `status` and `expected_response` come with each request.
    pub request_kinds: &'a [&'a [(&'a str, &'a str)]],
    /// The texts of all checks; a check is named by its place here.
    pub checks: &'a [&'a str],
    /// Thresholds by metric, in any order. An empty list shows a sub-metric without judging it.
    pub thresholds: &'a [(MetricName, Vec<Threshold>)],
    /// What the summary shows of a trend (`summaryTrendStats`).
    pub trend_stats: &'a [Aggregation],
}

/// Why thresholds do not fit the metrics.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeclarationError {
    /// There is no such metric.
    #[error(transparent)]
    Metric(#[from] MetricNameError),
    /// The metric cannot answer the threshold.
    #[error(transparent)]
    Threshold(#[from] ThresholdError),
}

/// One metric or sub-metric.
#[derive(Clone, Debug)]
pub(super) struct Declared {
    pub(super) name: String,
    pub(super) kind: MetricKind,
    pub(super) contains: Contains,
    pub(super) thresholds: Vec<Threshold>,
}

/// A sub-metric that requests of one kind may belong to.
#[derive(Copy, Clone, Debug)]
pub(super) struct Route {
    pub(super) to: MetricId,
    pub(super) status: Option<u16>,
    pub(super) expected: Option<bool>,
}

/// Sub-metrics of one kind of request, by their parent metric.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    pub(super) durations: Vec<Route>,
    pub(super) failures: Vec<Route>,
    pub(super) requests: Vec<Route>,
}

/// All metrics of a model under one scenario.
#[derive(Clone, Debug)]
pub struct Catalogue {
    pub(super) metrics: Vec<Declared>,
    pub(super) routes: Vec<Routes>,
    /// Sub-metrics of `checks`, by check.
    pub(super) check_routes: Vec<Vec<MetricId>>,
    pub(super) checks: Vec<String>,
    pub(super) trend_stats: Vec<Aggregation>,
}

impl Catalogue {
    /// Declares k6's built-in metrics, the model's own, and a sub-metric for every threshold on one. As in k6,
    /// `http_req_duration{expected_response:true}` is always there.
    ///
    /// # Errors
    /// A threshold on an unknown metric, or one that its metric cannot answer.
    pub fn new(declarations: &Declarations<'_>) -> Result<Self, DeclarationError> {
        let mut catalogue = Self {
            metrics: Vec::new(),
            routes: vec![Routes::default(); declarations.request_kinds.len()],
            check_routes: vec![Vec::new(); declarations.checks.len()],
            checks: declarations.checks.iter().map(|&check| check.to_owned()).collect(),
            trend_stats: declarations.trend_stats.to_vec(),
        };
        for metric in built_in_metrics().iter().chain(declarations.custom) {
            catalogue.declare(metric.name.to_owned(), *metric);
        }
        let expected: MetricName = "http_req_duration{expected_response:true}".parse()?;
        for (metric, thresholds) in [(expected, Vec::new())].iter().chain(declarations.thresholds) {
            let parent = resolve(metric, declarations.custom)?;
            for threshold in thresholds {
                threshold.check(metric, parent.kind)?;
            }
            let id = match catalogue.id(&metric.raw) {
                Some(id) => id,
                None => catalogue.add_sub_metric(metric, parent, declarations),
            };
            catalogue.metrics[id.0].thresholds.extend_from_slice(thresholds);
        }
        Ok(catalogue)
    }

    /// The metric of this name, tags included as in the thresholds.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<MetricId> {
        self.metrics.iter().position(|metric| metric.name == name).map(MetricId)
    }

    fn declare(&mut self, name: String, metric: CustomMetric) -> MetricId {
        let contains = match metric {
            CustomMetric { is_time: true, .. } => Contains::Time,
            CustomMetric { name: "data_received" | "data_sent", .. } => Contains::Data,
            _ => Contains::Default,
        };
        self.metrics.push(Declared { name, kind: metric.kind, contains, thresholds: Vec::new() });
        MetricId(self.metrics.len() - 1)
    }

    /// A sub-metric whose tags no sample can carry stays empty, as in k6: its thresholds are vacuous.
    fn add_sub_metric(
        &mut self,
        metric: &MetricName,
        parent: CustomMetric,
        declarations: &Declarations<'_>,
    ) -> MetricId {
        let to = self.declare(metric.raw.clone(), parent);
        for (tags, routes) in declarations.request_kinds.iter().zip(&mut self.routes) {
            let Some(route) = route(to, metric, tags) else { continue };
            match parent.name {
                "http_req_duration" => routes.durations.push(route),
                "http_req_failed" => routes.failures.push(route),
                "http_reqs" => routes.requests.push(route),
                _ => {}
            }
        }
        if parent.name == "checks" {
            for (check, routes) in declarations.checks.iter().zip(&mut self.check_routes) {
                if metric.tags.iter().all(|(tag, value)| tag == "check" && value == check) {
                    routes.push(to);
                }
            }
        }
        to
    }
}

/// What a request of a kind with these fixed tags must also have to belong to the sub-metric; `None` if it never does.
fn route(to: MetricId, metric: &MetricName, fixed: &[(&str, &str)]) -> Option<Route> {
    let mut route = Route { to, status: None, expected: None };
    for (tag, value) in &metric.tags {
        match tag.as_str() {
            "status" => route.status = Some(value.parse().ok()?),
            "expected_response" => route.expected = Some(value.parse().ok()?),
            _ if fixed.contains(&(tag.as_str(), value.as_str())) => {}
            _ => return None,
        }
    }
    Some(route)
}
