//! What specifications admit: parameters and request bodies, compared by containment.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use portcullis_config::model::Spec;
use portcullis_spec::{
    drift::{self, Drift, Placed},
    model::{Document, Operation, Parameter},
};

use super::{Differences, Kind, Side, Subject, untouched::untouched};
use crate::compile::{problem::Problem, spec_texts::SpecTexts, specs};

/// Compares the specifications of APIs that both sides have.
pub(super) fn compare(before: &Side, after: &Side, differences: &mut Differences) -> Result<(), Problem> {
    // Most reloads change no specification, and reading a large one takes longer than everything else here.
    let same_texts = before.texts == after.texts;
    let (mut olds, mut news) = (Documents::of(&before.texts), Documents::of(&after.texts));
    for (name, api) in &before.config.apis {
        let Some(other) = after.config.apis.get(name) else { continue };
        match (&api.spec, &other.spec) {
            (Spec::File(old), Spec::File(new)) if same_texts && old == new => (),
            (Spec::File(old), Spec::File(new)) => {
                documents_differ(name, &*olds.read(&old.0)?, &*news.read(&new.0)?, differences);
            }
            (Spec::File(_), Spec::None) => {
                differences.note(Kind::Weaker, &**name, "spec", "enforced", "none")
            }
            (Spec::None, Spec::File(_)) => {
                differences.note(Kind::Stronger, &**name, "spec", "none", "enforced")
            }
            (Spec::None, Spec::None) => (),
        }
    }
    Ok(())
}

/// The documents of one side, each read once.
struct Documents<'a> {
    texts: &'a SpecTexts,
    read: BTreeMap<PathBuf, Arc<Document>>,
}

impl<'a> Documents<'a> {
    const fn of(texts: &'a SpecTexts) -> Self {
        Self { texts, read: BTreeMap::new() }
    }

    fn read(&mut self, path: &Path) -> Result<Arc<Document>, Problem> {
        if let Some(known) = self.read.get(path) {
            return Ok(Arc::clone(known));
        }
        let read = Arc::new(specs::document(path, self.texts)?);
        self.read.insert(path.to_owned(), Arc::clone(&read));
        Ok(read)
    }
}

fn documents_differ(api: &Arc<str>, old: &Document, new: &Document, differences: &mut Differences) {
    let same = untouched(&old.request_schemas, &new.request_schemas);
    let call = |it: &Operation| format!("{} {}", it.method, it.path);
    let news: BTreeMap<String, &Operation> = new.operations.iter().map(|it| (call(it), it)).collect();
    for before in &old.operations {
        let call = call(before);
        let Some(after) = news.get(&call).copied() else { continue };
        let subject = Subject::Operation { api: Arc::clone(api), call };
        parameters(&subject, (before, old), (after, new), &same, differences);
        body(&subject, (before, old), (after, new), &same, differences);
    }
}

fn parameters(
    subject: &Subject,
    (before, old): (&Operation, &Document),
    (after, new): (&Operation, &Document),
    same: &BTreeSet<String>,
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
                let drift = compared(
                    Placed { bundle: &old.request_schemas, schema: a.schema.as_ref() },
                    Placed { bundle: &new.request_schemas, schema: b.schema.as_ref() },
                    same,
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
    subject: &Subject,
    (before, old): (&Operation, &Document),
    (after, new): (&Operation, &Document),
    same: &BTreeSet<String>,
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
                let drift = compared(
                    Placed { bundle: &old.request_schemas, schema: known.schema.as_ref() },
                    Placed { bundle: &new.request_schemas, schema: media.schema.as_ref() },
                    same,
                );
                note(drift, subject, &protection, differences);
            }
        }
    }
    for media in a.content.iter().filter(|it| !b.content.iter().any(|other| other.range == it.range)) {
        differences.note(Kind::Stronger, subject, &format!("body {}", media.range), "accepted", "refused");
    }
}

/// As [`drift::compare`], which is not asked about what nobody touched.
fn compared(before: Placed<'_>, after: Placed<'_>, same: &BTreeSet<String>) -> Drift {
    match (before.schema, after.schema) {
        (Some(a), Some(b)) if a == b && same.contains(a.pointer()) => Drift::Same,
        _ => drift::compare(before, after),
    }
}

fn note(drift: Drift, subject: &Subject, protection: &str, differences: &mut Differences) {
    match drift {
        Drift::Same => (),
        Drift::Tighter => differences.note(Kind::Stronger, subject, protection, "schema", "a tighter schema"),
        Drift::Looser => {
            differences.note(Kind::Weaker, subject, protection, "schema", "a schema that may admit more");
        }
    }
}
