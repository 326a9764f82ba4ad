//! Whether a schedule that somebody suspects can happen. It is followed step by step; where a step is not possible,
//! what stands in its way is told, and the shortest way is looked for by which it would become possible. With that way
//! put in, the rest is followed too.

use std::collections::{BTreeSet, HashSet, VecDeque};
use std::rc::Rc;

use super::recording::{Frame, Recording};
use super::replay::{Divergence, record};
use crate::system::facts::{Kind, Thing};
use crate::system::fingerprint::Fingerprint;
use crate::system::schedule::{Line, Schedule};
use crate::system::{Halves, ModelError, Setting, Step, System};

/// States that are looked at for a way to a step: some seconds at most.
const STATES_MAX: usize = 20_000;
/// After so many obstacles a schedule is one of another model.
const OBSTACLES_MAX: usize = 10;

/// Whether the schedule can happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// All that was followed, with the steps that were put in.
    pub recording: Recording,
    /// What stood in the way, in order; nothing if the schedule can happen as it is.
    pub obstacles: Vec<Obstacle>,
    /// Steps of the schedule that were followed.
    pub followed: usize,
}

/// A step that cannot happen where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Obstacle {
    /// The step, by its number in the schedule as it was written, why it cannot happen, and what can.
    pub divergence: Divergence,
    /// The step in which its process last heard something.
    pub heard: Option<Heard>,
    /// What would have had to happen before.
    pub before: Before,
}

/// What a process was told last: its code goes by that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// The step, counted with those that were put in.
    pub number: usize,
    /// Its label and name.
    pub line: Line,
    /// What came back.
    pub outcome: String,
    /// The keys of Redis that the step named: what they hold, and since which step if it was not always so.
    pub keys: Vec<(String, Option<String>, Option<usize>)>,
}

/// What would make a step possible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Before {
    /// The fewest steps after which it is.
    Steps(Vec<Line>),
    /// Nothing: it is possible in none of the states that can follow, so many.
    Nothing(usize),
    /// So many states were looked at, and more remain.
    Unknown(usize),
    /// Nobody looked: where an engine keeps the time, its steps are those of that time.
    NotSought,
}

/// Asks whether the schedule can happen.
///
/// # Errors
/// When the model itself is wrong.
pub fn why_not(setting: &Rc<Setting>, schedule: &Schedule) -> Result<Answer, ModelError> {
    let mut schedule = schedule.clone();
    let mut obstacles: Vec<Obstacle> = Vec::new();
    let mut put_in = 0;
    loop {
        let recording = record(setting, &schedule, None)?;
        let reached = recording.replay.steps.len();
        let Some(divergence) = recording.replay.divergence.clone() else {
            return Ok(Answer { recording, obstacles, followed: reached - put_in });
        };
        let is_begun = divergence.number > 0;
        let followed = reached - put_in;
        let before = if is_begun && schedule.halves == Halves::Fused {
            sought(setting, &recording.replay.steps, &divergence.wanted)?
        } else {
            Before::NotSought
        };
        let heard = heard(&recording, &divergence.wanted);
        let divergence = Divergence { number: divergence.number - put_in, ..divergence };
        obstacles.push(Obstacle { divergence, heard, before });
        match &obstacles[obstacles.len() - 1].before {
            Before::Steps(lines) if obstacles.len() < OBSTACLES_MAX => {
                put_in += lines.len();
                schedule.steps.splice(reached..reached, lines.iter().cloned());
            }
            _ => return Ok(Answer { recording, obstacles, followed }),
        }
    }
}

/// What the process of this step heard last.
fn heard(recording: &Recording, wanted: &str) -> Option<Heard> {
    let process = System::process_named(wanted)?;
    let (frame, outcome) = recording.frames.iter().rev().find_map(|frame| {
        let heard = frame.heard.iter().find(|(who, _)| *who == process);
        heard.map(|(_, outcome)| (frame, outcome))
    })?;
    let facts = recording.states().last().map(|(_, facts)| facts).unwrap_or_default();
    let words = frame.line.text.split(' ').collect::<Vec<_>>();
    let is_named = |thing: &&Thing| {
        thing.kind == Kind::Key && thing.name.rsplit(' ').next().is_some_and(|key| words.contains(&key))
    };
    let changed = |frame: &'_ Frame, thing: &Thing| frame.changed.iter().any(|change| change.thing == *thing);
    let met = recording.frames.iter().flat_map(|frame| frame.changed.iter().map(|change| &change.thing));
    let things = met.chain(facts.keys()).filter(is_named).collect::<BTreeSet<_>>();
    let key = |thing: &Thing| {
        let since = recording.frames.iter().rev().find(|frame| changed(frame, thing)).map(|frame| frame.number);
        (thing.name.trim_start_matches("redis ").to_owned(), facts.get(thing).cloned(), since)
    };
    let keys = things.into_iter().map(key).collect();
    Some(Heard { number: frame.number, line: frame.line.clone(), outcome: outcome.clone(), keys })
}

/// The fewest steps after those taken by which a step of this name becomes possible: breadth first.
fn sought(setting: &Rc<Setting>, taken: &[Step], wanted: &str) -> Result<Before, ModelError> {
    let mut system = System::new(Rc::clone(setting), Halves::Fused, true)?;
    for step in taken {
        system.fire(step)?;
    }
    // Look-up only; its order decides nothing.
    let mut visited = HashSet::from([Fingerprint::of(system.state())]);
    let mut origins: Vec<(usize, Line)> = vec![(0, Line { at_us: None, text: String::new(), label: String::new() })];
    let mut frontier = VecDeque::from([(0, system)]);
    let mut is_whole = true;
    while let Some((at, system)) = frontier.pop_front() {
        // A draw without values to try hides what follows it.
        is_whole &= system.unexplorable_draw().is_none();
        for step in system.enabled() {
            let mut next = system.clone();
            next.fire(&step)?;
            if !visited.insert(Fingerprint::of(next.state())) {
                continue;
            }
            let line = Line { at_us: None, text: system.name(&step), label: system.label(&step).to_owned() };
            origins.push((at, line));
            if next.resolve(wanted).is_ok() {
                return Ok(Before::Steps(way_to(&origins)));
            }
            if visited.len() > STATES_MAX {
                return Ok(Before::Unknown(visited.len()));
            }
            frontier.push_back((origins.len() - 1, next));
        }
    }
    Ok(if is_whole { Before::Nothing(visited.len()) } else { Before::Unknown(visited.len()) })
}

/// The way to the state that was met last.
fn way_to(origins: &[(usize, Line)]) -> Vec<Line> {
    let mut way = Vec::new();
    let mut at = origins.len() - 1;
    while at > 0 {
        way.push(origins[at].1.clone());
        at = origins[at].0;
    }
    way.reverse();
    way
}
