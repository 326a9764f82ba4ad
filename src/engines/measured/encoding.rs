//! Undoes one common damage to text: UTF-8 that a program read as Mac Roman and saved as UTF-8 again.

use encoding_rs::MACINTOSH;

/// The text before the damage, or `None` when the text is not so damaged. Text whose every character exists in Mac
/// Roman and whose Mac Roman bytes are valid UTF-8 with at least one character beyond ASCII does not arise by chance.
pub(super) fn repair_mac_roman(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let (bytes, _, unmappable) = MACINTOSH.encode(text);
    if unmappable { None } else { String::from_utf8(bytes.into_owned()).ok() }
}

#[cfg(test)]
mod tests {
    use super::repair_mac_roman;

    #[test]
    fn the_repaired_report_is_the_report_to_the_byte() {
        let damaged = include_str!("../../../tests/fixtures/measured/report-mojibake.md");
        let intact = include_str!("../../../tests/fixtures/measured/report.md");
        assert_eq!(repair_mac_roman(damaged).as_deref(), Some(intact));
        assert_eq!(repair_mac_roman(intact), None);
    }

    #[test]
    fn only_damaged_text_is_changed() {
        assert_eq!(repair_mac_roman("‚ö†Ô∏è 5 ‚â† 6").as_deref(), Some("⚠️ 5 ≠ 6"));
        for text in ["plain", "naïve café", "✓ 5 ≠ 6", "Größe"] {
            assert_eq!(repair_mac_roman(text), None, "{text}");
        }
    }
}
