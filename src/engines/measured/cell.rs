//! What stands in one cell of a report's table: names of metrics, numbers, limits and marks among words.

use super::limit::Limit;
use super::quantity::{Quantity, quantity};
use crate::engines::distribution::Unit;
use crate::engines::exact::Decimal;

/// Metrics of k6 whose names have no underscore and would be taken for words.
const ONE_WORD_METRICS: [&str; 4] = ["checks", "iterations", "vus", "attempts"];

/// The request names of a document: each NAME of `{name:NAME}`.
pub(super) fn request_names(text: &str) -> Vec<String> {
    let after = text.split("{name:").skip(1);
    after.filter_map(|rest| rest.split_once('}').map(|(name, _)| name.trim().to_owned())).collect()
}

/// The first metric that a cell names, tags included.
pub(super) fn metric(text: &str) -> Option<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    while let Some(start) = rest.find(is_name) {
        let from = &rest[start..];
        let base = &from[..from.find(|c| !is_name(c)).unwrap_or(from.len())];
        let known = base.contains('_') && base.starts_with(|c: char| c.is_ascii_alphabetic());
        if known || ONE_WORD_METRICS.contains(&base) {
            let tags = from[base.len()..].starts_with('{').then(|| from.find('}')).flatten();
            return Some(tags.map_or(base, |end| &from[..=end]));
        }
        rest = &from[base.len()..];
    }
    None
}

/// The trend statistic that a cell or header names, in k6's spelling: `p(95)`, `avg`, ...
pub(super) fn statistic(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric() && !matches!(c, '(' | ')' | '.' | '_'));
    words.into_iter().find_map(|word| match word {
        "avg" | "mean" | "average" => Some("avg".to_owned()),
        "med" | "median" => Some("med".to_owned()),
        "min" | "max" => Some(word.to_owned()),
        _ => {
            let number = word.strip_prefix('p')?.trim_start_matches('(').trim_end_matches(')');
            let is_number = number.starts_with(|c: char| c.is_ascii_digit()) && Decimal::parse(number).is_some();
            is_number.then(|| format!("p({number})"))
        }
    })
}

/// The numbers of a cell.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Quantities in order, each with its text. A number inside a name (`p(95)`, `lock_2`) is none.
    pub(super) read: Vec<(Quantity, String)>,
    /// Why a number is none that can be read. What follows it is left out: nobody knows what that would belong to.
    pub(super) unread: Option<&'static str>,
}

/// Reads the numbers of a cell.
pub(super) fn numbers(text: &str) -> Numbers {
    let plain = without_markup(text);
    let words = words(&plain);
    let mut numbers = Numbers::default();
    let mut index = 0;
    while numbers.unread.is_none()
        && let Some(word) = words.get(index)
    {
        let word = word.trim_matches(|c: char| matches!(c, '(' | ')' | ',' | ';' | ':' | '='));
        let unit =
            words.get(index + 1).map(|unit| unit.trim_matches(|c: char| matches!(c, '(' | ')' | ',' | ';' | '.')));
        let starts_as_number = word.starts_with(|c: char| c.is_ascii_digit());
        let with_unit = unit.filter(|unit| *unit != "m" && *unit != "h").map(|unit| format!("{word} {unit}"));
        let is_bare = || quantity(word).is_some_and(Quantity::is_bare);
        let joined = with_unit.filter(|_| starts_as_number && is_bare());
        let pair = joined.and_then(|joined| Some((quantity(&joined)?, joined)));
        index += if pair.is_some() { 2 } else { 1 };
        let single = || starts_as_number.then(|| quantity(word)).flatten().map(|read| (read, word.to_owned()));
        match pair.or_else(single) {
            Some(read) => numbers.read.push(read),
            None => numbers.unread = malformed(word),
        }
    }
    numbers
}

/// The words of a cell; a blank between groups of three digits (`1 048`) parts no words.
fn words(plain: &str) -> Vec<String> {
    let is_digits = |group: &str| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit());
    let mut words: Vec<String> = Vec::new();
    for word in plain.split_whitespace() {
        let digits = word.find(|c: char| !c.is_ascii_digit()).unwrap_or(word.len());
        let groups = words.last_mut().filter(|last| {
            let mut groups = last.trim_start_matches('(').split(' ');
            digits == 3
                && groups.next().is_some_and(|first| first.len() <= 3 && is_digits(first))
                && groups.all(is_digits)
        });
        match groups {
            Some(number) => {
                number.push(' ');
                number.push_str(word);
            }
            None => words.push(word.to_owned()),
        }
    }
    words
}

/// Why a word that is meant as a number is none; `None` for other words. How a comma or a point was meant is not
/// guessed: one in the wrong place makes the figure wrong by powers of ten.
fn malformed(word: &str) -> Option<&'static str> {
    let number = word.trim_start_matches(['+', '-', '−']);
    let digits = number.trim_end_matches(|c: char| c.is_alphabetic() || matches!(c, '%' | '/'));
    let is_number = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '\'' | '’' | ' '));
    if !is_number {
        None
    } else if number.len() < word.len() {
        Some("a number of k6 has no sign")
    } else if quantity(digits).is_some() {
        None
    } else {
        Some("commas and blanks part groups of three digits, a point parts the decimals: 1,048.5")
    }
}

/// True for a cell that is left blank, or has a dash or a mark instead of a value.
pub(super) fn says_nothing(text: &str) -> bool {
    mark(text).is_some() || plain(text).chars().all(|c| matches!(c, '-' | '–' | '—' | ' '))
}

/// The text of a cell without markup, in one line.
pub(super) fn plain(text: &str) -> String {
    without_markup(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `Rate < 30% (0.3)`, `Count > 50`, `< 2000 ms` or k6's own `rate<0.3`; `aggregation` is used where the cell has
/// none.
pub(super) fn limit(text: &str, aggregation: &str) -> Option<Limit> {
    let plain = without_markup(text).replace('≤', "<=").replace('≥', ">=");
    let start = plain.find(['<', '>', '=', '!'])?;
    let named = plain[..start].trim().to_lowercase();
    let signs = plain[start..].chars().take_while(|c| matches!(c, '<' | '>' | '=' | '!')).count();
    let (sign, number) = plain[start..].split_at(signs);
    let (read, _) = numbers(number).read.into_iter().next()?;
    let bound = if read.unit == Unit::Percent { read.value.shifted(-2)?.trimmed() } else { read.value };
    let known = statistic(&named).or_else(|| matches!(named.as_str(), "rate" | "count" | "value").then_some(named));
    let aggregation = known.unwrap_or_else(|| aggregation.to_owned());
    Limit::parse(&format!("{aggregation}{sign}{bound}"))
}

/// Passed or failed, from words or signs; `None` for a cell with neither or both.
pub(super) fn mark(text: &str) -> Option<bool> {
    let lower = text.to_lowercase();
    let has = |marks: &[&str]| marks.iter().any(|mark| lower.contains(mark));
    match (has(&["pass", "✅", "✓", "✔"]), has(&["fail", "❌", "✗", "✘"])) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}

/// The text without LaTeX and emphasis: `$\approx 26.76$ ms` is `26.76 ms`.
fn without_markup(text: &str) -> String {
    let text = text.replace("\\approx", " ").replace("\\leq", "<=").replace("\\geq", ">=").replace("\\le", "<=");
    let text = text.replace("\\ge", ">=").replace("\\lt", "<").replace("\\gt", ">").replace("\\%", "%");
    text.replace(['$', '\\', '*', '`', '≈', '~'], " ").replace(" %", "%")
}
