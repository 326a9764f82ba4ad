//! ANSI colours, or none.

/// Puts text between colour codes, if colours are wanted.
#[derive(Copy, Clone, Debug)]
pub(super) struct Paint {
    pub(super) is_coloured: bool,
}

/// Codes of Select Graphic Rendition (ECMA-48) in the spelling of k6.
pub(super) const BOLD: &str = "1";
pub(super) const GREEN: &str = "32";
pub(super) const RED: &str = "31";
pub(super) const WHITE: &str = "37";
pub(super) const CYAN: &str = "36";

impl Paint {
    pub(super) fn text(self, code: &str, text: &str) -> String {
        if self.is_coloured { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// `✓` or `✗`.
    pub(super) fn mark(self, ok: bool) -> String {
        self.text(colour(ok), mark(ok))
    }
}

pub(super) const fn colour(ok: bool) -> &'static str {
    if ok { GREEN } else { RED }
}

pub(super) const fn mark(ok: bool) -> &'static str {
    if ok { "✓" } else { "✗" }
}
