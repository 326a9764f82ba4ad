//! The layout of k6 v0.x, also `--summary-mode=legacy` in v1.x.

use super::Options;
use super::lines::{Codes, Columns, Row};
use super::metrics;
use super::paint::{self, Paint};
use super::summary::CheckText;
use crate::engines::metrics::summary::{Metric, Summary};

const CODES: Codes = Codes { dots: "2", extra: "36;2" };

/// Everything that `k6 run --quiet` writes to stdout for this summary in the old layout: the checks, then one flat
/// list of all metrics, where a metric with thresholds bears their verdict. Groups are not shown.
#[must_use]
pub fn legacy(summary: &Summary, options: &Options) -> String {
    let paint = Paint { is_coloured: options.is_coloured };
    let mut lines = vec![String::new()];
    for check in &summary.checks {
        let CheckText { headline, detail } = CheckText::of(check);
        let code = paint::colour(detail.is_none());
        let detail = detail.map(|detail| format!("\n      {detail}")).unwrap_or_default();
        lines.push(paint.text(code, &format!("     {headline}{detail}")));
    }
    if !summary.checks.is_empty() {
        lines.push(String::new());
    }
    let shown: Vec<(&Metric, Row)> =
        metrics::sorted(&summary.metrics).into_iter().map(|metric| (metric, metrics::row(metric, options))).collect();
    let columns = Columns::of(shown.iter().map(|(_, row)| row));
    for (metric, row) in &shown {
        let indent = " ".repeat(3 + row.indent);
        let mark = match metric.thresholds.as_slice() {
            [] => " ".to_owned(),
            thresholds => paint.mark(thresholds.iter().all(|threshold| threshold.ok)),
        };
        lines.push(format!("{indent}{mark} {}", columns.line(row, paint, CODES)));
    }
    lines.push("\n".to_owned());
    lines.join("\n")
}
