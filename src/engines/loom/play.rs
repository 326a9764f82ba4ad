//! What loom's threads do.
//!
//! Every step is one access to one atomic, which loom takes for a conflict with every other step, so that it tries
//! all orders. A thread announces the access and is chosen for it, or another one is; a thread without a step is
//! parked, so that leaving it is no preemption, and whoever gives it a step again wakes it. loom cannot know what a
//! woken thread is about to do. So that its step is not explored twice, once for waking up and once for the access,
//! such a thread accesses at once when it is chosen, where loom is told not to look for alternatives: it looks for them
//! where it chose the thread.

use std::sync::Arc;

use ::loom::sync::atomic::AtomicBool;
use ::loom::sync::atomic::Ordering::Relaxed;

use super::dice::{FACES_MAX, mark};
use super::stage::{After, Stage, Turn};
use super::threads::Thread;

/// Stack of each thread, in words: that is how loom hands it on. Parsing a statement for the first time needs a lot.
/// The main thread has 32 KiB whatever one says, so it starts the others and does nothing else.
const STACK_WORDS: usize = 1 << 17;

/// What the main thread does in one execution. False if there shall be none.
pub(super) fn begin() -> bool {
    let Some(dice) = Stage::with(Stage::begin) else { return false };
    mark(&dice);
    ::loom::explore();
    true
}

/// Starts one of the others. It does nothing before it is chosen.
pub(super) fn start(thread: Thread, point: Arc<AtomicBool>) {
    let builder = ::loom::thread::Builder::new().stack_size(STACK_WORDS);
    builder.spawn(move || play(thread, &point)).expect("loom starts threads without the operating system");
}

fn play(thread: Thread, point: &AtomicBool) {
    let mut is_announced = false;
    loop {
        if is_announced {
            point.store(true, Relaxed);
        } else if Stage::with(|stage| stage.is_unannounced(thread)) {
            ::loom::stop_exploring();
            point.store(true, Relaxed);
            ::loom::explore();
        }
        let after = take_turn(thread);
        match after {
            After::Announce => {}
            After::Park => ::loom::thread::park(),
            After::End => return,
        }
        is_announced = after == After::Announce;
    }
}

/// What a thread that was chosen does. Where it throws a die loom may choose another thread first, under a bound on
/// preemptions that is: then its turn is another one.
fn take_turn(thread: Thread) -> After {
    loop {
        match Stage::with(|stage| stage.turn(thread)) {
            Turn::Pass(after) => return after,
            Turn::Step { options, depth } => {
                let option = choose(options);
                if let Some(after) = Stage::with(|stage| stage.act(thread, option, depth)) {
                    return after;
                }
            }
        }
    }
}

/// Chooses one of `0..alternatives`, in some execution each of them.
fn choose(alternatives: usize) -> usize {
    match alternatives {
        0 | 1 => 0,
        2..=FACES_MAX => {
            let die = Stage::with(|stage| stage.dice().take(alternatives));
            die.map_or(0, |die| die.load(Relaxed))
        }
        _ => {
            let first = choose(alternatives.div_ceil(FACES_MAX)) * FACES_MAX;
            first + choose(FACES_MAX.min(alternatives - first))
        }
    }
}
