//! Why a text is no measured run, or none that can be judged.

/// Why a text is no measured run, or none that can be judged. The message says what and why; [`ReadError::help`] says
/// how to mend it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// The text starts like JSON and is none.
    #[error("{file} is not valid JSON: {why}")]
    Json {
        /// The file as the user wrote it.
        file: String,
        /// Line and column, counted from 1.
        place: (usize, usize),
        /// What the parser met.
        why: String,
        /// True when the text ends too early.
        truncated: bool,
    },
    /// Valid JSON of another kind.
    #[error("{file} is JSON, but no k6 summary: {why}")]
    NoSummary {
        /// The file as the user wrote it.
        file: String,
        /// Line and column, counted from 1.
        place: (usize, usize),
        /// What is missing.
        why: String,
    },
    /// Text without a figure.
    #[error("{file} holds no figure of a k6 run: no summary line of k6, no table with a metric and its value")]
    NoFigures {
        /// The file as the user wrote it.
        file: String,
    },
    /// A measured run of something else: none of its figures is predicted.
    #[error("{file} states no figure that the model predicts: it has {stated}; looked for were {predicted}")]
    NothingPredicted {
        /// The file as the user wrote it.
        file: String,
        /// The figures that it has, with their units.
        stated: String,
        /// Those that the model predicts.
        predicted: String,
    },
}

impl ReadError {
    /// The error's code, which `explain` knows.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Json { .. } => "SP0503",
            Self::NoSummary { .. } => "SP0504",
            Self::NoFigures { .. } => "SP0505",
            Self::NothingPredicted { .. } => "SP0506",
        }
    }

    /// Line and column, counted from 1, where the error has a place.
    #[must_use]
    pub fn place(&self) -> Option<(usize, usize)> {
        match self {
            Self::Json { place, .. } | Self::NoSummary { place, .. } => Some(*place),
            Self::NoFigures { .. } | Self::NothingPredicted { .. } => None,
        }
    }

    /// How to mend it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Json { truncated: true, .. } => {
                "the file ends too early: was k6 stopped while it wrote, or the copy cut?"
            }
            Self::Json { .. } => "mend the file at that place, or write it again with k6 run --summary-export FILE",
            Self::NoSummary { .. } => {
                "write one with k6 run --summary-export FILE, or save what handleSummary is given"
            }
            Self::NoFigures { .. } => {
                "a metric table has a column `Metric` with names such as `http_req_failed` and a column `Result`, \
                 `Value` or `Actual`"
            }
            Self::NothingPredicted { .. } => {
                "name the scenario of the service that was measured: seatproof compare REPORT SCENARIO; its figures \
                 have k6's names, units included"
            }
        }
    }
}
