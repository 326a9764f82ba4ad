//! How long a message takes: a log-normal shape through two given percentiles, in integers throughout.
//!
//! A latency is `p50 * (p95 / p50) ^ (z / z95)` for a standard normal `z`: the usual shape of service times, with its
//! long tail. All values come from a table made of integer logarithms and powers, so they are the same on every
//! machine.

/// Standard normal quantiles at (i + 1/2) / 128 for i in 64..128, in thousandths; the lower half mirrors them.
const NORMAL_QUANTILES_MILLI: [i64; 64] = [
    10, 29, 49, 69, 88, 108, 128, 147, 167, 187, 207, 227, 247, 268, 288, 308, 329, 350, 371, 392, 413, 434, 456, 478,
    500, 522, 545, 568, 591, 614, 638, 662, 687, 712, 737, 763, 790, 817, 844, 873, 902, 932, 962, 994, 1_026, 1_060,
    1_095, 1_132, 1_170, 1_209, 1_251, 1_295, 1_342, 1_392, 1_445, 1_503, 1_567, 1_637, 1_717, 1_810, 1_921, 2_064,
    2_266, 2_660,
];
/// The 95th percentile of the standard normal distribution, in thousandths.
const Z95_MILLI: i64 = 1_645;
/// One, in fixed-point numbers with 32 fractional bits.
const ONE: u128 = 1 << 32;

/// The latencies of one link.
#[derive(Clone, Debug)]
pub struct Latency {
    /// Values at equal steps of probability, microseconds, ascending.
    quantiles_us: Vec<u64>,
}

impl Latency {
    /// The shape with this median and 95th percentile, in microseconds; `p95_us` below `p50_us` counts as equal.
    #[must_use]
    pub fn new(p50_us: u64, p95_us: u64) -> Self {
        if p50_us == 0 {
            return Self { quantiles_us: vec![0, 0] };
        }
        let spread = log2(p95_us.max(p50_us), p50_us);
        let upper = NORMAL_QUANTILES_MILLI.iter().copied();
        let lower = NORMAL_QUANTILES_MILLI.iter().rev().map(|z| -z);
        let value = |z_milli: i64| {
            let exponent = i128::from(spread) * i128::from(z_milli) / i128::from(Z95_MILLI);
            scale(p50_us, exponent)
        };
        Self { quantiles_us: lower.chain(upper).map(value).collect() }
    }

    /// The latency in microseconds for 32 uniform bits, interpolated linearly between neighbouring quantiles.
    #[inline(always)]
    pub fn at_us(&self, bits: u32) -> u64 {
        let gaps = self.quantiles_us.len() as u64 - 1;
        let position = u64::from(bits) * gaps;
        let (index, fraction) = ((position >> 32) as usize, position & u64::from(u32::MAX));
        let (low, high) = (self.quantiles_us[index], self.quantiles_us[index + 1]);
        low + (((high - low) * fraction) >> 32)
    }
}

/// log2(numerator / denominator) with 32 fractional bits, for numerator >= denominator > 0: one bit at a time, by
/// squaring.
fn log2(numerator: u64, denominator: u64) -> u64 {
    let mut ratio = u128::from(numerator) * ONE / u128::from(denominator);
    let mut result = 0;
    while ratio >= 2 * ONE {
        ratio /= 2;
        result += 1_u64 << 32;
    }
    for bit in (0..32).rev() {
        ratio = ratio * ratio / ONE;
        if ratio >= 2 * ONE {
            ratio /= 2;
            result |= 1 << bit;
        }
    }
    result
}

/// `value * 2^exponent` for an exponent with 32 fractional bits, rounded down.
fn scale(value: u64, exponent: i128) -> u64 {
    let whole = exponent.div_euclid(1 << 32);
    let fraction = exponent.rem_euclid(1 << 32);
    let mut factor = ONE;
    let mut root = 2 * ONE;
    for bit in (0..32).rev() {
        root = (root * ONE).isqrt();
        if fraction >> bit & 1 == 1 {
            factor = factor * root / ONE;
        }
    }
    let scaled = u128::from(value) * factor;
    let shifted = if whole >= 0 { scaled << whole.min(63) } else { scaled >> (-whole).min(127) };
    u64::try_from(shifted / ONE).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::super::prng::{Purpose, Stream};
    use super::*;

    #[test]
    fn logarithm_and_power_agree_with_floating_point() {
        for (high, low) in [(2_u64, 1_u64), (3, 2), (26_760, 9_100), (1_000_000, 1), (5, 5)] {
            let exact = (high as f64 / low as f64).log2();
            assert!((log2(high, low) as f64 / ONE as f64 - exact).abs() < 1e-6, "log2({high}/{low})");
        }
        for (value, quarters) in [(1_000_u64, 6_i32), (1_000, -9), (7, 0)] {
            let fixed = i128::from(quarters) << 30;
            let exponent = f64::from(quarters) / 4.0;
            let exact = value as f64 * exponent.exp2();
            assert!((scale(value, fixed) as f64 - exact).abs() <= 1.0, "{value} * 2^{exponent}");
        }
    }

    #[test]
    fn drawn_latencies_have_the_given_percentiles() {
        let latency = Latency::new(2_000, 6_000);
        let mut stream = Stream::new(1, 1, Purpose::Latency);
        let mut drawn = (0..40_000).map(|_| latency.at_us(stream.bits())).collect::<Vec<_>>();
        drawn.sort_unstable();
        let (p50, p95) = (drawn[20_000], drawn[38_000]);
        assert!((1_960..2_040).contains(&p50), "median {p50}");
        assert!((5_820..6_180).contains(&p95), "p95 {p95}");
    }

    #[test]
    fn a_link_without_latency_takes_no_time() {
        assert_eq!([0, u32::MAX].map(|bits| Latency::new(0, 0).at_us(bits)), [0, 0]);
    }
}
