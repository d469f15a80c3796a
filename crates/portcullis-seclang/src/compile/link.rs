//! One rule of a chain, compiled.

use std::sync::Arc;

use crate::bodies::xpath::XPath;
use crate::compile::Compiler;
use crate::engine::state::leading_number;
use crate::operators::{Operator, OperatorKind, OperatorPorts, RuleFiles};
use crate::program::{
    Change, Condition, Effect, Judge, Key, Link, NamePattern, Reference, Segment, Selector, SetVar, Source,
    Target, Template,
};
use crate::rules::{Effect as WrittenEffect, Link as Written, Namespace};
use crate::source::{Files, Place, relative_to};
use crate::syntax::{
    self, Collection, Ctl, Operator as WrittenOperator, Segment as WrittenSegment,
    Selector as WrittenSelector, TargetMode, Template as WrittenTemplate, Variable,
};
use crate::values::{List, composed_of, is_stored};
use crate::verdict::RecordChange;

/// Files as one rule names them.
struct FilesOf<'a> {
    files: &'a dyn Files,
    rule_file: &'a str,
}

impl RuleFiles for FilesOf<'_> {
    fn read(&self, name: &str) -> Result<Vec<u8>, String> {
        self.files.read(&relative_to(self.rule_file, name))
    }
}

impl Compiler<'_> {
    /// Compiles a link; `always` leaves out a condition that is known to hold.
    pub(super) fn link(&mut self, link: &Written, always: bool) -> Link {
        let condition = match &link.condition {
            Some(condition) if !always => self.judge(&condition.operator).map(|judge| Condition {
                targets: condition.targets.iter().map(|each| self.target(each, &link.namespaces)).collect(),
                exclusions: condition
                    .exclusions
                    .iter()
                    .map(|each| self.target(each, &link.namespaces))
                    .collect(),
                negated: condition.operator.negated,
                judge,
            }),
            Some(_) | None => None,
        };
        let mut set_vars = Vec::new();
        let mut effects = Vec::new();
        for effect in &link.effects {
            match &effect.value {
                WrittenEffect::SetVar(set_var) => set_vars.push(self.set_var(set_var, effect.place)),
                other => effects.extend(self.effect(other, effect.place)),
            }
        }
        Link {
            condition,
            transformations: link.transformations.clone(),
            capture: link.capture,
            multi_match: link.multi_match,
            set_vars,
            effects,
            msg: link.msg.as_ref().map(|msg| self.template(msg)),
            logdata: link.logdata.as_ref().map(|logdata| self.template(logdata)),
        }
    }

    /// The operator, compiled once for all rules that share it; none after an error.
    fn judge(&mut self, operator: &WrittenOperator) -> Option<Judge> {
        let kind = OperatorKind::named(operator.name.name());
        if let Some(kind) = kind
            && kind.expands_macros()
            && operator.argument.as_literal().is_none()
        {
            return Some(Judge::Expanded(kind, self.template(&operator.argument)));
        }
        let file = self.rules.file_name(operator.place.file).to_owned();
        let directory = file.rsplit_once('/').map_or("", |(directory, _)| directory).to_owned();
        let key = (operator.name, operator.raw.clone(), directory);
        if let Some(known) = self.operators.get(&key) {
            return Some(Judge::Compiled(Arc::clone(known)));
        }
        let files = FilesOf { files: self.files, rule_file: &file };
        let ports = OperatorPorts { files: Some(&files), outside: self.outside };
        let compiled = match Operator::compile(operator.name.name(), &operator.raw, ports) {
            Ok(compiled) => Arc::new(compiled),
            Err(error) => {
                let mut place = operator.argument_place;
                place.column += error.offset.unwrap_or_default() as u32;
                self.error(place, format!("`@{}`: {error}", operator.name.name()), &operator.raw);
                return None;
            }
        };
        self.operators.insert(key, Arc::clone(&compiled));
        Some(Judge::Compiled(compiled))
    }

    /// Reports what is wrong with an operator of a rule that never runs, without keeping it.
    pub(super) fn check_operator(&mut self, operator: &WrittenOperator) {
        let expands = OperatorKind::named(operator.name.name()).is_some_and(OperatorKind::expands_macros);
        if expands && operator.argument.as_literal().is_none() {
            return;
        }
        let file = self.rules.file_name(operator.place.file).to_owned();
        let files = FilesOf { files: self.files, rule_file: &file };
        let ports = OperatorPorts { files: Some(&files), outside: self.outside };
        if let Err(error) = Operator::compile(operator.name.name(), &operator.raw, ports) {
            let mut place = operator.argument_place;
            place.column += error.offset.unwrap_or_default() as u32;
            self.error(place, format!("`@{}`: {error}", operator.name.name()), &operator.raw);
        }
    }

    fn target(&mut self, target: &syntax::Target, namespaces: &[Namespace]) -> Target {
        self.require(target.variable, target.place);
        self.names.read(target.variable);
        let mut source = source(target.variable);
        let selector = match &target.selector {
            WrittenSelector::All => Selector::All,
            WrittenSelector::Key(key) if target.variable == Variable::Tx => {
                Selector::Slot(self.names.tx_slot(key))
            }
            WrittenSelector::Key(key) => Selector::Key(key.to_ascii_lowercase().into()),
            WrittenSelector::Regex(pattern) => self.selector_regex(pattern, target.place),
            WrittenSelector::XPath(path) => {
                match XPath::parse(path, namespaces) {
                    Ok(path) => source = Source::List(self.names.xpath(path)),
                    Err(reason) => self.error(target.place, reason, path),
                }
                Selector::All
            }
        };
        Target { count: target.mode == TargetMode::Count, variable: target.variable, source, selector }
    }

    fn selector_regex(&mut self, pattern: &[u8], place: Place) -> Selector {
        let text = std::str::from_utf8(pattern).map_err(|error| error.to_string());
        let compiled = text.and_then(|text| {
            let builder = regex::bytes::RegexBuilder::new(text).case_insensitive(true).unicode(false).build();
            builder.map_err(|error| error.to_string())
        });
        match compiled {
            Ok(regex) => Selector::Regex(Arc::new(NamePattern::new(regex))),
            Err(reason) => {
                self.error(place, format!("the selector's pattern cannot be used: {reason}"), pattern);
                Selector::All
            }
        }
    }

    pub(super) fn template(&mut self, template: &WrittenTemplate) -> Template {
        let segments = template.segments.iter().map(|segment| match segment {
            WrittenSegment::Text(text) => Segment::Text(text.clone()),
            WrittenSegment::Macro(reference) => Segment::Macro(self.reference(reference)),
        });
        Template(segments.collect())
    }

    fn reference(&mut self, reference: &syntax::Reference) -> Reference {
        let variable = reference.variable;
        self.require(variable, reference.place);
        self.names.read(variable);
        let mut source = source(variable);
        let selector = match &reference.key {
            None => Selector::All,
            Some(key) if variable == Variable::Tx => Selector::Slot(self.names.tx_slot(key)),
            Some(key) if variable == Variable::Xml => {
                match XPath::parse(key, &[]) {
                    Ok(path) => source = Source::List(self.names.xpath(path)),
                    Err(reason) => self.error(reference.place, reason, key),
                }
                Selector::All
            }
            Some(key) => Selector::Key(key.to_ascii_lowercase().into()),
        };
        Reference { variable, source, selector }
    }

    /// Refuses what needs a port that is not there.
    fn require(&mut self, variable: Variable, place: Place) {
        let is_persistent = matches!(
            variable,
            Variable::Ip | Variable::Global | Variable::Resource | Variable::Session | Variable::User
        );
        if is_persistent {
            self.require_collections(place, variable.name());
        }
        if variable == Variable::Geo && self.outside.is_none() {
            self.error(place, "`GEO` needs a GeoIP port, and there is none".to_owned(), b"GEO");
        }
    }

    fn require_collections(&mut self, place: Place, name: &str) {
        if !self.has_collections {
            let message = format!("`{name}` needs storage that outlives a request, and there is none");
            self.error(place, message, name.as_bytes());
        }
    }

    fn set_var(&mut self, set_var: &syntax::SetVar, place: Place) -> SetVar {
        if set_var.collection.is_persistent() {
            self.require_collections(place, set_var.collection.name());
        }
        let key = match set_var.key.as_literal() {
            Some(name) if set_var.collection == Collection::Tx => Key::Slot(self.names.tx_slot(name)),
            _ => Key::Name(self.template(&set_var.key)),
        };
        let change = match &set_var.change {
            syntax::Change::Set(value) => match value.as_literal().and_then(canonical_number) {
                Some(number) => Change::SetNumber(number),
                None => match value.as_literal() {
                    Some(text) => Change::SetText(Arc::from(text)),
                    None => Change::Set(self.template(value)),
                },
            },
            syntax::Change::Add(value) => match value.as_literal() {
                Some(text) => Change::AddNumber(leading_number(text)),
                None => Change::Add(self.template(value)),
            },
            syntax::Change::Subtract(value) => match value.as_literal() {
                Some(text) => Change::AddNumber(leading_number(text).saturating_neg()),
                None => Change::Subtract(self.template(value)),
            },
            syntax::Change::Unset => Change::Unset,
        };
        SetVar { collection: set_var.collection, key, change }
    }

    fn effect(&mut self, effect: &WrittenEffect, place: Place) -> Option<Effect> {
        Some(match effect {
            // Sorted out by the caller.
            WrittenEffect::SetVar(_) => return None,
            WrittenEffect::ExpireVar { collection, key, seconds } => {
                if collection.is_persistent() {
                    self.require_collections(place, collection.name());
                }
                Effect::ExpireVar {
                    collection: *collection,
                    key: self.template(key),
                    seconds: self.template(seconds),
                }
            }
            WrittenEffect::DeprecateVar { collection, key, amount, period_secs } => {
                if collection.is_persistent() {
                    self.require_collections(place, collection.name());
                }
                Effect::DeprecateVar {
                    collection: *collection,
                    key: self.template(key),
                    amount: *amount,
                    period_secs: *period_secs,
                }
            }
            WrittenEffect::InitCol { collection, key } => {
                self.require_collections(place, collection.name());
                Effect::InitCol { collection: *collection, key: self.template(key) }
            }
            WrittenEffect::SetEnv { name, value } => Effect::SetEnv {
                name: self.template(name),
                value: value.as_ref().map(|value| self.template(value)),
            },
            WrittenEffect::Ctl(ctl) => return self.ctl(ctl),
            WrittenEffect::Sanitise(what) => Effect::Record(RecordChange::Sanitise(what.clone())),
        })
    }

    fn ctl(&mut self, ctl: &Ctl) -> Option<Effect> {
        Some(match ctl {
            Ctl::AuditEngine(engine) => Effect::Record(RecordChange::AuditEngine(*engine)),
            Ctl::AuditLogParts(change, parts) => {
                Effect::Record(RecordChange::AuditLogParts(*change, parts.clone()))
            }
            // There is no debug log.
            Ctl::DebugLogLevel(_) => return None,
            Ctl::ForceRequestBodyVariable(force) => Effect::ForceRequestBodyVariable(*force),
            Ctl::ParseXmlIntoArgs(mode) => Effect::ParseXmlIntoArgs(*mode),
            Ctl::RequestBodyAccess(access) => Effect::RequestBodyAccess(*access),
            Ctl::RequestBodyProcessor(processor) => Effect::RequestBodyProcessor(*processor),
            Ctl::ResponseBodyAccess(access) => Effect::ResponseBodyAccess(*access),
            Ctl::RuleEngine(mode) => Effect::RuleEngine(*mode),
            Ctl::RuleRemove(selection) => {
                self.removals.push(selection.clone());
                Effect::RemoveRules(self.removals.len() as u32 - 1)
            }
            Ctl::RuleRemoveTarget(selection, target) => {
                let target = self.target(target, &[]);
                self.target_removals.push((selection.clone(), target));
                Effect::RemoveTarget(self.target_removals.len() as u32 - 1)
            }
        })
    }
}

/// Where a variable's values are.
fn source(variable: Variable) -> Source {
    match composed_of(variable) {
        Some((lists, view)) => Source::Lists(lists, view),
        None if is_stored(variable) => Source::List(List::of(variable)),
        None => Source::Dynamic,
    }
}

/// The number that text is, where it is written as a number is printed.
fn canonical_number(text: &[u8]) -> Option<i64> {
    let number: i64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    (number.to_string().as_bytes() == text).then_some(number)
}
