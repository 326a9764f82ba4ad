//! The patterns of KEYS: `*`, `?`, `[a-c]`, `[^a]` and `\`, with every oddity of Redis' matcher.

/// True if the whole of `text` matches. An empty text matches the empty pattern alone, not even `*`.
///
/// Every item but `*` takes exactly one byte, so it is enough to come back to the last `*` and give it one byte
/// more: at most `pattern * text` steps, however many stars there are.
pub(super) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    if text.is_empty() {
        return pattern.is_empty();
    }
    let (mut pattern, mut text) = (pattern, text);
    let mut last_star: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            last_star = Some((rest, text));
            pattern = rest;
            continue;
        }
        let Some((&byte, text_rest)) = text.split_first() else {
            return pattern.is_empty();
        };
        let taken = if pattern.is_empty() { None } else { take_item(pattern, byte) };
        if let Some(pattern_rest) = taken {
            (pattern, text) = (pattern_rest, text_rest);
            continue;
        }
        let Some((after_star, [_, longer @ ..])) = last_star else {
            return false;
        };
        last_star = Some((after_star, longer));
        (pattern, text) = (after_star, longer);
    }
}

/// What is left of the pattern after its first item, if that item matches `byte`.
fn take_item(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    let (matched, rest) = match pattern {
        [b'?', rest @ ..] => (true, rest),
        [b'[', b'^', class @ ..] => {
            let (found, rest) = take_class(class, byte);
            (!found, rest)
        }
        [b'[', class @ ..] => take_class(class, byte),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] => (*literal == byte, rest),
        [] => (false, pattern),
    };
    matched.then_some(rest)
}

/// Whether `byte` is in the class, and the pattern after its `]`. A class without `]` ends with the pattern; in
/// `[a-]` the bracket is the upper end of a range.
fn take_class(mut class: &[u8], byte: u8) -> (bool, &[u8]) {
    let mut found = false;
    loop {
        class = match class {
            [] => return (found, class),
            [b'\\', literal, rest @ ..] => {
                found |= *literal == byte;
                rest
            }
            [b']', rest @ ..] => return (found, rest),
            [low, b'-', high, rest @ ..] => {
                found |= (*low.min(high)..=*low.max(high)).contains(&byte);
                rest
            }
            [literal, rest @ ..] => {
                found |= *literal == byte;
                rest
            }
        };
    }
}
