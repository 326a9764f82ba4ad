//! What comes out of a draw, for engines that sample.

use crate::process::{Draw, Drawn, Support};

/// A value of the draw's support, uniform when `between` is, which gives a number between two, both included.
pub(super) fn sample(draw: Draw, between: impl FnMut(i64, i64) -> i64) -> Drawn {
    let mut drawn = Drawn::new();
    sample_into(draw, between, &mut drawn);
    drawn
}

/// The same, where it is to stay.
pub(super) fn sample_into(draw: Draw, mut between: impl FnMut(i64, i64) -> i64, drawn: &mut Drawn) {
    match draw.support {
        Support::Between { low, high } => drawn.push(between(low, high)),
        Support::Duration { low_us, high_us } => {
            drawn.push(if high_us > low_us { between(low_us, high_us - 1) } else { low_us });
        }
        Support::Distinct { count, of } => {
            // Drawing again on a repeat is uniform over arrangements and cheap while `count` is small.
            while drawn.len() < count as usize {
                let value = between(1, of.into());
                if !drawn.contains(&value) {
                    drawn.push(value);
                }
            }
        }
    }
}
