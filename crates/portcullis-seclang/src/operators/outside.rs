//! The ports of operators: files at load, and checks that need a resolver, a database or a program.

use std::sync::Arc;

use super::{OperatorError, OperatorKind, OperatorPorts};

/// Reads a file that a rule names, at load only.
pub trait RuleFiles {
    /// The content of the file `name`, as written in the rule; the caller knows the directory of the rule's own file.
    ///
    /// # Errors
    /// A message for the operator of the gate: why the file could not be read.
    fn read(&self, name: &str) -> Result<Vec<u8>, String>;
}

/// Makes the checks of operators that need DNS, databases or programs: `@rbl`, `@geoLookup`, `@gsbLookup`, `@inspectFile`,
/// `@fuzzyHash`, `@validateDTD`, `@validateSchema`.
pub trait OutsideChecks {
    /// Prepares `operator` with its argument.
    ///
    /// # Errors
    /// A message when this operator is not offered or its argument is wrong.
    fn prepare(&self, operator: OperatorKind, argument: &[u8]) -> Result<Arc<dyn OutsideCheck>, String>;
}

/// One prepared check outside.
pub trait OutsideCheck: std::fmt::Debug + Send + Sync {
    /// Whether the operator matches the value.
    fn matches(&self, value: &[u8]) -> bool;
    /// What the check learnt, for the collection `GEO`: pairs of key and value.
    fn facts(&self, value: &[u8]) -> Vec<(String, Vec<u8>)> {
        let _ = value;
        Vec::new()
    }
}

/// Reads the file that the argument names.
pub(super) fn read(
    kind: OperatorKind,
    argument: &[u8],
    ports: OperatorPorts<'_>,
) -> Result<Vec<u8>, OperatorError> {
    let operator = kind.name();
    let name = std::str::from_utf8(argument)
        .map_err(|_| OperatorError::new(format!("the file name of `@{operator}` is not UTF-8")))?;
    if name.is_empty() {
        return Err(OperatorError::new(format!("`@{operator}` wants the name of a file")));
    }
    if name.starts_with("https://") || name.starts_with("http://") {
        return Err(OperatorError::new(format!("`@{operator}` reads files only: fetch `{name}` beforehand")));
    }
    let files = ports.files.ok_or_else(|| {
        OperatorError::new(format!("`@{operator}` reads a file, and no files may be read here"))
    })?;
    files.read(name).map_err(|reason| OperatorError::new(format!("cannot read `{name}`: {reason}")))
}

/// Asks the port for a check.
pub(super) fn prepare(
    kind: OperatorKind,
    argument: &[u8],
    ports: OperatorPorts<'_>,
) -> Result<Arc<dyn OutsideCheck>, OperatorError> {
    let operator = kind.name();
    let outside = ports.outside.ok_or_else(|| {
        OperatorError::new(format!(
            "`@{operator}` needs a service outside the engine, and none is configured"
        ))
    })?;
    outside.prepare(kind, argument).map_err(|reason| OperatorError::new(format!("`@{operator}`: {reason}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::Operator;

    struct Zones;

    #[derive(Debug)]
    struct Zone(Vec<u8>);

    impl OutsideChecks for Zones {
        fn prepare(&self, operator: OperatorKind, argument: &[u8]) -> Result<Arc<dyn OutsideCheck>, String> {
            match operator {
                OperatorKind::Rbl => Ok(Arc::new(Zone(argument.to_vec()))),
                _ => Err("not offered".into()),
            }
        }
    }

    impl OutsideCheck for Zone {
        fn matches(&self, value: &[u8]) -> bool {
            value.ends_with(b".9") && self.0 == b"list.example"
        }
        fn facts(&self, _: &[u8]) -> Vec<(String, Vec<u8>)> {
            vec![("COUNTRY_CODE".into(), b"DE".to_vec())]
        }
    }

    #[test]
    fn asks_the_port() {
        let ports = OperatorPorts { files: None, outside: Some(&Zones) };
        let rbl = Operator::compile("rbl", b"list.example", ports).unwrap();
        assert!(rbl.matches(b"10.0.0.9"));
        assert!(!rbl.matches(b"10.0.0.8"));
        assert_eq!(rbl.facts(b"10.0.0.9").len(), 1);
        assert_eq!(&*rbl.captures(b"10.0.0.9")[0].1, b"10.0.0.9");
        assert!(Operator::compile("geoLookup", b"", ports).unwrap_err().message.contains("not offered"));
    }

    #[test]
    fn refuses_without_a_port() {
        for name in
            ["rbl", "geoLookup", "gsbLookup", "inspectFile", "fuzzyHash", "validateDTD", "validateSchema"]
        {
            let error = Operator::compile(name, b"x", OperatorPorts::default()).unwrap_err();
            assert!(error.message.contains("outside"), "{error}");
        }
        let error = Operator::compile("pmFromFile", b"a.data", OperatorPorts::default()).unwrap_err();
        assert!(error.message.contains("no files"), "{error}");
        let error = Operator::compile("pmf", b"https://a", OperatorPorts::default()).unwrap_err();
        assert!(error.message.contains("beforehand"), "{error}");
    }
}
