//! Names of processes and of the connections they use.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A process: client `client` itself when `call` is 0, else the handler of that client's `call`-th request.
///
/// A name depends on nothing but the client's own past, so two executions that differ only in the order of
/// other clients' steps give the same names and their states merge.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Number of the client, from 1; 0 for the set-up.
    pub client: u16,
    /// 0 for the client, else the count of its calls so far.
    pub call: u32,
}

impl ProcessId {
    /// The process that prepares a load test before its clients begin.
    pub const SETUP: Self = Self::client(0);

    /// Calls of client 0 above this one are no calls but the background jobs of the service.
    const JOBS: u32 = 0xf_0000;

    /// The client with this number.
    #[must_use]
    pub const fn client(client: u16) -> Self {
        Self { client, call: 0 }
    }

    /// The handler of the client's `call`-th request.
    #[must_use]
    pub const fn handler(client: u16, call: u32) -> Self {
        Self { client, call }
    }

    /// The same name, read number by number. A copy reads both numbers at once, and where they were written one by one
    /// the moment before the processor has to wait for the memory.
    #[inline(always)]
    #[must_use]
    pub const fn reread(&self) -> Self {
        Self { client: self.client, call: self.call }
    }

    /// The background job with this place in the model's list.
    ///
    /// # Panics
    /// When a model declares more than 65,535 jobs.
    #[must_use]
    pub fn job(index: usize) -> Self {
        let number = u16::try_from(index + 1).expect("a model has fewer than 65,536 jobs");
        Self { client: Self::SETUP.client, call: Self::JOBS + u32::from(number) }
    }

    /// True for a background job.
    #[must_use]
    pub const fn is_job(self) -> bool {
        self.client == Self::SETUP.client && self.call > Self::JOBS
    }

    /// The place in the model's list of jobs, for a background job.
    #[must_use]
    pub const fn job_index(self) -> usize {
        (self.call - Self::JOBS - 1) as usize
    }

    /// Reads a name as it is printed: `vu1`, `vu1/2`, `setup`, `job1`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(number) = name.strip_prefix("job") {
            let process = Self::job(usize::from(number.parse::<u16>().ok()?.checked_sub(1)?));
            return (process.to_string() == name).then_some(process);
        }
        let (client, call) = name.split_once('/').unwrap_or((name, "0"));
        let client = if client == "setup" { 0 } else { client.strip_prefix("vu")?.parse().ok()? };
        let process = Self { client, call: call.parse().ok()? };
        (process.to_string() == name).then_some(process)
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_job() {
            return write!(f, "job{}", self.job_index() + 1);
        }
        if self.client == Self::SETUP.client {
            f.write_str("setup")?;
        } else {
            write!(f, "vu{}", self.client)?;
        }
        if self.call > 0 {
            write!(f, "/{}", self.call)?;
        }
        Ok(())
    }
}

/// A connection to a Redis node or to the SQL store: what WATCH, MULTI and transactions belong to.
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum SessionId {
    /// The process's own connection. A pooled SQL connection is named after the process that holds it, because
    /// it carries nothing from one holder to the next; the pool is a count.
    Own(ProcessId),
    /// A pooled connection that keeps state between holders.
    Pooled(u16),
    /// The one connection that everybody shares.
    Shared,
}

impl SessionId {
    /// The process whose own connection it is.
    #[must_use]
    pub fn process(self) -> Option<ProcessId> {
        if let Self::Own(process) = self { Some(process) } else { None }
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Own(process) => write!(f, "{process}"),
            Self::Pooled(number) => write!(f, "pool#{number}"),
            Self::Shared => f.write_str("shared"),
        }
    }
}
