//! A process at work: what it may await, what it gets back, and how it is run and re-created.
//!
//! **Architecture invariant:** nothing here knows an engine; no clock, no randomness, no I/O, no threads.
