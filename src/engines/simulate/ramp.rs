//! k6's `ramping-vus`: how many virtual users run at which nanosecond.
