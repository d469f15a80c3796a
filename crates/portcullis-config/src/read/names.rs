//! References by name. The names are gathered from the tree before anything is read, so that a mistake inside a
//! definition does not make every reference to it a second mistake.

use std::{collections::BTreeSet, fmt, ops::Deref, sync::Arc};

use schemars::{Schema, SchemaGenerator};

use super::{Read, Reader, suggest, text_schema};
use crate::{
    codes,
    yaml::{Node, Value},
};

/// The names that documents define.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    pub(crate) listeners: BTreeSet<Arc<str>>,
    pub(crate) providers: BTreeSet<Arc<str>>,
    pub(crate) plans: BTreeSet<Arc<str>>,
    pub(crate) upstreams: BTreeSet<Arc<str>>,
}

impl Names {
    /// Gathers the names from the merged tree.
    pub(crate) fn of(root: &Node) -> Self {
        let keys = |node: Option<&Node>| -> BTreeSet<Arc<str>> {
            let entries = node.and_then(Node::map).unwrap_or_default();
            entries.iter().map(|entry| Arc::from(entry.key.as_str())).collect()
        };
        let mut listeners = keys(root.key("listeners"));
        if root.key("listen").is_some() {
            listeners.insert("main".into());
        }
        Self {
            listeners,
            providers: keys(root.key("identity").and_then(|it| it.key("providers"))),
            plans: keys(root.key("plans")),
            upstreams: keys(root.key("upstreams")),
        }
    }
}

/// Reads a reference and checks that its name is defined.
fn reference(
    node: &Node,
    what: &str,
    known: impl Fn(&Names) -> &BTreeSet<Arc<str>>,
    reader: &mut Reader<'_>,
) -> Option<Arc<str>> {
    let text = match &node.value {
        Value::Scalar(text) => text,
        Value::Null | Value::List(_) | Value::Map(_) => {
            return reader.wrong_type(node, &format!("the name of a {what}"));
        }
    };
    let known = known(&reader.names);
    if let Some(name) = known.get(text.as_str()) {
        return Some(Arc::clone(name));
    }
    let hint = suggest::suggestion(text, known.iter().map(|it| &**it)).unwrap_or_else(|| {
        let known: Vec<_> = known.iter().take(10).map(|it| format!("`{it}`")).collect();
        match known.is_empty() {
            true => format!("no {what} is defined at all"),
            false => format!("defined: {}", known.join(", ")),
        }
    });
    reader.advise(&codes::UNKNOWN_NAME, node.span, format!("no {what} is named `{text}`"), hint);
    None
}

macro_rules! names {
    ($( $(#[doc = $doc:literal])* $name:ident, $set:ident, $what:literal; )*) => { $(
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
        pub struct $name(pub Arc<str>);

        impl Deref for $name {
            type Target = Arc<str>;

            fn deref(&self) -> &Arc<str> {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Read for $name {
            fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
                reference(node, $what, |names| &names.$set, reader).map(Self)
            }

            fn schema(_: &mut SchemaGenerator) -> Schema {
                text_schema(concat!("the name of a ", $what), None)
            }
        }
    )* };
}

names! {
    /// The name of a listener that is defined.
    ListenerName, listeners, "listener";
    /// The name of an identity provider that is defined.
    ProviderName, providers, "provider";
    /// The name of a plan that is defined.
    PlanName, plans, "plan";
    /// The name of an upstream that is defined, or the URL that stands for one.
    UpstreamName, upstreams, "upstream";
}
