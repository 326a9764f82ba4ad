//! Values that a workload draws.

use std::fmt;

use serde::Serialize;
use smallvec::SmallVec;

/// A value drawn from a distribution. `simulate` draws it from the seed; engines that explore take every value of
/// the support (see [`Draw::values`]).
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub struct Draw {
    /// What is drawn, as the scenario may name it: `seats`, `hold`.
    pub name: &'static str,
    /// What may come out.
    pub support: Support,
}

/// What may come out of a draw; always uniform.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash, Serialize)]
pub enum Support {
    /// A whole number, both ends included.
    Between {
        /// Least value.
        low: i64,
        /// Greatest value.
        high: i64,
    },
    /// A duration in microseconds, the upper end excluded.
    Duration {
        /// Shortest.
        low_us: i64,
        /// Just longer than the longest.
        high_us: i64,
    },
    /// `count` different numbers out of `1..=of`, in the order drawn.
    Distinct {
        /// How many.
        count: u32,
        /// Out of how many.
        of: u32,
    },
}

/// What came out of a draw: one number, or `count` of them for [`Support::Distinct`].
pub type Drawn = SmallVec<[i64; 4]>;

/// More values than this are not explored one by one: the scenario names representatives.
pub const SUPPORT_MAX: usize = 16;

impl Draw {
    /// Every value that exploration takes: the whole support if it has at most [`SUPPORT_MAX`] values, the shortest
    /// and the longest of a duration, else `None` (the scenario must name representatives).
    #[must_use]
    pub fn values(&self) -> Option<Vec<Drawn>> {
        match self.support {
            Support::Between { low, high } => {
                let size = usize::try_from(high.checked_sub(low)?.checked_add(1)?).ok()?;
                (size <= SUPPORT_MAX).then(|| (low..=high).map(one).collect())
            }
            Support::Duration { .. } => Some(self.examples()),
            Support::Distinct { count, of } => arrangements(count as usize, i64::from(of)),
        }
    }

    /// True when `drawn` may come out.
    #[must_use]
    pub fn admits(&self, drawn: &[i64]) -> bool {
        match self.support {
            Support::Between { low, high } => matches!(drawn, [value] if (low..=high).contains(value)),
            Support::Duration { low_us, high_us } => {
                matches!(drawn, [value] if *value == low_us || (low_us..high_us).contains(value))
            }
            Support::Distinct { count, of } => {
                drawn.len() == count as usize
                    && drawn.iter().all(|value| (1..=i64::from(of)).contains(value))
                    && drawn.iter().enumerate().all(|(index, value)| !drawn[..index].contains(value))
            }
        }
    }

    /// Two values at most that may come out and stand for all: the ends of a range, the first choice. None for a draw
    /// of more different numbers than there are.
    #[must_use]
    pub fn examples(&self) -> Vec<Drawn> {
        let mut examples = match self.support {
            Support::Between { low, high } => vec![one(low), one(high)],
            Support::Duration { low_us, high_us } => vec![one(low_us), one(low_us.max(high_us - 1))],
            Support::Distinct { count, of } if count <= of => vec![(1..=i64::from(count)).collect()],
            Support::Distinct { .. } => Vec::new(),
        };
        examples.dedup();
        examples
    }
}

impl fmt::Display for Support {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Between { low, high } => write!(f, "a whole number from {low} to {high}"),
            Self::Duration { low_us, high_us } => write!(f, "a time from {low_us} to {high_us} microseconds"),
            Self::Distinct { count: 1, of } => write!(f, "a whole number from 1 to {of}"),
            Self::Distinct { count, of } => write!(f, "{count} different whole numbers from 1 to {of}"),
        }
    }
}

fn one(value: i64) -> Drawn {
    SmallVec::from_slice(&[value])
}

/// All ordered choices of `count` out of `1..=of`, in lexicographic order, unless there are too many.
fn arrangements(count: usize, of: i64) -> Option<Vec<Drawn>> {
    let mut partial = vec![Drawn::new()];
    for _ in 0..count {
        let longer = partial
            .iter()
            .flat_map(|head| {
                let fresh = (1..=of).filter(|value| !head.contains(value));
                fresh.map(move |value| head.iter().copied().chain([value]).collect::<Drawn>())
            })
            .take(SUPPORT_MAX + 1)
            .collect::<Vec<_>>();
        if longer.len() > SUPPORT_MAX {
            return None;
        }
        partial = longer;
    }
    Some(partial)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(support: Support) -> Option<Vec<Vec<i64>>> {
        let values = Draw { name: "x", support }.values()?;
        Some(values.into_iter().map(|drawn| drawn.to_vec()).collect())
    }

    #[test]
    fn small_supports_are_listed_and_large_ones_are_not() {
        assert_eq!(values(Support::Between { low: 1, high: 3 }), Some(vec![vec![1], vec![2], vec![3]]));
        assert_eq!(values(Support::Between { low: 1, high: 17 }), None);
        assert_eq!(values(Support::Distinct { count: 2, of: 2 }), Some(vec![vec![1, 2], vec![2, 1]]));
        assert_eq!(values(Support::Distinct { count: 2, of: 100 }), None);
    }

    #[test]
    fn a_duration_is_its_minimum_or_its_maximum() {
        assert_eq!(values(Support::Duration { low_us: 5, high_us: 9 }), Some(vec![vec![5], vec![8]]));
        assert_eq!(values(Support::Duration { low_us: 5, high_us: 5 }), Some(vec![vec![5]]));
    }

    #[test]
    fn every_listed_value_is_admitted_and_repeats_are_not() {
        let draw = Draw { name: "seats", support: Support::Distinct { count: 2, of: 3 } };
        assert!(draw.values().expect("six arrangements").iter().all(|drawn| draw.admits(drawn)));
        assert!(!draw.admits(&[1, 1]) && !draw.admits(&[1]) && !draw.admits(&[1, 4]));
    }
}
