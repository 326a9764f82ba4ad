//! Steps as they are when clients or seats change their names.

use super::canon::{Pair, Swap};
use super::extract::{Extractor, Transition};
use super::layout::Position;
use super::part::{Part, PartId};
use crate::process::{Op, Support};
use crate::system::Step;
use crate::world::argv::ByteString;
use crate::world::identity::ProcessId;

/// The step with its client renamed.
pub(super) fn renamed(step: &Step, rename: impl Fn(u16) -> u16) -> Step {
    step.of_other(|process| ProcessId { client: rename(process.client), call: process.call })
}

/// The step of a transition with its seats renamed: those that are drawn, and those that the keys of Redis name.
pub(super) fn reseated(extractor: &Extractor, transition: &Transition, rename: impl Fn(i64) -> i64) -> Step {
    match &transition.step {
        Step::Draw(process, drawn) if extractor.draws_seats(transition, *process) => {
            Step::Draw(*process, drawn.iter().map(|seat| rename(*seat)).collect())
        }
        Step::Evict(node, key) => Step::Evict(*node, reseated_key(key, rename)),
        other => other.clone(),
    }
}

/// A key with each seat's number in it renamed; whatever else is in it, numbers with leading zeros too, stays as it is.
fn reseated_key(key: &ByteString, rename: impl Fn(i64) -> i64) -> ByteString {
    let is_digit = |byte: &u8| byte.is_ascii_digit();
    let words = key.as_bytes().chunk_by(|one, other| is_digit(one) == is_digit(other));
    let renamed = words.flat_map(|word| {
        let number = str::from_utf8(word).ok().and_then(|word| word.parse::<i64>().ok());
        let number = number.filter(|number| number.to_string().as_bytes() == word);
        number.map_or_else(|| word.to_vec(), |number| rename(number).to_string().into_bytes())
    });
    ByteString::new(&renamed.collect::<Vec<_>>())
}

/// How many seats there are that may be interchangeable, if clients draw them: each out of all of them.
pub(super) fn seats(extractor: &Extractor, initial: &[PartId]) -> i64 {
    let parts = initial.iter().enumerate().map(|(position, id)| extractor.interners[position].part(*id));
    let drawn = parts.filter_map(|part| match part {
        Part::Client(client, _) => seats_of(client.slot.op.as_ref()),
        _ => None,
    });
    drawn.max().unwrap_or(0)
}

/// Out of how many seats this operation draws, if it does.
fn seats_of(op: Option<&Op>) -> Option<i64> {
    match op {
        Some(Op::Draw(draw)) => match draw.support {
            Support::Distinct { of, .. } => Some(of.into()),
            _ => None,
        },
        _ => None,
    }
}

impl Extractor {
    /// The step that is to this swap what the transition's own is without.
    pub(super) fn image_of_step(&self, swap: &Swap, transition: &Transition) -> Step {
        let number =
            |position: Position| self.layout.places[position].client().expect("clients are swapped with clients");
        match swap.pair {
            Pair::Clients { first, second, .. } => {
                let (first, second) = (number(first), number(second));
                renamed(&transition.step, |client| exchanged(client, first, second))
            }
            Pair::Seats(one, other) => reseated(self, transition, |seat| exchanged(seat, one, other)),
        }
    }

    /// True if what this process draws are seats.
    fn draws_seats(&self, transition: &Transition, process: ProcessId) -> bool {
        let (position, id) = transition.client.expect("a client draws");
        let Part::Client(client, _) = self.interners[position].part(id) else { unreachable!("it is a client's part") };
        let handler = client.handler(process.call).map(|handler| &handler.slot);
        seats_of(handler.unwrap_or(&client.slot).op.as_ref()).is_some()
    }
}

/// The one for the other.
pub(super) fn exchanged<T: PartialEq>(it: T, one: T, other: T) -> T {
    match it {
        it if it == one => other,
        it if it == other => one,
        it => it,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_changes_where_it_names_a_seat_and_nowhere_else() {
        let renamed = |key: &str| reseated_key(&ByteString::from(key), |seat| exchanged(seat, 1, 2));
        for (key, image) in [
            ("lock:seat:1", "lock:seat:2"),
            ("2:seat:12", "1:seat:12"),
            ("lock:2026-01-02:7", "lock:2026-01-02:7"),
            ("99999999999999999999", "99999999999999999999"),
            ("", ""),
        ] {
            assert_eq!(renamed(key), ByteString::from(image), "{key}");
        }
    }
}
