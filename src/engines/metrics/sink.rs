//! Where the samples of one metric go, and the statistics that k6 computes of them.
//!
//! Samples are whole numbers: microseconds for times. Sums are exact, and floats appear only in the finished figures.

use super::summary::Values;
use crate::system::model::MetricKind;
use crate::system::threshold::Aggregation;

/// The samples of one metric.
#[derive(Clone, Debug)]
pub(super) enum Sink {
    Counter { sum: u64, is_empty: bool },
    Gauge { value: u64, min: u64, max: u64, is_empty: bool },
    Rate { passes: u64, fails: u64 },
    Trend(Trend),
}

/// All samples of a trend, in thousandths of its unit.
#[derive(Clone, Debug)]
pub(super) struct Trend {
    thousandths: Vec<u64>,
    is_sorted: bool,
}

impl Sink {
    pub(super) fn new(kind: MetricKind) -> Self {
        match kind {
            MetricKind::Counter => Self::Counter { sum: 0, is_empty: true },
            MetricKind::Gauge => Self::Gauge { value: 0, min: u64::MAX, max: 0, is_empty: true },
            MetricKind::Rate => Self::Rate { passes: 0, fails: 0 },
            MetricKind::Trend => Self::Trend(Trend { thousandths: Vec::new(), is_sorted: true }),
        }
    }

    #[inline]
    pub(super) fn add(&mut self, sample: u64) {
        match self {
            Self::Counter { sum, is_empty } => {
                *sum += sample;
                *is_empty = false;
            }
            Self::Gauge { value, min, max, is_empty } => {
                *value = sample;
                *min = sample.min(*min);
                *max = sample.max(*max);
                *is_empty = false;
            }
            Self::Rate { passes, .. } if sample != 0 => *passes += 1,
            Self::Rate { fails, .. } => *fails += 1,
            Self::Trend(trend) => {
                trend.thousandths.push(sample);
                trend.is_sorted = false;
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::Counter { is_empty, .. } | Self::Gauge { is_empty, .. } => *is_empty,
            Self::Rate { passes, fails } => passes + fails == 0,
            Self::Trend(trend) => trend.thousandths.is_empty(),
        }
    }

    /// The figure that a threshold compares; 0 without samples. The threshold fits the metric's type.
    pub(super) fn aggregate(&mut self, aggregation: Aggregation, run_duration_us: u64) -> f64 {
        match self {
            Self::Trend(trend) => trend.aggregate(aggregation),
            _ => self.values(&[], run_duration_us).get(aggregation).unwrap_or(0.0),
        }
    }

    /// The finished figures; of a trend those that are asked for.
    pub(super) fn values(&mut self, trend_stats: &[Aggregation], run_duration_us: u64) -> Values {
        match self {
            Self::Counter { sum, .. } => {
                let count = *sum as f64;
                Values::Counter { count, rate: quotient(count, run_duration_us as f64 / 1e6) }
            }
            Self::Gauge { is_empty: true, .. } => Values::Gauge { value: 0.0, min: 0.0, max: 0.0 },
            Self::Gauge { value, min, max, .. } => {
                Values::Gauge { value: *value as f64, min: *min as f64, max: *max as f64 }
            }
            Self::Rate { passes, fails } => Values::Rate {
                rate: quotient(*passes as f64, (*passes + *fails) as f64),
                passes: *passes,
                fails: *fails,
            },
            Self::Trend(trend) => {
                let figure = |&statistic: &Aggregation| (statistic.to_string(), trend.aggregate(statistic));
                Values::Trend(trend_stats.iter().map(figure).collect())
            }
        }
    }
}

impl Trend {
    fn aggregate(&mut self, aggregation: Aggregation) -> f64 {
        if !self.is_sorted {
            sort(&mut self.thousandths);
            self.is_sorted = true;
        }
        let samples = &self.thousandths;
        match aggregation {
            Aggregation::Count => samples.len() as f64,
            Aggregation::Avg => quotient(units(samples.iter().sum()), samples.len() as f64),
            Aggregation::Min => units(samples.first().copied().unwrap_or(0)),
            Aggregation::Max => units(samples.last().copied().unwrap_or(0)),
            Aggregation::Med => percentile(samples, 0.5),
            Aggregation::Percentile(percent) => percentile(samples, percent / 100.0),
            // No trend answers these; `Threshold::check` refuses them.
            Aggregation::Rate | Aggregation::Value => 0.0,
        }
    }
}

/// Sorts samples digit by digit, the lowest first: a pass over them for each byte in which they differ, where comparing
/// would take one for each doubling of their number.
fn sort(samples: &mut Vec<u64>) {
    let differing = samples.iter().fold(0, |bits, sample| bits | sample ^ samples[0]);
    let mut sorted = vec![0; samples.len()];
    for shift in (0..u64::BITS).step_by(8).filter(|shift| differing >> shift & 0xff != 0) {
        let digit = |sample: u64| (sample >> shift & 0xff) as usize;
        let mut ends = [0_usize; 256];
        samples.iter().for_each(|sample| ends[digit(*sample)] += 1);
        let mut start = 0;
        for end in &mut ends {
            start += std::mem::replace(end, start);
        }
        for sample in samples.iter() {
            let place = &mut ends[digit(*sample)];
            sorted[*place] = *sample;
            *place += 1;
        }
        std::mem::swap(samples, &mut sorted);
    }
}

/// k6's percentile: linear interpolation between the two samples around the rank, 0 without samples.
fn percentile(sorted: &[u64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let rank = share * last as f64;
    let below = rank.floor();
    let at = |rank: f64| units(sorted[index(rank).min(last)]);
    let low = at(below);
    low + (at(rank.ceil()) - low) * (rank - below)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole rank between 0 and a length")]
fn index(rank: f64) -> usize {
    rank as usize
}

/// Thousandths as the number that k6 holds: milliseconds for microseconds.
fn units(thousandths: u64) -> f64 {
    thousandths as f64 / 1000.0
}

fn quotient(dividend: f64, divisor: f64) -> f64 {
    if divisor == 0.0 { 0.0 } else { dividend / divisor }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(samples: &[u64]) -> Sink {
        let mut sink = Sink::new(MetricKind::Trend);
        samples.iter().for_each(|&sample| sink.add(sample));
        sink
    }

    /// The samples of k6's own run in `tests/fixtures/k6/real-handleSummary-data.json` (0.0004 ms is below our unit,
    /// but no figure here depends on it) and the digits that k6 printed.
    #[test]
    fn percentiles_have_the_digits_of_k6() {
        let mut sink = trend(&[3_723_004_500, 0, 500, 61_234_567]);
        for (percent, printed) in [(90.0, 2_624_473.520_100_001), (95.0, 3_173_739.010_049_998_8)] {
            assert_eq!(sink.aggregate(Aggregation::Percentile(percent), 1), printed);
        }
        assert_eq!(sink.aggregate(Aggregation::Percentile(99.0), 1), 3_613_151.402_009_999);
        assert_eq!(sink.aggregate(Aggregation::Med, 1), 30_617.533_5);
        assert_eq!(sink.aggregate(Aggregation::Count, 1), 4.0);
    }

    #[test]
    fn ends_of_the_range_are_the_extremes() {
        let mut sink = trend(&[7, 3, 5]);
        assert_eq!(sink.aggregate(Aggregation::Percentile(0.0), 1), 0.003);
        assert_eq!(sink.aggregate(Aggregation::Percentile(100.0), 1), 0.007);
        sink.add(1);
        assert_eq!(sink.aggregate(Aggregation::Min, 1), 0.001, "samples after an evaluation count");
    }

    #[test]
    fn without_samples_every_figure_is_zero() {
        for kind in [MetricKind::Counter, MetricKind::Gauge, MetricKind::Rate, MetricKind::Trend] {
            let mut sink = Sink::new(kind);
            assert!(sink.is_empty());
            for aggregation in Aggregation::DEFAULT_TREND_STATS {
                assert_eq!(sink.aggregate(aggregation, 0), 0.0);
            }
        }
    }
}
