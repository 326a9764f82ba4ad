//! Interval literals such as `INTERVAL '10 minutes'`.

use sqlparser::ast;

/// Length in microseconds, negative if `negate` says so. Months and years have no fixed length and are refused.
pub(super) fn microseconds(interval: &ast::Interval, negate: bool) -> Result<i64, String> {
    let refused = || format!("{interval}: write an interval such as INTERVAL '10 minutes' or INTERVAL '90' SECOND");
    let ast::Expr::Value(ast::ValueWithSpan { value: ast::Value::SingleQuotedString(text), .. }) = &*interval.value
    else {
        return Err(refused());
    };
    let signed = |length: i64| if negate { length.checked_neg() } else { Some(length) };
    if let Some(field) = &interval.leading_field {
        let count: i64 = text.trim().parse().map_err(|_| refused())?;
        return unit_us(&field.to_string())
            .and_then(|unit| unit.checked_mul(count))
            .and_then(signed)
            .ok_or_else(refused);
    }
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut total = 0_i64;
    for pair in words.chunks(2) {
        let [count, unit] = pair else { return Err(refused()) };
        let count: i64 = count.parse().map_err(|_| refused())?;
        let length = unit_us(unit).and_then(|unit| unit.checked_mul(count));
        total = length.and_then(|length| total.checked_add(length)).ok_or_else(refused)?;
    }
    signed(total).filter(|_| !words.is_empty()).ok_or_else(refused)
}

fn unit_us(name: &str) -> Option<i64> {
    Some(match name.to_lowercase().as_str() {
        "us" | "microsecond" | "microseconds" => 1,
        "ms" | "millisecond" | "milliseconds" => 1_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000,
        "h" | "hr" | "hrs" | "hour" | "hours" => 3_600_000_000,
        "d" | "day" | "days" => 86_400_000_000,
        _ => return None,
    })
}
