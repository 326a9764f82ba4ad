//! A process at work: what it may await, what it gets back, and how it is run and re-created.
//!
//! A service and its clients are ordinary `async fn`s. All they may await is their [`Ctx`]; each await issues one
//! [`Op`] and receives one [`Outcome`]. A process is a deterministic function of the outcomes it has seen (its
//! history), so it can be re-created anywhere by replaying them.
//!
//! **Architecture invariant:** nothing here knows an engine; no clock, no randomness, no I/O, no threads.

mod ctx;
pub mod draw;
pub mod http;
pub mod mark;
pub(crate) mod name;
pub mod op;
mod panic;
pub mod params;
mod running;
pub mod token;

pub use ctx::{Asides, Ctx};
pub use draw::{Draw, Drawn, SUPPORT_MAX, Support};
pub use http::{Request, Response};
pub use mark::{Mark, Note};
pub use op::{Instant, Lost, Op, Outcome, Statement};
pub(crate) use panic::{caught, message as panic_message};
pub use params::{ParamValue, Params};
pub use running::{End, Flow, Process, Started, Yield, started};
