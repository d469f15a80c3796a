//! The data of one process: tables of JSON rows, limits, revoked tokens. In memory, bounded, seeded.

pub(crate) mod dice;
pub(crate) mod limits;
pub(crate) mod seed;
pub(crate) mod table;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use self::{dice::Dice, limits::Limits, table::Table};

/// Revoked tokens and the like beyond this many: the first is forgotten.
const MARKS_MAX: usize = 20_000;

/// All that changes.
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) limits: Limits,
    tables: BTreeMap<&'static str, Table>,
    marks: BTreeSet<String>,
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = Self {
            dice: Dice::new(seed),
            limits: Limits::default(),
            tables: BTreeMap::new(),
            marks: BTreeSet::new(),
        };
        seed::fill(&mut state);
        state
    }

    pub(crate) fn table(&mut self, name: &'static str) -> &mut Table {
        self.tables.entry(name).or_default()
    }

    /// Remembers a fact: a token is revoked, a coupon is used. False if it was known.
    pub(crate) fn mark(&mut self, fact: String) -> bool {
        if self.marks.len() >= MARKS_MAX {
            self.marks.pop_first();
        }
        self.marks.insert(fact)
    }

    pub(crate) fn is_marked(&self, fact: &str) -> bool {
        self.marks.contains(fact)
    }

    /// A user by name.
    pub(crate) fn user_named(&mut self, name: &str) -> Option<Value> {
        self.table("users").find("username", name).cloned()
    }

    /// A user by number.
    pub(crate) fn user(&mut self, id: u64) -> Option<Value> {
        self.table("users").get(&id.to_string()).cloned()
    }
}
