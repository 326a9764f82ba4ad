//! What `check` says: a verdict per property, its bounds, and the steps of a counterexample.

use std::time::Duration;

use serde_json::{Value, json};

use super::bounds::bounds;
use super::counterexample::counterexample;
use super::coverage;
use super::export;
use super::permuted;
use super::steps::labelled;
use super::table::{Signs, paragraph};
use crate::engines::explore::collision_odds;
use crate::engines::portfolio::{Permuted, Sample};
use crate::engines::recording::Recording;
use crate::engines::shrink::{Minimality, Shrunk, Size};
use crate::engines::verdict::{Bound, Exploration, Verdict};
use crate::system::Setting;
use crate::system::scenario::{Check, ExpectedVerdict, Scenario};
use crate::system::schedule::Schedule;

/// How the verdicts compare with what the scenario expects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What differs, one sentence each.
    differences: Vec<String>,
    /// A verdict is expected that is not known: of a sample that broke nothing, or of a search that was stopped.
    is_open: bool,
}

impl Judged {
    /// True when nothing differs.
    #[must_use]
    pub fn is_as_expected(&self) -> bool {
        self.differences.is_empty()
    }

    /// True when a verdict is expected that is not known.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.is_open
    }
}

/// Compares verdicts, lengths and the number of states with what the check expects.
#[must_use]
pub fn judge(check: &Check, exploration: &Exploration, schedules: &[Schedule]) -> Judged {
    let (mut differences, mut is_open) = (Vec::new(), false);
    for expected in &check.expect {
        let found = exploration.verdicts.iter().find(|(property, _)| *property == expected.property);
        let Some((property, verdict)) = found else { continue };
        match (expected.verdict, verdict) {
            (ExpectedVerdict::Holds, Verdict::Holds) => {}
            // Only the explorer's way is the shortest.
            (ExpectedVerdict::Violated { .. }, Verdict::Violated(_)) if !is_explored(schedules, property) => {}
            (ExpectedVerdict::Violated { labels, ops }, Verdict::Violated(counterexample)) => {
                let schedule = schedules.iter().find(|it| breaks(it, property));
                let counted = schedule.map_or(0, |schedule| labelled(&schedule.steps));
                differ(&mut differences, property, "labelled steps", labels, counted);
                differ(&mut differences, property, "operations", ops, counterexample.operations());
            }
            // What is not known is no difference.
            (_, Verdict::Unknown(bound)) if !matches!(bound, Bound::States(_)) => is_open = true,
            (wanted, verdict) => {
                let wanted = if wanted == ExpectedVerdict::Holds { "holds" } else { "violated" };
                differences.push(format!("{property}: expected {wanted}, found {}", word(verdict)));
            }
        }
    }
    // A search that stopped at a bound says nothing about the size of the space.
    let is_done = exploration.states > 0 && exploration.verdicts.iter().all(|(_, verdict)| verdict.bound().is_none());
    if let Some(wanted) = check.expect_states
        && is_done
        && !exploration.is_reduced
        && wanted != exploration.states as u64
    {
        differences.push(format!("expected {wanted} states, found {}", exploration.states));
    }
    Judged { differences, is_open }
}

/// True when the violation of this property is the explorer's.
fn is_explored(schedules: &[Schedule], property: &str) -> bool {
    schedules.iter().any(|schedule| breaks(schedule, property) && schedule.engine == "reference")
}

fn breaks(schedule: &Schedule, property: &str) -> bool {
    schedule.violation.as_ref().is_some_and(|(broken, _)| broken == property)
}

fn differ(differences: &mut Vec<String>, property: &str, what: &str, wanted: Option<u32>, found: usize) {
    if wanted.is_some_and(|wanted| wanted as usize != found) {
        let wanted = wanted.unwrap_or(0);
        differences.push(format!("{property}: expected a shortest way of {wanted} {what}, found {found}"));
    }
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Violated(_) => "violated",
        Verdict::Unknown(Bound::Sampled | Bound::Permutations(_)) => "sampled",
        Verdict::Unknown(Bound::Preemptions { .. }) => "bounded",
        Verdict::Unknown(_) => "inconclusive",
    }
}

/// What is about to be explored, and within which bounds.
#[must_use]
pub fn heading(scenario: &Scenario, check: &Check, setting: &Setting) -> String {
    let mut text = format!("check {} / {}\n", scenario.model, check.name);
    text.push_str(&paragraph("  ", &check.title));
    text.push_str(&paragraph("  bounds  ", &bounds(setting)));
    text
}

/// Who broke a property, if not the explorer.
fn breaker<'a>(samples: &'a [Sample], property: &str) -> Option<&'a Sample> {
    samples.iter().find(|sample| sample.sampled.found.as_ref().is_some_and(|found| found.property == property))
}

/// One line for each scheduler: how much it tried, and what it met.
fn sampled(samples: &[Sample], seed: u64) -> String {
    let mut text = String::new();
    for sample in samples {
        let Sample { scheduler, setting, asked, sampled, shrunk, .. } = sample;
        let met = match &sampled.found {
            Some(found) => format!("{} broken in execution {}", found.property, found.execution),
            None if sample.is_cut_short() => "no violation (sampled, cut short)".to_owned(),
            None => "no violation (sampled)".to_owned(),
        };
        let of = if sample.is_cut_short() { format!(" of {asked}") } else { String::new() };
        let line = format!(
            "{scheduler}, seed {seed}: {}{of} execution(s) by {} client(s), {} steps, {} different schedules, \
             {} different ends: {met}",
            sampled.executions,
            setting.journeys.len(),
            sampled.steps,
            sampled.distinct_schedules,
            sampled.distinct_final_states,
        );
        text.push_str(&paragraph("shuttle     ", &line));
        if let Some(shrunk) = shrunk {
            text.push_str(&paragraph("shrunk      ", &shrinking(shrunk)));
        }
    }
    text
}

/// Who found a violation, at which size, and whether it is one of that size only.
fn sampled_by(sample: &Sample) -> String {
    let from = sample.shrunk.as_ref().map_or_else(String::new, |it| format!("shrunk from {}, ", it.from.steps));
    let at = format!("{from}{} at {} clients", sample.scheduler, sample.setting.journeys.len());
    if sample.holds_smaller { format!("{at}; holds within the bounds above") } else { at }
}

/// What shrinking did and how long it took: a note, because times differ from run to run.
#[must_use]
pub fn shrunk_in(sample: &Sample, shrunk: &Shrunk, took: Duration) -> String {
    let property = sample.sampled.found.as_ref().map_or("", |found| found.property);
    let tenths = took.as_millis().div_ceil(100);
    let (steps, from) = (shrunk.to.steps, shrunk.from.steps);
    format!("{property}: {steps} steps, shrunk from {from} in {}.{} s", tenths / 10, tenths % 10)
}

/// From which size to which.
pub(super) fn shrinking(shrunk: &Shrunk) -> String {
    let size = |size: Size| {
        let seats = size.seats.map_or_else(String::new, |seats| format!("{seats} seat(s), "));
        let Size { contenders, rounds, faults, steps, .. } = size;
        format!("{contenders} client(s), {seats}{rounds} round(s), {faults} fault(s), {steps} steps")
    };
    let minimality = match shrunk.minimality {
        Minimality::Shortest => "no shorter way exists there",
        Minimality::OneByOne => "nothing single can be left out",
        Minimality::Unfinished => "stopped at its budget, less may do",
    };
    let (from, to) = (size(shrunk.from), size(shrunk.to));
    format!("{from}, to {to}: {minimality} ({} executions)", shrunk.replays)
}

/// What was found out about a check.
#[derive(Copy, Clone, Debug)]
pub struct Findings<'a> {
    /// The verdicts of all engines together, and the figures of the explorer.
    pub exploration: &'a Exploration,
    /// What the schedulers met.
    pub samples: &'a [Sample],
    /// What loom met, if it had a turn.
    pub permuted: Option<&'a Permuted>,
    /// The seed of the schedulers.
    pub seed: u64,
    /// One schedule for each violation.
    pub schedules: &'a [Schedule],
    /// What is seen when they are followed, one for each.
    pub recordings: &'a [Recording],
    /// How the verdicts compare with what was expected.
    pub judged: &'a Judged,
}

/// Verdicts, size of the search, counterexamples, differences from what was expected.
#[must_use]
pub fn text(setting: &Setting, findings: Findings<'_>, signs: Signs) -> String {
    let Findings { exploration, samples, permuted, seed, schedules, recordings, judged } = findings;
    let width = exploration.verdicts.iter().map(|(property, _)| property.len()).max().unwrap_or(0);
    let mut text = String::new();
    for (property, verdict) in &exploration.verdicts {
        let (sign, scope) = match verdict {
            Verdict::Holds if exploration.vacuous.contains(property) => {
                (signs.vacuous, "vacuous: there was nothing to judge".to_owned())
            }
            Verdict::Holds => (signs.holds, "complete within bounds".to_owned()),
            Verdict::Violated(found) if !found.is_shown() => (signs.fails, found.reason.clone()),
            Verdict::Violated(found) => {
                let how = match (breaker(samples, property), permuted.filter(|it| it.finding(property).is_some())) {
                    (Some(sample), _) => sampled_by(sample),
                    (None, Some(permuted)) => permuted::found_by(permuted),
                    (None, None) => "shortest".to_owned(),
                };
                (signs.fails, format!("{} steps ({how})", found.steps.len()))
            }
            Verdict::Unknown(bound) => ("?", why(bound)),
        };
        text.push_str(&paragraph(&format!("  {sign} {:12}  {property:width$}  ", word(verdict)), &scope));
    }
    text.push_str(&searched(exploration));
    if !exploration.abstracted_draws.is_empty() {
        let names = exploration.abstracted_draws.join(", ");
        text.push_str(&paragraph("abstracted  ", &format!("{names}: by representatives, not by every value")));
    }
    text.push_str(&sampled(samples, seed));
    text.push_str(&permuted.map_or_else(String::new, permuted::text));
    text.push_str(&coverage::text(setting, &coverage::by_engine(exploration, samples, permuted), signs));
    text.push_str(&counterexamples(schedules, recordings, signs));
    for difference in &judged.differences {
        text.push_str(&paragraph(&format!("{} ", signs.notice), &format!("not as expected: {difference}")));
    }
    text.push_str(&tally(exploration, setting.journeys.len()));
    text
}

/// How many properties have which verdict.
fn tally(exploration: &Exploration, clients: usize) -> String {
    let count = |is_such: &dyn Fn(&str, &Verdict) -> bool| {
        exploration.verdicts.iter().filter(|(property, verdict)| is_such(property, verdict)).count()
    };
    let is_vacuous = |property: &str| exploration.vacuous.contains(&property);
    let holding = count(&|property, verdict| *verdict == Verdict::Holds && !is_vacuous(property));
    let violated = count(&|_, verdict| matches!(verdict, Verdict::Violated(_)));
    let unknown = count(&|_, verdict| matches!(verdict, Verdict::Unknown(_)));
    let vacuous = match count(&|property, verdict| *verdict == Verdict::Holds && is_vacuous(property)) {
        0 => String::new(),
        vacuous => format!("{vacuous} vacuous, "),
    };
    format!("{holding} hold, {vacuous}{violated} violated, {unknown} inconclusive for {clients} client(s)\n\n")
}

/// The way to each violation. Where several properties are broken by the same steps these are shown once.
fn counterexamples(schedules: &[Schedule], recordings: &[Recording], signs: Signs) -> String {
    let mut text = String::new();
    for (index, (schedule, recording)) in schedules.iter().zip(recordings).enumerate() {
        let Some((property, reason)) = &schedule.violation else { continue };
        let (steps, labels) = (schedule.steps.len(), labelled(&schedule.steps));
        text.push_str(&format!("\n{property} broken in {steps} steps, {labels} labelled ones:\n"));
        let is_same = |earlier: &&Schedule| earlier.steps == schedule.steps && earlier.setting == schedule.setting;
        let same = schedules[..index].iter().find(is_same).and_then(|it| it.violation.as_ref());
        text.push_str(&match same {
            Some((same, _)) => format!("the steps are those of {same}, above\n") + &paragraph("why       ", reason),
            None => counterexample(schedule, recording, signs),
        });
    }
    text
}

/// The size of the search, and the chance that it left out a state because its fingerprint was another's.
fn searched(exploration: &Exploration) -> String {
    let Exploration { states, transitions, depth, is_reduced, is_exact, .. } = exploration;
    if *states == 0 {
        return String::new();
    }
    let space = if *is_reduced { " (reduced)" } else { "" };
    let trust = if *is_exact {
        "states were compared whole".to_owned()
    } else {
        format!("two states share a fingerprint with a chance of 1 in {}", collision_odds(*states))
    };
    let line = format!("{states} states{space}, {transitions} transitions, depth {depth}; {trust}");
    paragraph("explore     ", &line)
}

pub(super) fn why(bound: &Bound) -> String {
    match bound {
        Bound::Sampled => "sampled: no violation met, no proof".to_owned(),
        Bound::States(states) => format!("stopped at {states} states: no proof"),
        Bound::Memory(bytes) => format!("stopped at {bytes} bytes of memory: no proof"),
        Bound::Preemptions { clients, preemptions } => {
            format!("complete for {clients} client(s), preemption bound {preemptions}: no proof beyond")
        }
        Bound::Permutations(permutations) => format!("stopped after {permutations} permutations: no proof"),
        Bound::Steps(steps) => format!("executions cut after {steps} steps: no proof"),
        Bound::Interrupted => "interrupted: no proof".to_owned(),
        Bound::NotBegun => "not begun: no proof".to_owned(),
        Bound::Time => "stopped by the time budget: no proof".to_owned(),
    }
}

/// One check as a JSON object.
#[must_use]
pub fn json(check: &Check, setting: &Setting, findings: Findings<'_>) -> Value {
    let Findings { exploration, samples, permuted, seed, schedules, recordings, judged } = findings;
    let coverage = coverage::json(setting, &coverage::by_engine(exploration, samples, permuted));
    let verdicts = exploration.verdicts.iter().map(|(property, verdict)| {
        let found = schedules.iter().zip(recordings).find(|(it, _)| breaks(it, property));
        let schedule = found.map(|(schedule, _)| schedule);
        let steps = found.map(|(_, recording)| recording.frames.iter().map(export::json_step).collect::<Vec<_>>());
        json!({
            "property": property,
            "verdict": word(verdict),
            "bound": if let Verdict::Unknown(bound) = verdict { Some(why(bound)) } else { None },
            "vacuous": exploration.vacuous.contains(property),
            "reason": if let Verdict::Violated(found) = verdict { Some(&found.reason) } else { None },
            "steps": steps,
            "labelled_steps": schedule.map(|it| labelled(&it.steps)),
            "fingerprint": schedule.map(|it| &it.fingerprint),
            "engine": schedule.map(|it| &it.engine),
        })
    });
    let samples = samples.iter().map(|Sample { scheduler, setting, asked, sampled, shrunk, holds_smaller }| {
        json!({
            "scheduler": scheduler.to_string(),
            "seed": seed,
            "bounds": bounds(setting),
            "executions": sampled.executions,
            "executions_asked_for": asked,
            "steps": sampled.steps,
            "distinct_schedules": sampled.distinct_schedules,
            "distinct_final_states": sampled.distinct_final_states,
            "broken": sampled.found.as_ref().map(|found| found.property),
            "execution": sampled.found.as_ref().map(|found| found.execution),
            "shrunk": shrunk.as_ref().map(shrinking),
            "holds_smaller": holds_smaller,
            "native": sampled.found.as_ref().and_then(|found| found.native.as_ref()),
        })
    });
    let samples = samples.collect::<Vec<_>>();
    json!({
        "check": check.name,
        "samples": samples,
        "loom": permuted.map(permuted::json),
        "bounds": bounds(setting),
        "verdicts": verdicts.collect::<Vec<_>>(),
        "states": exploration.states,
        "transitions": exploration.transitions,
        "reduced": exploration.is_reduced,
        "exact": exploration.is_exact,
        "depth": exploration.depth,
        "abstracted_draws": exploration.abstracted_draws,
        "coverage": coverage,
        "not_as_expected": judged.differences,
    })
}
