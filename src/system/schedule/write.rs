//! The text of a schedule.

use std::fmt;

use super::super::Halves;
use super::{FORMAT, Schedule, SettingText};
use crate::process::Drawn;

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.native.is_some() {
            let engine = &self.engine;
            writeln!(f, "# An execution as large as it was found, and as {engine} writes it.")?;
            writeln!(f, "# `seatproof replay FILE` has {engine}'s own replayer run it again.")?;
        } else {
            writeln!(f, "# A schedule of seatproof: the steps below, in this order, from the initial state.")?;
            writeln!(f, "# `seatproof replay FILE` runs it again; steps may be edited, removed or added by name.")?;
        }
        if let Some((property, reason)) = &self.violation {
            // The message of a panic may have several lines; the comment must not end with the first.
            let reason = reason.split_whitespace().collect::<Vec<_>>().join(" ");
            writeln!(f, "# It breaks {property}: {reason}.")?;
        }
        writeln!(f, "\nformat = {FORMAT}")?;
        writeln!(f, "tool = {}", quoted(&self.tool))?;
        writeln!(f, "engine = {}", quoted(&self.engine))?;
        if let Some(seed) = self.seed {
            // As text: TOML's integers are signed.
            writeln!(f, "seed = \"{seed}\"")?;
        }
        writeln!(f, "scenario = {}", quoted(&self.scenario))?;
        if let Some((property, reason)) = &self.violation {
            writeln!(f, "property = {}", quoted(property))?;
            writeln!(f, "reason = {}", quoted(reason))?;
        }
        writeln!(f, "model_hash = {}", quoted(&self.model_hash))?;
        writeln!(f, "fingerprint = {}", quoted(&self.fingerprint))?;
        let halves = if self.halves == Halves::Fused { "fused" } else { "split" };
        writeln!(f, "# fused: an operation and the arrival of its outcome are one step; split: two.")?;
        writeln!(f, "halves = \"{halves}\"")?;
        match &self.native {
            Some(native) => {
                writeln!(f, "native_hash = {}\nnative = {}", quoted(&self.native_hash()), quoted(native))?;
            }
            None => self.write_steps(f)?,
        }
        writeln!(f)?;
        self.setting.fmt(f)
    }
}

impl Schedule {
    fn write_steps(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "# `at` is virtual time in microseconds; `label` is the step's name in the service's documentation."
        )?;
        writeln!(f, "steps = [")?;
        for line in &self.steps {
            f.write_str("  { ")?;
            if let Some(at_us) = line.at_us {
                write!(f, "at = {at_us}, ")?;
            }
            write!(f, "do = {}", quoted(&line.text))?;
            if !line.label.is_empty() {
                write!(f, ", label = {}", quoted(&line.label))?;
            }
            f.write_str(" },\n")?;
        }
        writeln!(f, "]")
    }
}

impl fmt::Display for SettingText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "[setting]")?;
        writeln!(f, "model = {}", quoted(&self.model))?;
        let journeys = self.journeys.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        writeln!(f, "journeys = [{journeys}]")?;
        if let Some(rounds) = self.rounds {
            writeln!(f, "rounds = {rounds}")?;
        }
        if !self.jobs.is_empty() {
            let jobs = self.jobs.iter().map(|(name, runs)| format!("{} = {runs}", quoted(name))).collect::<Vec<_>>();
            writeln!(f, "jobs = {{ {} }}", jobs.join(", "))?;
        }
        if !self.given.is_empty() {
            writeln!(f, "# What has happened before the first step.")?;
            let given = self.given.iter().map(|given| quoted(&given.to_string())).collect::<Vec<_>>();
            writeln!(f, "given = [{}]", given.join(", "))?;
        }
        if self.replicas > 0 {
            writeln!(f, "# Replicas of the Redis node.\nreplicas = {}", self.replicas)?;
        }
        if !self.clocks.agree() {
            let (clients, instances) = (&self.clocks.clients, &self.clocks.instances);
            writeln!(f, "# Clocks that run ahead, in microseconds.")?;
            writeln!(f, "clocks = {{ clients = {clients:?}, instances = {instances:?} }}")?;
        }
        let bounds = [("max_delay_us", self.pace.max_delay_us), ("max_pause_us", self.pace.max_pause_us)];
        let bounds = bounds.into_iter().filter_map(|(name, us)| Some(format!("{name} = {}", us?))).collect::<Vec<_>>();
        if !bounds.is_empty() {
            writeln!(f, "pace = {{ {} }}", bounds.join(", "))?;
        }
        if !self.properties.is_empty() {
            let names = self.properties.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
            writeln!(f, "# Judged beside those that always are.\nproperties = [{names}]")?;
        }
        let service = self.service;
        let (instances, workers, connections) = (service.instances, service.workers, service.connections);
        writeln!(f, "service = {{ instances = {instances}, workers = {workers}, connections = {connections} }}")?;
        let budgets = self.budgets.entries().into_iter().filter(|(_, budget)| *budget > 0);
        let budgets = budgets.map(|(name, budget)| format!("{name} = {budget}")).collect::<Vec<_>>();
        writeln!(f, "budgets = {{ {} }}", budgets.join(", "))?;
        writeln!(f, "\n# Lower and upper end; durations in microseconds.\n[setting.params]")?;
        for (name, value) in &self.params {
            writeln!(f, "{name} = [{}, {}]", value.low, value.high)?;
        }
        if !self.draws.is_empty() {
            writeln!(f, "\n[setting.draws]")?;
            for (name, values) in &self.draws {
                let list = |drawn: &Drawn| format!("{:?}", drawn.as_slice());
                let values = values.iter().map(list).collect::<Vec<_>>().join(", ");
                writeln!(f, "{name} = [{values}]")?;
            }
        }
        Ok(())
    }
}

/// The text as a TOML string.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}
