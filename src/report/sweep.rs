//! The distribution of each figure over many seeds, as text and as JSON.

use serde_json::{Map, Value, json};

use super::table::{Signs, aligned, json_number, json_unit, mean, number, short_name};
use crate::engines::distribution::{FigureDistribution, Sweep};
use crate::engines::exact::Ratio;

/// Cells of the longest bar of a histogram.
const BAR_CELLS: usize = 40;
/// A longer name gets a line of its own.
const NAME_WIDTH: usize = 22;

/// The sweep as text of at most 80 columns: a table of means, medians and central intervals, then one histogram a
/// figure. The same sweep gives the same bytes.
#[must_use]
pub fn text(sweep: &Sweep, signs: Signs) -> String {
    let heading = ["figure", "mean", "median", "central 95 %", "central 99 %"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(heading).chain(sweep.figures.iter().map(row)).collect();
    let mut text = format!("{}\n\n{}", title(sweep), aligned(&rows, NAME_WIDTH));
    for figure in &sweep.figures {
        text.push('\n');
        text.push_str(&histogram(figure, signs));
    }
    text
}

/// An interrupted sweep is labelled, because its seeds are not a chosen range.
fn title(sweep: &Sweep) -> String {
    let (runs, seeds) = (sweep.runs(), &sweep.seeds);
    let asked = seeds.end.saturating_sub(seeds.start);
    let complete = u64::try_from(runs).is_ok_and(|runs| runs == asked);
    let finished = if complete { format!("{runs} runs") } else { format!("{runs} of {asked} runs (interrupted)") };
    format!("{finished}, seeds {}..{}", seeds.start, seeds.end)
}

fn row(figure: &FigureDistribution) -> Vec<String> {
    let distribution = &figure.distribution;
    let shown = |value: Ratio| number(figure.printed(value), figure.unit);
    let suffix = figure.unit.suffix();
    let interval = |low: Ratio, high: Ratio| format!("{} .. {}{suffix}", shown(low), shown(high));
    vec![
        short_name(&figure.name),
        format!("{}{suffix}", mean(figure.printed(distribution.mean), figure.unit)),
        format!("{}{suffix}", shown(distribution.median)),
        interval(distribution.p2_5, distribution.p97_5),
        interval(distribution.p0_5, distribution.p99_5),
    ]
}

fn histogram(figure: &FigureDistribution, signs: Signs) -> String {
    let distribution = &figure.distribution;
    let shown = |sample: i64| number(figure.printed(Ratio::new(i128::from(sample), 1)), figure.unit);
    let suffix = figure.unit.suffix();
    let tallest = distribution.histogram.iter().map(|bin| bin.count).max().unwrap_or(1).max(1);
    let rows = distribution.histogram.iter().map(|bin| {
        // A bin that is not empty shows at least one cell.
        let cells = (bin.count * BAR_CELLS).div_ceil(tallest);
        vec![
            String::new(),
            shown(bin.low),
            format!("{} {}", signs.bar.repeat(cells), bin.count).trim_start().to_owned(),
        ]
    });
    let rows: Vec<_> = rows.collect();
    let (least, greatest) = (shown(distribution.min), shown(distribution.max));
    format!("{}, min {least}{suffix}, max {greatest}{suffix}\n{}", short_name(&figure.name), aligned(&rows, NAME_WIDTH))
}

/// The sweep as a JSON object: `seeds`, `runs`, and for every figure `unit`, `mean`, `median`, `p2_5`, `p97_5`, `p0_5`,
/// `p99_5`, `min`, `max`. Numbers are in printed units (percent, milliseconds), exact to six decimals.
#[must_use]
pub fn json(sweep: &Sweep) -> Value {
    let figures: Map<_, _> = sweep.figures.iter().map(|figure| (figure.name.clone(), json_figure(figure))).collect();
    json!({
        "seeds": { "from": sweep.seeds.start, "to": sweep.seeds.end },
        "runs": sweep.runs(),
        "figures": figures,
    })
}

fn json_figure(figure: &FigureDistribution) -> Value {
    let distribution = &figure.distribution;
    let shown = |value: Ratio| json_number(figure.printed(value));
    let sample = |sample: i64| shown(Ratio::new(i128::from(sample), 1));
    json!({
        "unit": json_unit(figure.unit),
        "mean": shown(distribution.mean),
        "median": shown(distribution.median),
        "p2_5": shown(distribution.p2_5),
        "p97_5": shown(distribution.p97_5),
        "p0_5": shown(distribution.p0_5),
        "p99_5": shown(distribution.p99_5),
        "min": sample(distribution.min),
        "max": sample(distribution.max),
    })
}
