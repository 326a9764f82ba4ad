//! What is wrong with a value, before it is known which file it stands in.

use std::fmt;
use std::ops::Range;

use serde::de::{self, Expected, Unexpected};

use crate::system::diagnostic::suggest::choose;
use crate::system::diagnostic::{Code, Diagnostic, Severity, Source, code};

/// A mistake at a span of the text that is being read. As serde's error type it keeps the names that serde reports,
/// so that an unknown key gets its suggestion without reading serde's sentences back.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    code: &'static Code,
    message: String,
    /// Absent only while serde's own code raises it; the innermost value it passes through gives the span.
    span: Option<Range<usize>>,
    help: Option<String>,
}

impl Fault {
    /// A mistake at `span`.
    pub(super) fn new(code: &'static Code, span: &Range<usize>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), span: Some(span.clone()), help: None }
    }

    /// Adds how to mend it.
    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Gives a fault raised by serde its span; one that has a span keeps it.
    pub(super) fn or_at(mut self, span: &Range<usize>) -> Self {
        self.span.get_or_insert_with(|| span.clone());
        self
    }

    /// The fault as what the user reads.
    pub(super) fn diagnostic(self, severity: Severity, source: Source<'_>) -> Diagnostic {
        let mut diagnostic = Diagnostic::error(self.code, self.message).at(source, self.span.unwrap_or_default());
        diagnostic.severity = severity;
        let more = || format!("`seatproof explain {}` says more", self.code.id);
        diagnostic.help = Some(self.help.unwrap_or_else(more));
        diagnostic
    }

    /// A fault raised by serde.
    fn spanless(code: &'static Code, message: String) -> Self {
        Self { code, message, span: None, help: None }
    }
}

/// What serde found, in the words of the file formats.
fn found(unexpected: Unexpected<'_>) -> String {
    match unexpected {
        Unexpected::Bool(value) => format!("`{value}`"),
        Unexpected::Signed(value) => format!("the number {value}"),
        Unexpected::Unsigned(value) => format!("the number {value}"),
        Unexpected::Float(value) => format!("the number {value}"),
        Unexpected::Str(value) => format!("the string {value:?}"),
        Unexpected::Unit => "null".to_owned(),
        Unexpected::Seq => "a list".to_owned(),
        Unexpected::Map => "a table".to_owned(),
        other => other.to_string(),
    }
}

/// What serde wanted, in the words of the file formats.
fn wanted(expected: &dyn Expected) -> String {
    match expected.to_string().as_str() {
        "i64" => "a whole number".to_owned(),
        "a boolean" => "`true` or `false`".to_owned(),
        "a sequence" => "a list".to_owned(),
        other => other.to_owned(),
    }
}

impl de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::spanless(&code::WRONG_TYPE, message.to_string())
    }

    fn invalid_type(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::spanless(&code::WRONG_TYPE, format!("expected {}, found {}", wanted(expected), found(unexpected)))
    }

    fn invalid_value(unexpected: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(unexpected, expected)
    }

    fn unknown_variant(variant: &str, known: &'static [&'static str]) -> Self {
        let choice = choose(variant, known);
        Self::spanless(&code::WRONG_TYPE, format!("unknown value `{variant}`")).help(choice)
    }

    fn unknown_field(field: &str, known: &'static [&'static str]) -> Self {
        Self::spanless(&code::UNKNOWN_KEY, format!("unknown key `{field}`")).help(choose(field, known))
    }

    fn missing_field(field: &'static str) -> Self {
        Self::spanless(&code::MISSING_KEY, format!("the key `{field}` is missing"))
            .help(format!("add `{field} = ...` to this table"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::spanless(&code::SYNTAX, format!("the key `{field}` stands here twice"))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}
