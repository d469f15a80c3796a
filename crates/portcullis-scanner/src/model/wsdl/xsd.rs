//! XML Schema as JSON Schema: simple types with facets, sequences, choices, extensions, attributes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{ByName, Name, files::XSD, tree::Element};

/// How deep types may hold types without a name, and extend each other.
const DEPTH_MAX: usize = 32;
/// Particles read of one description, at most.
const WORK_MAX: usize = 500_000;
/// Definitions, at most.
const DEFINITIONS_MAX: usize = 20_000;

/// Which way a value goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// A request.
    In,
    /// An answer.
    Out,
}

/// The global components of all schemas, each with the schema that it stands in.
pub(super) struct Types<'f> {
    elements: ByName<'f>,
    types: ByName<'f>,
    groups: ByName<'f>,
    /// Names of definitions given out, by way, namespace and name.
    names: BTreeMap<(bool, Name), String>,
    /// Particles that may still be read: groups may name each other many times over.
    work_left: usize,
}

impl<'f> Types<'f> {
    /// Collects them; of two with one name the first counts.
    pub(super) fn collect(schemas: &[&'f Element]) -> Self {
        let mut types = Self {
            elements: ByName::new(),
            types: ByName::new(),
            groups: ByName::new(),
            names: BTreeMap::new(),
            work_left: WORK_MAX,
        };
        for schema in schemas {
            let namespace = schema.attribute("targetNamespace").unwrap_or_default();
            for it in schema.children.iter().filter(|it| it.namespace == XSD) {
                let into = match it.name.as_str() {
                    "element" => &mut types.elements,
                    "complexType" | "simpleType" => &mut types.types,
                    "group" | "attributeGroup" => &mut types.groups,
                    _ => continue,
                };
                if let Some(name) = it.attribute("name") {
                    into.entry((namespace, name)).or_insert((it, schema));
                }
            }
        }
        types
    }

    /// The type of a global element's content.
    pub(super) fn element(&mut self, name: &Name, way: Way, into: &mut Map<String, Value>) -> Option<Value> {
        let (element, schema) = *self.elements.get(&(name.0.as_str(), name.1.as_str()))?;
        Some(self.content(element, schema, way, into, 0))
    }

    /// A named type: built in, or a reference to its definition.
    pub(super) fn named(&mut self, name: &Name, way: Way, into: &mut Map<String, Value>) -> Value {
        if name.0 == XSD {
            return built_in(&name.1);
        }
        if let Some(known) = self.names.get(&(way == Way::In, name.clone())) {
            return json!({"$ref": format!("#/$defs/{known}")});
        }
        let Some((of, schema)) = self.types.get(&(name.0.as_str(), name.1.as_str())).copied() else {
            return json!(true);
        };
        if into.len() >= DEFINITIONS_MAX {
            return json!(true);
        }
        let prefix = if way == Way::In { "input" } else { "answer" };
        let plain: String =
            name.1.chars().map(|it| if matches!(it, '/' | '~' | '%') { '_' } else { it }).collect();
        let mut given = format!("{prefix}.{plain}");
        let mut number = 2;
        while into.contains_key(&given) {
            given = format!("{prefix}.{plain}.{number}");
            number += 1;
        }
        self.names.insert((way == Way::In, name.clone()), given.clone());
        // The place is taken before the type is read, so that types may hold themselves.
        into.insert(given.clone(), json!(true));
        let definition = self.anonymous(of, schema, way, into, 0);
        into.insert(given.clone(), definition);
        json!({"$ref": format!("#/$defs/{given}")})
    }

    /// An object of these members.
    pub(super) fn record(&self, properties: Map<String, Value>, way: Way) -> Value {
        let required: Vec<&String> = match way {
            Way::In => properties.keys().collect(),
            Way::Out => Vec::new(),
        };
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": way == Way::Out})
    }

    /// The type of an element.
    fn content(
        &mut self,
        element: &'f Element,
        schema: &'f Element,
        way: Way,
        into: &mut Map<String, Value>,
        depth: usize,
    ) -> Value {
        let of = if let Some(name) = element.qname("type") {
            self.named(&name, way, into)
        } else if let Some(inner) =
            element.children.iter().find(|it| matches!(it.name.as_str(), "complexType" | "simpleType"))
        {
            self.anonymous(inner, schema, way, into, depth + 1)
        } else {
            json!(true)
        };
        let nullable = way == Way::Out && element.attribute("nillable") == Some("true");
        if nullable { json!({"anyOf": [of, {"type": "null"}]}) } else { of }
    }

    /// A type where it stands.
    fn anonymous(
        &mut self,
        of: &'f Element,
        schema: &'f Element,
        way: Way,
        into: &mut Map<String, Value>,
        depth: usize,
    ) -> Value {
        if depth > DEPTH_MAX {
            return json!(true);
        }
        if of.name == "simpleType" {
            return self.simple(of, way, into, depth);
        }
        let mut record = Record::default();
        self.complex(of, schema, way, into, depth, &mut record);
        let properties = record.properties;
        if properties.is_empty() && record.is_open {
            return json!({"type": "object"});
        }
        let required = record.required;
        let open = record.is_open || way == Way::Out;
        let required = if way == Way::In { required } else { Vec::new() };
        json!({"type": "object", "properties": properties, "required": required, "additionalProperties": open})
    }

    /// Adds the members of a complex type, of what it extends, or of a particle in it.
    fn complex(
        &mut self,
        of: &'f Element,
        schema: &'f Element,
        way: Way,
        into: &mut Map<String, Value>,
        depth: usize,
        record: &mut Record,
    ) {
        if depth > DEPTH_MAX {
            return;
        }
        for part in of.children.iter().filter(|it| it.namespace == XSD) {
            if self.work_left == 0 {
                return;
            }
            self.work_left -= 1;
            match part.name.as_str() {
                "sequence" | "all" | "complexContent" | "restriction" => {
                    let was = record.is_optional;
                    record.is_optional |= part.attribute("minOccurs") == Some("0");
                    self.complex(part, schema, way, into, depth + 1, record);
                    record.is_optional = was;
                }
                "choice" => {
                    // Any one of them will do, and the first is as good as another.
                    let was = record.is_optional;
                    let first = record.properties.len();
                    record.is_optional = true;
                    self.complex(part, schema, way, into, depth + 1, record);
                    record.is_optional = was;
                    if !was && part.attribute("minOccurs") != Some("0") {
                        record.required.extend(record.properties.keys().nth(first).cloned());
                    }
                }
                "extension" => {
                    if let Some(base) = part.qname("base") {
                        match self.types.get(&(base.0.as_str(), base.1.as_str())).copied() {
                            Some((base, base_schema)) if base.name == "complexType" => {
                                self.complex(base, base_schema, way, into, depth + 1, record);
                            }
                            _ => {
                                let text = self.named(&base, way, into);
                                record.properties.insert("#text".to_owned(), text);
                                record.required.push("#text".to_owned());
                            }
                        }
                    }
                    self.complex(part, schema, way, into, depth + 1, record);
                }
                "simpleContent" => self.complex(part, schema, way, into, depth + 1, record),
                "group" | "attributeGroup" => {
                    if let Some(name) = part.qname("ref")
                        && let Some((group, group_schema)) =
                            self.groups.get(&(name.0.as_str(), name.1.as_str())).copied()
                    {
                        self.complex(group, group_schema, way, into, depth + 1, record);
                    }
                }
                "element" => self.member(part, schema, way, into, depth, record),
                "attribute" => {
                    let reference = part.qname("ref");
                    let name = part.attribute("name").map(str::to_owned).or(reference.map(|it| it.1));
                    let Some(name) = name else { continue };
                    let of = self.content(part, schema, way, into, depth);
                    let key = format!("@{name}");
                    if part.attribute("use") == Some("required") {
                        record.required.push(key.clone());
                    }
                    record.properties.insert(key, of);
                }
                "any" | "anyAttribute" => record.is_open = true,
                _ => {}
            }
        }
    }

    fn member(
        &mut self,
        part: &'f Element,
        schema: &'f Element,
        way: Way,
        into: &mut Map<String, Value>,
        depth: usize,
        record: &mut Record,
    ) {
        let target = schema.attribute("targetNamespace").unwrap_or_default();
        let (name, namespace, of) = if let Some(name) = part.qname("ref") {
            let found = self.elements.get(&(name.0.as_str(), name.1.as_str())).copied();
            let of = match found {
                // An element that refers to itself ends here: only named types may be endless.
                Some((element, element_schema)) if depth < DEPTH_MAX / 2 => {
                    self.content(element, element_schema, way, into, depth + 1)
                }
                _ => json!(true),
            };
            (name.1, name.0, of)
        } else {
            let Some(name) = part.attribute("name") else { return };
            let form = part.attribute("form").or(schema.attribute("elementFormDefault"));
            let namespace = if form == Some("qualified") { target } else { "" };
            (name.to_owned(), namespace.to_owned(), self.content(part, schema, way, into, depth))
        };
        let many = part
            .attribute("maxOccurs")
            .is_some_and(|it| it == "unbounded" || it.parse::<u32>().is_ok_and(|it| it > 1));
        let least = part.attribute("minOccurs").and_then(|it| it.parse::<u32>().ok()).unwrap_or(1);
        let mut of = if many {
            let mut list = json!({"type": "array", "items": of});
            if let Some(members) = list.as_object_mut() {
                if least > 0 && way == Way::In {
                    members.insert("minItems".to_owned(), json!(least));
                }
                if let Some(most) = part.attribute("maxOccurs").and_then(|it| it.parse::<u32>().ok()) {
                    members.insert("maxItems".to_owned(), json!(most));
                }
            }
            list
        } else {
            of
        };
        if let Some(default) = part.attribute("default").or(part.attribute("fixed"))
            && let Some(members) = of.as_object_mut()
        {
            members.insert("default".to_owned(), json!(default));
        }
        if least > 0 && !record.is_optional {
            record.required.push(name.clone());
        }
        record.properties.insert(name, with_xml(of, json!({"namespace": namespace})));
    }

    fn simple(&mut self, of: &'f Element, way: Way, into: &mut Map<String, Value>, depth: usize) -> Value {
        let Some(restriction) = of.child("restriction") else { return json!({"type": "string"}) };
        let base = match restriction.qname("base") {
            Some(name) if name.0 == XSD => built_in(&name.1),
            Some(name) => match self.types.get(&(name.0.as_str(), name.1.as_str())).copied() {
                Some((base, base_schema)) if depth < DEPTH_MAX => {
                    self.anonymous(base, base_schema, way, into, depth + 1)
                }
                _ => json!({"type": "string"}),
            },
            None => match restriction.child("simpleType") {
                Some(inner) if depth < DEPTH_MAX => self.simple(inner, way, into, depth + 1),
                _ => json!({"type": "string"}),
            },
        };
        let Value::Object(mut members) = base else { return json!({"type": "string"}) };
        facets(restriction, &mut members);
        Value::Object(members)
    }
}

/// The members of a type while they are gathered.
#[derive(Default)]
struct Record {
    properties: Map<String, Value>,
    required: Vec<String>,
    /// Whether what is gathered now may be left out.
    is_optional: bool,
    /// Whether other elements are allowed.
    is_open: bool,
}

fn facets(restriction: &Element, members: &mut Map<String, Value>) {
    let is_number = matches!(members.get("type").and_then(Value::as_str), Some("integer" | "number"));
    let number = |text: &str| {
        serde_json::from_str::<Value>(text.trim_start_matches('+')).ok().filter(Value::is_number)
    };
    let mut names = Vec::new();
    for facet in &restriction.children {
        let Some(value) = facet.attribute("value") else { continue };
        let (key, value) = match facet.name.as_str() {
            "enumeration" => {
                names.push(number(value).filter(|_| is_number).unwrap_or_else(|| json!(value)));
                continue;
            }
            "minLength" => ("minLength", number(value)),
            "maxLength" => ("maxLength", number(value)),
            "length" => {
                if let Some(length) = number(value) {
                    members.insert("minLength".to_owned(), length);
                }
                ("maxLength", number(value))
            }
            "minInclusive" if is_number => ("minimum", number(value)),
            "maxInclusive" if is_number => ("maximum", number(value)),
            "minExclusive" if is_number => ("exclusiveMinimum", number(value)),
            "maxExclusive" if is_number => ("exclusiveMaximum", number(value)),
            // XML Schema's patterns are anchored and have classes that other dialects lack: those are left out.
            "pattern"
                if !is_number
                    && !value.contains("\\i")
                    && !value.contains("\\c")
                    && !value.contains("-[") =>
            {
                ("pattern", Some(json!(format!("^({value})$"))))
            }
            _ => continue,
        };
        if let Some(value) = value {
            members.insert(key.to_owned(), value);
        }
    }
    if !names.is_empty() {
        members.insert("enum".to_owned(), Value::Array(names));
    }
}

/// The schema with how its element is written.
pub(super) fn with_xml(schema: Value, xml: Value) -> Value {
    match schema {
        Value::Object(mut members) => {
            members.insert("xml".to_owned(), xml);
            Value::Object(members)
        }
        _ => json!({"xml": xml}),
    }
}

fn built_in(name: &str) -> Value {
    let integer = |low: i64, high: i64| json!({"type": "integer", "minimum": low, "maximum": high});
    match name {
        "int" => integer(i64::from(i32::MIN), i64::from(i32::MAX)),
        "short" => integer(i64::from(i16::MIN), i64::from(i16::MAX)),
        "byte" => integer(-128, 127),
        "unsignedInt" => integer(0, i64::from(u32::MAX)),
        "unsignedShort" => integer(0, 65_535),
        "unsignedByte" => integer(0, 255),
        "long" | "integer" => json!({"type": "integer"}),
        "nonNegativeInteger" | "unsignedLong" => json!({"type": "integer", "minimum": 0}),
        "positiveInteger" => json!({"type": "integer", "minimum": 1}),
        "negativeInteger" => json!({"type": "integer", "maximum": -1}),
        "nonPositiveInteger" => json!({"type": "integer", "maximum": 0}),
        "decimal" | "double" | "float" => json!({"type": "number"}),
        "boolean" => json!({"type": "boolean"}),
        "dateTime" => json!({"type": "string", "format": "date-time"}),
        "date" => json!({"type": "string", "format": "date"}),
        "time" => json!({"type": "string", "format": "time"}),
        "anyURI" => json!({"type": "string", "format": "uri"}),
        "base64Binary" => {
            json!({"type": "string", "contentEncoding": "base64", "pattern": "^([A-Za-z0-9+/]{4}){0,8}$"})
        }
        "hexBinary" => json!({"type": "string", "pattern": "^([0-9A-F]{2}){0,16}$"}),
        "anyType" | "anySimpleType" => json!(true),
        _ => json!({"type": "string"}),
    }
}
