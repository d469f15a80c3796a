//! Rows of JSON by key, in order of arrival, bounded.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;

/// Rows a table holds; a further one takes the place of the oldest that did not come with the seed.
const ROWS_MAX: usize = 5_000;

/// A table.
#[derive(Default)]
pub(crate) struct Table {
    rows: BTreeMap<u64, (String, Value)>,
    by_key: HashMap<String, u64>,
    next: u64,
    seeded: u64,
}

impl Table {
    /// The number that the next row would have, from 1.
    pub(crate) fn next_id(&self) -> u64 {
        self.next + 1
    }

    pub(crate) fn put(&mut self, key: impl Into<String>, row: Value) {
        let key = key.into();
        if let Some(at) = self.by_key.get(&key) {
            self.rows.insert(*at, (key, row));
            return;
        }
        if self.rows.len() >= ROWS_MAX
            && let Some(oldest) = self.rows.range(self.seeded + 1..).next().map(|(at, _)| *at)
            && let Some((key, _)) = self.rows.remove(&oldest)
        {
            self.by_key.remove(&key);
        }
        self.next += 1;
        self.rows.insert(self.next, (key.clone(), row));
        self.by_key.insert(key, self.next);
    }

    /// Adds a row that carries its number as `id`, and returns it.
    pub(crate) fn add(&mut self, mut row: Value) -> Value {
        let id = self.next_id();
        if let Some(fields) = row.as_object_mut() {
            fields.insert("id".to_owned(), id.into());
        }
        self.put(id.to_string(), row.clone());
        row
    }

    /// What is there now stays.
    pub(crate) fn keep_all(&mut self) {
        self.seeded = self.next;
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.rows.get(self.by_key.get(key)?).map(|(_, row)| row)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        self.rows.get_mut(self.by_key.get(key)?).map(|(_, row)| row)
    }

    pub(crate) fn remove(&mut self, key: &str) -> bool {
        self.by_key.remove(key).and_then(|at| self.rows.remove(&at)).is_some()
    }

    pub(crate) fn rows(&self) -> impl DoubleEndedIterator<Item = &Value> {
        self.rows.values().map(|(_, row)| row)
    }

    pub(crate) fn find(&self, field: &str, text: &str) -> Option<&Value> {
        self.rows().find(|row| row.get(field).and_then(Value::as_str) == Some(text))
    }

    /// The rows of one owner.
    pub(crate) fn owned_by(&self, owner: u64) -> Vec<Value> {
        self.rows()
            .filter(|row| row.get("owner_id").and_then(Value::as_u64) == Some(owner))
            .cloned()
            .collect()
    }
}

/// Sets a field of an object; of anything else, nothing.
pub(crate) fn set(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn stays_bounded_and_keeps_what_it_was_given_first() {
        let mut table = Table::default();
        table.put("first", json!({}));
        table.keep_all();
        for number in 0..ROWS_MAX + 5 {
            table.put(format!("row {number}"), json!({}));
        }
        assert_eq!(table.rows().count(), ROWS_MAX);
        assert!(table.get("first").is_some());
        assert!(table.get("row 0").is_none());
    }

    #[test]
    fn replaces_and_removes() {
        let mut table = Table::default();
        let row = table.add(json!({"name": "a"}));
        assert_eq!(row["id"], 1);
        table.put("1", json!({"name": "b"}));
        assert_eq!(table.find("name", "b").map(|it| it["name"].clone()), Some(json!("b")));
        assert!(table.remove("1") && !table.remove("1"));
    }
}
