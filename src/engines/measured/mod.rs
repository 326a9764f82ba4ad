//! Reads the figures of a measured run and judges them against the distribution over seeds.
