//! k6's end-of-test summary as text: the layout of v1.0 to v2.2 and the legacy one, with or without colours, mixed with
//! progress lines. Of several summaries in one file the last counts.

use super::document::MeasuredKind;
use super::limit::Limit;
use super::quantity::{Quantity, is_data_unit, quantity};
use super::{Figure, Measured, Threshold, Unread};

/// The figures of the last summary in the text; `None` when there is no summary line.
pub(super) fn read(text: &str) -> Option<Measured> {
    let mut reader = Reader::default();
    for (index, line) in text.split('\n').enumerate() {
        // A terminal recording redraws its progress bar with carriage returns inside a line.
        for part in without_escapes(line).split('\r') {
            reader.line(part.trim_end(), index + 1);
        }
    }
    if reader.measured.figures.is_empty() { None } else { Some(reader.measured) }
}

#[derive(Debug, PartialEq, Eq)]
enum Section {
    /// Before the first title: where the legacy layout prints everything.
    Untitled,
    Thresholds,
    Totals,
    /// The GROUP and SCENARIO blocks of the full mode, which repeat metrics for a part of the run.
    Part,
}

#[derive(Debug)]
struct Reader {
    section: Section,
    measured: Measured,
    /// The metric that indented `{tag:value}` lines belong to.
    parent: String,
    /// The metric whose threshold lines are being read.
    owner: String,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            section: Section::Untitled,
            measured: Measured::new(MeasuredKind::StdoutLegacy),
            parent: String::new(),
            owner: String::new(),
        }
    }
}

impl Reader {
    fn line(&mut self, line: &str, number: usize) {
        let line = line.trim();
        if let Some(title) = line.strip_prefix('█') {
            self.title(title.trim());
        } else if self.section == Section::Thresholds {
            self.threshold(line, number);
        } else if self.section != Section::Part {
            self.metric(line, number);
        }
    }

    fn title(&mut self, title: &str) {
        match title {
            "THRESHOLDS" => self.start(Section::Thresholds),
            "TOTAL RESULTS" if self.section == Section::Thresholds => self.section = Section::Totals,
            "TOTAL RESULTS" => self.start(Section::Totals),
            // The legacy layout has titles above the checks of a group; its metrics follow untitled.
            _ if self.section == Section::Untitled => {}
            _ => self.section = Section::Part,
        }
    }

    fn start(&mut self, section: Section) {
        let kind = if section == Section::Untitled { MeasuredKind::StdoutLegacy } else { MeasuredKind::Stdout };
        *self = Self { section, measured: Measured::new(kind), ..Self::default() };
    }

    fn threshold(&mut self, line: &str, number: usize) {
        let Some((passed, rest)) = marked(line) else {
            if let Some(name) = self.metric_name(line) {
                self.owner = name;
            }
            return;
        };
        let Some((source, actual)) = rest.strip_prefix('\'').and_then(|rest| rest.split_once('\'')) else { return };
        let actual = actual.split_once('=').and_then(|(_, value)| quantity(value));
        self.measured.thresholds.push(Threshold {
            metric: self.owner.clone(),
            limit: Limit::parse(source),
            actual: actual.map(|actual| (actual.value, actual.unit)),
            passed: Some(passed),
            line: Some(number),
        });
    }

    fn metric(&mut self, line: &str, number: usize) {
        let (mark, rest) = marked(line).map_or((None, line), |(passed, rest)| (Some(passed), rest));
        let Some((name, data)) = rest.rsplit_once("...:") else { return };
        let Some(metric) = self.metric_name(name.trim_end_matches('.').trim()) else { return };
        let metric = match metric.as_str() {
            "checks_succeeded" => "checks".to_owned(),
            "checks_total" | "checks_failed" => return,
            _ => metric,
        };
        let Some(figures) = figures(data) else {
            let (raw, why) = (data.trim().to_owned(), "k6 prints no such line");
            self.measured.unread.push(Unread { metric, statistic: None, raw, line: number, why });
            return;
        };
        if figures.iter().any(|(statistic, ..)| self.knows(&metric, statistic.as_deref())) {
            self.start(Section::Untitled);
        }
        for (statistic, quantity, raw) in figures {
            self.measured.record(Figure {
                metric: metric.clone(),
                statistic,
                value: quantity.value,
                unit: quantity.unit,
                raw,
                line: Some(number),
                derived: None,
            });
        }
        if mark.is_some() {
            let threshold = Threshold { metric, limit: None, actual: None, passed: mark, line: Some(number) };
            self.measured.thresholds.push(threshold);
        }
    }

    fn knows(&self, metric: &str, statistic: Option<&str>) -> bool {
        let same = |figure: &Figure| figure.metric == metric && figure.statistic.as_deref() == statistic;
        self.measured.figures.iter().any(same)
    }

    /// The full name of the metric that a line begins with; `{ tag:value }` belongs to the metric above.
    fn metric_name(&mut self, text: &str) -> Option<String> {
        if let Some(tags) = text.strip_prefix('{').and_then(|tags| tags.strip_suffix('}')) {
            return (!self.parent.is_empty()).then(|| format!("{}{{{}}}", self.parent, tags.trim()));
        }
        let (base, tags) = text.split_at(text.find('{').unwrap_or(text.len()));
        let is_name = !base.is_empty() && base.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !is_name || !(tags.is_empty() || tags.ends_with('}')) {
            return None;
        }
        base.clone_into(&mut self.parent);
        Some(text.to_owned())
    }
}

/// `✓ rest` and `✗ rest`.
fn marked(line: &str) -> Option<(bool, &str)> {
    let passed = line.strip_prefix('✓').map(|rest| (true, rest.trim_start()));
    passed.or_else(|| line.strip_prefix('✗').map(|rest| (false, rest.trim_start())))
}

/// The numbers of one metric line: statistic, value, text. `None` when the words are not such as k6 prints.
fn figures(data: &str) -> Option<Vec<(Option<String>, Quantity, String)>> {
    let words = words(data);
    let all: Vec<&str> = words.iter().map(String::as_str).collect();
    let named = match all.as_slice() {
        [share, count, "out", "of", total] => vec![(None, *share), (Some("count"), *count), (Some("total"), *total)],
        // k6 0.x: the true and the false samples of a rate, with marks.
        [share, "✓", count, "✗", _] => vec![(None, *share), (Some("count"), *count)],
        [value, rate] if rate.ends_with("/s") => vec![(None, *value), (Some("rate"), *rate)],
        [value, extremes @ ..] if !value.contains('=') => [vec![(None, *value)], assigned(extremes)?].concat(),
        statistics => assigned(statistics)?,
    };
    let read =
        |(statistic, raw): (Option<&str>, &str)| Some((statistic.map(str::to_owned), quantity(raw)?, raw.to_owned()));
    named.into_iter().map(read).collect()
}

/// `name=value` words; `None` when there is none, or another word among them.
fn assigned<'a>(words: &[&'a str]) -> Option<Vec<(Option<&'a str>, &'a str)>> {
    let pairs = words.iter().map(|word| word.split_once('=').map(|(name, value)| (Some(name), value)));
    if words.is_empty() { None } else { pairs.collect() }
}

/// Splits at blanks, but leaves the byte unit with its number: `1.2 MB` is one word.
fn words(data: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in data.split_whitespace() {
        match words.last_mut() {
            Some(number) if is_data_unit(word) && number.ends_with(|c: char| c.is_ascii_digit()) => {
                number.push(' ');
                number.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// The line without terminal control sequences (ECMA-48: `ESC [`, parameters, one final byte from `@` to `~`).
fn without_escapes(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let from_final = part.trim_start_matches(|c: char| ('\u{20}'..='\u{3f}').contains(&c));
        plain.push_str(from_final.get(1..).unwrap_or_default());
    }
    plain
}
