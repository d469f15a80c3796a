//! Schemas of every version gathered into one bundle of JSON Schema 2020-12.
//!
//! A schema is *defined* once for every place it stands at, whoever refers to it, and what is written in place is
//! shared when it says the same. Definitions hold what both directions have in common, `readOnly` and
//! `writeOnly` included; [`finish`] makes the two bundles of them.

mod bounds;
mod direction;
mod discriminator;
mod finish;
mod inheritance;
mod names;
mod normalise;
mod pattern;
mod types;

use std::{collections::VecDeque, sync::Arc};

use hashbrown::HashMap;
use serde_json::{Map, Value, json};

use super::{
    node::Node,
    reader::{Fault, Reader},
    reference,
};
use crate::model::{DiagnosticSeverity, SchemaRef, SpecVersion};

/// How references to definitions begin.
const DEFS: &str = "#/$defs/";

/// One entry of the bundle.
struct Definition {
    name: Arc<str>,
    file: usize,
    pointer: String,
    /// Normalised, neutral as to direction; null until its turn comes.
    value: Value,
    /// What makes it unusable.
    faults: Vec<Fault>,
}

/// The schemas gathered so far.
#[derive(Default)]
pub(super) struct Schemas<'a> {
    definitions: Vec<Definition>,
    by_address: HashMap<usize, usize>,
    by_content: HashMap<String, usize>,
    by_name: HashMap<Arc<str>, usize>,
    queue: VecDeque<(usize, Node<'a>)>,
    /// What makes the definition being normalised unusable.
    faults: Vec<Fault>,
    nodes: usize,
    /// By pattern as written: as it is used, or `None` where it cannot be.
    patterns: HashMap<String, Option<String>>,
    /// Schemas that inherit, by the address of what they inherit from; found when first asked.
    heirs: Option<HashMap<usize, Vec<inheritance::Heir<'a>>>>,
    /// What a definition says of itself, where it stands for its heirs too.
    bases: HashMap<usize, usize>,
}

impl<'a> Reader<'a> {
    /// The place in the bundle of a schema written in place or referred to.
    pub(super) fn schema(&mut self, node: &Node<'a>) -> SchemaRef {
        let outer = std::mem::take(&mut self.schemas.faults);
        let index = match self.pure_target(node) {
            Ok(Some(target)) => self.define(&target),
            Ok(None) => self.in_place(node, normalise::Role::Schema),
            Err(dangling) => {
                self.lose(node, dangling.message, dangling.hint);
                self.intern(Value::Bool(false), node, Vec::new())
            }
        };
        self.schemas.faults = outer;
        self.schema_ref(index)
    }

    /// The schema that a Swagger 2.0 parameter or header is.
    pub(super) fn swagger_schema(&mut self, node: &Node<'a>) -> SchemaRef {
        let index = self.in_place(node, normalise::Role::SwaggerParameter);
        self.schema_ref(index)
    }

    /// The schema of a path segment nobody declared.
    pub(super) fn any_text(&mut self) -> SchemaRef {
        static NOTHING: Value = Value::Null;
        let node = Node { file: 0, pointer: "/text".to_owned(), value: &NOTHING };
        let index = self.intern(json!({"type": "string"}), &node, Vec::new());
        self.schema_ref(index)
    }

    /// The schema of one text and no other.
    pub(super) fn fixed_text(&mut self, text: &str) -> SchemaRef {
        static NOTHING: Value = Value::Null;
        let node = Node { file: 0, pointer: "/fixed".to_owned(), value: &NOTHING };
        let index = self.intern(json!({"type": "string", "const": text}), &node, Vec::new());
        self.schema_ref(index)
    }

    /// The schema of what either of two schemas accepts; with `None`, everything.
    pub(super) fn either(
        &mut self,
        left: Option<&SchemaRef>,
        right: Option<&SchemaRef>,
    ) -> Option<SchemaRef> {
        let (left, right) = (left?, right?);
        if left == right {
            return Some(left.clone());
        }
        static NOTHING: Value = Value::Null;
        let node = Node { file: 0, pointer: format!("/{}.or", left.name()), value: &NOTHING };
        let refer = |it: &SchemaRef| json!({"$ref": format!("#{}", it.pointer())});
        let index = self.intern(json!({"anyOf": [refer(left), refer(right)]}), &node, Vec::new());
        Some(self.schema_ref(index))
    }

    /// The schema of a form of these fields.
    pub(super) fn form_schema(
        &mut self,
        operation: &Node<'a>,
        properties: &[(&str, SchemaRef)],
        required: &[&str],
    ) -> SchemaRef {
        let members: Map<String, Value> = properties
            .iter()
            .map(|(name, schema)| ((*name).to_owned(), json!({"$ref": format!("#{}", schema.pointer())})))
            .collect();
        let mut schema = Map::new();
        schema.insert("type".to_owned(), Value::from("object"));
        schema.insert("properties".to_owned(), Value::Object(members));
        if !required.is_empty() {
            schema.insert("required".to_owned(), Value::from(required.to_vec()));
        }
        let node = Node { pointer: format!("{}/form", operation.pointer), ..operation.clone() };
        let index = self.intern(Value::Object(schema), &node, Vec::new());
        self.schema_ref(index)
    }

    fn schema_ref(&self, index: usize) -> SchemaRef {
        let name = self.schemas.definitions.get(index).map_or("", |it| &it.name);
        SchemaRef(format!("/$defs/{name}").into())
    }

    /// Where a node that is nothing but a reference leads in the end; `None` for every other node.
    fn pure_target(&self, node: &Node<'a>) -> Result<Option<Node<'a>>, reference::Dangling> {
        let mut at: Option<Node<'a>> = None;
        for _ in 0..32 {
            let here = at.as_ref().unwrap_or(node);
            let Some(text) = self.pure_reference(here) else {
                return Ok(at);
            };
            at = Some(reference::target(self.files, here.file, text, 32)?);
        }
        Err(reference::Dangling {
            message: "the schema refers to itself and nothing else".to_owned(),
            hint: None,
        })
    }

    /// The reference of a schema that says nothing else that counts in this version.
    fn pure_reference(&self, node: &Node<'a>) -> Option<&'a str> {
        let text = reference::reference(node)?;
        let others = node.value.as_object()?.iter().filter(|(key, _)| *key != "$ref");
        let counts = |key: &str, value: &Value| match self.version {
            SpecVersion::Swagger2 | SpecVersion::OpenApi30 => {
                matches!(key, "nullable" | "x-nullable" | "readOnly" | "writeOnly")
                    && *value == Value::Bool(true)
            }
            SpecVersion::OpenApi31 => !normalise::is_annotation(key),
        };
        let mut others = others.filter(|(key, value)| counts(key, value));
        others.next().is_none().then_some(text)
    }

    /// The definition of the node, which gets one at its first mention.
    fn define(&mut self, node: &Node<'a>) -> usize {
        if let Some(index) = self.schemas.by_address.get(&node.address()) {
            return *index;
        }
        let index = self.add(Value::Null, node, Vec::new());
        self.schemas.by_address.insert(node.address(), index);
        self.schemas.queue.push_back((index, node.clone()));
        index
    }

    /// The definition of a schema written where it is used.
    fn in_place(&mut self, node: &Node<'a>, role: normalise::Role) -> usize {
        if let Some(index) = self.schemas.by_address.get(&node.address()) {
            return *index;
        }
        let value = self.normalise(node, role);
        let faults = std::mem::take(&mut self.schemas.faults);
        let index = self.intern(value, node, faults);
        self.schemas.by_address.insert(node.address(), index);
        index
    }

    /// The definition of that content.
    fn intern(&mut self, value: Value, node: &Node<'a>, faults: Vec<Fault>) -> usize {
        // What is nothing but a reference needs no definition of its own.
        if let Value::Object(members) = &value
            && let (1, Some(Value::String(text))) = (members.len(), members.get("$ref"))
            && let Some(index) = text.strip_prefix(DEFS).and_then(|name| self.schemas.by_name.get(name))
        {
            return *index;
        }
        let content = value.to_string();
        if faults.is_empty()
            && let Some(index) = self.schemas.by_content.get(&content)
        {
            return *index;
        }
        let sound = faults.is_empty();
        let index = self.add(value, node, faults);
        if sound {
            self.schemas.by_content.insert(content, index);
        }
        index
    }

    fn add(&mut self, value: Value, node: &Node<'a>, faults: Vec<Fault>) -> usize {
        let index = self.schemas.definitions.len();
        let file = self.files.all.get(node.file).map_or("", |it| &it.name);
        let name = names::unique(
            names::of(if node.file == 0 { "" } else { file }, &node.pointer),
            &self.schemas.by_name,
        );
        self.schemas.by_name.insert(Arc::clone(&name), index);
        let definition = Definition { name, file: node.file, pointer: node.pointer.clone(), value, faults };
        self.schemas.definitions.push(definition);
        index
    }

    /// Normalises what was mentioned and not yet looked at.
    fn drain(&mut self) {
        while let Some((index, node)) = self.schemas.queue.pop_front() {
            let value = self.normalise(&node, normalise::Role::Schema);
            let value = self.with_heirs(index, &node, value);
            let faults = std::mem::take(&mut self.schemas.faults);
            if let Some(definition) = self.schemas.definitions.get_mut(index) {
                definition.value = value;
                definition.faults = faults;
            }
        }
    }

    /// Something makes the definition being normalised unusable, and with it every operation that needs it.
    fn spoil(&mut self, node: &Node<'a>, message: impl Into<String>, hint: Option<&str>) {
        self.schemas.faults.push(Fault {
            severity: DiagnosticSeverity::Error,
            file: node.file,
            pointer: node.pointer.clone(),
            message: message.into(),
            hint: hint.map(str::to_owned),
            operation: None,
        });
    }
}
