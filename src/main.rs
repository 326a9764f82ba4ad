//! Command line of seatproof.

fn main() {}
