//! One row of a report's table: which figures its cells are, and which of them cannot be read.

use super::column::{Column, Heading, Of};
use super::quantity::{Quantity, duration_ms, quantity};
use super::{Figure, Measured, Stage, Threshold, Unread, cell};
use crate::engines::distribution::Unit;
use crate::engines::exact::{Decimal, Ratio};
use crate::system::model::MetricKind;
use crate::system::threshold::built_in_metrics;

/// One row with what is known of its columns.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) columns: &'a [Column],
    pub(super) cells: &'a [String],
    /// Line of the file, counted from 1.
    pub(super) line: usize,
    /// The request names of the document, see [`cell::request_names`].
    pub(super) tags: &'a [String],
}

/// Numbers of one cell with the statistics that they are.
type Named<'a> = Vec<(Option<String>, Quantity, &'a str)>;

impl Row<'_> {
    /// Records what the row says.
    pub(super) fn read(&self, measured: &mut Measured) {
        measured.stages.extend(self.stage());
        let (mut figures, mut unread) = (Vec::new(), Vec::new());
        for (column, text) in self.columns.iter().zip(self.cells) {
            if let Column::Value(heading) = column {
                self.value(heading, text, &mut figures, &mut unread);
            }
        }
        // Words beside a number, as in a column of remarks, are no figure, unless their header names one.
        let has_figures = !figures.is_empty();
        unread.retain(|of: &Unread| of.why != NO_NUMBER || of.statistic.is_some() || !has_figures);
        measured.unread.extend(unread);
        measured.thresholds.extend(self.threshold(&figures));
        figures.into_iter().for_each(|figure| measured.record(figure));
    }

    fn cell(&self, wanted: &Column) -> Option<&str> {
        let index = self.columns.iter().position(|column| column == wanted)?;
        self.cells.get(index).map(String::as_str)
    }

    fn stage(&self) -> Option<Stage> {
        let raw = self.cell(&Column::Duration)?.trim();
        let duration_ms = duration_ms(raw)?.as_count()?;
        let target = quantity(self.cell(&Column::Target)?)?.value.as_count()?;
        Some(Stage { duration_ms, target, raw: raw.to_owned(), line: self.line })
    }

    /// The figures of one value cell.
    fn value(&self, heading: &Heading, text: &str, figures: &mut Vec<Figure>, unread: &mut Vec<Unread>) {
        let label = self.cell(&Column::Metric).unwrap_or_default();
        // "Latency during spike | `lock_seats` p(95) = 26.76 ms": the value cell names the metric.
        let labelled = cell::metric(label).map(|name| (name, text));
        let Some((name, values)) = labelled.or_else(|| {
            let name = cell::metric(text)?;
            Some((name, text.split_once(name).map_or("", |(_, after)| after)))
        }) else {
            return;
        };
        let statistic = cell::statistic(label).or_else(|| cell::statistic(text)).or_else(|| heading.statistic.clone());
        let mut numbers = cell::numbers(values);
        if let Some((first, raw)) = numbers.read.first_mut() {
            *first = heading.complete(*first, raw);
        }
        let named = if is_rate(name) {
            share_and_counts(&numbers.read, heading.of)
        } else {
            leading(&numbers.read, statistic.clone(), heading.of)
        };
        let is_blank = numbers.read.is_empty() && (labelled.is_none() || cell::says_nothing(values));
        let why = match &named {
            Err(why) => Some(*why),
            Ok(_) => numbers.unread.or((numbers.read.is_empty() && !is_blank).then_some(NO_NUMBER)),
        };
        let named = named.unwrap_or_default();
        let of = named.first().map_or(statistic, |(statistic, ..)| statistic.clone());
        let metric = self.full_name(name, of.as_deref());
        figures.extend(named.into_iter().map(|(statistic, quantity, raw)| Figure {
            metric: metric.clone(),
            statistic,
            value: quantity.value,
            unit: quantity.unit,
            raw: raw.to_owned(),
            line: Some(self.line),
            derived: None,
        }));
        let raw = cell::plain(values);
        unread.extend(why.map(|why| Unread { metric, statistic: of, raw, line: self.line, why }));
    }

    /// k6's name of a metric that people shorten: a request's name with a statistic means the request's duration.
    fn full_name(&self, name: &str, statistic: Option<&str>) -> String {
        match name {
            "checks_succeeded" => "checks".to_owned(),
            _ if statistic.is_some() && self.tags.iter().any(|tag| tag == name) => {
                format!("http_req_duration{{name:{name}}}")
            }
            _ => name.to_owned(),
        }
    }

    /// The row's threshold with the one of its figures that the limit speaks of, if it has that figure.
    fn threshold(&self, figures: &[Figure]) -> Option<Threshold> {
        let (first, text) = (figures.first()?, self.cell(&Column::Limit)?);
        let limit = |figure: &Figure| cell::limit(text, aggregation(figure));
        let judged = figures.iter().find(|figure| {
            let is_meant = limit(figure).is_some_and(|limit| {
                limit.aggregation == aggregation(figure) || limit.aggregation == "value" && figure.statistic.is_none()
            });
            is_meant && (figure.unit == Unit::Percent || !text.contains('%'))
        });
        Some(Threshold {
            metric: first.metric.clone(),
            limit: limit(judged.unwrap_or(first)),
            actual: judged.map(|figure| (figure.value, figure.unit)),
            passed: self.cell(&Column::Mark).and_then(cell::mark),
            line: Some(self.line),
        })
    }
}

/// What k6's thresholds call this number of its metric.
fn aggregation(figure: &Figure) -> &str {
    match figure.unit {
        Unit::Percent => "rate",
        _ => figure.statistic.as_deref().unwrap_or("count"),
    }
}

const NO_NUMBER: &str = "it has no number";

/// True for k6's own rates, and for others by the ending that k6's documentation gives them.
fn is_rate(name: &str) -> bool {
    let base = name.split('{').next().unwrap_or(name);
    let built_in = built_in_metrics().iter().any(|known| known.name == base && known.kind == MetricKind::Rate);
    built_in || base == "checks_succeeded" || base.ends_with("_rate")
}

/// The numbers of a rate, in any order: its share, the count of its true samples, and of all samples.
fn share_and_counts(read: &[(Quantity, String)], of: Of) -> Result<Named<'_>, &'static str> {
    let mut named: Named<'_> = Vec::new();
    let mut counts = ["count", "total"].into_iter();
    for (index, (quantity, raw)) in read.iter().enumerate() {
        let is_leading = index == 0;
        match quantity.unit {
            Unit::Percent if named.iter().all(|(statistic, ..)| statistic.is_some()) => {
                named.push((None, *quantity, raw));
            }
            Unit::Count if is_leading && read.len() == 1 && of == Of::Any && quantity.value.as_count() == Some(1) => {
                return Err("1 is a count or a share; write 100 %, or name the column Count");
            }
            Unit::Count | Unit::Plain if is_leading && (quantity.unit == Unit::Plain || of == Of::Rates) => {
                let why = "a share has a % sign or lies between 0 and 1";
                named.push((None, percent(quantity.value).ok_or(why)?, raw));
            }
            Unit::Count => named.extend(counts.next().map(|name| (Some(name.to_owned()), *quantity, raw.as_str()))),
            _ => {}
        }
    }
    if named.is_empty() && !read.is_empty() { Err("a rate is a share or a count") } else { Ok(named) }
}

/// The share 0.99 as 99 %; `None` for what is no share.
fn percent(share: Decimal) -> Option<Quantity> {
    let is_share = share.ratio() <= Ratio::of_counts(1, 1);
    is_share.then(|| share.shifted(2)).flatten().map(|value| Quantity { value, unit: Unit::Percent })
}

/// The leading number of a metric that is no rate, with the counts beside it if it is a share after all.
fn leading(read: &[(Quantity, String)], statistic: Option<String>, of: Of) -> Result<Named<'_>, &'static str> {
    let Some(((first, raw), beside)) = read.split_first() else { return Ok(Vec::new()) };
    let rate = || Some("rate".to_owned());
    Ok(match first.unit {
        Unit::Percent => {
            let counts = ["count", "total"].into_iter().zip(beside);
            let counts = counts.filter(|(_, (quantity, _))| quantity.unit == Unit::Count);
            let counts = counts.map(|(name, (quantity, raw))| (Some(name.to_owned()), *quantity, raw.as_str()));
            std::iter::once((None, *first, raw.as_str())).chain(counts).collect()
        }
        Unit::PerSecond => vec![(rate(), *first, raw)],
        Unit::Count | Unit::Plain if statistic.is_none() && of == Of::Rates => {
            vec![(rate(), Quantity { value: first.value, unit: Unit::PerSecond }, raw)]
        }
        Unit::Milliseconds if statistic.is_none() => {
            return Err("a duration needs its statistic, such as p(95), in the row or the header");
        }
        _ => vec![(statistic, *first, raw)],
    })
}
