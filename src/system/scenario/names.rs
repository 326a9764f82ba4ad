//! Names that a user typed against the names there are.

use super::fault::Fault;
use super::tree::At;
use crate::system::diagnostic::{code, suggest};

/// The index of `typed` among the names of this `kind`.
pub(super) fn find(kind: &str, typed: &At<String>, known: &[&str]) -> Result<usize, Fault> {
    known.iter().position(|name| *name == typed.value).ok_or_else(|| {
        let message = format!("unknown {kind} `{}`", typed.value);
        Fault::new(&code::UNKNOWN_NAME, &typed.span, message).help(suggest::choose(&typed.value, known))
    })
}
