//! Conditions on a run's figures: `seat_lock_success==1048 && seat_lock_conflict==1755`.

use super::exact::Ratio;
use super::figures::Figure;
use super::measured::limit::Limit;

/// Conditions that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    /// Index of the figure, and what it must satisfy.
    conditions: Vec<(usize, Limit)>,
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
