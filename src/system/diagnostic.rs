//! What is wrong with something that a user wrote: what, where, why, and how to mend it.
//!
//! One type for every part that reads what people write, so that all errors look alike, carry a code that
//! `explain` knows, and end the program with the documented exit code.

pub mod code;
pub mod read;
mod render;
pub mod suggest;
pub mod write;

use std::fmt;
use std::ops::Range;

pub use code::Code;

/// How much a diagnostic weighs.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The run cannot begin.
    Error,
    /// The run goes on, but what it says may not be what was meant.
    Warning,
}

/// A text with a name, which spans are offsets into.
#[derive(Copy, Clone, Debug)]
pub struct Source<'a> {
    /// The path as the user gave it.
    pub file: &'a str,
    /// The whole text.
    pub text: &'a str,
}

/// One line of a source and the part of it that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The path as the user gave it.
    pub file: String,
    /// Number of the line, from 1.
    pub line: usize,
    /// Number of the first meant character in its line, from 1; counted in characters, not bytes.
    pub column: usize,
    /// The line, without its end.
    pub source: String,
    /// The meant bytes of `source`, on character boundaries.
    pub span: Range<usize>,
    /// What stands under the caret.
    pub label: Option<String>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of mistake; `explain` prints its paragraph.
    pub code: &'static Code,
    /// Error or warning.
    pub severity: Severity,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// Where; absent when the file as a whole is meant.
    pub place: Option<Box<Place>>,
    /// How to mend it.
    pub help: Option<String>,
}

impl Place {
    /// The place of `span` in `source`. A span that leaves its first line is cut there, one that splits a character
    /// is widened, one beyond the end is moved to the end: a wrong span gives a poor caret, never a panic.
    #[must_use]
    pub fn new(source: Source<'_>, span: Range<usize>) -> Self {
        let text = source.text;
        let start = text.floor_char_boundary(span.start);
        let line_start = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        let line_end = text[line_start..].find('\n').map_or(text.len(), |length| line_start + length);
        let line = text[line_start..line_end].trim_end_matches('\r');
        let first = (start - line_start).min(line.len());
        let last = line.ceil_char_boundary(span.end.saturating_sub(line_start).clamp(first, line.len()));
        Self {
            file: source.file.to_owned(),
            line: text[..line_start].matches('\n').count() + 1,
            column: line[..first].chars().count() + 1,
            source: line.to_owned(),
            span: first..last,
            label: None,
        }
    }
}

impl Diagnostic {
    /// An error without a place.
    #[must_use]
    pub fn error(code: &'static Code, message: impl Into<String>) -> Self {
        Self { code, severity: Severity::Error, message: message.into(), place: None, help: None }
    }

    /// A warning without a place.
    #[must_use]
    pub fn warning(code: &'static Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// Adds the place.
    #[must_use]
    pub fn at(mut self, source: Source<'_>, span: Range<usize>) -> Self {
        self.place = Some(Box::new(Place::new(source, span)));
        self
    }

    /// Adds the words under the caret; without a place there is no caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        if let Some(place) = &mut self.place {
            place.label = Some(label.into());
        }
        self
    }

    /// Adds how to mend it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The exit code of a run that ends with this error.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        self.code.exit
    }

    /// The diagnostic as text of at most 80 columns where its words allow, ending in a newline; `colour` adds ANSI
    /// escapes.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        render::render(self, colour)
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Diagnostic {}
