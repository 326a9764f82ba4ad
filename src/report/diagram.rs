//! A space-time diagram in text: time runs down, each process and each store has a lane, an arrow goes from who takes
//! a step to whom it reaches.

use super::steps;
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
    /// The lane of a client that holds a seat, with and without its lock in Redis.
    holds: char,
    believes: char,
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
            Self {
                lane: '|',
                holds: '#',
                believes: ':',
                actor: '*',
                line: '-',
                crossing: '+',
                right: '>',
                left: '<',
                lost: 'x',
                broken,
            }
        } else {
            Self {
                lane: '│',
                holds: '┃',
                believes: '║',
                actor: '●',
                line: '─',
                crossing: '┼',
                right: '▶',
                left: '◀',
                lost: '╳',
                broken,
            }
        }
    }
}

/// The diagram of these steps: one line for each, and of many the first and the last ones.
#[must_use]
pub fn diagram(frames: &[Frame], signs: Signs) -> String {
    let pen = Pen::new(signs);
    let (first, last) = steps::shown(frames.len());
    let shown = || frames[first.clone()].iter().chain(&frames[last.clone()]);
    let lanes = Lanes::of(shown());
    let room = WIDTH - NUMBER_COLUMNS - lanes.columns() - 1;
    let mut text = lanes.heading();
    for (index, frame) in shown().enumerate() {
        if index == first.end && !last.is_empty() {
            text.push_str(&steps::left_out(frames.len()));
        }
        let (done, came) = steps::said(frame);
        let drawn = lanes.draw(frame, &pen);
        text.push_str(&line(&format!("{:4} ", frame.number), drawn, &fitted(&done, &came, room)));
        for property in &frame.broken {
            for words in textwrap::wrap(&format!("{} {property} violated", pen.broken), room) {
                text.push_str(&line(&" ".repeat(NUMBER_COLUMNS), lanes.idle(frame, &pen), &words));
            }
        }
    }
    text.push_str(&legend(shown(), &pen));
    text
}

fn line(number: &str, drawn: Vec<char>, words: &str) -> String {
    let line = format!("{number}{} {words}", drawn.into_iter().collect::<String>());
    format!("{}\n", line.trim_end())
}

/// What is done and what came of it, in so many columns. What came of it says more than the end of a statement.
fn fitted(done: &str, came: &str, room: usize) -> String {
    let columns = |text: &str| text.chars().count();
    if columns(done) + columns(came) <= room {
        return format!("{done}{came}");
    }
    let came = cut(came, room / 2);
    format!("{}{came}", cut(done, room - columns(&came)))
}

fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let head = text.chars().take(room.saturating_sub(3)).collect::<String>();
    format!("{}...", head.trim_end())
}

/// What the lines of clients that hold a seat mean, where there is one.
fn legend<'a>(frames: impl Iterator<Item = &'a Frame>, pen: &Pen) -> String {
    let held = frames.flat_map(|frame| &frame.held).collect::<Vec<_>>();
    let mut text = String::new();
    let lines = [
        (true, pen.holds, "the client knows that it holds a seat, and Redis has its lock"),
        (false, pen.believes, "the client believes that it holds a seat, and Redis has no such lock"),
    ];
    for (is_locked, sign, words) in lines {
        if held.iter().any(|it| it.is_locked == is_locked) {
            text.push_str(&format!("{}{sign}  {words}\n", " ".repeat(NUMBER_COLUMNS)));
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
    fn of<'a>(frames: impl Iterator<Item = &'a Frame>) -> Self {
        let frames = frames.collect::<Vec<_>>();
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
            None if self.has_others && matches!(lane, Lane::Client(_)) => self.clients,
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

    /// The lanes after a step: those of clients that hold a seat stand out.
    fn idle(&self, frame: &Frame, pen: &Pen) -> Vec<char> {
        let mut row = vec![' '; self.columns()];
        for place in 0..self.count() {
            row[place * LANE_COLUMNS + LANE_COLUMNS / 2] = pen.lane;
        }
        // One without its lock is what matters: it comes last.
        for is_locked in [true, false] {
            for held in frame.held.iter().filter(|held| held.is_locked == is_locked) {
                if let Some(middle) = self.middle(Lane::Client(held.client)) {
                    row[middle] = if is_locked { pen.holds } else { pen.believes };
                }
            }
        }
        row
    }

    fn draw(&self, frame: &Frame, pen: &Pen) -> Vec<char> {
        let mut row = self.idle(frame, pen);
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

/// A line through these columns. It crosses lanes; what they say of a seat stays.
fn stroke(row: &mut [char], from: usize, to: usize, pen: &Pen) {
    for cell in &mut row[from..to] {
        *cell = match *cell {
            lane if lane == pen.lane => pen.crossing,
            ' ' => pen.line,
            other => other,
        };
    }
}
