//! From the numbers of one metric in a file to its figures by type.

use crate::engines::metrics::summary::{Contains, Metric, ThresholdResult, Values};
use crate::system::model::MetricKind;
use crate::system::threshold::{Aggregation, Threshold};

/// Numbers by name, as in the file.
pub(super) type Figures = [(String, f64)];

/// k6's words for the type of a metric.
#[derive(Copy, Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum KindWord {
    Counter,
    Gauge,
    Rate,
    Trend,
}

impl From<KindWord> for MetricKind {
    fn from(word: KindWord) -> Self {
        match word {
            KindWord::Counter => Self::Counter,
            KindWord::Gauge => Self::Gauge,
            KindWord::Rate => Self::Rate,
            KindWord::Trend => Self::Trend,
        }
    }
}

/// k6's words for the unit of a metric.
#[derive(Copy, Clone, Debug, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ContainsWord {
    Default,
    Time,
    Data,
}

impl From<ContainsWord> for Contains {
    fn from(word: ContainsWord) -> Self {
        match word {
            ContainsWord::Default => Self::Default,
            ContainsWord::Time => Self::Time,
            ContainsWord::Data => Self::Data,
        }
    }
}

/// The figures of a metric of a known type.
pub(super) fn values(kind: MetricKind, figures: &Figures) -> Result<Values, String> {
    let find = |name: &str| figures.iter().find(|(figure, _)| figure == name).map(|&(_, value)| value);
    let need = |name: &str| find(name).ok_or_else(|| format!("a {} without `{name}`", kind.name()));
    Ok(match kind {
        MetricKind::Counter => Values::Counter { count: need("count")?, rate: need("rate")? },
        MetricKind::Gauge => Values::Gauge { value: need("value")?, min: need("min")?, max: need("max")? },
        MetricKind::Rate => {
            let (passes, fails) = match (find("matches"), find("total")) {
                (Some(matches), Some(total)) => (matches, total - matches),
                _ => (need("passes")?, need("fails")?),
            };
            let rate = find("rate").or_else(|| find("value")).ok_or("a rate without `rate` or `value`")?;
            Values::Rate { rate, passes: whole(passes)?, fails: whole(fails)? }
        }
        MetricKind::Trend => {
            let mut statistics = figures.to_vec();
            statistics.sort_by(|(left, _), (right, _)| place(left).total_cmp(&place(right)));
            Values::Trend(statistics)
        }
    })
}

/// k6 writes statistics in no particular order; its summaries show them in this one. `p90` is another spelling.
fn place(statistic: &str) -> f64 {
    if let Some(Ok(percent)) = statistic.strip_prefix('p').map(str::parse) {
        return percent;
    }
    match statistic.parse() {
        Ok(Aggregation::Avg) => -4.0,
        Ok(Aggregation::Min) => -3.0,
        Ok(Aggregation::Med) => -2.0,
        Ok(Aggregation::Max) => -1.0,
        Ok(Aggregation::Percentile(percent)) => percent,
        Ok(Aggregation::Count) => 101.0,
        Ok(Aggregation::Rate | Aggregation::Value) | Err(_) => 102.0,
    }
}

fn whole(count: f64) -> Result<u64, String> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if count.fract() != 0.0 || !(0.0..=EXACT).contains(&count) {
        return Err(format!("{count} is no count"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole and between 0 and 2^53")]
    Ok(count as u64)
}

/// A metric with its verdicts: thresholds as written, and whether each held.
pub(super) fn metric(name: String, contains: Contains, values: Values, verdicts: Vec<(String, bool)>) -> Metric {
    let vacuous = match &values {
        Values::Counter { count, .. } => *count == 0.0,
        Values::Gauge { .. } => false,
        Values::Rate { passes, fails, .. } => passes + fails == 0,
        Values::Trend(statistics) => statistics.iter().all(|&(_, value)| value == 0.0),
    };
    let judged = |(source, ok): (String, bool)| {
        let value = source.parse().ok().and_then(|threshold: Threshold| values.get(threshold.aggregation));
        ThresholdResult { source, ok, value, vacuous }
    };
    Metric { thresholds: verdicts.into_iter().map(judged).collect(), name, contains, values }
}
