//! One simulated Redis node.
