//! Exit codes. When several apply, [`worst`] names the one that counts.

use crate::system::diagnostic::code::EXIT_USAGE;

pub(super) const OK: u8 = 0;
/// A property is violated.
pub(super) const VIOLATED: u8 = 1;
/// A command line or a file that cannot be used.
pub(super) const USAGE: u8 = EXIT_USAGE;
/// A bound was hit before a verdict, or there was nothing to judge.
pub(super) const INCONCLUSIVE: u8 = 3;
/// A schedule could not be followed.
pub(super) const DIVERGED: u8 = 4;
/// A measured value lies outside the interval.
pub(super) const OUTSIDE: u8 = 5;
/// A bug in seatproof.
pub(super) const BUG: u8 = 70;
/// Thresholds crossed, as k6.
pub(super) const THRESHOLDS: u8 = 99;
/// Invalid scenario or threshold, as k6.
pub(super) const CONFIG: u8 = 104;
/// Interrupted; partial results kept.
pub(super) const INTERRUPTED: u8 = 130;

/// Of several exit codes the one that says most.
pub(super) fn worst(codes: impl IntoIterator<Item = u8>) -> u8 {
    const ORDER: [u8; 9] = [BUG, INTERRUPTED, CONFIG, VIOLATED, DIVERGED, THRESHOLDS, OUTSIDE, USAGE, INCONCLUSIVE];
    let codes = codes.into_iter().collect::<Vec<_>>();
    ORDER.into_iter().find(|code| codes.contains(code)).unwrap_or(OK)
}
