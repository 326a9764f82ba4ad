//! A log for ShiViz: events with vector clocks, so that it can draw who could know what (bestchai.github.io/shiviz).

use std::collections::BTreeMap;

use crate::engines::recording::{Lane, Recording};

/// The expression to give ShiViz with the log.
const PARSER: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<event>.*)";

/// How many events each lane has had, as far as a lane knows.
type Clock = BTreeMap<Lane, u32>;

/// The log. Its first line is the expression that parses it.
#[must_use]
pub fn shiviz(recording: &Recording) -> String {
    let mut log = Log { text: format!("{PARSER}\n\n"), clocks: BTreeMap::new() };
    for frame in &recording.frames {
        log.event(frame.lane, &frame.line.text);
        let reached = frame.reaches.filter(|_| !frame.is_lost);
        if let Some(other) = reached {
            log.learn(other, frame.lane);
            log.event(other, &format!("takes {}", frame.line.text));
        }
        for (process, outcome) in &frame.heard {
            let hearer = Lane::Client(process.client);
            let from = reached.filter(|_| hearer == frame.lane).unwrap_or(frame.lane);
            log.learn(hearer, from);
            log.event(hearer, &format!("{process} hears {outcome}"));
        }
        for property in &frame.broken {
            log.event(frame.lane, &format!("{property} violated"));
        }
    }
    log.text
}

struct Log {
    text: String,
    clocks: BTreeMap<Lane, Clock>,
}

impl Log {
    /// Something happens in a lane.
    fn event(&mut self, lane: Lane, what: &str) {
        let clock = self.clocks.entry(lane).or_default();
        *clock.entry(lane).or_default() += 1;
        let clock = clock.iter().map(|(lane, count)| format!("\"{lane}\":{count}")).collect::<Vec<_>>();
        self.text.push_str(&format!("{lane} {{{}}}\n{what}\n", clock.join(", ")));
    }

    /// A lane hears from another: it knows what that one knew.
    fn learn(&mut self, lane: Lane, from: Lane) {
        let known = self.clocks.get(&from).cloned().unwrap_or_default();
        let clock = self.clocks.entry(lane).or_default();
        for (lane, count) in known {
            let own = clock.entry(lane).or_default();
            *own = count.max(*own);
        }
    }
}
