//! What a file says of predicted figures in a way that cannot be compared: told, so that nobody takes it for missing.

use super::{Figure, Measured, Unread};
use crate::engines::distribution::Unit;

/// A predicted figure and why the file's text for it was left out.
#[derive(Debug)]
pub(super) struct Unreadable<'a> {
    pub(super) name: &'a str,
    pub(super) notice: String,
}

/// What was left out of these figures, given with their units, in their order.
pub(super) fn unreadable<'a>(
    measured: &Measured,
    predicted: impl Iterator<Item = (&'a str, Unit)> + Clone,
) -> Vec<Unreadable<'a>> {
    let names = predicted.clone().map(|(name, _)| name);
    let of = |name: &'a str, unit: Unit| {
        let unread = measured.unread.iter().filter(|unread| is_meant(unread, name, names.clone()));
        let unread = unread.map(|unread| notice(measured, unread.line, &unread.name(), &unread.raw, unread.why));
        let is_stated = measured.figure(name, unit).is_some();
        let other = measured.figures.iter().filter(|_| !is_stated).filter_map(|figure| {
            let why = incomparable(figure, name, unit)?;
            Some(notice(measured, figure.line?, &figure.name(), &figure.raw, &why))
        });
        let notices: Vec<String> = unread.chain(other).collect();
        notices.into_iter().map(move |notice| Unreadable { name, notice })
    };
    predicted.clone().flat_map(|(name, unit)| of(name, unit)).collect()
}

fn notice(measured: &Measured, line: usize, name: &str, raw: &str, why: &str) -> String {
    format!("{}:{line} says {name} = `{raw}`, which is left out: {why}", measured.source)
}

/// A text without statistic in the row of a metric that has none of its own may be any of the metric's figures.
fn is_meant<'a>(unread: &Unread, name: &str, mut names: impl Iterator<Item = &'a str>) -> bool {
    let own = unread.name();
    let is_of_metric = || name.strip_prefix(&*own).is_some_and(|statistic| statistic.starts_with(' '));
    own == name || is_of_metric() && !names.any(|predicted| predicted == own)
}

/// Why a figure of the same name, or in a column of its metric that the metric cannot have, is not the predicted one.
fn incomparable(figure: &Figure, name: &str, unit: Unit) -> Option<String> {
    if figure.name() == name {
        return Some(match (figure.unit, unit) {
            (Unit::Plain, Unit::Count) => {
                "a count has no decimals; if the point parts groups of three digits, leave it out".to_owned()
            }
            _ => format!("it is compared in {}; write the unit", unit.words()),
        });
    }
    let statistic = figure.statistic.as_deref().filter(|_| figure.metric == name)?;
    let is_of_trend = !matches!(statistic, "count" | "total" | "rate");
    is_of_trend.then(|| format!("the metric has no {statistic}; a column `Value` states the metric itself"))
}
