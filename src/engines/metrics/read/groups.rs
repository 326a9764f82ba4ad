//! Groups of checks.

use serde::Deserialize;

use super::ordered::Listed;
use crate::engines::metrics::summary::{Check, Group, Metric, Summary};

/// A group as k6 writes it; the root group has an empty name.
#[derive(Debug, Deserialize)]
pub(super) struct FileGroup {
    name: String,
    groups: Listed<FileGroup>,
    checks: Listed<FileCheck>,
}

/// A check as k6 writes it.
#[derive(Debug, Deserialize)]
pub(super) struct FileCheck {
    name: String,
    passes: u64,
    fails: u64,
}

impl From<FileCheck> for Check {
    fn from(FileCheck { name, passes, fails }: FileCheck) -> Self {
        Self { name, passes, fails }
    }
}

impl From<FileGroup> for Group {
    fn from(FileGroup { name, groups, checks }: FileGroup) -> Self {
        Self {
            name,
            checks: checks.0.into_iter().map(Check::from).collect(),
            groups: groups.0.into_iter().map(Self::from).collect(),
        }
    }
}

/// The summary of a file with a root group. Checks of the same name in several groups are one check in the total.
pub(super) fn summary(duration_ms: f64, mut metrics: Vec<Metric>, root: FileGroup) -> Summary {
    let root = Group::from(root);
    let mut checks = Vec::new();
    add_checks(&root, &mut checks);
    metrics.sort_by(|left, right| left.name.cmp(&right.name));
    Summary { duration_ms, metrics, checks, groups: root.groups }
}

fn add_checks(group: &Group, total: &mut Vec<Check>) {
    for check in &group.checks {
        match total.iter_mut().find(|known| known.name == check.name) {
            Some(known) => {
                known.passes = known.passes.saturating_add(check.passes);
                known.fails = known.fails.saturating_add(check.fails);
            }
            None => total.push(check.clone()),
        }
    }
    group.groups.iter().for_each(|inner| add_checks(inner, total));
}
