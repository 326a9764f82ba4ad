//! From what happens in a run to k6's samples.

use std::ops::Deref;

use super::Vitals;
use super::load::LoadTest;
use crate::engines::metrics::{MetricId, Recorder};
use crate::process::{Note, Outcome, Request, name};

/// The metrics of one run.
#[derive(Debug)]
pub(super) struct Measure<T> {
    test: T,
    pub(super) recorder: Recorder,
    pub(super) vitals: Vitals,
}

impl<T: Deref<Target = LoadTest>> Measure<T> {
    pub(super) fn new(test: T) -> Self {
        let vus_max = u32::try_from(test.shifts.len()).unwrap_or(u32::MAX);
        let vitals = Vitals { vus_max, ..Vitals::default() };
        Self { recorder: Recorder::new(std::sync::Arc::clone(&test.catalogue)), test, vitals }
    }

    /// A call came back after `duration_us`.
    pub(super) fn request(&mut self, request: &Request, outcome: &Outcome, duration_us: u64) {
        let (status, received_bytes) = match outcome {
            Outcome::Response(response) => (response.status, response.received_bytes),
            _ => (0, 0),
        };
        let is_expected = self.test.is_expected(status);
        if !is_expected {
            *self.vitals.failed_by_status.entry(status).or_default() += 1;
        }
        let names = self.test.setting.model.request_names;
        let kind = names.iter().position(|known| name::is_same(known, request.name));
        let kind = kind.unwrap_or_else(|| panic!("the model does not declare request name `{}`", request.name));
        let (sent, received) = (request.sent_bytes.into(), received_bytes.into());
        self.recorder.request(kind, duration_us, status, is_expected, sent, received);
    }

    /// A client's script recorded a sample; `call_us` is the duration of its last call.
    pub(super) fn note(&mut self, note: Note, call_us: u64) {
        match note {
            Note::Check(text, holds) => {
                let check = self.test.setting.model.checks.iter().position(|known| name::is_same(known, text));
                let check = check.unwrap_or_else(|| panic!("the model does not declare check `{text}`"));
                self.recorder.check(check, holds);
            }
            Note::Count(name, amount) => self.recorder.add(self.metric(name), amount.into()),
            Note::Rate(name, holds) => self.recorder.add(self.metric(name), holds.into()),
            Note::CallDuration(name) => self.recorder.add(self.metric(name), call_us),
        }
    }

    fn metric(&self, name: &str) -> MetricId {
        let metric = self.test.custom_metrics.iter().find(|(known, _)| name::is_same(known, name));
        metric.unwrap_or_else(|| panic!("the model does not declare metric `{name}`")).1
    }

    /// How many seats are held now.
    pub(super) fn seats_held(&mut self, held: usize, now_us: u64) {
        if held > self.vitals.seats_held_max {
            self.vitals.seats_held_max = held;
            self.vitals.seats_held_max_at_us = now_us;
        }
    }
}
