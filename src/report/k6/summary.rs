//! The end-of-test summary of k6 v1.2 to v2.2.

use super::lines::{Codes, Columns, Row};
use super::metrics::{self, Section};
use super::paint::{self, BOLD, CYAN, Paint, WHITE};
use super::{Options, collation};
use crate::engines::metrics::summary::{Check, Contains, Group, Metric, Summary, ThresholdResult, Values};
use crate::system::threshold::Threshold;

const CODES: Codes = Codes { dots: "2;37", extra: "2;36" };

/// Everything that `k6 run --quiet` writes to stdout for this summary, framing newlines included.
#[must_use]
pub fn summary(summary: &Summary, options: &Options) -> String {
    let mut page = Page { text: "\n".to_owned(), paint: Paint { is_coloured: options.is_coloured }, options };
    page.thresholds(&summary.metrics);
    page.results(summary);
    if options.is_full {
        for group in &summary.groups {
            page.title("█ ", &format!("GROUP: {}", group.name), 2);
            page.group(group, 4, summary.duration_ms);
        }
    }
    page.text.push_str("\n\n");
    page.text
}

struct Page<'a> {
    text: String,
    paint: Paint,
    options: &'a Options,
}

impl Page<'_> {
    fn line(&mut self, indent: usize, text: &str) {
        self.text.push_str(&" ".repeat(indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    fn title(&mut self, mark: &str, title: &str, indent: usize) {
        if indent == 2 {
            self.gap();
        }
        self.line(indent, &format!("{mark}{} ", self.paint.text(BOLD, title)));
        self.gap();
    }

    fn thresholds(&mut self, metrics: &[Metric]) {
        let judged: Vec<&Metric> =
            metrics::sorted(metrics).into_iter().filter(|metric| !metric.thresholds.is_empty()).collect();
        if judged.is_empty() {
            return;
        }
        self.title("█ ", "THRESHOLDS", 2);
        for metric in &judged {
            let (parent, tags) = collation::split(&metric.name);
            let is_below_parent = !tags.is_empty() && judged.iter().any(|other| other.name == parent);
            let (indent, name) = if is_below_parent { (6, tags) } else { (4, metric.name.as_str()) };
            self.line(indent, name);
            for threshold in &metric.thresholds {
                self.line(indent, &self.verdict(threshold, metric));
            }
            self.gap();
        }
    }

    /// `✓ 'p(95)<2000' p(95)=26.76ms`. For `!=` k6 prints `undefined` or another figure; here stands the one judged.
    fn verdict(&self, threshold: &ThresholdResult, metric: &Metric) -> String {
        let quoted = format!("'{}'", threshold.source.trim());
        let verdict = format!("{} {}", self.paint.mark(threshold.ok), self.paint.text(WHITE, &quoted));
        match (threshold.value, threshold.source.parse()) {
            (Some(value), Ok(Threshold { aggregation, .. })) => {
                let value = metrics::judged(value, aggregation, metric, self.options);
                let name = self.paint.text(WHITE, &aggregation.to_string());
                format!("{verdict} {name}={}", self.paint.text(CYAN, &value))
            }
            _ => verdict,
        }
    }

    fn results(&mut self, summary: &Summary) {
        self.title("█ ", "TOTAL RESULTS", 2);
        if let Some(Values::Rate { passes, fails, .. }) = summary.metric("checks").map(|metric| &metric.values) {
            self.check_totals(*passes, *fails, summary.duration_ms, 4);
            self.checks(&summary.checks, 4);
        }
        let is_full = self.options.is_full;
        let shown = metrics::sorted(&summary.metrics).into_iter();
        let shown: Vec<(Section, Row)> = shown
            .filter_map(|metric| Some((Section::of(metric, is_full)?, metrics::row(metric, self.options))))
            .collect();
        let columns = Columns::of(shown.iter().map(|(_, row)| row));
        for section in Section::ALL {
            let mut rows = shown.iter().filter(|(of, _)| *of == section).map(|(_, row)| row).peekable();
            if rows.peek().is_none() {
                continue;
            }
            self.line(4, &self.paint.text(BOLD, section.title()));
            for row in rows {
                self.line(4 + row.indent, &columns.line(row, self.paint, CODES));
            }
            self.gap();
        }
    }

    fn group(&mut self, group: &Group, indent: usize, duration_ms: f64) {
        let sum = |count: fn(&Check) -> u64| group.checks.iter().map(count).fold(0, u64::saturating_add);
        self.check_totals(sum(|check| check.passes), sum(|check| check.fails), duration_ms, indent);
        self.checks(&group.checks, indent);
        for inner in &group.groups {
            self.title("↳ ", &format!("GROUP: {}", inner.name), indent);
            self.group(inner, indent + 2, duration_ms);
        }
    }

    /// The three lines above the checks have columns of their own.
    fn check_totals(&mut self, passes: u64, fails: u64, duration_ms: f64, indent: usize) {
        let total = passes.saturating_add(fails);
        if total == 0 {
            return;
        }
        let all = total as f64;
        let rate = if duration_ms > 0.0 { all / (duration_ms / 1000.0) } else { 0.0 };
        let share = |passes: u64, fails: u64| Values::Rate { rate: passes as f64 / all, passes, fails };
        let rows = [
            ("checks_total", Values::Counter { count: all, rate }),
            ("checks_succeeded", share(passes, fails)),
            ("checks_failed", share(fails, passes)),
        ]
        .map(|(name, values)| Row {
            indent: 0,
            name: name.to_owned(),
            data: metrics::data(&values, Contains::Default, self.options),
        });
        let columns = Columns::of(&rows);
        for row in &rows {
            self.line(indent, &columns.line(row, self.paint, CODES));
        }
        self.gap();
    }

    fn checks(&mut self, checks: &[Check], indent: usize) {
        for check in checks {
            let CheckText { headline, detail } = CheckText::of(check);
            let code = paint::colour(detail.is_none());
            self.line(indent, &self.paint.text(code, &headline));
            if let Some(detail) = detail {
                // k6 counts the depth of a nested group twice here.
                self.line(2 * indent - 2, &self.paint.text(code, &detail));
            }
        }
        if !checks.is_empty() {
            self.gap();
        }
    }
}

/// A check in words, the same in all layouts.
pub(super) struct CheckText {
    /// `✓ name` or `✗ name`.
    pub(super) headline: String,
    /// The share that held, if one evaluation failed.
    pub(super) detail: Option<String>,
}

impl CheckText {
    pub(super) fn of(Check { name, passes, fails }: &Check) -> Self {
        let has_failed = *fails > 0;
        let detail = has_failed.then(|| {
            let percent = u128::from(*passes) * 100 / (u128::from(*passes) + u128::from(*fails));
            format!("↳  {percent}% — ✓ {passes} / ✗ {fails}")
        });
        Self { headline: format!("{} {name}", paint::mark(!has_failed)), detail }
    }
}
