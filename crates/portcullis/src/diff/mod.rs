//! Two configurations compared by what they protect.

mod access;
mod alike;
mod gate_wide;
mod limits;
mod schema;
mod settings;
mod untouched;

use std::{collections::BTreeMap, fmt, sync::Arc};

use portcullis_config::{Outside, model::Config};
use serde::{Serialize, Serializer};

pub(crate) use self::alike::alike;
use crate::{
    compile::{ApiViews, Compiled, OperationView, World, problem::Problem, spec_texts::SpecTexts},
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
    /// Where.
    pub(crate) subject: Subject,
    /// Which protection: `auth`, `limit`, `schema`, …
    pub(crate) protection: String,
    /// As it was.
    pub(crate) before: String,
    /// As it would be.
    pub(crate) after: String,
}

/// What is protected.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Subject {
    /// Something beside operations: `listener main`, `exceptions of orders`.
    Part(String),
    /// An operation.
    Operation {
        /// Its API.
        api: Arc<str>,
        /// `POST /v1/orders`.
        call: String,
    },
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Part(name) => f.write_str(name),
            Self::Operation { api, call } => write!(f, "{api}: {call}"),
        }
    }
}

impl Serialize for Subject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<&str> for Subject {
    fn from(part: &str) -> Self {
        Self::Part(part.to_owned())
    }
}

impl From<&Self> for Subject {
    fn from(subject: &Self) -> Self {
        subject.clone()
    }
}

/// Gathers differences.
#[derive(Default)]
pub(crate) struct Differences(pub(crate) Vec<Difference>);

impl Differences {
    /// Notes a difference.
    pub(crate) fn note(
        &mut self,
        kind: Kind,
        subject: impl Into<Subject>,
        protection: &str,
        before: impl Into<String>,
        after: impl Into<String>,
    ) {
        let (before, after) = (before.into(), after.into());
        self.0.push(Difference {
            kind,
            subject: subject.into(),
            protection: protection.to_owned(),
            before,
            after,
        });
    }

    /// Notes a difference between two values of which `is_weaker` says whether the second protects less.
    pub(crate) fn ordered<T: PartialEq>(
        &mut self,
        subject: impl Into<Subject>,
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
    pub(crate) config: Arc<Config>,
    pub(crate) apis: Arc<ApiViews>,
    pub(crate) texts: SpecTexts,
}

impl Side {
    /// Loads and compiles a configuration.
    pub(crate) fn load(path: &std::path::Path, outside: &dyn Outside, world: &World) -> anyhow::Result<Self> {
        let loaded = load::read(path, outside, world.clock.now())?;
        let compiled = load::compile(&loaded, outside, world, None, 0)?;
        let folder = path.parent().map(|it| it.display().to_string()).unwrap_or_default();
        Ok(Self { folder, ..Self::of(Arc::new(loaded.config), &compiled) })
    }

    /// What is in force, or was.
    pub(crate) fn of(config: Arc<Config>, compiled: &Compiled) -> Self {
        let (apis, texts) = (Arc::clone(&compiled.apis), compiled.sources.clone());
        Self { folder: String::new(), config, apis, texts }
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
        self.apis.iter().map(|(api, view)| (api, &view.operations)).flat_map(of).collect()
    }
}

/// Everything that differs.
pub(crate) fn compare(before: &Side, after: &Side) -> Result<Vec<Difference>, Problem> {
    let mut differences = Differences::default();
    let folders = (before.folder.as_str(), after.folder.as_str());
    gate_wide::compare(&before.config, &after.config, folders, &mut differences);
    let (old, new) = (before.operations(), after.operations());
    for ((api, call), view) in &old {
        let subject = Subject::Operation { api: Arc::clone(api), call: call.clone() };
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
        let subject = Subject::Operation { api: Arc::clone(api), call: call.clone() };
        differences.note(Kind::Changed, subject, "operation", "not served", "served");
    }
    schema::compare(before, after, &mut differences)?;
    let mut found = differences.0;
    found.sort_by(|a, b| (a.kind, &a.subject, &a.protection).cmp(&(b.kind, &b.subject, &b.protection)));
    Ok(found)
}
