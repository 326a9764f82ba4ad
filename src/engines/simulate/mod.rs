//! The load test in virtual time.

pub mod ramp;
