//! What `list` says: models with their journeys, jobs, parameters, properties and draws.

use serde_json::{Value, json};

use super::table::paragraph;
use crate::system::model::{Model, ParamKind};
use crate::system::property::Property;

/// The catalogue as text of at most 80 columns.
#[must_use]
pub fn text(models: &[&Model]) -> String {
    models.iter().map(|model| one(model)).collect::<Vec<_>>().join("\n")
}

fn one(model: &Model) -> String {
    let mut text = paragraph(&format!("{}  ", model.name), model.about);
    let mut section = |title: &str, entries: Vec<(String, &str)>| {
        text.push_str(&format!("  {title}\n"));
        for (name, about) in entries {
            text.push_str(&format!("    {name}\n"));
            text.push_str(&paragraph("        ", about));
        }
    };
    section("journeys", model.journeys.iter().map(|it| (it.name.to_owned(), it.about)).collect());
    if !model.jobs.is_empty() {
        section("jobs", model.jobs.iter().map(|it| (it.name.to_owned(), it.about)).collect());
    }
    let param = |it: &crate::system::model::Param| (format!("{} ({})", it.name, kind(it.kind)), it.about);
    section("parameters", model.params.iter().map(param).collect());
    section("properties", properties(model).iter().map(|it| (it.name.to_owned(), it.about)).collect());
    if !model.draws.is_empty() {
        text.push_str(&paragraph("  draws  ", &model.draws.join(", ")));
    }
    text
}

fn properties(model: &Model) -> Vec<Property> {
    model.all_properties()
}

fn kind(kind: ParamKind) -> String {
    match kind {
        ParamKind::Count { min, max } => format!("{min} to {max}"),
        ParamKind::CountRange { min, max } => format!("range within {min} to {max}"),
        ParamKind::Duration => "duration".to_owned(),
        ParamKind::Ttl => "duration in whole milliseconds".to_owned(),
        ParamKind::DurationRange => "range of durations".to_owned(),
    }
}

/// The catalogue as JSON.
#[must_use]
pub fn json(models: &[&Model]) -> Value {
    let models = models.iter().map(|model| {
        let params = model.params.iter().map(|it| json!({ "name": it.name, "kind": kind(it.kind), "about": it.about }));
        let journeys = model.journeys.iter().map(|it| json!({ "name": it.name, "about": it.about }));
        let jobs = model.jobs.iter().map(|it| json!({ "name": it.name, "about": it.about }));
        let properties = properties(model);
        let properties = properties.iter().map(|it| json!({ "name": it.name, "about": it.about }));
        json!({
            "name": model.name,
            "about": model.about,
            "journeys": journeys.collect::<Vec<_>>(),
            "jobs": jobs.collect::<Vec<_>>(),
            "params": params.collect::<Vec<_>>(),
            "properties": properties.collect::<Vec<_>>(),
            "draws": model.draws,
        })
    });
    json!({ "models": models.collect::<Vec<_>>() })
}
