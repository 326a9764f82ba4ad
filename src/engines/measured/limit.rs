//! A threshold's limit as an exact decimal: k6 compares in floating point, a proof about two thresholds may not.

use crate::engines::exact::{Decimal, Ratio};

/// `aggregation operator number`, in k6's grammar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// `rate`, `count`, `p(95)`, ...
    pub aggregation: String,
    /// How the value is compared with the bound.
    pub operator: Operator,
    /// The number; shares as in k6, so `0.3` and not 30 %.
    pub bound: Decimal,
}

/// k6's comparison operators.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `<=`
    AtMost,
    /// `<`
    Below,
    /// `>=`
    AtLeast,
    /// `>`
    Above,
    /// `==` or `===`
    Equal,
    /// `!=`
    NotEqual,
}

impl Operator {
    /// In the order in which k6 looks for them.
    const SPELLINGS: [(&'static str, Self); 7] = [
        ("<=", Self::AtMost),
        ("<", Self::Below),
        (">=", Self::AtLeast),
        (">", Self::Above),
        ("===", Self::Equal),
        ("==", Self::Equal),
        ("!=", Self::NotEqual),
    ];

    /// True when `value operator bound`.
    #[must_use]
    pub fn holds(self, value: Ratio, bound: Ratio) -> bool {
        match self {
            Self::AtMost => value <= bound,
            Self::Below => value < bound,
            Self::AtLeast => value >= bound,
            Self::Above => value > bound,
            Self::Equal => value == bound,
            Self::NotEqual => value != bound,
        }
    }

    /// True for `<` and `<=`.
    #[must_use]
    pub fn is_upper(self) -> bool {
        matches!(self, Self::AtMost | Self::Below)
    }

    /// True for `>` and `>=`.
    #[must_use]
    pub fn is_lower(self) -> bool {
        matches!(self, Self::AtLeast | Self::Above)
    }

    /// As k6 writes it.
    #[must_use]
    pub fn sign(self) -> &'static str {
        Self::SPELLINGS.iter().rev().find(|(_, operator)| *operator == self).map_or("", |(sign, _)| sign)
    }
}

impl Limit {
    /// Reads `p(95)<2000`. `None` for what k6 would refuse and for numbers beyond exact arithmetic.
    #[must_use]
    pub fn parse(source: &str) -> Option<Self> {
        let (sign, operator) = Operator::SPELLINGS.iter().find(|(sign, _)| source.contains(sign))?;
        let (aggregation, number) = source.split_once(sign)?;
        let bound = Decimal::parse(number.trim())?;
        let aggregation = aggregation.trim();
        (!aggregation.is_empty()).then(|| Self { aggregation: aggregation.to_owned(), operator: *operator, bound })
    }

    /// In k6's grammar, without blanks.
    #[must_use]
    pub fn source(&self) -> String {
        format!("{}{}{}", self.aggregation, self.operator.sign(), self.bound)
    }
}

#[cfg(test)]
mod tests {
    use super::Limit;

    #[test]
    fn expressions_round_trip() {
        for source in ["rate<0.3", "p(95)<2000", "count>=5", "rate==1", "value!=0", "p(99.9)<=1000"] {
            assert_eq!(Limit::parse(source).map(|limit| limit.source()).as_deref(), Some(source));
        }
        assert_eq!(Limit::parse(" rate === 1 ").map(|limit| limit.source()).as_deref(), Some("rate==1"));
        for source in ["rate << 0.3", "rate", "<3", "rate<", "rate<x"] {
            assert_eq!(Limit::parse(source), None, "{source}");
        }
    }
}
