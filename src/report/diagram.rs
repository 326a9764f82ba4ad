//! A space-time diagram in text: time runs down, each process and each store has a lane, an arrow goes from who takes
//! a step to whom it reaches.

use super::table::{Signs, WIDTH};
use crate::engines::recording::{Frame, Lane};

/// Columns of one lane, and of the step numbers before them.
const LANE_COLUMNS: usize = 7;
const NUMBER_COLUMNS: usize = 5;
/// Clients with a lane of their own. When there are more, those that act last keep theirs.
const CLIENTS_SHOWN: usize = 4;

/// What the lines are drawn with.
struct Pen {
    lane: char,
    actor: char,
    line: char,
    crossing: char,
    right: char,
    left: char,
    lost: char,
    broken: &'static str,
}

impl Pen {
    fn new(signs: Signs) -> Self {
        let broken = signs.fails;
        if signs == Signs::ASCII {
            Self { lane: '|', actor: '*', line: '-', crossing: '+', right: '>', left: '<', lost: 'x', broken }
        } else {
            Self {
                lane: '│', actor: '●', line: '─', crossing: '┼', right: '▶', left: '◀', lost: '╳', broken
            }
        }
    }
}

/// The diagram of these steps.
#[must_use]
pub fn diagram(frames: &[Frame], signs: Signs) -> String {
    let pen = Pen::new(signs);
    let lanes = Lanes::of(frames);
    let mut text = lanes.heading();
    for frame in frames {
        let room = WIDTH - NUMBER_COLUMNS - lanes.columns() - 1;
        let mut words = textwrap::wrap(&said(frame), room).into_iter().map(String::from).collect::<Vec<_>>();
        for property in &frame.broken {
            words.extend(
                textwrap::wrap(&format!("{} {property} violated", pen.broken), room).into_iter().map(String::from),
            );
        }
        for (index, words) in words.iter().enumerate() {
            let (number, drawn) = match index {
                0 => (format!("{:4} ", frame.number), lanes.draw(frame, &pen)),
                _ => (" ".repeat(NUMBER_COLUMNS), lanes.idle(&pen)),
            };
            let line = format!("{number}{} {words}", drawn.into_iter().collect::<String>());
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

/// Label, name of the step, and what came back.
fn said(frame: &Frame) -> String {
    let mut text = if frame.line.label.is_empty() { String::new() } else { format!("{} ", frame.line.label) };
    text.push_str(&frame.line.text);
    let actor = frame.line.text.split(':').next().unwrap_or_default();
    for (process, outcome) in &frame.heard {
        if process.to_string() == actor {
            text.push_str(&format!(" = {outcome}"));
        } else {
            text.push_str(&format!("; {process} hears {outcome}"));
        }
    }
    text
}

/// The columns, from left to right: clients in the order of their first step, Redis, the database.
struct Lanes {
    shown: Vec<Lane>,
    /// Further clients share the last column of clients.
    has_others: bool,
    clients: usize,
}

impl Lanes {
    fn of(frames: &[Frame]) -> Self {
        let mut latest: Vec<Lane> = Vec::new();
        for lane in frames.iter().rev().map(|frame| frame.lane).filter(|lane| matches!(lane, Lane::Client(_))) {
            if !latest.contains(&lane) {
                latest.push(lane);
            }
        }
        let has_others = latest.len() > CLIENTS_SHOWN;
        latest.truncate(CLIENTS_SHOWN);
        let mut shown = Vec::new();
        for lane in frames.iter().map(|frame| frame.lane) {
            if latest.contains(&lane) && !shown.contains(&lane) {
                shown.push(lane);
            }
        }
        let clients = shown.len();
        let touched = frames.iter().flat_map(|frame| [Some(frame.lane), frame.reaches]).flatten();
        let mut stores = touched.filter(|lane| matches!(lane, Lane::Redis(_) | Lane::Database)).collect::<Vec<_>>();
        stores.sort_unstable();
        stores.dedup();
        shown.extend(stores);
        Self { shown, has_others, clients }
    }

    fn count(&self) -> usize {
        self.shown.len() + usize::from(self.has_others)
    }

    fn columns(&self) -> usize {
        self.count() * LANE_COLUMNS
    }

    /// Column of the lane's line. Clients without a lane of their own are behind the last that has one.
    fn middle(&self, lane: Lane) -> Option<usize> {
        let place = match self.shown.iter().position(|it| *it == lane) {
            Some(place) if place >= self.clients => place + usize::from(self.has_others),
            Some(place) => place,
            None if matches!(lane, Lane::Client(_)) => self.clients,
            None => return None,
        };
        Some(place * LANE_COLUMNS + LANE_COLUMNS / 2)
    }

    fn heading(&self) -> String {
        let mut names = self.shown.iter().map(ToString::to_string).collect::<Vec<_>>();
        if self.has_others {
            names.insert(self.clients, "others".to_owned());
        }
        let names = names.into_iter().map(|name| format!("{name:^LANE_COLUMNS$}")).collect::<String>();
        format!("{}{}\n", " ".repeat(NUMBER_COLUMNS), names.trim_end())
    }

    fn idle(&self, pen: &Pen) -> Vec<char> {
        let mut row = vec![' '; self.columns()];
        for place in 0..self.count() {
            row[place * LANE_COLUMNS + LANE_COLUMNS / 2] = pen.lane;
        }
        row
    }

    fn draw(&self, frame: &Frame, pen: &Pen) -> Vec<char> {
        let mut row = self.idle(pen);
        let Some(from) = self.middle(frame.lane) else {
            // Time and what befalls everybody goes through all lanes.
            let Some((first, last)) = self.ends() else { return row };
            stroke(&mut row, first, last + 1, pen);
            return row;
        };
        if let Some(to) = frame.reaches.and_then(|lane| self.middle(lane)) {
            let (low, high) = (from.min(to), from.max(to));
            stroke(&mut row, low + 1, high, pen);
            row[to] = if frame.is_lost { pen.lane } else { pen.actor };
            let head = if to > from { to - 1 } else { to + 1 };
            row[head] = match (frame.is_lost, to > from) {
                (true, _) => pen.lost,
                (false, true) => pen.right,
                (false, false) => pen.left,
            };
        }
        row[from] = pen.actor;
        row
    }

    /// Columns of the first and the last lane's lines.
    fn ends(&self) -> Option<(usize, usize)> {
        let last = self.count().checked_sub(1)?;
        Some((LANE_COLUMNS / 2, last * LANE_COLUMNS + LANE_COLUMNS / 2))
    }
}

/// A line through these columns.
fn stroke(row: &mut [char], from: usize, to: usize, pen: &Pen) {
    for cell in &mut row[from..to] {
        *cell = if *cell == pen.lane { pen.crossing } else { pen.line };
    }
}
