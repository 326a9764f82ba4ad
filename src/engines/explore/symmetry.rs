//! Finds out what the exchange of two interchangeable clients or seats makes of every part, and proves that it is a
//! symmetry.
//!
//! A part is not taken apart. It came from a step that read other parts; its image is what the renamed step makes of
//! their images, back to the initial state, in which every client of a class is alike, and every seat. So each
//! transition that enters the memo is fired for every way of naming them, and each must give what the images found so
//! far demand: the same steps, the same effect, the same need to judge, the same verdict. Then the exchange commutes
//! with everything that the memo knows, whatever the parts mean. Where it does not, there is no symmetry, and the
//! search does without.

use std::collections::VecDeque;

use super::Reductions;
use super::canon::{Canon, MemberKeys, NONE, Pair, Swap, scattered};
use super::extract::{Extractor, Transition, Unknown};
use super::layout::{Layout, Place, Position};
use super::lists::Kind;
use super::memo::{Group, Memo};
use super::part::PartId;
use super::rename::{exchanged, seats};
use crate::engines::reference::ExploreError;
use crate::system::{Setting, Step};

/// What entered the memo, with a state that it was met in.
#[derive(Clone, Debug)]
pub(super) enum Learned {
    List(usize, Vec<PartId>),
    Instant(usize, Vec<PartId>),
    Effect(u32, Vec<PartId>),
}

/// Why what looked interchangeable is not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asymmetry {
    pub(super) reason: &'static str,
    /// True if it is seats that are not; what is known of clients stands.
    pub(super) is_of_seats: bool,
}

/// The clients that may be interchangeable: those of one journey that are served by one instance and whose clocks
/// agree, at least two.
fn classes(setting: &Setting, layout: &Layout) -> Vec<Vec<Position>> {
    let mut classes: Vec<((u16, usize, u64), Vec<Position>)> = Vec::new();
    for position in layout.clients() {
        let Place::Client(number) = layout.places[position] else { unreachable!("it is a client's position") };
        if number == 0 {
            continue;
        }
        let ahead_us = setting.clocks.clients.get(number - 1).copied().unwrap_or(0);
        let kind = (setting.journeys[number - 1], number % setting.service.instances as usize, ahead_us);
        match classes.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, class)) => class.push(position),
            None => classes.push((kind, vec![position])),
        }
    }
    classes.into_iter().map(|(_, class)| class).filter(|class| class.len() > 1).collect()
}

impl Canon {
    /// What may be interchangeable and is wanted, if anything is. What a prologue has done happened to some clients and
    /// seats and not to others.
    pub(super) fn of(
        setting: &Setting,
        extractor: &Extractor,
        reductions: Reductions,
        initial: &[PartId],
    ) -> Option<Self> {
        if !setting.given.is_empty() {
            return None;
        }
        let classes = if reductions.clients { classes(setting, &extractor.layout) } else { Vec::new() };
        let seats = if reductions.seats { seats(extractor, initial) } else { 0 };
        let canon = Self::new(&classes, seats, initial);
        (!canon.swaps.is_empty()).then_some(canon)
    }

    /// Nothing is known yet but the initial state. Seats are numbered from 1; none, if they are not interchangeable.
    fn new(classes: &[Vec<Position>], seats: i64, initial: &[PartId]) -> Self {
        let mut canon = Self { weights: vec![Vec::new(); initial.len()], ..Self::default() };
        for class in classes {
            for (index, position) in class.iter().enumerate() {
                canon.keys.push(MemberKeys(vec![Vec::new(); initial.len()]));
                let Some(second) = class.get(index + 1) else { continue };
                let members = (canon.keys.len() - 1, canon.keys.len());
                let pair = Pair::Clients { first: *position, second: *second, members };
                canon.swaps.push(Swap::new(pair, initial.len()));
            }
        }
        canon.clients = canon.swaps.len();
        let neighbours = (1..seats).map(|seat| Pair::Seats(seat, seat + 1));
        canon.swaps.extend(neighbours.map(|pair| Swap::new(pair, initial.len())));
        for swap in &mut canon.swaps {
            for position in 0..initial.len() {
                let image = initial[swap.position(position)];
                swap.relate(position, initial[position], image).expect("nothing else is known");
            }
        }
        canon
    }

    /// The position of each class member.
    fn members(&self) -> Vec<Position> {
        let mut members = vec![0; self.keys.len()];
        for swap in &self.swaps {
            if let Pair::Clients { first, second, members: at } = swap.pair {
                (members[at.0], members[at.1]) = (first, second);
            }
        }
        members
    }
}

impl Swap {
    fn new(pair: Pair, width: usize) -> Self {
        Self { pair, images: vec![Vec::new(); width] }
    }

    fn asymmetry(&self, reason: &'static str) -> Asymmetry {
        Asymmetry { reason, is_of_seats: matches!(self.pair, Pair::Seats(..)) }
    }

    /// The image of a whole row.
    fn image(&self, row: &[PartId]) -> Vec<PartId> {
        let mut image = row.to_vec();
        self.apply(&mut image);
        image
    }

    fn image_of(&self, position: Position, id: PartId) -> Option<PartId> {
        self.images[position].get(id as usize).copied().filter(|image| *image != NONE)
    }

    /// A part and its image; they must not be related otherwise.
    fn relate(&mut self, position: Position, id: PartId, image: PartId) -> Result<(), Asymmetry> {
        let there = self.position(position);
        for (position, id, image) in [(position, id, image), (there, image, id)] {
            let images = &mut self.images[position];
            if images.len() <= id as usize {
                images.resize(id as usize + 1, NONE);
            }
            let known = &mut images[id as usize];
            if *known != NONE && *known != image {
                return Err(self.asymmetry("a step does something else"));
            }
            *known = image;
        }
        Ok(())
    }
}

impl Extractor {
    /// Checks all that was learned since the last call under every swap, and all that is learned by that, until nothing
    /// new comes up. Then every part has its images and its keys.
    pub(super) fn close(&mut self, memo: &mut Memo, canon: &mut Canon) -> Result<(), CloseError> {
        // In the order of learning: what made a part is checked before what reads it.
        while let Some(learned) = self.learned.as_mut().and_then(VecDeque::pop_front) {
            for number in 0..canon.swaps.len() {
                match &learned {
                    Learned::List(group, row) => self.check_list(memo, &canon.swaps[number], *group, row)?,
                    Learned::Instant(clock, row) => self.check_instant(memo, &canon.swaps[number], *clock, row)?,
                    Learned::Effect(transition, row) => {
                        self.check_effect(memo, &mut canon.swaps[number], *transition, row)?;
                    }
                }
            }
        }
        self.assign_keys(canon);
        Ok(())
    }

    /// Which properties a state breaks; its images must break the same.
    pub(super) fn broken_by_all(&mut self, canon: &Canon, due: u8, row: &[PartId]) -> Result<u64, Asymmetry> {
        if let Some(broken) = self.known_broken(due, row) {
            return Ok(broken);
        }
        let broken = self.broken(due, row);
        let mut open = vec![row.to_vec()];
        while let Some(row) = open.pop() {
            for swap in &canon.swaps {
                let image = swap.image(&row);
                let is_new = self.known_broken(due, &image).is_none();
                if self.due(due, &image) != due || self.broken(due, &image) != broken {
                    return Err(swap.asymmetry("a property tells them apart"));
                }
                if is_new {
                    open.push(image);
                }
            }
        }
        Ok(broken)
    }

    fn check_list(&mut self, memo: &mut Memo, swap: &Swap, group: usize, row: &[PartId]) -> Result<(), CloseError> {
        let image = swap.image(row);
        let there = match self.groups[group] {
            Kind::Client(position) => {
                let kind = Kind::Client(swap.position(position));
                self.groups.iter().position(|it| *it == kind).expect("every client has a group")
            }
            _ => group,
        };
        if memo.list(there, &image).is_none() {
            self.resolve(memo, Unknown::List(there), &image)?;
        }
        let (here, there) = (memo.list(group, row), memo.list(there, &image));
        let own = |transition: &Transition| transition.step.clone();
        let mut wanted =
            self.listed(memo, here.expect("it was learned"), |transition| self.image_of_step(swap, transition));
        let mut found = self.listed(memo, there.expect("it was learned"), own);
        if !matches!((self.groups[group], swap.pair), (Kind::Client(_), Pair::Clients { .. })) {
            // Victims of deadlocks and the crashed stand in the order of their names, and seats in that of theirs.
            let order = |steps: &mut Vec<Vec<Step>>| steps.sort_by_cached_key(|steps| format!("{steps:?}"));
            order(&mut wanted);
            order(&mut found);
        }
        if wanted == found { Ok(()) } else { Err(swap.asymmetry("something else could be done").into()) }
    }

    /// The part behind a clock and its image change at the same time.
    fn check_instant(&mut self, memo: &mut Memo, swap: &Swap, clock: usize, row: &[PartId]) -> Result<(), CloseError> {
        let image = swap.image(row);
        let position = |group: &Group| group.first.expect("a clock belongs to a part");
        let wanted = swap.position(position(&memo.clocks[clock]));
        // The clocks of one kind lie together.
        let (alarms, limits) = memo.clocks.split_at(memo.alarms);
        let (kind, from) = if clock < memo.alarms { (alarms, 0) } else { (limits, memo.alarms) };
        let there =
            from + kind.iter().position(|group| position(group) == wanted).expect("every client has its clocks");
        if memo.instant(there, &image).is_none() {
            self.extract_instant(memo, there, &image);
        }
        let is_same = memo.instant(clock, row) == memo.instant(there, &image);
        if is_same { Ok(()) } else { Err(swap.asymmetry("another time is waited for").into()) }
    }

    /// The steps of each of these entries, as `step` tells them.
    fn listed(
        &self,
        memo: &Memo,
        entries: std::ops::Range<usize>,
        step: impl Fn(&Transition) -> Step,
    ) -> Vec<Vec<Step>> {
        let steps = |entry: usize| {
            let numbers = self.prefixes[entry].iter().copied().chain([memo.entries[entry].transition]);
            numbers.map(|number| step(&self.transitions[number as usize])).collect()
        };
        entries.map(steps).collect()
    }

    fn check_effect(
        &mut self,
        memo: &mut Memo,
        swap: &mut Swap,
        number: u32,
        row: &[PartId],
    ) -> Result<(), CloseError> {
        let image = swap.image(row);
        let mut transition = self.transitions[number as usize].clone();
        transition.step = self.image_of_step(swap, &transition);
        if let Some((position, id)) = &mut transition.client {
            *id = swap.image_of(*position, *id).expect("what acts was met before");
            *position = swap.position(*position);
        }
        let there = self.transition(memo, transition);
        if !memo.follow(memo.transitions[there as usize], &image).is_known() {
            self.resolve(memo, Unknown::Effect(there), &image)?;
        }
        let effect = |number: u32, row: &[PartId]| memo.follow(memo.transitions[number as usize], row).as_leaf();
        let (Some(here), Some(there)) = (effect(number, row), effect(there, &image)) else {
            return Err(swap.asymmetry("a step depends on everything").into());
        };
        let (writes, images) = (memo.writes(here), memo.writes(there));
        let is_same = memo.effects[here as usize].judged == memo.effects[there as usize].judged;
        if !is_same || writes.len() != images.len() {
            return Err(swap.asymmetry("a step does something else").into());
        }
        for write in writes {
            let position = write.position as usize;
            let wanted = swap.position(position);
            let found = images.iter().find(|image| image.position as usize == wanted);
            let image = found.ok_or_else(|| swap.asymmetry("a step changes something else"))?;
            swap.relate(position, write.id, image.id)?;
        }
        Ok(())
    }

    /// Gives every new part its keys: the number of its orbit, and of its orbit together with each class member.
    fn assign_keys(&mut self, canon: &mut Canon) {
        let members = canon.members();
        for position in 0..self.layout.len() {
            let parts = self.interners[position].len();
            for id in canon.weights[position].len()..parts {
                let id = PartId::try_from(id).expect("parts have numbers");
                canon.weights[position].push(self.weight(position, id));
            }
            canon.keys.iter_mut().for_each(|keys| keys.0[position].resize(parts, 0));
        }
        for position in 0..self.layout.len() {
            let is_client = members.contains(&position);
            for id in self.keyed[position]..self.interners[position].len() {
                let id = PartId::try_from(id).expect("parts have numbers");
                for (member, at) in members.iter().enumerate() {
                    // What the others are says little about a client, and costs much.
                    if (is_client && *at != position) || canon.keys[member].0[position][id as usize] != 0 {
                        continue;
                    }
                    self.orbits += 1;
                    spread(canon, (position, id, member), scattered(self.orbits));
                }
            }
            self.keyed[position] = self.interners[position].len();
        }
    }
}

/// Gives a part, as it appears to a class member, and all its images the same key.
fn spread(canon: &mut Canon, start: (Position, PartId, usize), key: u64) {
    let mut open = vec![start];
    canon.keys[start.2].0[start.0][start.1 as usize] = key;
    while let Some((position, id, member)) = open.pop() {
        for swap in &canon.swaps[..canon.clients] {
            let Some(image) = swap.image_of(position, id) else { continue };
            let there = swap.position(position);
            let Pair::Clients { members, .. } = swap.pair else { unreachable!("only clients have keys") };
            let member = exchanged(member, members.0, members.1);
            let slot = &mut canon.keys[member].0[there][image as usize];
            if *slot == 0 {
                *slot = key;
                open.push((there, image, member));
            }
        }
    }
}

/// Why a check could not be finished, or failed.
#[derive(Debug)]
pub(super) enum CloseError {
    Explore(ExploreError),
    Asymmetry(Asymmetry),
    /// A command says or asks when something is, so that time must not be relative to the present.
    NamesInstants,
}

impl From<ExploreError> for CloseError {
    fn from(error: ExploreError) -> Self {
        Self::Explore(error)
    }
}

impl From<Asymmetry> for CloseError {
    fn from(asymmetry: Asymmetry) -> Self {
        Self::Asymmetry(asymmetry)
    }
}
