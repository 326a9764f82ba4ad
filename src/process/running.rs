//! A process that runs: spawned, resumed with outcomes, re-created from its history.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::ctx::{Asides, Ctx, Mailbox};
use super::http::{Request, Response};
use super::op::{Op, Outcome};
use super::panic::caught;
use super::params::Params;
use crate::world::identity::ProcessId;

/// How a round of a client ends.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// The client is finished.
    Done,
    /// The next round of the same journey begins.
    Again,
}

/// How a process ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// A client's round.
    Round(Flow),
    /// A handler's answer.
    Answer(Response),
    /// The code of the process panicked, with this message.
    Panic(String),
}

/// The async code of a process, started and not yet finished.
pub type Started<T> = Pin<Box<dyn Future<Output = T>>>;

/// Starts the code of a process. As `Box::pin`, but the future is made where it stays: it is large, and a load test
/// starts many.
#[inline(always)]
pub fn started<F: Future + 'static>(code: impl FnOnce() -> F) -> Started<F::Output> {
    let future: Box<F> = Box::write(Box::new_uninit(), code());
    Box::into_pin(future)
}

/// What a process says when it has received an outcome, beside its next operation. That is put straight into its place
/// by whoever asks, because moving operations about is a good part of what a step costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Yield {
    /// How it ended. A process that did not has issued an operation.
    pub end: Option<End>,
    /// The label of that operation.
    pub label: &'static str,
    /// What it stated on the way; most often nothing.
    pub asides: Option<Box<Asides>>,
    /// Tokens made so far.
    pub tokens: u32,
}

/// What a process says that awaits a timer, a socket or any other future.
const FOREIGN_AWAIT: &str = "a process may await nothing but its ctx (no timers, sockets or other futures)";

/// A process between two outcomes. Not `Send`: each thread makes its own, from what its slot tells.
pub struct Process {
    mailbox: Rc<Mailbox>,
    future: Running,
    process: ProcessId,
}

/// The future of the process's body.
enum Running {
    Journey(Started<Flow>),
    Handler(Started<Response>),
}

impl Running {
    #[inline(always)]
    fn poll(&mut self) -> Poll<End> {
        let mut context = Context::from_waker(Waker::noop());
        let polled = caught(|| match self {
            Self::Journey(round) => round.as_mut().poll(&mut context).map(End::Round),
            Self::Handler(answer) => answer.as_mut().poll(&mut context).map(End::Answer),
        });
        polled.unwrap_or_else(|message| Poll::Ready(End::Panic(message)))
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Process({})", self.process)
    }
}

impl Process {
    /// A process that runs a journey and has not begun. It has made so many tokens in earlier rounds.
    #[inline(always)]
    #[must_use]
    pub fn journey(process: ProcessId, params: Params, tokens: u32, run: fn(Ctx) -> Started<Flow>) -> Self {
        let (mailbox, ctx) = hands(process, params, tokens);
        Self { future: Running::Journey(run(ctx)), mailbox, process }
    }

    /// A process that handles this request and has not begun.
    #[inline(always)]
    #[must_use]
    pub fn handler(
        process: ProcessId,
        params: Params,
        tokens: u32,
        run: fn(Ctx, Request) -> Started<Response>,
        request: Request,
    ) -> Self {
        let (mailbox, ctx) = hands(process, params, tokens);
        Self { future: Running::Handler(run(ctx, request)), mailbox, process }
    }

    /// Takes the outcome of the operation in flight and runs up to the next one, which replaces `op`.
    ///
    /// # Panics
    /// When the process went on without reading an outcome that it was given.
    #[inline(always)]
    #[must_use]
    pub fn resume(&mut self, outcome: &mut Option<Outcome>, op: &mut Option<Op>) -> Yield {
        let mut place = self.mailbox.outcome.borrow_mut();
        assert!(place.is_none(), "{}: it went on without reading an outcome", self.process);
        *place = outcome.take();
        drop(place);
        self.advance(op)
    }

    /// Runs a process that has not begun to where it has seen exactly these outcomes; its operation in flight replaces
    /// `op`.
    ///
    /// # Panics
    /// When the process ends before the history does: it read something that is not an outcome.
    #[must_use]
    pub fn replay(&mut self, history: &[Outcome], op: &mut Option<Op>) -> Yield {
        let mut last = self.advance(op);
        for outcome in history {
            assert!(
                last.end.is_none(),
                "{}: ended before its history did; it depends on something that is not an outcome",
                self.process
            );
            last = self.resume(&mut Some(outcome.clone()), op);
        }
        last
    }

    /// Runs it up to its first operation, which replaces `op`, or on to the next one.
    #[inline(always)]
    #[must_use]
    pub fn advance(&mut self, op: &mut Option<Op>) -> Yield {
        *op = None;
        let poll = self.future.poll();
        let mailbox = &*self.mailbox;
        // Swapped, which goes word by word: a copy in larger pieces would have to wait for what was just written.
        mem::swap(op, &mut *mailbox.issued.borrow_mut());
        let end = match poll {
            Poll::Ready(end) => Some(end),
            Poll::Pending if op.is_none() => Some(End::Panic(FOREIGN_AWAIT.to_owned())),
            Poll::Pending => None,
        };
        Yield { end, label: mailbox.label.get(), asides: mailbox.asides.take(), tokens: mailbox.tokens.get() }
    }
}

/// The hands of a process, and the mailbox that they use.
#[inline(always)]
fn hands(process: ProcessId, params: Params, tokens: u32) -> (Rc<Mailbox>, Ctx) {
    // Made where it stays, unlike a value that is handed to `Rc::new`.
    let mailbox = Rc::<Mailbox>::default();
    mailbox.tokens.set(tokens);
    (Rc::clone(&mailbox), Ctx { mailbox, process, params })
}
