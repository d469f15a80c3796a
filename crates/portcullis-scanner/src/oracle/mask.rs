//! What changes between equal calls is masked, so that what is left differs only for a reason.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::wire::{Answer, Outcome};

/// What varies by itself in the answers to one call, found from baselines of it: JSON pointers whose values differ,
/// header fields, and, for bodies that are no JSON, lines that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask {
    pointers: BTreeSet<String>,
    lines: BTreeSet<usize>,
    /// Baselines did not even agree in outcome: nothing can be told from answers to this call.
    pub unstable: bool,
}

/// How alike two answers are under a mask.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Similarity {
    /// Whether both mean the same and have the same status.
    pub same_outcome: bool,
    /// Share of the unmasked parts that are equal, 0 to 1.
    pub share: f64,
}

impl Similarity {
    /// Equal but for what varies by itself.
    pub fn same(self) -> bool {
        self.same_outcome && self.share >= 0.999
    }
}

impl Mask {
    /// The mask of some answers to one call; two at least, three are better.
    pub fn of(baselines: &[&Answer]) -> Self {
        let mut mask = Self::default();
        let Some((first, rest)) = baselines.split_first() else { return mask };
        for other in rest {
            if first.outcome != other.outcome || first.status != other.status {
                mask.unstable = true;
            }
            match (&first.json, &other.json) {
                (Some(a), Some(b)) => differing(a, b, &mut String::new(), &mut mask.pointers),
                _ => {
                    let (a, b) = (first.text(), other.text());
                    let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
                    for at in 0..a.len().max(b.len()) {
                        if a.get(at) != b.get(at) {
                            mask.lines.insert(at);
                        }
                    }
                }
            }
        }
        mask
    }

    /// Whether the value at a pointer varies by itself, or stands inside one that does.
    pub fn covers(&self, pointer: &str) -> bool {
        self.pointers.iter().any(|own| {
            pointer.strip_prefix(own.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// How alike two answers are, what varies by itself apart.
pub fn similarity(a: &Answer, b: &Answer, mask: &Mask) -> Similarity {
    let same_outcome = a.outcome == b.outcome && a.status == b.status && a.outcome != Outcome::Unreached;
    let share = match (&a.json, &b.json) {
        (Some(a), Some(b)) => {
            let mut counts = (0, 0);
            compare(Some(a), Some(b), &mut String::new(), mask, &mut counts);
            ratio(counts)
        }
        (None, None) => {
            let (a, b) = (a.text(), b.text());
            let (a, b): (Vec<&str>, Vec<&str>) = (a.lines().collect(), b.lines().collect());
            let mut counts = (0, 0);
            for at in (0..a.len().max(b.len())).filter(|at| !mask.lines.contains(at)) {
                counts.1 += 1;
                counts.0 += u32::from(a.get(at) == b.get(at));
            }
            ratio(counts)
        }
        _ => 0.0,
    };
    Similarity { same_outcome, share }
}

fn ratio((same, all): (u32, u32)) -> f64 {
    if all == 0 { 1.0 } else { f64::from(same) / f64::from(all) }
}

/// Pointers whose values differ; a list of another length differs as a whole. Values come from a parser that bounds
/// depth, so the walk is bounded too.
fn differing(a: &Value, b: &Value, at: &mut String, into: &mut BTreeSet<String>) {
    let length = at.len();
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                at.push('/');
                at.push_str(&crate::call::escape(key));
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => differing(a, b, at, into),
                    _ => drop(into.insert(at.clone())),
                }
                at.truncate(length);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                at.push('/');
                at.push_str(&index.to_string());
                differing(a, b, at, into);
                at.truncate(length);
            }
        }
        _ if a == b => {}
        _ => drop(into.insert(at.clone())),
    }
}

fn compare(a: Option<&Value>, b: Option<&Value>, at: &mut String, mask: &Mask, counts: &mut (u32, u32)) {
    if mask.covers(at) {
        return;
    }
    let length = at.len();
    match (a, b) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                at.push('/');
                at.push_str(&crate::call::escape(key));
                compare(a.get(key), b.get(key), at, mask, counts);
                at.truncate(length);
            }
            if a.is_empty() && b.is_empty() {
                counts.0 += 1;
                counts.1 += 1;
            }
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            for index in 0..a.len().max(b.len()) {
                at.push('/');
                at.push_str(&index.to_string());
                compare(a.get(index), b.get(index), at, mask, counts);
                at.truncate(length);
            }
            counts.1 += 1;
            counts.0 += u32::from(a.len() == b.len());
        }
        _ => {
            counts.1 += 1;
            counts.0 += u32::from(a == b);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use serde_json::json;

    use super::*;
    use crate::wire::Request;

    fn answer(status: u16, json: Value) -> Answer {
        let request = Request {
            method: "GET".to_owned(),
            target: "/".to_owned(),
            headers: Vec::new(),
            body: Bytes::new(),
            http2: false,
        };
        Answer {
            request: Arc::new(request),
            status,
            headers: Vec::new(),
            body: Bytes::from(json.to_string()),
            truncated: false,
            json: Some(json),
            outcome: Outcome::of_status(status),
            micros: 0,
            fault: None,
        }
    }

    #[test]
    fn masks_what_varies_by_itself() {
        let a = answer(200, json!({"at": 1, "items": [1, 2]}));
        let b = answer(200, json!({"at": 2, "items": [1, 2]}));
        let c = answer(200, json!({"at": 3, "items": [1, 2]}));
        let mask = Mask::of(&[&a, &b]);
        assert!(similarity(&a, &c, &mask).same());
        assert!(!similarity(&a, &answer(200, json!({"at": 1, "items": [1]})), &mask).same());
        assert!(!similarity(&a, &answer(500, json!({"at": 1, "items": [1, 2]})), &mask).same());
    }

    #[test]
    fn knows_baselines_that_do_not_agree() {
        assert!(Mask::of(&[&answer(200, json!(1)), &answer(500, json!(1))]).unstable);
    }
}
