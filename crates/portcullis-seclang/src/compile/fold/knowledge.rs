//! What is known of `TX` at one point of the rules.

use std::collections::BTreeMap;

use crate::engine::state::leading_number;
use crate::syntax::{Change, Segment, SetVar, Template, Variable};

/// One variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    Unset,
    Value(Box<[u8]>),
    Unknown,
}

/// All variables; one that was never touched is unset.
#[derive(Debug, Clone, Default)]
pub(super) struct Knowledge {
    variables: BTreeMap<Box<[u8]>, Known>,
    /// Names that begin so may have been set under a name made at run time.
    open_prefixes: Vec<Box<[u8]>>,
}

impl Knowledge {
    pub(super) fn new(host_variables: &[&str]) -> Self {
        let names = host_variables.iter().map(|name| name.to_ascii_lowercase().into_bytes().into());
        Knowledge { variables: names.map(|name| (name, Known::Unknown)).collect(), open_prefixes: Vec::new() }
    }

    /// A variable by name, in any case. Captures come and go and are never known.
    pub(super) fn of(&self, name: &[u8]) -> Known {
        let name = name.to_ascii_lowercase();
        if let [b'0'..=b'9'] = name.as_slice() {
            return Known::Unknown;
        }
        if self.open_prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            return Known::Unknown;
        }
        self.variables.get(name.as_slice()).cloned().unwrap_or(Known::Unset)
    }

    /// The text of a template, where all of its macros are known; an unset variable is empty.
    pub(super) fn expand(&self, template: &Template) -> Option<Box<[u8]>> {
        let mut text = Vec::new();
        for segment in &template.segments {
            match segment {
                Segment::Text(bytes) => text.extend_from_slice(bytes),
                Segment::Macro(reference) if reference.variable == Variable::Tx => {
                    match self.of(reference.key.as_deref()?) {
                        Known::Unset => {}
                        Known::Value(value) => text.extend_from_slice(&value),
                        Known::Unknown => return None,
                    }
                }
                Segment::Macro(_) => return None,
            }
        }
        Some(text.into())
    }

    /// Applies a `setvar` that happens once.
    pub(super) fn set(&mut self, set_var: &SetVar) {
        match self.expand(&set_var.key) {
            Some(name) => {
                let after = self.changed(&name, &set_var.change);
                self.put(&name, after);
            }
            None => self.open(&set_var.key),
        }
    }

    /// Applies a `setvar` that happens any number of times.
    pub(super) fn may_set(&mut self, set_var: &SetVar) {
        let Some(name) = self.expand(&set_var.key) else { return self.open(&set_var.key) };
        let before = self.of(&name);
        let after = match &set_var.change {
            Change::Add(_) | Change::Subtract(_) => Known::Unknown,
            change => self.changed(&name, change),
        };
        self.put(&name, if before == after { after } else { Known::Unknown });
    }

    fn changed(&self, name: &[u8], change: &Change) -> Known {
        let number = |template: &Template, sign: i64| match self.of(name) {
            Known::Unknown => Known::Unknown,
            before => {
                let before = if let Known::Value(value) = &before { leading_number(value) } else { 0 };
                self.expand(template).map_or(Known::Unknown, |text| {
                    let delta = leading_number(&text).saturating_mul(sign);
                    Known::Value(before.saturating_add(delta).to_string().into_bytes().into())
                })
            }
        };
        match change {
            Change::Set(template) => self.expand(template).map_or(Known::Unknown, Known::Value),
            Change::Add(template) => number(template, 1),
            Change::Subtract(template) => number(template, -1),
            Change::Unset => Known::Unset,
        }
    }

    fn put(&mut self, name: &[u8], known: Known) {
        self.variables.insert(name.to_ascii_lowercase().into(), known);
    }

    /// A name that is known only when the rule runs: all names that begin as it does become unknown.
    fn open(&mut self, key: &Template) {
        let prefix = match key.segments.first() {
            Some(Segment::Text(text)) => text.to_ascii_lowercase(),
            _ => Vec::new(),
        };
        if !self.open_prefixes.iter().any(|known| prefix.starts_with(known)) {
            self.open_prefixes.push(prefix.into());
        }
    }

    /// Keeps what both sides agree on.
    pub(super) fn join(&mut self, other: &Knowledge) {
        for (name, theirs) in &other.variables {
            let ours = self.variables.get(name).unwrap_or(&Known::Unset);
            if ours != theirs {
                self.variables.insert(name.clone(), Known::Unknown);
            }
        }
        for (name, ours) in &mut self.variables {
            if other.variables.get(name).unwrap_or(&Known::Unset) != ours {
                *ours = Known::Unknown;
            }
        }
        for prefix in &other.open_prefixes {
            if !self.open_prefixes.iter().any(|known| prefix.starts_with(known)) {
                self.open_prefixes.push(prefix.clone());
            }
        }
    }

    /// The same, where there is another side.
    pub(super) fn join_option(&mut self, other: Option<&Knowledge>) {
        if let Some(other) = other {
            self.join(other);
        }
    }
}
