//! How the figures of one metric are worded, and where they stand.

use super::lines::{Data, Row};
use super::{Options, collation, numbers};
use crate::engines::metrics::summary::{Contains, Metric, Values};
use crate::system::threshold::Aggregation;

/// A headed part of the results, in the order of the page.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Custom,
    Http,
    Execution,
    Network,
}

impl Section {
    pub(super) const ALL: [Self; 4] = [Self::Custom, Self::Http, Self::Execution, Self::Network];

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Custom => "CUSTOM",
            Self::Http => "HTTP",
            Self::Execution => "EXECUTION",
            Self::Network => "NETWORK",
        }
    }

    /// Where a metric stands, by its name alone as in k6; `None` if the page does not show it.
    pub(super) fn of(metric: &Metric, is_full: bool) -> Option<Self> {
        match collation::split(&metric.name).0 {
            "checks" | "group_duration" => None,
            "http_req_blocked"
            | "http_req_connecting"
            | "http_req_receiving"
            | "http_req_sending"
            | "http_req_tls_handshaking"
            | "http_req_waiting"
                if !is_full =>
            {
                None
            }
            "data_received" | "data_sent" => Some(Self::Network),
            "dropped_iterations" => Some(Self::Execution),
            name if name.starts_with("http_req") => Some(Self::Http),
            name if name.starts_with("vus") || name.starts_with("iteration") => Some(Self::Execution),
            _ => Some(Self::Custom),
        }
    }
}

/// All metrics in k6's order.
pub(super) fn sorted(metrics: &[Metric]) -> Vec<&Metric> {
    let mut metrics: Vec<&Metric> = metrics.iter().collect();
    metrics.sort_by(|left, right| collation::compare(&left.name, &right.name));
    metrics
}

/// The metric's line; a sub-metric shows its tags, indented.
pub(super) fn row(metric: &Metric, options: &Options) -> Row {
    let (name, tags) = collation::split(&metric.name);
    let data = data(&metric.values, metric.contains, options);
    match tags.strip_prefix('{').and_then(|tags| tags.strip_suffix('}')) {
        Some(tags) => Row { indent: 2, name: format!("{{ {tags} }}"), data },
        None => Row { indent: 0, name: name.to_owned(), data },
    }
}

pub(super) fn data(values: &Values, contains: Contains, options: &Options) -> Data {
    let print = |number: f64| numbers::value(number, contains, options.time_unit);
    match values {
        Values::Counter { count, rate } => {
            Data::Single { value: print(*count), extras: vec![format!("{}/s", print(*rate))] }
        }
        Values::Gauge { value, min, max } => {
            let extras = vec![format!("min={}", print(*min)), format!("max={}", print(*max))];
            Data::Single { value: print(*value), extras }
        }
        Values::Rate { rate, passes, fails } => {
            let extras = vec![format!("{passes} out of {}", passes.saturating_add(*fails))];
            Data::Single { value: numbers::percentage(*rate), extras }
        }
        Values::Trend(statistics) => {
            let word = |(name, number): &(String, f64)| {
                let is_count = name == Aggregation::Count.method();
                (name.clone(), if is_count { numbers::plain(*number) } else { print(*number) })
            };
            Data::Statistics(statistics.iter().map(word).collect())
        }
    }
}

/// The value that a threshold was judged on.
pub(super) fn judged(value: f64, aggregation: Aggregation, metric: &Metric, options: &Options) -> String {
    let print = |number: f64| numbers::value(number, metric.contains, options.time_unit);
    match (&metric.values, aggregation) {
        (Values::Rate { .. }, _) => numbers::percentage(value),
        (Values::Counter { .. }, Aggregation::Rate) => format!("{}/s", print(value)),
        _ => print(value),
    }
}
