//! What a check says has happened before, and which background jobs may run.

use super::de::Table;
use super::fault::Fault;
use super::tree::At;
use super::values::number;
use super::{Declaration, names};
use crate::system::diagnostic::code;
use crate::system::given::Given;

/// Most runs of one job.
const RUNS_MAX: i64 = 1000;

/// The prologue, each entry with its place.
pub(super) fn build(
    form: Option<&At<Vec<At<String>>>>,
    clients: usize,
    model: &Declaration<'_>,
) -> Result<Vec<(Given, std::ops::Range<usize>)>, Fault> {
    let entries = form.map_or(&[][..], |list| &list.value);
    entries.iter().map(|at| Ok((entry(at, clients, model)?, at.span.clone()))).collect()
}

fn entry(at: &At<String>, clients: usize, model: &Declaration<'_>) -> Result<Given, Fault> {
    let given = Given::parse(&at.value).map_err(|reason| {
        Fault::new(&code::CHECK, &at.span, format!("`{}` says nothing that can have happened: {reason}", at.value))
            .help("write `vu1`, `vu1 until LABEL`, `job NAME`, `wait 601s`, or the name of a step")
    })?;
    if let Some(client) = given.client().filter(|client| usize::from(client.client) > clients) {
        let message = format!("there is no {client}: the check has {clients} client(s)");
        return Err(Fault::new(&code::CHECK, &at.span, message).help("clients are numbered from vu1"));
    }
    if let Some(job) = given.job() {
        names::find("job", &At { span: at.span.clone(), value: job.to_owned() }, &model.jobs)?;
    }
    Ok(given)
}

/// Which jobs may begin, and how often.
pub(super) fn jobs(table: &Table<At<i64>>, model: &Declaration<'_>) -> Result<Vec<(usize, u32)>, Fault> {
    let runs = |(name, at): &(At<String>, At<i64>)| {
        Ok((names::find("job", name, &model.jobs)?, number(at, &name.value, 0, RUNS_MAX)?))
    };
    table.0.iter().map(runs).collect()
}
