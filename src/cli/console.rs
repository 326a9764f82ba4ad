//! Where output goes: results to stdout, everything else to stderr.

use std::cell::RefCell;
use std::io::{Error, ErrorKind, IsTerminal, Write};

use super::args::{Color, Global};
use crate::report::Signs;
use crate::system::diagnostic::write::refusal;
use crate::system::diagnostic::{Diagnostic, code};

/// The two streams and how to write on them.
#[derive(Debug)]
pub(super) struct Console {
    pub(super) json: bool,
    pub(super) quiet: bool,
    pub(super) signs: Signs,
    /// Colours on stdout.
    pub(super) colour: bool,
    colour_errors: bool,
    /// Why stdout took no more.
    refused: RefCell<Option<Error>>,
}

impl Console {
    pub(super) fn new(global: &Global) -> Self {
        let wanted = |is_terminal: bool| match global.color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && may_colour(),
        };
        Self {
            json: global.json,
            quiet: global.quiet,
            signs: if global.ascii || !is_utf8() { Signs::ASCII } else { Signs::UTF8 },
            colour: wanted(std::io::stdout().is_terminal()),
            colour_errors: wanted(std::io::stderr().is_terminal()),
            refused: RefCell::new(None),
        }
    }

    /// Part of the result. Once stdout has refused a part it gets no other, so that no result has a hole.
    pub(super) fn out(&self, text: &str) {
        let mut refused = self.refused.borrow_mut();
        if refused.is_none() {
            let mut stdout = std::io::stdout().lock();
            *refused = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).err();
        }
    }

    /// Whether stdout took the whole result. A reader that went away (`| head`) is no error.
    pub(super) fn written(&self) -> Result<(), Diagnostic> {
        match &*self.refused.borrow() {
            Some(error) if error.kind() != ErrorKind::BrokenPipe => {
                let message = format!("the result cannot be written to stdout: {}", refusal(error));
                let help = "what stands there is not the whole result; run the command again with room for it";
                Err(Diagnostic::error(&code::OUTPUT, message).help(help))
            }
            _ => Ok(()),
        }
    }

    /// A JSON document as the result.
    pub(super) fn out_json(&self, document: &serde_json::Value) {
        self.out(&format!("{document:#}\n"));
    }

    /// A note for the person who runs the program.
    pub(super) fn note(&self, text: &str) {
        if !self.quiet {
            self.error(&format!("{text}\n"));
        }
    }

    /// A warning about what a user wrote.
    pub(super) fn warn(&self, warning: &Diagnostic) {
        if !self.quiet {
            self.diagnose(warning);
        }
    }

    /// An error or a warning with its place.
    pub(super) fn diagnose(&self, diagnostic: &Diagnostic) {
        self.error(&diagnostic.render(self.colour_errors));
    }

    /// Text for stderr as it is. Where stderr refuses it, nobody is left to be told.
    pub(super) fn error(&self, text: &str) {
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}

/// `NO_COLOR` (no-color.org) and `TERM=dumb` switch colours off.
fn may_colour() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    !is_set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Judged by the locale, as POSIX orders its variables; none set means UTF-8.
fn is_utf8() -> bool {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(std::env::var_os).find(|value| !value.is_empty());
    set.is_none_or(|locale| {
        let locale = locale.to_string_lossy().to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}
