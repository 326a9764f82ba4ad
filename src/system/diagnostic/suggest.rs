//! Names that a user mistyped, and the ones that were meant.

/// The advice for an unknown name: the nearest known one if any is near, else all of them.
#[must_use]
pub fn choose(typed: &str, known: &[&str]) -> String {
    match nearest(typed, known) {
        Some(name) => format!("did you mean `{name}`?"),
        None if known.is_empty() => "there are none to choose from".to_owned(),
        None => format!("choose from {}", list(known)),
    }
}

/// The known name that a typing mistake leads away from.
#[must_use]
pub fn nearest<'a>(typed: &str, known: &[&'a str]) -> Option<&'a str> {
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
#[must_use]
pub fn list(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
