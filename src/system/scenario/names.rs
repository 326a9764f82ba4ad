//! Names that a user typed against the names there are.

use super::fault::Fault;
use super::tree::At;
use crate::system::diagnostic::code;

/// The index of `typed` among the names of this `kind`.
pub(super) fn find(kind: &str, typed: &At<String>, known: &[&str]) -> Result<usize, Fault> {
    known.iter().position(|name| *name == typed.value).ok_or_else(|| {
        let message = format!("unknown {kind} `{}`", typed.value);
        Fault::new(&code::UNKNOWN_NAME, &typed.span, message).help(choose(&typed.value, known))
    })
}

/// The advice for an unknown name: the nearest known one if any is near, else all of them.
pub(super) fn choose(typed: &str, known: &[&str]) -> String {
    match nearest(typed, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "there are none to choose from".to_owned(),
        None => format!("choose from {}", list(known)),
    }
}

/// The known name that a typing mistake leads away from.
pub(super) fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
    // A third of the letters wrong is still a typing mistake; more is another word. Underscores, dashes and case are
    // mixed up rather than mistyped, so they count for nothing.
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    let wanted = plain(typed);
    let limit = (wanted.chars().count() / 3).max(1);
    known
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&wanted, &plain(name)), *name))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// Names in a sentence.
pub(super) fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
