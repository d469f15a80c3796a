//! Two configurations compared by what they protect.

mod access;
mod gate_wide;
mod limits;
mod schema;
mod settings;

use std::{collections::BTreeMap, sync::Arc};

use portcullis_config::{Outside, model::Config};
use serde::Serialize;

use crate::{
    compile::{Compiled, OperationView, World, problem::Problem},
    load,
};

/// How a protection changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// It protects less, or that it protects as much cannot be proven.
    Weaker,
    /// It protects more.
    Stronger,
    /// It is different.
    Changed,
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Difference {
    /// What kind.
    pub(crate) kind: Kind,
    /// Where: `orders: POST /v1/orders`, `listener main`, `exceptions of orders`.
    pub(crate) subject: String,
    /// Which protection: `auth`, `limit`, `schema`, …
    pub(crate) protection: String,
    /// As it was.
    pub(crate) before: String,
    /// As it would be.
    pub(crate) after: String,
}

/// Gathers differences.
#[derive(Default)]
pub(crate) struct Differences(pub(crate) Vec<Difference>);

impl Differences {
    /// Notes a difference.
    pub(crate) fn note(
        &mut self,
        kind: Kind,
        subject: &str,
        protection: &str,
        before: impl Into<String>,
        after: impl Into<String>,
    ) {
        let (before, after) = (before.into(), after.into());
        self.0.push(Difference {
            kind,
            subject: subject.to_owned(),
            protection: protection.to_owned(),
            before,
            after,
        });
    }

    /// Notes a difference between two values of which `is_weaker` says whether the second protects less.
    pub(crate) fn ordered<T: PartialEq>(
        &mut self,
        subject: &str,
        protection: &str,
        (before, after): (&T, &T),
        is_weaker: bool,
        text: impl Fn(&T) -> String,
    ) {
        if before != after {
            let kind = if is_weaker { Kind::Weaker } else { Kind::Stronger };
            self.note(kind, subject, protection, text(before), text(after));
        }
    }
}

/// One side of the comparison.
pub(crate) struct Side {
    /// Where the configuration lies.
    pub(crate) folder: String,
    pub(crate) config: Config,
    pub(crate) compiled: Compiled,
}

impl Side {
    /// Loads and compiles a configuration.
    pub(crate) fn load(path: &std::path::Path, outside: &dyn Outside, world: &World) -> anyhow::Result<Self> {
        let loaded = load::read(path, outside, world.clock.now())?;
        let compiled = load::compile(&loaded, outside, world, None, 0)?;
        let folder = path.parent().map(|it| it.display().to_string()).unwrap_or_default();
        Ok(Self { folder, config: loaded.config, compiled })
    }

    /// Its operations by API, method and path.
    fn operations(&self) -> BTreeMap<(Arc<str>, String), &OperationView> {
        let of = |(api, view): (&Arc<str>, _)| {
            let views: &Vec<OperationView> = view;
            let api = Arc::clone(api);
            views.iter().map(move |it| {
                let operation = &it.endpoint.operation;
                ((Arc::clone(&api), format!("{} {}", operation.method, operation.template)), it)
            })
        };
        self.compiled.apis.iter().map(|(api, view)| (api, &view.operations)).flat_map(of).collect()
    }
}

/// Everything that differs.
pub(crate) fn compare(
    before: &Side,
    after: &Side,
    outside: &dyn Outside,
) -> Result<Vec<Difference>, Problem> {
    let mut differences = Differences::default();
    let folders = (before.folder.as_str(), after.folder.as_str());
    gate_wide::compare(&before.config, &after.config, folders, &mut differences);
    let (old, new) = (before.operations(), after.operations());
    for ((api, call), view) in &old {
        let subject = format!("{api}: {call}");
        match new.get(&(Arc::clone(api), call.clone())) {
            None => differences.note(
                Kind::Changed,
                &subject,
                "operation",
                "served",
                "gone: refused unless unknown operations pass",
            ),
            Some(other) => {
                access::compare(&subject, view, other, &mut differences);
                settings::compare(&subject, &view.settings, &other.settings, &mut differences);
                limits::compare(&subject, &view.settings, &other.settings, &mut differences);
            }
        }
    }
    for (api, call) in new.keys().filter(|it| !old.contains_key(*it)) {
        differences.note(Kind::Changed, &format!("{api}: {call}"), "operation", "not served", "served");
    }
    schema::compare(before, after, outside, &mut differences)?;
    let mut found = differences.0;
    found.sort_by(|a, b| (a.kind, &a.subject, &a.protection).cmp(&(b.kind, &b.subject, &b.protection)));
    Ok(found)
}
