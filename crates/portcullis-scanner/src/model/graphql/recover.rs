//! Recovers a schema where introspection is off, from what a server says about documents that are wrong: names that it
//! suggests, types that it expects, arguments that it misses.
//!
//! Every document asks for two fields that nobody has, so that no server executes any of it, mutations neither. Told
//! like a check's script: [`next`] tells it anew with all answers so far and ends at the first document that has none.

mod complaint;
mod words;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use self::complaint::{Complaint, Said};
use super::{
    GraphQlError, operations,
    schema::{Argument, Field, Schema, Type, TypeRef},
};
use crate::model::{Model, Note};

/// Documents sent, at most.
pub const REQUESTS_MAX: usize = 300;
/// Names tried in one document: servers stop at a hundred errors.
const CHUNK: usize = 45;
/// How many fields deep types are looked for.
const DEPTH_MAX: usize = 3;
/// Types looked into.
const TYPES_MAX: usize = 40;
/// Fields that nobody has; far enough from every word that nothing is suggested for them.
const SENTINELS: [&str; 2] = ["zqxwvkjq", "qjkvwxzz"];
/// A member that no input has, as the value that fits no type.
const ODD: &str = "{zqxwvkjq: 1}";

/// What comes next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Send this document and ask again with its answer behind the others.
    Ask(String),
    /// All is known that can be known.
    Done(Result<Box<Model>, GraphQlError>),
}

/// The next document, or the model of an API served at `path`. Answers are the bodies as JSON, in the order of the
/// documents; `null` for one that is no JSON.
pub fn next(answers: &[Value], path: &str) -> Step {
    let mut telling = Telling { answers, asked: 0, schema: Schema::default(), seen: BTreeSet::new() };
    match telling.tell() {
        Err(Pending(document)) => Step::Ask(document),
        Ok(()) => {
            let text = format!(
                "the schema was recovered from error messages with {} documents; it may lack parts",
                telling.asked
            );
            telling.schema.notes.push(Note { place: String::new(), text });
            Step::Done(operations::model(&telling.schema, path).map(Box::new))
        }
    }
}

/// This document has no answer yet.
struct Pending(String);

/// Where an object type was met: fields from the root down to it.
#[derive(Clone)]
struct Way {
    keyword: &'static str,
    fields: Vec<String>,
}

struct Telling<'a> {
    answers: &'a [Value],
    asked: usize,
    schema: Schema,
    seen: BTreeSet<String>,
}

/// What one document brought.
#[derive(Default)]
struct Heard {
    complaints: Vec<Complaint>,
    /// Whether both odd fields were complained about: the server names everything that is wrong.
    complete: bool,
}

impl Telling<'_> {
    fn tell(&mut self) -> Result<(), Pending> {
        let mut left = VecDeque::new();
        for keyword in ["query", "mutation"] {
            let way = Way { keyword, fields: Vec::new() };
            let Some(name) = self.object(&way, None, &mut left)? else { continue };
            match keyword {
                "query" => self.schema.query = Some(name),
                _ => self.schema.mutation = Some(name),
            }
        }
        while let Some((name, way)) = left.pop_front() {
            if !self.seen.contains(&name) && self.seen.len() < TYPES_MAX {
                self.object(&way, Some(&name), &mut left)?;
            }
        }
        Ok(())
    }

    /// Learns the fields of the object type there; its name, where the server tells one.
    fn object(
        &mut self,
        way: &Way,
        known: Option<&str>,
        left: &mut VecDeque<(String, Way)>,
    ) -> Result<Option<String>, Pending> {
        let mut name = known.map(str::to_owned);
        let mut found: BTreeMap<String, Found> = BTreeMap::new();
        let mut tried = BTreeSet::new();
        let mut wanted: Vec<String> = match (way.fields.is_empty(), way.keyword) {
            (true, "query") => words::queries(),
            (true, _) => words::mutations(),
            (false, _) => words::fields(),
        };
        // Names, then what is suggested for them, and so on.
        for round in 0..4 {
            let names: Vec<String> = wanted.drain(..).filter(|it| tried.insert(it.clone())).collect();
            for chunk in names.chunks(CHUNK) {
                let heard = self.ask(way, chunk)?;
                for complaint in &heard.complaints {
                    if let Said::UnknownField { of, suggestions, .. } = &complaint.said {
                        name.get_or_insert_with(|| of.clone());
                        wanted.extend(suggestions.iter().cloned());
                    }
                }
                take_fields(chunk, &heard, &mut found);
            }
            if (round == 0 && name.is_none()) || wanted.is_empty() {
                break;
            }
        }
        let Some(name) = name else { return Ok(None) };
        if !self.seen.insert(name.clone()) {
            return Ok(Some(name));
        }
        self.types(way, &mut found)?;
        if way.fields.is_empty() {
            let names: Vec<String> = found.keys().cloned().collect();
            for field in names {
                let known = found.get(&field).map(|it| it.arguments.clone()).unwrap_or_default();
                let arguments = self.arguments(way, &field, &known)?;
                if let Some(own) = found.get_mut(&field) {
                    own.arguments.extend(arguments);
                }
            }
        }
        for (field, own) in &found {
            let Some(of) = own.of.as_ref().filter(|_| own.is_object) else { continue };
            if way.fields.len() < DEPTH_MAX && !self.seen.contains(of.name()) {
                let mut deeper = way.clone();
                deeper.fields.push(field.clone());
                left.push_back((of.name().to_owned(), deeper));
            }
        }
        for of in found.values().filter(|it| it.is_object).filter_map(|it| it.of.as_ref()) {
            self.schema.types.entry(of.name().to_owned()).or_insert_with(|| Type::Object(Vec::new()));
        }
        let fields = found.into_iter().map(|(name, own)| own.field(name)).collect();
        self.schema.types.insert(name.clone(), Type::Object(fields));
        Ok(Some(name))
    }

    /// The types of fields that nothing is known of yet: a selection on each, which leaves have none of.
    fn types(&mut self, way: &Way, found: &mut BTreeMap<String, Found>) -> Result<(), Pending> {
        let open: Vec<String> =
            found.iter().filter(|(_, it)| it.of.is_none()).map(|(name, _)| name.clone()).collect();
        for chunk in open.chunks(CHUNK) {
            let lines: Vec<String> = chunk.iter().map(|it| format!("{it} {{ {} }}", SENTINELS[0])).collect();
            let heard = self.ask(way, &lines)?;
            for (at, name) in chunk.iter().enumerate() {
                let Some(own) = found.get_mut(name) else { continue };
                for complaint in heard.about(at, name) {
                    match &complaint.said {
                        Said::Leaf { of, .. } => own.of = Some(of.clone()),
                        Said::Object { of: Some(of), .. } => {
                            own.is_object = true;
                            own.of = Some(of.clone());
                        }
                        Said::UnknownField { field, of, .. } if field == SENTINELS[0] => {
                            own.is_object = true;
                            own.of = Some(TypeRef::Named(of.clone()));
                        }
                        _ => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// The arguments of a field: names that it does not refuse, of the types that it expects.
    fn arguments(
        &mut self,
        way: &Way,
        field: &str,
        known: &BTreeMap<String, TypeRef>,
    ) -> Result<BTreeMap<String, TypeRef>, Pending> {
        let mut found = BTreeMap::new();
        let mut tried = BTreeSet::new();
        let mut wanted = words::arguments();
        wanted.extend(known.keys().cloned());
        for _ in 0..3 {
            let names: Vec<String> = wanted.drain(..).filter(|it| tried.insert(it.clone())).collect();
            for chunk in names.chunks(CHUNK) {
                let lines = argument_lines(field, chunk);
                let heard = self.ask(way, &lines)?;
                let mut inputs = Vec::new();
                for (at, name) in chunk.iter().enumerate() {
                    // The first line opens the field.
                    let complaints: Vec<&Said> = heard.at(at + 1).map(|it| &it.said).collect();
                    let refused = heard.complaints.iter().any(
                        |it| matches!(&it.said, Said::UnknownArgument { argument, .. } if argument == name),
                    );
                    if refused || !heard.complete {
                        continue;
                    }
                    // What the server misses by name, it names the type of; older libraries do so nowhere else.
                    let mut of = known.get(name).cloned();
                    for said in complaints {
                        match said {
                            Said::WrongValue { of: told } => drop(of.get_or_insert_with(|| told.clone())),
                            Said::UnknownMember { of: input }
                            | Said::MissingMember { of_input: input, .. } => {
                                of.get_or_insert_with(|| TypeRef::Named(input.clone()));
                                let own = of.as_ref().map_or(input.as_str(), TypeRef::name).to_owned();
                                inputs.push((own, input.clone(), name.clone()));
                            }
                            _ => {}
                        }
                    }
                    found.insert(name.clone(), of.unwrap_or_else(|| TypeRef::Named("String".to_owned())));
                }
                for complaint in &heard.complaints {
                    match &complaint.said {
                        Said::UnknownArgument { suggestions, .. } => {
                            wanted.extend(suggestions.iter().cloned())
                        }
                        Said::MissingArgument { argument, of, .. } => {
                            drop(found.insert(argument.clone(), of.clone()))
                        }
                        _ => {}
                    }
                }
                for (input, called, argument) in inputs {
                    self.input(way, field, &argument, &input, &called)?;
                }
            }
            if wanted.is_empty() {
                break;
            }
        }
        Ok(found)
    }

    /// The members of an input object, met as the value of an argument; complaints may call it otherwise.
    fn input(
        &mut self,
        way: &Way,
        field: &str,
        argument: &str,
        name: &str,
        called: &str,
    ) -> Result<(), Pending> {
        if !self.seen.insert(format!("input {name}")) {
            return Ok(());
        }
        let mut found: BTreeMap<String, TypeRef> = BTreeMap::new();
        let mut tried = BTreeSet::new();
        let mut wanted = words::arguments();
        wanted.extend(words::fields());
        for _ in 0..3 {
            let names: Vec<String> = wanted.drain(..).filter(|it| tried.insert(it.clone())).collect();
            for chunk in names.chunks(CHUNK) {
                let mut lines = vec![format!("{field}({argument}: {{")];
                lines.extend(chunk.iter().map(|it| format!("{it}: {ODD}")));
                lines.push("})".to_owned());
                let heard = self.ask(way, &lines)?;
                for complaint in &heard.complaints {
                    match &complaint.said {
                        Said::UnknownMemberNamed { suggestions, .. } => {
                            wanted.extend(suggestions.iter().cloned())
                        }
                        Said::MissingMember { of_input, member, of }
                            if of_input == name || of_input == called =>
                        {
                            found.insert(member.clone(), of.clone());
                        }
                        _ => {}
                    }
                }
                for (at, member) in chunk.iter().enumerate() {
                    for complaint in heard.at(at + 1) {
                        if let Said::WrongValue { of } = &complaint.said {
                            found.entry(member.clone()).or_insert_with(|| of.clone());
                        }
                    }
                }
            }
            if wanted.is_empty() {
                break;
            }
        }
        let members = found.into_iter().map(|(name, of)| Argument { name, of, default: None }).collect();
        self.schema.types.insert(name.to_owned(), Type::Input(members));
        Ok(())
    }

    /// Sends these lines below the fields of the way, between the odd ones.
    fn ask(&mut self, way: &Way, lines: &[String]) -> Result<Heard, Pending> {
        if self.asked == REQUESTS_MAX {
            return Ok(Heard::default());
        }
        let [first, last] = SENTINELS;
        let mut document = format!("{} {{ ", way.keyword);
        for field in &way.fields {
            document.push_str(field);
            document.push_str(" { ");
        }
        document.push_str(first);
        for line in lines {
            document.push('\n');
            document.push_str(line);
        }
        document.push('\n');
        document.push_str(last);
        document.push_str(&" }".repeat(way.fields.len() + 1));
        let Some(answer) = self.answers.get(self.asked) else { return Err(Pending(document)) };
        self.asked += 1;
        let complaints = complaint::all(answer);
        let complete = SENTINELS.iter().all(|sentinel| {
            complaints
                .iter()
                .any(|it| matches!(&it.said, Said::UnknownField { field, .. } if field == sentinel))
        });
        Ok(Heard { complaints, complete })
    }
}

/// A field's opening, an argument a line, and its end.
fn argument_lines(field: &str, names: &[String]) -> Vec<String> {
    let mut lines = vec![format!("{field}(")];
    lines.extend(names.iter().map(|it| format!("{it}: {ODD}")));
    lines.push(")".to_owned());
    lines
}

impl Heard {
    /// Complaints about a line of the document, counted behind the first.
    fn at(&self, line: usize) -> impl Iterator<Item = &Complaint> {
        self.complaints.iter().filter(move |it| it.line == Some(line + 2))
    }

    /// Complaints about a line, or, where the server gives no lines, that name the field.
    fn about<'h>(&'h self, line: usize, name: &'h str) -> impl Iterator<Item = &'h Complaint> {
        self.complaints.iter().filter(move |it| match it.line {
            Some(own) => own == line + 2,
            None => it.said.field() == Some(name),
        })
    }
}

/// A field that is there.
#[derive(Default)]
struct Found {
    of: Option<TypeRef>,
    is_object: bool,
    arguments: BTreeMap<String, TypeRef>,
}

impl Found {
    fn field(self, name: String) -> Field {
        let arguments =
            self.arguments.into_iter().map(|(name, of)| Argument { name, of, default: None }).collect();
        let of = self.of.unwrap_or_else(|| TypeRef::Named("String".to_owned()));
        Field { name, arguments, of, description: String::new(), deprecated: false }
    }
}

/// Which of the names are fields: those that are complained about as such, and, where everything wrong is named, those
/// that nothing is said of.
fn take_fields(names: &[String], heard: &Heard, found: &mut BTreeMap<String, Found>) {
    for name in names {
        let mut unknown = false;
        let mut own = Found::default();
        let mut told = false;
        for complaint in heard.complaints.iter().filter(|it| it.said.field() == Some(name)) {
            match &complaint.said {
                Said::UnknownField { .. } => unknown = true,
                Said::Object { of, .. } => {
                    told = true;
                    own.is_object = true;
                    own.of.clone_from(of);
                }
                Said::Leaf { of, .. } => {
                    told = true;
                    own.of = Some(of.clone());
                }
                Said::MissingArgument { argument, of, .. } => {
                    told = true;
                    own.arguments.insert(argument.clone(), of.clone());
                }
                _ => {}
            }
        }
        if !unknown && (told || heard.complete) {
            found.entry(name.clone()).or_insert(own);
        }
    }
}

#[cfg(test)]
mod tests;
