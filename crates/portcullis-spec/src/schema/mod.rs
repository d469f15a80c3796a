//! Compiled JSON Schema over the request body as parsed.
//!
//! All schemas of a document that one direction uses are compiled once, together, and shared: compiled one by
//! one they would take twenty times the memory. The compiled root is `{"properties": {"0": {"$ref": …}, …}}`,
//! and a value is checked against entry `0` by handing it in as the one member of an object around it.

mod close;
mod equality;
mod explain;
#[doc(hidden)]
pub mod lone;
mod lower;
mod node;
mod walk;

use std::{collections::HashMap, fmt, sync::Arc};

use jsonschema::{PatternOptions, ValidationError, Validator};
use portcullis_leaves::{Tree, Value as Leaf};
use serde_json::{Map, Value, json};

pub(crate) use walk::definition;

use crate::{format, model::SchemaRef, violation::Violation};
use node::{Tape, TapeNode};

/// Whether fields that a schema does not name may be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownFields {
    /// As JSON Schema has it: anything not spoken of is allowed.
    #[default]
    Allow,
    /// An object schema that declares properties and does not speak of others allows no others (CWE-915).
    Refuse,
}

/// The way into one schema of a [`SchemaSet`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry(Arc<str>);

/// A schema that could not be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The schema asked for.
    pub schema: SchemaRef,
    /// The place of the fault: a pointer into the bundled schemas.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// Every schema of one document and direction, compiled together.
pub struct SchemaSet {
    validator: Validator<Tape>,
    entries: HashMap<SchemaRef, Entry>,
}

impl SchemaSet {
    /// Compiles the schemas `wanted` of a bundled document, `{"$defs": {…}}`. Those that cannot be compiled, or
    /// that lead to one that cannot, are left out and reported; the others stand.
    pub fn compile(bundle: Value, wanted: &[SchemaRef], unknown: UnknownFields) -> (Self, Vec<Broken>) {
        let mut definitions = match bundle {
            Value::Object(mut bundle) => match bundle.shift_remove("$defs") {
                Some(Value::Object(definitions)) => definitions,
                _ => Map::new(),
            },
            _ => Map::new(),
        };
        lower::lower(&mut definitions);
        let mut wanted: Vec<SchemaRef> = wanted.to_vec();
        wanted.sort_unstable();
        wanted.dedup();
        let mut broken = Faults::dangling(&mut definitions, &wanted);
        let mut names: Vec<String> = wanted.iter().map(|it| it.name().to_owned()).collect();
        if unknown == UnknownFields::Refuse {
            close::close(&mut definitions, &mut names);
        }
        let mut entries: Vec<(SchemaRef, String)> = wanted.into_iter().zip(names).collect();
        broken.drop_reaching(&mut entries, &definitions);
        let validator = loop {
            match build(&entries, &mut definitions) {
                Ok(validator) => break validator,
                // Every round repairs a definition or drops an entry, so there are only so many.
                Err(error) => broken.locate(&error, &mut definitions),
            }
            broken.drop_reaching(&mut entries, &definitions);
        };
        let entries = entries
            .into_iter()
            .enumerate()
            .map(|(index, (schema, _))| (schema, Entry(index.to_string().into())))
            .collect();
        (Self { validator, entries }, broken.reported)
    }

    /// The way into a schema; `None` for one that was not wanted or is broken.
    pub fn entry(&self, schema: &SchemaRef) -> Option<Entry> {
        self.entries.get(schema).cloned()
    }

    /// Whether a value satisfies a schema. Allocates next to nothing.
    pub fn is_valid(&self, entry: &Entry, value: Leaf<'_>) -> bool {
        self.validator.is_valid(TapeNode::Entry(&entry.0, value))
    }

    /// What a tree breaks, in places of a request body; empty when it is valid. For those that failed
    /// [`SchemaSet::is_valid`]: slow.
    pub fn explain(&self, entry: &Entry, tree: &Tree) -> Vec<Violation> {
        explain::explain(&self.validator, &entry.0, tree.root())
    }
}

impl fmt::Debug for SchemaSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchemaSet").field("entries", &self.entries.len()).finish_non_exhaustive()
    }
}

/// Builds the shared validator. The definitions are moved in and out, not copied: they can be large.
fn build(
    entries: &[(SchemaRef, String)],
    definitions: &mut Map<String, Value>,
) -> Result<Validator<Tape>, ValidationError<'static>> {
    let properties: Map<String, Value> = entries
        .iter()
        .enumerate()
        .map(|(index, (_, name))| (index.to_string(), json!({ "$ref": format!("#/$defs/{name}") })))
        .collect();
    let mut root = Map::new();
    root.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    root.insert("properties".into(), Value::Object(properties));
    root.insert("$defs".into(), Value::Object(std::mem::take(definitions)));
    let mut root = Value::Object(root);
    let built = options().build(&root);
    if let Some(Value::Object(defs)) = root.get_mut("$defs") {
        *definitions = std::mem::take(defs);
    }
    built
}

/// How schemas are compiled: linear-time patterns only (CWE-1333), formats asserted, nothing fetched.
fn options() -> jsonschema::ValidationOptions<'static, Arc<dyn jsonschema::Retrieve>, Tape> {
    let options = jsonschema::options_for::<Tape>()
        .offline()
        .with_pattern_options(PatternOptions::regex())
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true);
    format::register(options)
}

/// Definitions found broken, and what that cost.
#[derive(Default)]
struct Faults {
    /// By definition: the place and what is wrong.
    definitions: HashMap<String, (String, String)>,
    /// By entry, for a fault that could not be placed.
    all: Option<String>,
    reported: Vec<Broken>,
}

impl Faults {
    /// Definitions with a reference to nowhere.
    fn dangling(definitions: &mut Map<String, Value>, wanted: &[SchemaRef]) -> Self {
        let mut faults = Self::default();
        let names: std::collections::HashSet<String> = definitions.keys().cloned().collect();
        for (name, definition) in definitions.iter_mut() {
            let mut missing = None;
            walk::every(definition, &mut |schema| {
                if let Some(reference) = schema.get("$ref").and_then(Value::as_str)
                    && walk::definition(reference).is_none_or(|target| !names.contains(target))
                {
                    missing = Some(reference.to_owned());
                }
            });
            if let Some(reference) = missing {
                let fault = format!("the reference `{reference}` leads nowhere");
                faults.definitions.insert(name.clone(), (format!("/$defs/{name}"), fault));
                *definition = Value::Bool(true);
            }
        }
        for schema in wanted {
            if !names.contains(schema.name()) {
                let fault = "there is no such schema".to_owned();
                faults.definitions.insert(schema.name().to_owned(), (schema.pointer().to_owned(), fault));
            }
        }
        faults
    }

    /// Takes a definition that `jsonschema` refused out of the document.
    fn locate(&mut self, error: &ValidationError<'_>, definitions: &mut Map<String, Value>) {
        let message = error.to_string();
        // A fault against the metaschema stands at the instance path, one of compiling at the schema path.
        for place in [error.instance_path().as_str(), error.schema_path().as_str()] {
            if let Some(name) = place.strip_prefix("/$defs/").and_then(|it| it.split('/').next())
                && let Some(definition) = definitions.get_mut(name)
                && !self.definitions.contains_key(name)
            {
                *definition = Value::Bool(true);
                self.definitions.insert(name.to_owned(), (place.to_owned(), message));
                return;
            }
        }
        // Nothing is left that could fail again, so that compiling comes to an end.
        self.all = Some(message);
        definitions.clear();
    }

    /// Drops the entries that lead to a broken definition, and reports them.
    fn drop_reaching(&mut self, entries: &mut Vec<(SchemaRef, String)>, definitions: &Map<String, Value>) {
        if self.definitions.is_empty() && self.all.is_none() {
            return;
        }
        entries.retain(|(schema, name)| {
            let fault = match &self.all {
                Some(message) => Some((schema.pointer().to_owned(), message.clone())),
                None => self.reached_from(name, definitions),
            };
            let Some((pointer, message)) = fault else { return true };
            self.reported.push(Broken { schema: schema.clone(), pointer, message });
            false
        });
    }

    fn reached_from(&self, name: &str, definitions: &Map<String, Value>) -> Option<(String, String)> {
        let mut seen = std::collections::HashSet::from([name.to_owned()]);
        let mut open = vec![name.to_owned()];
        while let Some(name) = open.pop() {
            if let Some(fault) = self.definitions.get(&name) {
                return Some(fault.clone());
            }
            // A copy, because the walk is for rewriting; faults are rare.
            let mut definition = definitions.get(&name).cloned().unwrap_or_default();
            walk::every(&mut definition, &mut |schema| {
                if let Some(target) = schema.get("$ref").and_then(Value::as_str).and_then(walk::definition)
                    && seen.insert(target.to_owned())
                {
                    open.push(target.to_owned());
                }
            });
        }
        None
    }
}
