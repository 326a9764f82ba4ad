//! From the form of the file to a scenario: names are looked up, numbers bounded, durations read.

use std::path::Path;

use serde::Deserialize;

use super::fault::Fault;
use super::tree::Node;
use super::values::{BareNumber, duration_us, number_or, title};
use super::{Declaration, Link, Links, Scenario, Service, check, form, load, names, params, thresholds};
use crate::system::diagnostic::{Diagnostic, Severity, Source, code};

/// Reads the text of a scenario file; `path` is only what messages call it.
///
/// # Errors
/// Something in the text is wrong; warnings are returned with the scenario.
pub fn parse(path: &Path, text: &str, models: &[Declaration<'_>]) -> Result<(Scenario, Vec<Diagnostic>), Diagnostic> {
    let file = path.display().to_string();
    let source = Source { file: &file, text };
    let mut warnings = Vec::new();
    let scenario = Node::from_toml(text)
        .and_then(form::File::deserialize)
        .and_then(|form| build(path, &form, models, &mut warnings))
        .map_err(|fault| fault.diagnostic(Severity::Error, source))?;
    let warnings = warnings.into_iter().map(|fault| fault.diagnostic(Severity::Warning, source)).collect();
    Ok((scenario, warnings))
}

/// Builds the scenario from its form.
fn build(
    path: &Path,
    form: &form::File,
    models: &[Declaration<'_>],
    warnings: &mut Vec<Fault>,
) -> Result<Scenario, Fault> {
    let known: Vec<&str> = models.iter().map(|model| model.name).collect();
    let model = &models[names::find("model", &form.model, &known)?];
    let params = params::build(&form.params, model.params, &params::defaults(model.params))?;
    let service = service(&form.service, DEFAULT_SERVICE)?;
    Ok(Scenario {
        path: path.to_owned(),
        model: form.model.value.clone(),
        title: title(&form.title)?,
        about: form.about.clone(),
        service,
        links: Links {
            http: link(form.links.http.as_ref())?,
            redis: link(form.links.redis.as_ref())?,
            sql: link(form.links.sql.as_ref())?,
        },
        load: form.load.as_ref().map(|load| load::build(load, model)).transpose()?,
        thresholds: thresholds::build(&form.thresholds, model, BareNumber::Refused, warnings)?,
        checks: check::build(&form.check, model, &params, service)?,
        params,
    })
}

/// What the measured service's framework has (Tomcat's threads, HikariCP's pool).
const DEFAULT_SERVICE: Service = Service { instances: 1, workers: 200, connections: 10 };

/// The bounded resources; what is left out is as in `base`.
pub(super) fn service(form: &form::Service, base: Service) -> Result<Service, Fault> {
    Ok(Service {
        instances: number_or(form.instances.as_ref(), base.instances, "instances", 1, 1000)?,
        workers: number_or(form.workers.as_ref(), base.workers, "workers", 1, 100_000)?,
        connections: number_or(form.connections.as_ref(), base.connections, "connections", 1, 100_000)?,
    })
}

/// The latency of a link; a link left out takes no time.
fn link(form: Option<&form::Link>) -> Result<Link, Fault> {
    let Some(form::Link { p50, p95 }) = form else { return Ok(Link::default()) };
    let (p50_us, p95_us) = (duration_us(p50, BareNumber::Refused)?, duration_us(p95, BareNumber::Refused)?);
    let refuse = |words: &str| Fault::new(&code::LINK, &p95.span, words);
    if p95_us < p50_us {
        return Err(
            refuse("`p95` is below `p50`").help("19 of 20 round trips are at most `p95`, half are at most `p50`")
        );
    }
    if p50_us == 0 && p95_us > 0 {
        return Err(refuse("a link whose median is zero takes no time at all").help("give `p50` at least 1us"));
    }
    Ok(Link { p50_us, p95_us })
}
