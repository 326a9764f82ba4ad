//! The only thing that a process may await.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use smallvec::SmallVec;

use super::draw::{Draw, Drawn, Support};
use super::http::{Request, Response};
use super::mark::{Mark, Note};
use super::op::{Instant, Lost, Op, Outcome, Statement};
use super::params::{ParamValue, Params};
use super::token::{TOKEN_BYTES, Token};
use crate::world::argv::Argv;
use crate::world::identity::ProcessId;
use crate::world::reply::Reply;
use crate::world::sql::{Rows, SqlError};
use crate::world::value::Value;

/// What passes between a process and the system at one await.
#[derive(Default)]
pub(super) struct Mailbox {
    pub(super) issued: RefCell<Option<Op>>,
    pub(super) outcome: RefCell<Option<Outcome>>,
    pub(super) label: Cell<&'static str>,
    pub(super) asides: Cell<Option<Box<Asides>>>,
    pub(super) tokens: Cell<u32>,
}

/// What a process states between two operations, each kind in order. Room for what the measured script says after an
/// answer, so that it costs one allocation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asides {
    /// Facts for the properties.
    pub marks: SmallVec<[Mark; 1]>,
    /// Samples for the load test's metrics.
    pub notes: SmallVec<[Note; 5]>,
}

impl Mailbox {
    #[inline(always)]
    fn with_asides(&self, say: impl FnOnce(&mut Asides)) {
        let mut asides = self.asides.take().unwrap_or_default();
        say(&mut asides);
        self.asides.set(Some(asides));
    }
}

impl fmt::Debug for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mailbox({})", self.label.get())
    }
}

/// The hands of a process: every operation it can do. Taking `&mut self` is the rule that one operation is in
/// flight at a time; a second one does not compile.
#[derive(Debug)]
pub struct Ctx {
    pub(super) mailbox: Rc<Mailbox>,
    pub(super) process: ProcessId,
    pub(super) params: Params,
}

impl Ctx {
    /// Names the steps that follow as the documentation of the service does (`L4`), until the next label.
    pub fn label(&mut self, label: &'static str) {
        self.mailbox.label.set(label);
    }

    /// Sends one Redis command to node 0, as its words.
    ///
    /// # Errors
    /// [`Lost`] when no reply came in time; the command may have been executed. Redis' own errors are replies.
    pub fn redis<W: AsRef<[u8]>>(
        &mut self,
        words: impl IntoIterator<Item = W>,
    ) -> impl Future<Output = Result<Reply, Lost>> {
        self.place(
            || Op::Redis(0, Argv::default()),
            |op| {
                if let Op::Redis(_, argv) = op {
                    argv.extend(words);
                }
            },
        );
        self.wait(reply)
    }

    /// Sends EVAL to node 0: the script, its keys (`KEYS`) and its other arguments (`ARGV`).
    ///
    /// # Errors
    /// [`Lost`] as for [`Ctx::redis`]. A script that does not compile or fails is answered by an error reply.
    pub fn eval<K: AsRef<[u8]>, A: AsRef<[u8]>>(
        &mut self,
        script: &'static str,
        keys: &[K],
        args: &[A],
    ) -> impl Future<Output = Result<Reply, Lost>> {
        let mut argv = Argv::new(["EVAL", script, &keys.len().to_string()]);
        keys.iter().for_each(|key| argv.push(key.as_ref()));
        args.iter().for_each(|arg| argv.push(arg.as_ref()));
        self.issue(|| Op::Redis(0, argv), reply)
    }

    /// Sends one SQL statement with its parameters. `BEGIN` takes a connection from the pool, COMMIT and ROLLBACK
    /// give it back; a statement outside a transaction borrows one for its own duration.
    ///
    /// # Errors
    /// What PostgreSQL would report, with its SQLSTATE.
    pub fn sql<const N: usize>(
        &mut self,
        statement: &'static str,
        params: [Value; N],
    ) -> impl Future<Output = Result<Rows, SqlError>> {
        self.place(
            || Op::Sql(Statement(statement), SmallVec::with_capacity(N)),
            |op| {
                if let Op::Sql(_, list) = op {
                    params.into_iter().for_each(|param| list.push(param));
                }
            },
        );
        self.wait(|outcome| match outcome {
            Outcome::Rows(result) => result,
            other => mismatch(&other),
        })
    }

    /// Sends an HTTP request to the service and waits for the answer.
    ///
    /// # Errors
    /// [`Lost`] when no answer came in time; the handler may have run, or be running still.
    pub fn call(&mut self, request: Request) -> impl Future<Output = Result<Response, Lost>> {
        self.issue(
            || Op::Call(request),
            |outcome| match outcome {
                Outcome::Response(response) => Ok(response),
                Outcome::Lost => Err(Lost),
                other => mismatch(&other),
            },
        )
    }

    /// Starts a child: a process beside this one, which does what the model's child of this route says. It ends with
    /// this process at the latest.
    pub fn spawn(&mut self, job: Request) -> impl Future<Output = ProcessId> {
        self.issue(
            || Op::Spawn(job),
            |outcome| match outcome {
                Outcome::Spawned(child) => child,
                other => mismatch(&other),
            },
        )
    }

    /// Waits until so many of these children have ended, and what those that have came to. What a child came to is told
    /// once; one that was cancelled counts as ended, and comes to nothing.
    pub fn join(&mut self, count: u32, children: &[ProcessId]) -> impl Future<Output = Vec<(ProcessId, Response)>> {
        self.issue(
            || Op::Join(count, SmallVec::from_slice(children)),
            |outcome| match outcome {
                Outcome::Joined(results) => results,
                other => mismatch(&other),
            },
        )
    }

    /// Ends a child wherever it is. What it has sent may still take effect.
    pub fn cancel(&mut self, child: ProcessId) -> impl Future<Output = ()> {
        self.issue(
            || Op::Cancel(child),
            |outcome| match outcome {
                Outcome::Cancelled => {}
                other => mismatch(&other),
            },
        )
    }

    /// Does nothing for this many microseconds.
    pub fn sleep_us(&mut self, us: u64) -> impl Future<Output = ()> {
        self.issue(
            || Op::Sleep(us),
            |outcome| match outcome {
                Outcome::Woke => {}
                other => mismatch(&other),
            },
        )
    }

    /// Reads the process's clock.
    pub fn now(&mut self) -> impl Future<Output = Instant> {
        self.issue(
            || Op::Now,
            |outcome| match outcome {
                Outcome::Now(instant) => instant,
                other => mismatch(&other),
            },
        )
    }

    /// One of `0..alternatives`; every one of them is possible.
    pub fn choose(&mut self, alternatives: u32) -> impl Future<Output = u32> {
        self.issue(
            || Op::Choose(alternatives),
            |outcome| match outcome {
                Outcome::Chosen(choice) => choice,
                other => mismatch(&other),
            },
        )
    }

    /// A whole number from `low..=high`, uniform.
    pub fn draw_between(&mut self, name: &'static str, range: ParamValue) -> impl Future<Output = i64> {
        let support = Support::Between { low: range.low, high: range.high };
        self.issue(|| Op::Draw(Draw { name, support }), |outcome| drawn(outcome)[0])
    }

    /// A duration in microseconds from `low..high`, uniform.
    pub fn draw_duration_us(&mut self, name: &'static str, range: ParamValue) -> impl Future<Output = u64> {
        let support = Support::Duration { low_us: range.low, high_us: range.high };
        self.issue(
            || Op::Draw(Draw { name, support }),
            |outcome| u64::try_from(drawn(outcome)[0]).expect("durations are not negative"),
        )
    }

    /// `count` different numbers out of `1..=of`, uniform, in the order drawn.
    ///
    /// # Panics
    /// When `count` is more than `of`.
    pub fn draw_distinct(&mut self, name: &'static str, count: u32, of: u32) -> impl Future<Output = Drawn> {
        assert!(count <= of, "{}: draw `{name}` wants {count} different numbers out of {of}", self.process);
        self.issue(|| Op::Draw(Draw { name, support: Support::Distinct { count, of } }), drawn)
    }

    /// A fresh owner token, unique in the whole execution.
    pub fn token(&mut self) -> [u8; TOKEN_BYTES] {
        let nth = self.mailbox.tokens.get() + 1;
        self.mailbox.tokens.set(nth);
        Token { process: self.process, nth }.to_bytes()
    }

    /// States a fact for the properties; takes effect with the delivery before it.
    pub fn mark(&mut self, mark: Mark) {
        self.mailbox.with_asides(|asides| asides.marks.push(mark));
    }

    /// Records a sample for the load test's metrics.
    #[inline]
    pub fn note(&mut self, note: Note) {
        self.mailbox.with_asides(|asides| asides.notes.push(note));
    }

    /// The scenario's parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Issues an operation at once; what is returned waits for its outcome and reads it. Not an `async fn`: that would
    /// keep the operation's parts in the future of the process, which is moved when it is spawned.
    #[inline(always)]
    fn issue<T, R: Fn(Outcome) -> T + Unpin>(&mut self, op: impl FnOnce() -> Op, read: R) -> Issue<'_, R> {
        self.place(op, |_| {});
        self.wait(read)
    }

    /// Makes the operation where it lies, and fills it there. One that is made elsewhere and moved is copied in other
    /// pieces than those in which it was written the moment before, and the processor has to wait for the memory then.
    #[inline(always)]
    fn place(&mut self, op: impl FnOnce() -> Op, fill: impl FnOnce(&mut Op)) {
        let mut issued = self.mailbox.issued.borrow_mut();
        assert!(issued.is_none(), "{}: every operation must be awaited before the next one", self.process);
        fill(issued.insert(op()));
    }

    fn wait<T, R: Fn(Outcome) -> T + Unpin>(&mut self, read: R) -> Issue<'_, R> {
        Issue { mailbox: &self.mailbox, read }
    }
}

/// One operation in flight, which waits for its outcome.
struct Issue<'a, R> {
    mailbox: &'a Mailbox,
    read: R,
}

impl<T, R: Fn(Outcome) -> T + Unpin> Future for Issue<'_, R> {
    type Output = T;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<T> {
        match self.mailbox.outcome.borrow_mut().take() {
            Some(outcome) => Poll::Ready((self.read)(outcome)),
            None => Poll::Pending,
        }
    }
}

fn reply(outcome: Outcome) -> Result<Reply, Lost> {
    match outcome {
        Outcome::Reply(reply) => Ok(reply),
        Outcome::Lost => Err(Lost),
        other => mismatch(&other),
    }
}

fn drawn(outcome: Outcome) -> Drawn {
    match outcome {
        Outcome::Drawn(drawn) => drawn,
        other => mismatch(&other),
    }
}

#[cold]
fn mismatch(outcome: &Outcome) -> ! {
    panic!("the system answered an operation with `{outcome:?}`, which does not belong to it")
}
