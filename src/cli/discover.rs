//! `explain` and `list`: what there is, and what it means.

use super::console::Console;
use super::{Failure, exit};
use crate::models;
use crate::report::judgement::EXPLAIN_CONTRADICTING_THRESHOLDS;
use crate::system::diagnostic::{Diagnostic, code};
use crate::system::property::GENERAL;

pub(super) fn explain(name: &str, console: &Console) -> Result<u8, Failure> {
    let properties = GENERAL.iter().chain(models::CATALOG.iter().flat_map(|entry| entry.model.properties));
    let property = properties.into_iter().find(|property| property.name == name);
    let text = if name.eq_ignore_ascii_case("SP0204") {
        filled(EXPLAIN_CONTRADICTING_THRESHOLDS.trim_end())
    } else if let Some(property) = property {
        textwrap::fill(property.about, 80)
    } else if let Some(code) = code::find(name) {
        textwrap::fill(code.about, 80)
    } else {
        let help = "codes stand in brackets behind `error`; `seatproof list` names the properties";
        return Err(Diagnostic::error(&code::ARGUMENT, format!("nothing here is called `{name}`")).help(help).into());
    };
    if console.json {
        console.out_json(&serde_json::json!({ "name": name, "text": text }));
    } else {
        console.out(&format!("{text}\n"));
    }
    Ok(exit::OK)
}

/// Each paragraph filled anew; what is indented is a formula or code, and stays as it is.
fn filled(text: &str) -> String {
    let paragraph = |text: &str| match text.starts_with(' ') {
        true => text.to_owned(),
        false => textwrap::fill(&text.replace('\n', " "), 80),
    };
    text.split("\n\n").map(paragraph).collect::<Vec<_>>().join("\n\n")
}

pub(super) fn list(console: &Console) -> Result<u8, Failure> {
    if console.json {
        console.out_json(&crate::report::catalogue::json(&models::CATALOG.map(|entry| entry.model)));
    } else {
        console.out(&crate::report::catalogue::text(&models::CATALOG.map(|entry| entry.model)));
    }
    Ok(exit::OK)
}
