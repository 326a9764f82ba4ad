//! A measured run against the model, as text, Markdown and JSON.
//!
//! The verdict is `consistent`, `not consistent` or `inconclusive` and nothing stronger: many models produce the same
//! few counts.

use serde_json::{Value, json};

use super::table::{Signs, aligned, json_number, json_unit, number, paragraph, short_name};
use crate::engines::distribution::Unit;
use crate::engines::exact::Ratio;
use crate::engines::measured::arithmetic::{ArithmeticCheck, Finding};
use crate::engines::measured::judge::{Comparison, Outcome, Row};

/// A longer name gets a line of its own.
const NAME_WIDTH: usize = 22;

/// The comparison as text of at most 80 columns, names of figures apart, which are never cut.
#[must_use]
pub fn text(comparison: &Comparison, signs: Signs) -> String {
    let mut text = String::new();
    for notice in &comparison.notices {
        text.push_str(&paragraph(&format!("{} ", signs.notice), notice));
    }
    let rows = comparison.rows.iter().map(|row| row_cells(row, &verdict(row, signs)));
    let rows: Vec<_> = std::iter::once(heading(comparison)).chain(rows).collect();
    text.push_str(&aligned(&rows, NAME_WIDTH));
    for line in footnotes(comparison) {
        text.push_str(&paragraph("", &line));
    }
    if !comparison.arithmetic.is_empty() {
        text.push_str("arithmetic of the report itself\n");
    }
    for check in &comparison.arithmetic {
        text.push_str(&paragraph(&format!("  {} ", sign(check, signs)), &statement(check)));
    }
    let word = format!("{}  ", headline(comparison));
    text.push_str(&paragraph(&word, &conclusion(comparison)));
    text
}

/// The comparison as Markdown.
#[must_use]
pub fn markdown(comparison: &Comparison) -> String {
    let signs = Signs::UTF8;
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut text: String = comparison.notices.iter().map(|notice| format!("> {notice}\n\n")).collect();
    let mut titles = heading(comparison);
    titles[0] = "figure".to_owned();
    text.push_str(&line(&titles));
    text.push_str("| :--- | ---: | ---: | ---: | :--- |\n");
    for row in &comparison.rows {
        let mut cells = row_cells(row, &verdict(row, signs));
        cells[0] = format!("`{}`", row.name);
        text.push_str(&line(&cells));
    }
    for note in footnotes(comparison) {
        text.push_str(&format!("\n{}\n", note.replace('*', "\\*")));
    }
    if !comparison.arithmetic.is_empty() {
        text.push_str("\nArithmetic of the report itself:\n\n");
    }
    for check in &comparison.arithmetic {
        text.push_str(&format!("- {} {}\n", sign(check, signs), statement(check)));
    }
    text.push_str(&format!("\n**{}**: {}\n", headline(comparison), conclusion(comparison)));
    text
}

/// The comparison as a JSON object; numbers in printed units, exact to six decimals.
#[must_use]
pub fn json(comparison: &Comparison) -> Value {
    let figures = comparison.rows.iter().map(|row| {
        json!({
            "name": row.name,
            "unit": json_unit(row.unit),
            "measured": json_number(row.measured.value.ratio()),
            "measured_text": row.measured.raw,
            "line": row.measured.line,
            "derived": row.measured.derived,
            "median": json_number(row.median),
            "low": json_number(row.low),
            "high": json_number(row.high),
            "inside": row.inside,
            "input": row.input,
        })
    });
    let checks = comparison
        .arithmetic
        .iter()
        .map(|check| json!({ "finding": finding(check), "text": check.text, "note": check.note }));
    json!({
        "source": comparison.source,
        "level": f64::from(comparison.level.percent()) / 100.0,
        "runs": comparison.runs,
        "consistent": match comparison.outcome() {
            Outcome::Consistent => Some(true),
            Outcome::NotConsistent => Some(false),
            Outcome::Inconclusive => None,
        },
        "verdict": headline(comparison).to_lowercase(),
        "figures": figures.collect::<Vec<_>>(),
        "not_measured": comparison.not_measured,
        "unreadable": comparison.unreadable,
        "arithmetic": checks.collect::<Vec<_>>(),
        "notices": comparison.notices,
    })
}

fn heading(comparison: &Comparison) -> Vec<String> {
    let interval = format!("{} % interval", comparison.level.percent());
    [String::new(), "measured".to_owned(), "model median".to_owned(), interval, "verdict".to_owned()].to_vec()
}

fn row_cells(row: &Row, verdict: &str) -> Vec<String> {
    let suffix = row.unit.suffix();
    let shown = |value: Ratio| number(value, row.unit);
    let measured = match row.unit {
        Unit::Count | Unit::Bytes => shown(row.measured.value.ratio()),
        // As printed in the file: rounding again would show digits that nobody wrote.
        _ => row.measured.value.ratio().truncated(2),
    };
    vec![
        short_name(&row.name),
        format!("{measured}{suffix}"),
        format!("{}{suffix}", shown(row.median)),
        format!("{} .. {}{suffix}", shown(row.low), shown(row.high)),
        verdict.to_owned(),
    ]
}

fn verdict(row: &Row, signs: Signs) -> String {
    let input = if row.input { "*" } else { "" };
    if row.inside { format!("{} inside{input}", signs.holds) } else { format!("{} outside{input}", signs.fails) }
}

fn footnotes(comparison: &Comparison) -> Vec<String> {
    let mut notes = Vec::new();
    if comparison.rows.iter().any(|row| row.input) {
        notes.push("* input: the model was calibrated with this figure, so inside tests nothing".to_owned());
    }
    for (names, words) in [(&comparison.not_measured, "not in the report"), (&comparison.unreadable, "cannot be read")]
    {
        let names: Vec<_> = names.iter().map(|name| short_name(name)).collect();
        if !names.is_empty() {
            notes.push(format!("predicted, but {words}: {}", names.join(", ")));
        }
    }
    notes
}

fn sign(check: &ArithmeticCheck, signs: Signs) -> &'static str {
    match check.finding {
        Finding::Agrees => signs.holds,
        Finding::Contradicts => signs.fails,
        Finding::Notice => signs.notice,
    }
}

fn finding(check: &ArithmeticCheck) -> &'static str {
    match check.finding {
        Finding::Agrees => "agrees",
        Finding::Contradicts => "contradicts",
        Finding::Notice => "notice",
    }
}

fn statement(check: &ArithmeticCheck) -> String {
    check.note.as_ref().map_or_else(|| check.text.clone(), |note| format!("{} ({note})", check.text))
}

fn headline(comparison: &Comparison) -> &'static str {
    match comparison.outcome() {
        Outcome::Consistent => "CONSISTENT",
        Outcome::NotConsistent => "NOT CONSISTENT",
        Outcome::Inconclusive => "INCONCLUSIVE",
    }
}

fn conclusion(comparison: &Comparison) -> String {
    let (inputs, predicted): (Vec<&Row>, Vec<&Row>) = comparison.rows.iter().partition(|row| row.input);
    let outside = |rows: &[&Row]| rows.iter().filter(|row| !row.inside).count();
    let scope = format!("{} % interval of {} runs", comparison.level.percent(), comparison.runs);
    match comparison.outcome() {
        Outcome::Consistent => {
            return format!(
                "The model can produce this run: {0} of {0} predicted figures lie inside the {scope}. \
                 That does not prove the model: other models can produce this run too.",
                predicted.len()
            );
        }
        Outcome::Inconclusive => {
            return "Nothing was compared: the report states no figure that the model predicts, only inputs."
                .to_owned();
        }
        Outcome::NotConsistent => {}
    }
    let mut reasons = Vec::new();
    if outside(&predicted) > 0 {
        let (outside, all) = (outside(&predicted), predicted.len());
        reasons.push(format!("{outside} of {all} predicted figures lie outside the {scope}."));
    }
    if outside(&inputs) > 0 {
        let (outside, all) = (outside(&inputs), inputs.len());
        reasons.push(format!("{outside} of {all} inputs lie outside: the model is not calibrated with this run."));
    }
    match comparison.contradictions() {
        0 => {}
        1 => reasons.push("The report contradicts itself: mend it before judging the model by it.".to_owned()),
        n => reasons.push(format!("The report contradicts itself in {n} places: mend it first.")),
    }
    reasons.join(" ")
}
