//! What rules change while they run: `TX`, persistent collections, what matched, and what `ctl` has said.

use std::sync::Arc;

use hashbrown::HashMap;

use crate::bit_set::BitSet;
use crate::ports::Stored;
use crate::program::{NamePattern, Program};
use crate::syntax::{AllowScope, BodyProcessor, Collection, EngineMode, XmlIntoArgs};
use crate::verdict::{Intervention, RecordChange, RuleMatch};

/// Values of `TX` whose names rules make at run time. More are not kept: an attacker chooses how many there are.
const DYNAMIC_TX_MAX: usize = 4096;
/// Entries of `MATCHED_VARS`.
const MATCHED_VARS_MAX: usize = 1000;
/// Bytes that one variable of `TX` or a persistent collection keeps.
const VALUE_BYTES_MAX: usize = 1 << 20;
/// Matches that one exchange reports.
const MATCHES_MAX: usize = 1000;
/// Variables of one persistent instance.
const STORED_MAX: usize = 1000;

/// A value of `TX`: integers stay integers, so that scores add up without text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TxValue {
    Number(i64),
    Bytes(Vec<u8>),
    /// Text of the rules themselves or of the host.
    Shared(Arc<[u8]>),
}

impl TxValue {
    /// The value as text, appended.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            TxValue::Number(number) => write_number(*number, out),
            TxValue::Bytes(bytes) => out.extend_from_slice(bytes),
            TxValue::Shared(bytes) => out.extend_from_slice(bytes),
        }
    }

    /// The integer it starts with, 0 where there is none.
    pub(crate) fn number(&self) -> i64 {
        match self {
            TxValue::Number(number) => *number,
            TxValue::Bytes(bytes) => leading_number(bytes),
            TxValue::Shared(bytes) => leading_number(bytes),
        }
    }
}

/// An instance of a persistent collection, as this exchange sees it.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) key: Vec<u8>,
    pub(crate) variables: Vec<Stored>,
}

/// The changing part of a transaction.
#[derive(Debug, Default)]
pub(crate) struct State {
    tx: Vec<Option<TxValue>>,
    dynamic: Vec<(Box<[u8]>, TxValue)>,
    dynamic_index: HashMap<Box<[u8]>, usize>,
    pub(crate) instances: [Option<Instance>; 5],
    pub(crate) matched_value: Vec<u8>,
    pub(crate) matched_name: Vec<u8>,
    pub(crate) matched: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) environment: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) geo: Vec<(String, Vec<u8>)>,
    pub(crate) highest_severity: Option<u8>,
    pub(crate) mode: Option<EngineMode>,
    pub(crate) processor: Option<BodyProcessor>,
    /// `REQUEST_BODY` holds the body whatever reads it.
    pub(crate) force_request_body: bool,
    pub(crate) request_body_access: Option<bool>,
    pub(crate) response_body_access: Option<bool>,
    pub(crate) xml_into_args: Option<XmlIntoArgs>,
    pub(crate) removed: BitSet,
    pub(crate) removed_targets: Vec<u32>,
    pub(crate) allowed: Option<AllowScope>,
    pub(crate) intervention: Option<Intervention>,
    pub(crate) matches: Vec<RuleMatch>,
    /// Matches beyond those reported.
    pub(crate) matches_left_out: usize,
    pub(crate) record: Vec<RecordChange>,
    /// Microseconds since the epoch when the exchange began, where some rule asks for time.
    pub(crate) began: u64,
    pub(crate) current_rule: u32,
}

impl State {
    /// Forgets everything and makes room for the rules' `TX` names.
    pub(crate) fn reset(&mut self, program: &Program) {
        self.tx.clear();
        self.tx.resize(program.tx_names.len(), None);
        self.dynamic.clear();
        self.dynamic_index.clear();
        self.instances = Default::default();
        self.matched_value.clear();
        self.matched_name.clear();
        self.matched.clear();
        self.environment.clear();
        self.geo.clear();
        self.highest_severity = None;
        self.mode = None;
        self.processor = None;
        self.force_request_body = false;
        self.request_body_access = None;
        self.response_body_access = None;
        self.xml_into_args = None;
        self.removed.clear();
        self.removed_targets.clear();
        self.allowed = None;
        self.intervention = None;
        self.matches.clear();
        self.matches_left_out = 0;
        self.record.clear();
        self.began = 0;
        self.current_rule = 0;
    }

    /// A `TX` variable by number.
    pub(crate) fn tx(&self, slot: u32) -> Option<&TxValue> {
        self.tx.get(slot as usize)?.as_ref()
    }

    /// Sets or removes a `TX` variable by number.
    pub(crate) fn set_tx(&mut self, slot: u32, value: Option<TxValue>) {
        if let Some(place) = self.tx.get_mut(slot as usize) {
            *place = value.map(bounded);
        }
    }

    /// A `TX` variable by name, lower case.
    pub(crate) fn tx_named(&self, program: &Program, name: &[u8]) -> Option<&TxValue> {
        match program.tx_index.get(name) {
            Some(slot) => self.tx(*slot),
            None => self.dynamic_index.get(name).and_then(|at| self.dynamic.get(*at)).map(|(_, value)| value),
        }
    }

    /// Sets or removes a `TX` variable by name, lower case.
    pub(crate) fn set_tx_named(&mut self, program: &Program, name: &[u8], value: Option<TxValue>) {
        if let Some(slot) = program.tx_index.get(name) {
            return self.set_tx(*slot, value);
        }
        let place = self.dynamic_index.get(name).copied();
        match (place, value.map(bounded)) {
            (Some(at), Some(value)) => {
                if let Some((_, place)) = self.dynamic.get_mut(at) {
                    *place = value;
                }
            }
            (None, Some(value)) if self.dynamic.len() < DYNAMIC_TX_MAX => {
                self.dynamic_index.insert(name.into(), self.dynamic.len());
                self.dynamic.push((name.into(), value));
            }
            (Some(at), None) => {
                self.dynamic_index.remove(name);
                self.dynamic.swap_remove(at);
                if let Some((moved, _)) = self.dynamic.get(at) {
                    self.dynamic_index.insert(moved.clone(), at);
                }
            }
            (None, _) => {}
        }
    }

    /// The `TX` variables whose names a pattern selects: in the order of [`Self::tx_all`].
    pub(crate) fn tx_selected<'a>(
        &'a self,
        program: &'a Program,
        pattern: &'a NamePattern,
    ) -> impl Iterator<Item = (&'a [u8], &'a TxValue)> {
        let slots = pattern.slots(&program.tx_names);
        let fixed =
            slots.iter().filter_map(|slot| Some((&**program.tx_names.get(slot)?, self.tx(slot as u32)?)));
        let dynamic = self.dynamic.iter().filter(|(name, _)| pattern.admits(name));
        fixed.chain(dynamic.map(|(name, value)| (&**name, value)))
    }

    /// All `TX` variables.
    pub(crate) fn tx_all<'a>(
        &'a self,
        program: &'a Program,
    ) -> impl Iterator<Item = (&'a [u8], &'a TxValue)> {
        let fixed = program.tx_names.iter().zip(&self.tx);
        let fixed = fixed.filter_map(|(name, value)| value.as_ref().map(|value| (&**name, value)));
        fixed.chain(self.dynamic.iter().map(|(name, value)| (&**name, value)))
    }

    /// The instance of a persistent collection that this exchange has opened.
    pub(crate) fn instance(&self, collection: Collection) -> Option<&Instance> {
        self.instances.get(instance_index(collection)?)?.as_ref()
    }

    /// The same, to change.
    pub(crate) fn instance_mut(&mut self, collection: Collection) -> Option<&mut Instance> {
        self.instances.get_mut(instance_index(collection)?)?.as_mut()
    }

    /// Opens an instance.
    pub(crate) fn open(&mut self, collection: Collection, instance: Instance) {
        let place = instance_index(collection).and_then(|index| self.instances.get_mut(index));
        if let Some(place) = place {
            *place = Some(instance);
        }
    }

    /// Notes what matched.
    pub(crate) fn note_match(&mut self, name: &[u8], value: &[u8]) {
        self.matched_name.clear();
        self.matched_name.extend_from_slice(name);
        self.matched_value.clear();
        self.matched_value.extend_from_slice(value);
        if self.matched.len() < MATCHED_VARS_MAX {
            self.matched.push((name.to_vec(), value.to_vec()));
        }
    }

    /// Notes a wish about the record.
    pub(crate) fn note_record(&mut self, change: &RecordChange) {
        if self.record.len() < MATCHES_MAX {
            self.record.push(change.clone());
        }
    }

    /// Reports a match.
    pub(crate) fn report(&mut self, report: RuleMatch) {
        if self.matches.len() < MATCHES_MAX {
            self.matches.push(report);
        } else {
            self.matches_left_out += 1;
        }
    }
}

impl Instance {
    /// A variable by name, lower case.
    pub(crate) fn variable(&self, name: &[u8]) -> Option<&Stored> {
        self.variables.iter().find(|stored| stored.name == name)
    }

    /// Sets a variable.
    pub(crate) fn set(&mut self, name: &[u8], value: Vec<u8>) {
        let has_room = self.variables.len() < STORED_MAX;
        match self.variables.iter_mut().find(|stored| stored.name == name) {
            Some(stored) => stored.value = value,
            None if has_room => self.variables.push(Stored { name: name.to_vec(), value, expires: None }),
            None => {}
        }
    }
}

fn bounded(value: TxValue) -> TxValue {
    match value {
        TxValue::Bytes(mut bytes) => {
            bytes.truncate(VALUE_BYTES_MAX);
            TxValue::Bytes(bytes)
        }
        TxValue::Shared(bytes) => match bytes.get(..VALUE_BYTES_MAX) {
            Some(part) => TxValue::Bytes(part.to_vec()),
            None => TxValue::Shared(bytes),
        },
        TxValue::Number(number) => TxValue::Number(number),
    }
}

const fn instance_index(collection: Collection) -> Option<usize> {
    match collection {
        Collection::Tx => None,
        Collection::Ip => Some(0),
        Collection::Global => Some(1),
        Collection::Resource => Some(2),
        Collection::Session => Some(3),
        Collection::User => Some(4),
    }
}

/// Appends a number in decimal.
pub(crate) fn write_number(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    let mut digits = [0u8; 20];
    let mut rest = number.unsigned_abs();
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (rest % 10) as u8;
        rest /= 10;
        used += 1;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(digits.len() - used..).unwrap_or_default());
}

/// The integer that text starts with, after blanks; 0 where there is none. It stops at the range's ends.
pub(crate) fn leading_number(text: &[u8]) -> i64 {
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let number = digits
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0i64, |number, digit| number.saturating_mul(10).saturating_add(i64::from(digit - b'0')));
    if negative { -number } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_writes_numbers() {
        for (text, number) in
            [("12", 12), (" -7x", -7), ("+3", 3), ("x", 0), ("", 0), ("99999999999999999999", i64::MAX)]
        {
            assert_eq!(leading_number(text.as_bytes()), number, "{text}");
        }
        for number in [0, 5, -5, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_number(number, &mut out);
            assert_eq!(String::from_utf8(out), Ok(number.to_string()));
        }
    }
}
