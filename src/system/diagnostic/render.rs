//! How a diagnostic looks: drawn by the renderer that rustc and cargo use, at a fixed width.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostic, Severity};

/// Columns of the whole drawing. Fixed, so that the same mistake gives the same bytes on every terminal.
const WIDTH: usize = 80;

/// Draws `diagnostic`.
pub(super) fn render(diagnostic: &Diagnostic, colour: bool) -> String {
    let (level, indent) = match diagnostic.severity {
        Severity::Error => (Level::ERROR, "error[SP0000]: ".len()),
        Severity::Warning => (Level::WARNING, "warning[SP0000]: ".len()),
    };
    let title = wrap(&diagnostic.message, WIDTH - indent);
    let help = diagnostic.help.as_deref().map(|help| wrap(help, WIDTH - "     ╰ help: ".chars().count()));
    let mut group = Group::with_title(level.primary_title(title).id(diagnostic.code.id));
    if let Some(place) = diagnostic.place.as_deref() {
        let caret = AnnotationKind::Primary.span(place.span.clone()).label(place.label.as_deref());
        let snippet = Snippet::source(place.source.as_str()).path(place.file.as_str()).line_start(place.line);
        group = group.element(snippet.annotation(caret));
    }
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let mut text = renderer.term_width(WIDTH).decor_style(DecorStyle::Unicode).render(&[group]);
    text.push('\n');
    text
}

/// `text` on lines of at most `width` columns; a word longer than that, such as a path, stays whole.
fn wrap(text: &str, width: usize) -> String {
    textwrap::fill(text, textwrap::Options::new(width).break_words(false))
}
