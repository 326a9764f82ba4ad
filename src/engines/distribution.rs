//! One figure over many seeds: mean, percentiles and histogram, in exact integer arithmetic.
//!
//! Percentile `p` of the sorted samples `v[0] ..= v[n-1]` is k6's: with `i = p/100 * (n-1)`, the value at `i`, linearly
//! interpolated between `v[floor i]` and `v[ceil i]`. k6 computes it in floating point; here it is a ratio of integers,
//! because it decides whether a measured value lies inside an interval.

use std::ops::Range;

use super::exact::Ratio;

/// Most bins of a histogram, so that its text form stays on one screen.
const BINS_MAX: i64 = 12;

/// What a figure's number is, and how it is scaled to an integer sample.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// A number of events. Samples are the number itself.
    Count,
    /// Bytes. Samples are the number itself.
    Bytes,
    /// A share in percent. Samples are millionths of one percent.
    Percent,
    /// A duration in milliseconds. Samples are nanoseconds.
    Milliseconds,
    /// Events per second. Samples are millionths.
    PerSecond,
    /// A number of no known unit. Samples are millionths.
    Plain,
}

impl Unit {
    /// Sample units in one printed unit.
    #[must_use]
    pub fn samples_per_one(self) -> i128 {
        match self {
            Self::Count | Self::Bytes => 1,
            Self::Percent | Self::Milliseconds | Self::PerSecond | Self::Plain => 1_000_000,
        }
    }

    /// What stands behind a printed number.
    #[must_use]
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Count | Self::Plain => "",
            Self::Bytes => " B",
            Self::Percent => "%",
            Self::Milliseconds => "ms",
            Self::PerSecond => "/s",
        }
    }

    /// The unit in a sentence.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Count => "whole numbers",
            Self::Plain => "numbers without unit",
            Self::Bytes => "bytes",
            Self::Percent => "percent",
            Self::Milliseconds => "milliseconds",
            Self::PerSecond => "amounts per second",
        }
    }
}

/// The name of a figure: k6's metric name, followed by the statistic unless it is the metric's leading one (a counter's
/// count, a rate's share, a gauge's value). `http_req_duration{name:lock_seats} p(95)`, `seat_lock_success`,
/// `http_req_failed count` (failed requests), `http_reqs rate`.
#[must_use]
pub fn figure_name(metric: &str, statistic: Option<&str>) -> String {
    statistic.map_or_else(|| metric.to_owned(), |statistic| format!("{metric} {statistic}"))
}

/// One figure's value in each finished run of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureSamples {
    /// See [`figure_name`].
    pub name: String,
    /// What the samples are.
    pub unit: Unit,
    /// One value a run, scaled as [`Unit`] says, in any order.
    pub samples: Vec<i64>,
}

/// What a sweep over seeds collected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepFigures {
    /// The seeds that were asked for. An interrupted sweep has fewer samples than seeds.
    pub seeds: Range<u64>,
    /// The figures, in the order in which they are shown.
    pub figures: Vec<FigureSamples>,
}

impl SweepFigures {
    /// The distribution of every figure that has a sample.
    #[must_use]
    pub fn distributions(&self) -> Sweep {
        let figures = self.figures.iter().filter_map(|figure| {
            let distribution = Distribution::of(&figure.samples)?;
            Some(FigureDistribution { name: figure.name.clone(), unit: figure.unit, distribution })
        });
        Sweep { seeds: self.seeds.clone(), figures: figures.collect() }
    }
}

/// The distributions of a sweep's figures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sweep {
    /// The seeds that were asked for.
    pub seeds: Range<u64>,
    /// The figures, in the order in which they are shown.
    pub figures: Vec<FigureDistribution>,
}

impl Sweep {
    /// Finished runs: the sample count of the figure that has most.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.figures.iter().map(|figure| figure.distribution.n).max().unwrap_or(0)
    }
}

/// One figure and its distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FigureDistribution {
    /// See [`figure_name`].
    pub name: String,
    /// What the numbers are.
    pub unit: Unit,
    /// In sample units.
    pub distribution: Distribution,
}

impl FigureDistribution {
    /// A number of the distribution in printed units.
    #[must_use]
    pub fn printed(&self, value: Ratio) -> Ratio {
        value.over(self.unit.samples_per_one())
    }
}

/// Statistics of integer samples, all exact and in sample units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution {
    /// Number of samples, at least 1.
    pub n: usize,
    /// Sum of the samples over their number.
    pub mean: Ratio,
    /// 50th percentile.
    pub median: Ratio,
    /// 2.5th percentile, lower end of the central 95 %.
    pub p2_5: Ratio,
    /// 97.5th percentile, upper end of the central 95 %.
    pub p97_5: Ratio,
    /// 0.5th percentile, lower end of the central 99 %.
    pub p0_5: Ratio,
    /// 99.5th percentile, upper end of the central 99 %.
    pub p99_5: Ratio,
    /// Least sample.
    pub min: i64,
    /// Greatest sample.
    pub max: i64,
    /// Adjacent bins of one width, ascending, from the bin of the least sample to that of the greatest.
    pub histogram: Vec<Bin>,
}

/// How many samples lie in `low ..= high`.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Bin {
    /// Least value of the bin.
    pub low: i64,
    /// Greatest value of the bin.
    pub high: i64,
    /// Samples inside.
    pub count: usize,
}

impl Distribution {
    /// The statistics of these samples; `None` without a sample.
    #[must_use]
    pub fn of(samples: &[i64]) -> Option<Self> {
        let mut sorted = samples.to_vec();
        sorted.sort_unstable();
        let (&min, &max) = (sorted.first()?, sorted.last()?);
        let sum: i128 = sorted.iter().map(|&sample| i128::from(sample)).sum();
        let n = sorted.len();
        Some(Self {
            n,
            mean: Ratio::new(sum, i128::try_from(n).ok()?),
            median: percentile(&sorted, 500),
            p2_5: percentile(&sorted, 25),
            p97_5: percentile(&sorted, 975),
            p0_5: percentile(&sorted, 5),
            p99_5: percentile(&sorted, 995),
            min,
            max,
            histogram: histogram(&sorted, min, max),
        })
    }
}

/// The percentile `permille / 10` of sorted samples; `samples` is not empty and `permille` at most 1000.
fn percentile(sorted: &[i64], permille: usize) -> Ratio {
    let position = permille * (sorted.len() - 1);
    let (index, part) = (position / 1000, position % 1000);
    let below = i128::from(sorted[index]);
    let above = i128::from(sorted[(index + 1).min(sorted.len() - 1)]);
    Ratio::new(below * 1000 + (above - below) * i128::try_from(part).unwrap_or(0), 1000)
}

/// Bins whose edges are multiples of the smallest width of the form 1, 2 or 5 times a power of ten that needs at most
/// [`BINS_MAX`] bins: round edges, the same for nearly equal sweeps.
fn histogram(sorted: &[i64], min: i64, max: i64) -> Vec<Bin> {
    let (wide_min, wide_max) = (i128::from(min), i128::from(max));
    let fits = |width: i128| wide_max.div_euclid(width) - wide_min.div_euclid(width) < i128::from(BINS_MAX);
    let widths = (0..20).flat_map(|power| [1, 2, 5].map(|step| step * 10_i128.pow(power)));
    let Some(width) = widths.into_iter().find(|&width| fits(width)) else { return Vec::new() };
    let mut rest = sorted;
    let bins = (wide_min.div_euclid(width)..=wide_max.div_euclid(width)).map(|index| {
        let high = clamped(index * width + width - 1);
        let (inside, above) = rest.split_at(rest.partition_point(|&sample| sample <= high));
        rest = above;
        Bin { low: clamped(index * width), high, count: inside.len() }
    });
    bins.collect()
}

/// The outermost bins may reach beyond 64 bits; no sample does.
fn clamped(edge: i128) -> i64 {
    i64::try_from(edge).unwrap_or(if edge < 0 { i64::MIN } else { i64::MAX })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_interpolate_between_neighbours() {
        let ten: Vec<i64> = (1..=10).rev().collect();
        let distribution = Distribution::of(&ten).expect("ten samples");
        assert_eq!(distribution.median, Ratio::new(11, 2));
        assert_eq!(distribution.p97_5, Ratio::new(9775, 1000));
        assert_eq!(distribution.p0_5, Ratio::new(1045, 1000));
        assert_eq!((distribution.mean, distribution.min, distribution.max), (Ratio::new(11, 2), 1, 10));
        assert_eq!(Distribution::of(&[]), None);
    }

    #[test]
    fn bins_have_round_edges_and_hold_every_sample() {
        let distribution = Distribution::of(&[-3, 0, 4, 5, 99]).expect("five samples");
        let bins: Vec<_> = distribution.histogram.iter().map(|bin| (bin.low, bin.high, bin.count)).collect();
        assert_eq!((bins[0], bins[1], bins.len()), ((-10, -1, 1), (0, 9, 3), 11));
        assert_eq!(bins.iter().map(|bin| bin.2).sum::<usize>(), 5);
        assert_eq!(Distribution::of(&[i64::MIN, i64::MAX]).expect("two").histogram.len(), 10);
    }
}
