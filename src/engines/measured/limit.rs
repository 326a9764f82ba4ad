//! A threshold's limit as an exact decimal: k6 compares in floating point, a proof about two thresholds may not.

use crate::engines::exact::{Decimal, Ratio};
use crate::system::threshold::{Operator, Threshold};

/// `aggregation operator number`, in k6's grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// As written.
    pub source: String,
    /// `rate`, `count`, `p(95)`, ...
    pub aggregation: String,
    /// The number; shares as in k6, so `0.3` and not 30 %.
    pub bound: Decimal,
    operator: Operator,
}

impl Limit {
    /// Reads `p(95)<2000`. `None` for what k6 would refuse and for numbers beyond exact arithmetic.
    #[must_use]
    pub fn parse(source: &str) -> Option<Self> {
        let threshold: Threshold = source.parse().ok()?;
        // The number as a decimal: it stands behind the last character of the operator.
        let (_, number) = source.rsplit_once(['<', '>', '='])?;
        Some(Self {
            source: source.to_owned(),
            aggregation: threshold.aggregation.to_string(),
            bound: Decimal::parse(number.trim())?,
            operator: threshold.operator,
        })
    }

    /// True when the value satisfies the limit.
    #[must_use]
    pub fn holds(&self, value: Ratio) -> bool {
        self.operator.holds(value, self.bound.ratio())
    }

    /// True for `<` and `<=`.
    #[must_use]
    pub fn is_upper(&self) -> bool {
        matches!(self.operator, Operator::LessOrEqual | Operator::Less)
    }

    /// True for `>` and `>=`.
    #[must_use]
    pub fn is_lower(&self) -> bool {
        matches!(self.operator, Operator::GreaterOrEqual | Operator::Greater)
    }
}

#[cfg(test)]
mod tests {
    use super::{Limit, Ratio};

    #[test]
    fn limits_compare_exactly() {
        let holds = |source: &str, value: Ratio| Limit::parse(source).map(|limit| limit.holds(value));
        let third = Ratio::new(1, 3);
        assert_eq!(holds("rate<0.333333333333", third), Some(false));
        assert_eq!(holds(" rate === 0.5 ", Ratio::new(1, 2)), Some(true));
        assert_eq!(holds("p(99.9)<=2000", Ratio::new(2000, 1)), Some(true));
        assert_eq!(holds("count!=5", Ratio::new(5, 1)), Some(false));
        assert_eq!(holds("count>=5", Ratio::new(5, 1)), Some(true));
        assert_eq!(holds("count>5", Ratio::new(5, 1)), Some(false));
    }

    #[test]
    fn what_k6_refuses_is_no_limit() {
        for source in ["rate << 0.3", "rate", "<3", "rate<", "rate<x"] {
            assert_eq!(Limit::parse(source), None, "{source}");
        }
    }
}
