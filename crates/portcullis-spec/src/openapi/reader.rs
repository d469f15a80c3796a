//! What reading a description shares: its files, its version, the schemas gathered and what was found wrong.

use hashbrown::{HashMap, HashSet};

use super::{LoadOptions, files::Files, node::Node, reference, schema::Schemas};
use crate::model::{Diagnostic, DiagnosticSeverity, Position, SpecVersion};

/// One thing wrong, before its position is known.
#[derive(Clone, Debug)]
pub(super) struct Fault {
    pub(super) severity: DiagnosticSeverity,
    pub(super) file: usize,
    pub(super) pointer: String,
    pub(super) message: String,
    pub(super) hint: Option<String>,
    pub(super) operation: Option<String>,
}

/// The state of one reading.
pub(super) struct Reader<'a> {
    pub(super) files: &'a Files,
    pub(super) version: SpecVersion,
    pub(super) options: &'a LoadOptions,
    pub(super) schemas: Schemas<'a>,
    pub(super) faults: Vec<Fault>,
    faults_left_out: usize,
    seen: HashSet<(usize, String, String)>,
    /// The operation being read, as `METHOD /path`.
    operation: Option<String>,
    /// Whether something was found that costs it.
    lost: bool,
}

impl<'a> Reader<'a> {
    pub(super) fn new(files: &'a Files, version: SpecVersion, options: &'a LoadOptions) -> Self {
        Self {
            files,
            version,
            options,
            schemas: Schemas::default(),
            faults: Vec::new(),
            faults_left_out: 0,
            seen: HashSet::new(),
            operation: None,
            lost: false,
        }
    }

    /// Reads one operation; `None` when something cost it.
    pub(super) fn operation<T>(&mut self, label: String, read: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.operation = Some(label);
        self.lost = false;
        let read = read(self);
        self.operation = None;
        (!self.lost).then_some(read)
    }

    /// Whether something already cost the operation being read.
    pub(super) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Something was repaired or left out. Shared nodes are visited by many operations and reported once.
    pub(super) fn warn(&mut self, node: &Node<'a>, message: impl Into<String>) {
        self.warn_with(node, message, None);
    }

    /// The same with what to do about it.
    pub(super) fn warn_with(&mut self, node: &Node<'a>, message: impl Into<String>, hint: Option<&str>) {
        let message = message.into();
        if self.seen.insert((node.file, node.pointer.clone(), message.clone())) {
            self.push(DiagnosticSeverity::Warning, node, message, hint);
        }
    }

    /// Something cannot be understood: it costs the operation being read.
    pub(super) fn lose(&mut self, node: &Node<'a>, message: impl Into<String>, hint: Option<&str>) {
        self.lost = true;
        self.push(DiagnosticSeverity::Error, node, message.into(), hint);
    }

    /// Writes a fault down that was found earlier or elsewhere.
    pub(super) fn push_fault(&mut self, fault: Fault) {
        if self.faults.len() < self.options.limits.diagnostics_max {
            self.faults.push(fault);
        } else {
            self.faults_left_out += 1;
        }
    }

    fn push(&mut self, severity: DiagnosticSeverity, node: &Node<'a>, message: String, hint: Option<&str>) {
        self.push_fault(Fault {
            severity,
            file: node.file,
            pointer: node.pointer.clone(),
            message,
            hint: hint.map(str::to_owned),
            operation: self.operation.clone(),
        });
    }

    /// The node behind a reference; `None` costs the operation.
    pub(super) fn follow(&mut self, node: &Node<'a>) -> Option<Node<'a>> {
        match reference::follow(self.files, node) {
            Ok(node) => Some(node),
            Err(dangling) => {
                self.lose(node, dangling.message, dangling.hint);
                None
            }
        }
    }

    /// All faults with their positions, in the order found.
    pub(super) fn into_diagnostics(mut self) -> Vec<Diagnostic> {
        if self.faults_left_out > 0 {
            self.faults.push(Fault {
                severity: DiagnosticSeverity::Warning,
                file: 0,
                pointer: String::new(),
                message: format!("{} more faults were found and left out here", self.faults_left_out),
                hint: None,
                operation: None,
            });
        }
        let mut positions: HashMap<(usize, String), Position> = HashMap::new();
        for (index, file) in self.files.all.iter().enumerate() {
            let pointers = self.faults.iter().filter(|it| it.file == index).map(|it| it.pointer.as_str());
            for (pointer, position) in super::position::locate(&file.text, pointers) {
                positions.insert((index, pointer), position);
            }
        }
        let name_of = |file: usize| self.files.all.get(file).map(|it| it.name.clone()).unwrap_or_default();
        self.faults
            .into_iter()
            .map(|fault| {
                let Fault { severity, file, pointer, message, hint, operation } = fault;
                let key = (file, pointer);
                let position = positions.get(&key).copied();
                Diagnostic {
                    severity,
                    file: name_of(file),
                    pointer: key.1,
                    position,
                    message,
                    hint,
                    operation,
                }
            })
            .collect()
    }
}
