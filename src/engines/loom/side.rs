//! The world's own stack.
//!
//! loom gives every thread of every execution a fresh stack: each page that a step touches would be paid for again and
//! again, and 32 KiB, all that the main thread gets, do not suffice to parse a statement for the first time. So steps
//! are fired on one stack that stays. Whichever thread loom chose goes over to it and comes back; loom does not notice,
//! because nothing on it is a scheduling point.

use std::cell::RefCell;

use generator::{Generator, Gn};

use super::stage::{After, Stage};
use super::threads::Thread;

/// Size of the stack, in words.
const STACK_WORDS: usize = 1 << 17;

/// A thread, and which of its steps it takes.
type Choice = (Thread, usize);

thread_local! {
    static SIDE: RefCell<Option<Generator<'static, Choice, After>>> = const { RefCell::new(None) };
}

/// Makes the stack, on this thread of the operating system.
pub(super) fn set() {
    let side = Gn::new_scoped_opt(STACK_WORDS, |mut scope| {
        let mut choice: Option<Choice> = scope.get_yield();
        while let Some((thread, option)) = choice {
            choice = scope.yield_(Stage::with(|stage| stage.act(thread, option)));
        }
        After::End
    });
    SIDE.set(Some(side));
}

/// Gives the stack back.
pub(super) fn clear() {
    SIDE.set(None);
}

/// The thread takes one of its steps, on the world's stack.
pub(super) fn act(thread: Thread, option: usize) -> After {
    SIDE.with_borrow_mut(|side| side.as_mut().expect("it is there while the stage is set").send((thread, option)))
}
