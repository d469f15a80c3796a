//! What specifications admit: parameters and request bodies, compared by containment.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc};

use portcullis_config::{Outside, model::Spec};
use portcullis_spec::{
    drift::{self, Drift, Placed},
    model::{Document, Operation, Parameter},
};

use super::{Differences, Kind, Side};
use crate::compile::{problem::Problem, specs};

/// Compares the specifications of APIs that both sides have.
pub(super) fn compare(
    before: &Side,
    after: &Side,
    outside: &dyn Outside,
    differences: &mut Differences,
) -> Result<(), Problem> {
    let mut documents: BTreeMap<PathBuf, Arc<Document>> = BTreeMap::new();
    let mut document = |path: &PathBuf| -> Result<Arc<Document>, Problem> {
        if let Some(known) = documents.get(path) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(specs::document(path, outside)?);
        documents.insert(path.clone(), Arc::clone(&read));
        Ok(read)
    };
    for (name, api) in &before.config.apis {
        let Some(other) = after.config.apis.get(name) else { continue };
        match (&api.spec, &other.spec) {
            (Spec::File(old), Spec::File(new)) => {
                let (old, new) = (document(&old.0)?, document(&new.0)?);
                documents_differ(name, &old, &new, differences);
            }
            (Spec::File(_), Spec::None) => differences.note(Kind::Weaker, name, "spec", "enforced", "none"),
            (Spec::None, Spec::File(_)) => differences.note(Kind::Stronger, name, "spec", "none", "enforced"),
            (Spec::None, Spec::None) => (),
        }
    }
    Ok(())
}

fn documents_differ(api: &str, old: &Document, new: &Document, differences: &mut Differences) {
    for before in &old.operations {
        let same_call = |it: &&Operation| it.method == before.method && it.path == before.path;
        let Some(after) = new.operations.iter().find(same_call) else { continue };
        let subject = format!("{api}: {} {}", before.method, before.path);
        parameters(&subject, (before, old), (after, new), differences);
        body(&subject, (before, old), (after, new), differences);
    }
}

fn parameters(
    subject: &str,
    (before, old): (&Operation, &Document),
    (after, new): (&Operation, &Document),
    differences: &mut Differences,
) {
    let same_name = |a: &Parameter, b: &Parameter| a.name == b.name && a.location == b.location;
    for a in &before.parameters {
        let protection = format!("parameter {}", a.name);
        match after.parameters.iter().find(|b| same_name(a, b)) {
            // Unknown parameters are refused, or pass as `schema.unknown_parameters` says.
            None => differences.note(Kind::Changed, subject, &protection, "declared", "not declared"),
            Some(b) => {
                if a.required && !b.required {
                    differences.note(Kind::Weaker, subject, &protection, "required", "optional");
                } else if !a.required && b.required {
                    differences.note(Kind::Stronger, subject, &protection, "optional", "required");
                }
                let drift = drift::compare(
                    Placed { bundle: &old.request_schemas, schema: a.schema.as_ref() },
                    Placed { bundle: &new.request_schemas, schema: b.schema.as_ref() },
                );
                note(drift, subject, &protection, differences);
            }
        }
    }
    for b in after.parameters.iter().filter(|b| !before.parameters.iter().any(|a| same_name(a, b))) {
        differences.note(
            Kind::Changed,
            subject,
            &format!("parameter {}", b.name),
            "not declared",
            "declared",
        );
    }
}

fn body(
    subject: &str,
    (before, old): (&Operation, &Document),
    (after, new): (&Operation, &Document),
    differences: &mut Differences,
) {
    let (a, b) = match (&before.body, &after.body) {
        (None, None) => return,
        (None, Some(_)) => return differences.note(Kind::Weaker, subject, "body", "none allowed", "allowed"),
        (Some(_), None) => {
            return differences.note(Kind::Stronger, subject, "body", "allowed", "none allowed");
        }
        (Some(a), Some(b)) => (a, b),
    };
    if a.required && !b.required {
        differences.note(Kind::Weaker, subject, "body", "required", "optional");
    }
    for media in &b.content {
        let protection = format!("body {}", media.range);
        match a.content.iter().find(|it| it.range == media.range) {
            None => differences.note(Kind::Weaker, subject, &protection, "refused", "accepted"),
            Some(known) => {
                let drift = drift::compare(
                    Placed { bundle: &old.request_schemas, schema: known.schema.as_ref() },
                    Placed { bundle: &new.request_schemas, schema: media.schema.as_ref() },
                );
                note(drift, subject, &protection, differences);
            }
        }
    }
    for media in a.content.iter().filter(|it| !b.content.iter().any(|other| other.range == it.range)) {
        differences.note(Kind::Stronger, subject, &format!("body {}", media.range), "accepted", "refused");
    }
}

fn note(drift: Drift, subject: &str, protection: &str, differences: &mut Differences) {
    match drift {
        Drift::Same => (),
        Drift::Tighter => differences.note(Kind::Stronger, subject, protection, "schema", "a tighter schema"),
        Drift::Looser => {
            differences.note(Kind::Weaker, subject, protection, "schema", "a schema that may admit more");
        }
    }
}
