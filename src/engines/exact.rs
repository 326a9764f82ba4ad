//! Exact numbers: decimals as printed, and ratios of integers. No float takes part in a comparison.

use std::cmp::Ordering;
use std::fmt;
use std::ops::RangeInclusive;

/// Most digits a decimal may have. Two such numbers, brought to one scale, still fit 128 bits with room to multiply.
const DIGITS_MAX: usize = 18;
/// Decimal places a decimal may have; below zero are the zeros before its point that are not printed digits.
const SCALES: RangeInclusive<i32> = -6..=PLACES_MAX;
const PLACES_MAX: i32 = 12;

/// A number as somebody printed it: `units / 10^scale`. The scale is the printed precision, so `1.980` and `1.98` are
/// equal in value and differ in precision; `1.98 s` in milliseconds is 198 at scale -1.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    units: i64,
    scale: i32,
}

impl Decimal {
    /// A whole number; `None` above 18 digits.
    #[must_use]
    pub fn whole(value: u64) -> Option<Self> {
        Self::parse(&value.to_string())
    }

    /// Reads `-12.50` or `1e-7`. `None` for anything else, for more than 18 digits and for more than 12 decimal places.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (sign, unsigned) = mantissa.strip_prefix('-').map_or((1, mantissa), |rest| (-1, rest));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits: String = [whole, fraction].concat();
        if whole.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let significant = digits.trim_start_matches('0');
        let scale = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
        if significant.len() > DIGITS_MAX || !SCALES.contains(&scale) {
            return None;
        }
        let units = if significant.is_empty() { 0 } else { significant.parse::<i64>().ok()? };
        Some(Self { units: sign * units, scale })
    }

    /// The shortest decimal that names this float, rounded to 12 places: what a JSON file shows. `None` for what cannot
    /// be held (not finite, above 18 digits).
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        let shortest = value.to_string();
        Self::parse(&shortest).or_else(|| Self::parse(format!("{value:.12}").trim_end_matches('0')))
    }

    /// The same digits times a power of ten: seconds become milliseconds, a share becomes percent.
    #[must_use]
    pub fn shifted(self, powers_of_ten: i32) -> Option<Self> {
        let scale = self.scale.checked_sub(powers_of_ten)?;
        SCALES.contains(&scale).then_some(Self { units: self.units, scale })
    }

    /// The number this many units of its last printed place above.
    #[must_use]
    pub fn plus_last_places(self, places: i64) -> Self {
        Self { units: self.units + places, scale: self.scale }
    }

    /// The same value without zeros at the end of its fraction.
    #[must_use]
    pub fn trimmed(self) -> Self {
        let mut trimmed = self;
        while trimmed.scale > 0 && trimmed.units % 10 == 0 {
            trimmed = Self { units: trimmed.units / 10, scale: trimmed.scale - 1 };
        }
        trimmed
    }

    /// Decimal places that were printed; negative when the last printed digit stands for tens, hundreds, ...
    #[must_use]
    pub fn scale(self) -> i32 {
        self.scale
    }

    /// The value as a ratio.
    #[must_use]
    pub fn ratio(self) -> Ratio {
        let units = i128::from(self.units);
        let power = 10_i128.pow(self.scale.unsigned_abs());
        if self.scale >= 0 { Ratio::new(units, power) } else { Ratio::new(units * power, 1) }
    }

    /// The value, when it is a whole number that is not negative.
    #[must_use]
    pub fn as_count(self) -> Option<u64> {
        let ratio = self.ratio();
        if ratio.denominator == 1 { u64::try_from(ratio.numerator).ok() } else { None }
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.ratio().fixed(self.scale.max(0).unsigned_abs()))
    }
}

/// A ratio of integers in lowest terms; the denominator is positive. A [`Decimal`] has a numerator below 10^24 and a
/// denominator up to 10^12, a percentile over seeds 10^22 and 10^3: the cross products of a comparison fit 128 bits.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    numerator: i128,
    denominator: i128,
}

impl Ratio {
    /// `numerator / denominator`. A denominator of zero makes zero, which is k6's value for a share without samples.
    #[must_use]
    pub fn new(numerator: i128, denominator: i128) -> Self {
        if denominator == 0 {
            return Self { numerator: 0, denominator: 1 };
        }
        let divisor = greatest_common_divisor(numerator.unsigned_abs(), denominator.unsigned_abs());
        let divisor = i128::try_from(divisor).unwrap_or(1) * denominator.signum();
        Self { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    /// A share of counts.
    #[must_use]
    pub fn of_counts(part: u64, whole: u64) -> Self {
        Self::new(i128::from(part), i128::from(whole))
    }

    /// Numerator in lowest terms.
    #[must_use]
    pub fn numerator(self) -> i128 {
        self.numerator
    }

    /// Denominator in lowest terms, positive.
    #[must_use]
    pub fn denominator(self) -> i128 {
        self.denominator
    }

    /// Times a whole number.
    #[must_use]
    pub fn times(self, factor: i128) -> Self {
        Self::new(self.numerator * factor, self.denominator)
    }

    /// Divided by a whole number.
    #[must_use]
    pub fn over(self, divisor: i128) -> Self {
        Self::new(self.numerator, self.denominator * divisor)
    }

    /// `(1 - self) / (1 + self)`, the map between the share of successful locks and the share of failed requests.
    #[must_use]
    pub fn one_minus_over_one_plus(self) -> Self {
        Self::new(self.denominator - self.numerator, self.denominator + self.numerator)
    }

    /// Printed with this many decimals, rounded half up (towards plus infinity at a tie).
    #[must_use]
    pub fn fixed(self, decimals: u32) -> String {
        let doubled = 2 * self.numerator * 10_i128.pow(decimals) + self.denominator;
        with_point(doubled.div_euclid(2 * self.denominator), decimals)
    }

    /// Printed with this many decimals, the rest cut off, as k6 prints percentages.
    #[must_use]
    pub fn truncated(self, decimals: u32) -> String {
        with_point(self.numerator * 10_i128.pow(decimals) / self.denominator, decimals)
    }

    /// The greatest whole number that is not above the value.
    #[must_use]
    pub fn floor(self) -> i128 {
        self.numerator.div_euclid(self.denominator)
    }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.numerator * other.denominator).cmp(&(other.numerator * self.denominator))
    }
}

fn greatest_common_divisor(a: u128, b: u128) -> u128 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

fn with_point(units: i128, decimals: u32) -> String {
    let sign = if units < 0 { "-" } else { "" };
    if decimals == 0 {
        return units.to_string();
    }
    let power = 10_u128.pow(decimals);
    let (whole, fraction) = (units.unsigned_abs() / power, units.unsigned_abs() % power);
    let width = usize::try_from(decimals).unwrap_or(usize::MAX);
    format!("{sign}{whole}.{fraction:0width$}")
}

#[cfg(test)]
mod tests {
    use super::{Decimal, Ratio};

    fn decimal(text: &str) -> Decimal {
        Decimal::parse(text).unwrap_or_else(|| panic!("{text} is a decimal"))
    }

    #[test]
    fn a_decimal_keeps_its_printed_places() {
        assert_eq!(decimal("45.520").to_string(), "45.520");
        assert_eq!(decimal("-0.05").to_string(), "-0.05");
        assert_eq!(decimal("1.98").shifted(3).map(|ms| ms.to_string()), Some("1980".to_owned()));
        assert_eq!(decimal("1e-7").to_string(), "0.0000001");
        assert_eq!(decimal("0.3").ratio(), Ratio::new(3, 10));
    }

    #[test]
    fn what_is_no_decimal_is_refused() {
        for text in ["", ".", "-", ".5", "1.2.3", "1e", "1e99", "NaN", "inf", "1234567890123456789", "+1", "1,000"] {
            assert_eq!(Decimal::parse(text), None, "{text}");
        }
        assert_eq!(Decimal::from_f64(f64::NAN), None);
        assert_eq!(Decimal::from_f64(1e300), None);
    }

    #[test]
    fn ratios_round_half_up_and_truncate() {
        let rate = Ratio::of_counts(1048, 2803).times(100);
        assert_eq!((rate.truncated(2), rate.fixed(2)), ("37.38".to_owned(), "37.39".to_owned()));
        assert_eq!(Ratio::new(5, 2).fixed(0), "3");
        assert_eq!(Ratio::new(-5, 2).fixed(0), "-2");
        assert_eq!(Ratio::new(-1, 4).fixed(2), "-0.25");
        assert_eq!(Ratio::new(3, 10).one_minus_over_one_plus(), Ratio::new(7, 13));
    }
}
