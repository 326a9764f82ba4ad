//! Ctrl-C: the first one ends the run after what is in progress, the second one at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::exit;

/// A flag that the first Ctrl-C, or a polite request to terminate, sets.
pub(super) fn flag() -> Arc<AtomicBool> {
    let flag = Arc::new(AtomicBool::new(false));
    let set = Arc::clone(&flag);
    let handler = move || {
        if set.swap(true, Ordering::Relaxed) {
            std::process::exit(exit::INTERRUPTED.into());
        }
    };
    // Without a handler Ctrl-C just ends the program, which loses nothing but the label.
    let _ = ctrlc::set_handler(handler);
    flag
}
