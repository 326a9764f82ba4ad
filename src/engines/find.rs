//! Conditions on a run's figures: `seat_lock_success==1048 && seat_lock_conflict==1755`.

use super::exact::{Decimal, Ratio};
use super::figures::Figure;
use crate::system::threshold::{Operator, split};

/// Conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Index of the figure, operator, and the number on its right side.
    conditions: Vec<(usize, Operator, Ratio)>,
}

/// Why a query cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueryError {
    /// One of its conditions is not `figure operator number`.
    #[error("`{0}` is no condition; write `figure operator number`, for example `seat_lock_success==1048`")]
    Malformed(String),
    /// It names a figure that the scenario does not have.
    #[error("there is no figure `{name}`; this scenario has {known}")]
    UnknownFigure {
        /// As written.
        name: String,
        /// All figures.
        known: String,
    },
}

impl Query {
    /// Reads conditions joined by `&&`.
    ///
    /// # Errors
    /// [`QueryError`].
    pub fn parse(text: &str, figures: &[Figure]) -> Result<Self, QueryError> {
        let condition = |text: &str| {
            let text = text.trim();
            let malformed = || QueryError::Malformed(text.to_owned());
            let (name, operator, number) = split(text).ok_or_else(malformed)?;
            let bound = Decimal::parse(text[number].trim()).ok_or_else(malformed)?.ratio();
            let name = text[name].trim();
            let index = figures.iter().position(|figure| figure.name == name);
            let index = index.ok_or_else(|| QueryError::UnknownFigure {
                name: name.to_owned(),
                known: figures.iter().map(|figure| figure.name.as_str()).collect::<Vec<_>>().join(", "),
            })?;
            Ok((index, operator, bound))
        };
        Ok(Self { conditions: text.split("&&").map(condition).collect::<Result<_, _>>()? })
    }

    /// True when a run with these values satisfies every condition. Shares are in percent, durations in milliseconds.
    #[must_use]
    pub fn matches(&self, figures: &[Figure], values: &[i64]) -> bool {
        self.conditions.iter().all(|(index, operator, bound)| {
            let value = Ratio::new(values[*index].into(), figures[*index].unit.samples_per_one());
            operator.holds(value, *bound)
        })
    }
}
