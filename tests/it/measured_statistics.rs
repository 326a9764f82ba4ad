//! Exact statistics against a naive floating-point model.

use proptest::prelude::*;
use seatproof::engines::distribution::Distribution;
use seatproof::engines::exact::{Decimal, Ratio};

/// k6's rule as k6 computes it.
fn naive_percentile(sorted: &[i64], percent: f64) -> f64 {
    let position = percent / 100.0 * (sorted.len() - 1) as f64;
    let (below, above) = (position.floor(), position.ceil());
    let at = |index: f64| sorted[format!("{index}").parse::<usize>().expect("a whole index")] as f64;
    at(below) + (at(above) - at(below)) * (position - below)
}

fn float(ratio: Ratio) -> f64 {
    ratio.numerator() as f64 / ratio.denominator() as f64
}

proptest! {
    #[test]
    fn percentiles_agree_with_floating_point(mut samples in prop::collection::vec(-1_000_000_i64..1_000_000, 1..300)) {
        let exact = Distribution::of(&samples).expect("at least one sample");
        samples.sort_unstable();
        let near = |exact: Ratio, naive: f64| (float(exact) - naive).abs() <= 1e-6 * naive.abs().max(1.0);
        for (exact, percent) in [
            (exact.median, 50.0), (exact.p2_5, 2.5), (exact.p97_5, 97.5), (exact.p0_5, 0.5), (exact.p99_5, 99.5),
        ] {
            prop_assert!(near(exact, naive_percentile(&samples, percent)), "{percent}");
        }
        prop_assert!(near(exact.mean, samples.iter().map(|&x| x as f64).sum::<f64>() / samples.len() as f64));
        prop_assert_eq!((exact.min, exact.max), (samples[0], samples[samples.len() - 1]));
        prop_assert!(exact.p0_5 <= exact.p2_5 && exact.p2_5 <= exact.median);
        prop_assert!(exact.median <= exact.p97_5 && exact.p97_5 <= exact.p99_5);
    }

    #[test]
    fn the_order_of_samples_does_not_matter(samples in prop::collection::vec(any::<i64>(), 1..50)) {
        let reversed: Vec<_> = samples.iter().rev().copied().collect();
        prop_assert_eq!(Distribution::of(&samples), Distribution::of(&reversed));
    }

    #[test]
    fn every_sample_lies_in_one_bin(samples in prop::collection::vec(any::<i64>(), 1..50)) {
        let bins = Distribution::of(&samples).expect("at least one sample").histogram;
        prop_assert!(bins.len() <= 12);
        for bin in &bins {
            let inside = samples.iter().filter(|sample| (bin.low..=bin.high).contains(*sample)).count();
            prop_assert_eq!(inside, bin.count);
        }
        prop_assert_eq!(bins.iter().map(|bin| bin.count).sum::<usize>(), samples.len());
    }

    #[test]
    fn a_printed_decimal_is_read_back(units in -999_999_999_i64..=999_999_999, places in 0_u32..=9) {
        let printed = Ratio::new(i128::from(units), 10_i128.pow(places)).fixed(places);
        let read = Decimal::parse(&printed).expect("a decimal");
        prop_assert_eq!(read.to_string(), printed);
    }

    #[test]
    fn no_text_makes_a_decimal_panic(text in "[-0-9.eE+]{0,24}") {
        if let Some(decimal) = Decimal::parse(&text) {
            let (one, third) = (decimal.ratio(), Ratio::new(1, 3));
            prop_assert!(!decimal.to_string().is_empty());
            prop_assert_eq!(one < third, third > one);
            prop_assert_eq!(one.times(100).over(100), one);
        }
    }
}
