//! The order of names: k6 sorts by locale, where `_` comes before digits and digits before letters.

use std::cmp::Ordering;

/// Punctuation in the order of the CLDR root collation.
const PUNCTUATION: &str = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";

/// Compares the metric first, then its tags.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left_parent, left_tags) = split(left);
    let (right_parent, right_tags) = split(right);
    compare_text(left_parent, right_parent).then_with(|| compare_text(left_tags, right_tags))
}

/// `http_req_duration{name:lock_seats}` as metric and `{name:lock_seats}`; the latter is empty for a metric itself.
pub(super) fn split(name: &str) -> (&str, &str) {
    name.split_at(name.find('{').unwrap_or(name.len()))
}

/// Case decides only between names that are otherwise equal; then small letters come first.
fn compare_text(left: &str, right: &str) -> Ordering {
    let small_first = |text: &str| text.chars().map(|c| !c.is_lowercase()).collect::<Vec<_>>();
    left.chars()
        .map(weight)
        .cmp(right.chars().map(weight))
        .then_with(|| small_first(left).cmp(&small_first(right)))
        .then_with(|| left.cmp(right))
}

/// Class of a character and its place therein.
fn weight(c: char) -> (u8, u32) {
    match PUNCTUATION.chars().position(|known| known == c) {
        Some(place) => (1, u32::try_from(place).unwrap_or(u32::MAX)),
        None if c.is_whitespace() || c.is_control() => (0, c.into()),
        None if c.is_ascii_digit() => (2, c.into()),
        None => (3, c.to_ascii_lowercase().into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn underscore_before_digits_before_letters() {
        let sorted = [
            "http_req_duration",
            "http_req_duration{expected_response:true}",
            "http_req_duration{name:lock_seats}",
            "http_req_failed",
            "http_req2",
            "http_reqs",
            "iteration_duration",
            "iterations",
            "Iterations",
            "vus",
            "vus_max",
        ];
        let mut names = sorted;
        names.reverse();
        names.sort_by(|left, right| compare(left, right));
        assert_eq!(names, sorted);
    }
}
