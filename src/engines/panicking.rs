//! When one of several threads panics, the others are not needed any more.

use std::sync::atomic::{AtomicU64, Ordering};

/// Sets the number of the last thing to do to 0 if this thread panics, so that nobody waits until the others have done
/// millions of them.
pub(super) struct LastOnPanic<'a>(pub(super) &'a AtomicU64);

impl Drop for LastOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_leaves_nothing_to_do_and_an_end_leaves_all() {
        let last = AtomicU64::new(9);
        let panics = |is_wrong: bool| {
            let _last = LastOnPanic(&last);
            assert!(!is_wrong, "it panics");
        };
        std::thread::scope(|scope| scope.spawn(|| panics(false)).join()).expect("no panic");
        assert_eq!(last.load(Ordering::Relaxed), 9);
        std::thread::scope(|scope| scope.spawn(|| panics(true)).join()).expect_err("a panic");
        assert_eq!(last.load(Ordering::Relaxed), 0);
    }
}
