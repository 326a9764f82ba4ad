//! Measured figures against the distribution over seeds.

use super::arithmetic::{ArithmeticCheck, Finding, arithmetic};
use super::unreadable::unreadable;
use super::{Figure, Measured, ReadError};
use crate::engines::distribution::{Distribution, FigureDistribution, Sweep, Unit};
use crate::engines::exact::Ratio;

/// The central share of runs that an interval covers.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// From the 2.5th to the 97.5th percentile.
    Central95,
    /// From the 0.5th to the 99.5th percentile.
    #[default]
    Central99,
}

impl Level {
    /// Reads `0.95` and `0.99`; other levels are not kept.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "0.95" => Some(Self::Central95),
            "0.99" => Some(Self::Central99),
            _ => None,
        }
    }

    /// In percent.
    #[must_use]
    pub fn percent(self) -> u8 {
        match self {
            Self::Central95 => 95,
            Self::Central99 => 99,
        }
    }

    fn interval(self, distribution: &Distribution) -> (Ratio, Ratio) {
        match self {
            Self::Central95 => (distribution.p2_5, distribution.p97_5),
            Self::Central99 => (distribution.p0_5, distribution.p99_5),
        }
    }
}

/// One figure, measured and predicted, in printed units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// See [`crate::engines::distribution::figure_name`].
    pub name: String,
    /// What the numbers are.
    pub unit: Unit,
    /// The measured figure.
    pub measured: Figure,
    /// Median over seeds.
    pub median: Ratio,
    /// Lower end of the interval; belongs to it.
    pub low: Ratio,
    /// Upper end of the interval; belongs to it.
    pub high: Ratio,
    /// True when the measured value lies in the interval.
    pub inside: bool,
    /// True when the model was calibrated with this figure: inside then says only that the calibration worked.
    pub input: bool,
}

/// A measured run against a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Name of the measured file.
    pub source: String,
    /// Which interval was asked for.
    pub level: Level,
    /// Finished runs of the sweep.
    pub runs: usize,
    /// The figures that were measured and are predicted, in the order of the sweep; there is one at least.
    pub rows: Vec<Row>,
    /// Predicted figures that the file does not state.
    pub not_measured: Vec<String>,
    /// Predicted figures that the file states in a way that cannot be read; the notices say why.
    pub unreadable: Vec<String>,
    /// The measured run's own arithmetic.
    pub arithmetic: Vec<ArithmeticCheck>,
    /// What the reader should know about how the file was read.
    pub notices: Vec<String>,
}

/// What a comparison comes to.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No figure lies outside, one at least was predicted, and the report does not contradict itself.
    Consistent,
    /// A figure lies outside, or the report contradicts itself.
    NotConsistent,
    /// Nothing speaks against the model, and nothing for it: all figures in common are its inputs.
    Inconclusive,
}

impl Comparison {
    /// What it comes to.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        if self.rows.iter().any(|row| !row.inside) || self.contradictions() > 0 {
            Outcome::NotConsistent
        } else if self.rows.iter().all(|row| row.input) {
            Outcome::Inconclusive
        } else {
            Outcome::Consistent
        }
    }

    /// Numbers of the report that contradict each other.
    #[must_use]
    pub fn contradictions(&self) -> usize {
        self.arithmetic.iter().filter(|check| check.finding == Finding::Contradicts).count()
    }

    /// 0 when consistent, 5 when not, 3 when inconclusive.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.outcome() {
            Outcome::Consistent => 0,
            Outcome::NotConsistent => 5,
            Outcome::Inconclusive => 3,
        }
    }
}

/// Judges every figure that was measured and is predicted. `inputs` names the figures that the model was calibrated
/// with, `stages` the scenario's load profile (milliseconds and target), empty where it has none.
///
/// # Errors
/// As [`comparable`].
pub fn judge(
    measured: &Measured,
    sweep: &Sweep,
    level: Level,
    inputs: &[&str],
    stages: &[(u64, u64)],
) -> Result<Comparison, ReadError> {
    comparable(measured, sweep.figures.iter().map(|figure| (figure.name.as_str(), figure.unit)))?;
    let found = |figure: &FigureDistribution| measured.figure(&figure.name, figure.unit);
    let rows = sweep.figures.iter().filter_map(|predicted| Some(row(predicted, found(predicted)?, level, inputs)));
    let missing = sweep.figures.iter().filter(|predicted| found(predicted).is_none());
    let left_out = unreadable(measured, sweep.figures.iter().map(|figure| (figure.name.as_str(), figure.unit)));
    let missing = missing.map(|predicted| predicted.name.clone());
    let (unreadable, not_measured) = missing.partition(|name| left_out.iter().any(|of| of.name == name));
    let notices = left_out.into_iter().map(|of| of.notice);
    let mut checks = arithmetic(measured);
    checks.extend(super::arithmetic::stages_against(measured, stages));
    Ok(Comparison {
        source: measured.source.clone(),
        level,
        runs: sweep.runs(),
        rows: rows.collect(),
        not_measured,
        unreadable,
        arithmetic: checks,
        notices: measured.notices.iter().cloned().chain(notices).collect(),
    })
}

/// Whether a measured run has any of these figures, so that it can be judged by them.
///
/// # Errors
/// [`ReadError::NothingPredicted`] if it has none.
pub fn comparable<'a>(
    measured: &Measured,
    predicted: impl Iterator<Item = (&'a str, Unit)> + Clone,
) -> Result<(), ReadError> {
    if predicted.clone().any(|(name, unit)| measured.figure(name, unit).is_some()) {
        return Ok(());
    }
    let own = measured.figures.iter().map(|figure| in_unit(&figure.name(), figure.unit)).collect::<Vec<_>>();
    let beyond = own.len().saturating_sub(STATED_SHOWN);
    let more = match (own.len(), beyond) {
        (0, _) => "none at all".to_owned(),
        (_, 0) => String::new(),
        (_, beyond) => format!(" and {beyond} more"),
    };
    let left_out = unreadable(measured, predicted.clone()).into_iter().map(|of| format!("; {}", of.notice));
    Err(ReadError::NothingPredicted {
        file: measured.source.clone(),
        stated: own[..own.len() - beyond].join(", ") + &more + &left_out.collect::<String>(),
        predicted: predicted.map(|(name, unit)| in_unit(name, unit)).collect::<Vec<_>>().join(", "),
    })
}

/// The figures of a file that are named when none of them is predicted.
const STATED_SHOWN: usize = 12;

fn in_unit(name: &str, unit: Unit) -> String {
    match unit.suffix().trim() {
        "" => name.to_owned(),
        suffix => format!("{name} in {suffix}"),
    }
}

fn row(predicted: &FigureDistribution, measured: &Figure, level: Level, inputs: &[&str]) -> Row {
    let (low, high) = level.interval(&predicted.distribution);
    let (low, high) = (predicted.printed(low), predicted.printed(high));
    let value = measured.value.ratio();
    Row {
        name: predicted.name.clone(),
        unit: predicted.unit,
        measured: measured.clone(),
        median: predicted.printed(predicted.distribution.median),
        low,
        high,
        inside: low <= value && value <= high,
        input: inputs.contains(&predicted.name.as_str()),
    }
}
