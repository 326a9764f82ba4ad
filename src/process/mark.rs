//! What a client knows (for properties) and what its script measures (for k6's metrics).

use smallvec::SmallVec;

/// A fact for the properties. Takes effect atomically with the delivery before it and costs no step.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Mark {
    /// The client was told that it holds these seats until this instant.
    Holds {
        /// The seats.
        seats: SmallVec<[i64; 4]>,
        /// End of the hold by the client's own knowledge, virtual microseconds.
        until_us: u64,
    },
    /// The client was told that these seats are paid for and its own.
    Ticket {
        /// The seats.
        seats: SmallVec<[i64; 4]>,
    },
    /// The client no longer counts on these seats. Marked before the release is sent.
    GivesUp {
        /// The seats.
        seats: SmallVec<[i64; 4]>,
    },
}

/// A sample that the load-test script records. Decides nothing, so engines that explore ignore it.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// k6's `check`.
    Check(&'static str, bool),
    /// `Counter.add`.
    Count(&'static str, u32),
    /// `Rate.add`.
    Rate(&'static str, bool),
    /// `Trend.add` of the duration of the call that was just answered.
    CallDuration(&'static str),
}
