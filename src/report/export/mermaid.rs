//! A sequence diagram in Mermaid's text form.

use std::collections::BTreeSet;

use crate::engines::recording::{Frame, Lane, Recording};

/// A `sequenceDiagram` of the recording's steps. The syntax is that of mermaid.js.org/syntax/sequenceDiagram.html.
#[must_use]
pub fn mermaid(recording: &Recording) -> String {
    let lanes = recording.frames.iter().flat_map(|frame| [Some(frame.lane), frame.reaches]).flatten();
    let mut text = "sequenceDiagram\n".to_owned();
    for lane in lanes.collect::<BTreeSet<_>>() {
        text.push_str(&format!("    participant {lane}\n"));
    }
    for frame in &recording.frames {
        text.push_str(&step(frame));
    }
    text
}

fn step(frame: &Frame) -> String {
    let Frame { number, lane, reaches, line, .. } = frame;
    let what = escaped(&format!("{number} {}", line.text));
    let mut text = match reaches {
        Some(other) => {
            let arrow = if frame.is_lost { "-x" } else { "->>" };
            format!("    {lane}{arrow}{other}: {what}\n")
        }
        None => format!("    Note over {lane}: {what}\n"),
    };
    for (process, outcome) in &frame.heard {
        let hearer = Lane::Client(process.client);
        let from = reaches.filter(|_| hearer == *lane).unwrap_or(*lane);
        text.push_str(&format!("    {from}-->>{hearer}: {}\n", escaped(&format!("{process} hears {outcome}"))));
    }
    for property in &frame.broken {
        text.push_str(&format!("    Note over {lane}: {property} violated\n"));
    }
    text
}

/// Signs that mean something to Mermaid, as its entity codes.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '#' | ';' | '<' | '>' | '%' => out.push_str(&format!("#{};", u32::from(sign))),
            _ => out.push(sign),
        }
    }
    out
}
