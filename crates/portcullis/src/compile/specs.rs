//! `spec:` → compiled documents. A document is read once and compiled once for each set of options in use; what
//! did not change since the last load is taken over whole, so that a reload of thousands of operations is cheap.

use std::{
    collections::BTreeMap,
    io,
    path::{Component, Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use portcullis_config::Outside;
use portcullis_leaves::Limits;
use portcullis_spec::{
    compiled::{CompileOptions, CompiledDocument, CompiledOperation},
    model::{Diagnostic, DiagnosticSeverity, Document},
    openapi::{self, LoadOptions, Source},
    parameters::UnknownParameters,
    schema::UnknownFields,
};

use super::problem::Problem;

/// What of a document's options differs between operations.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strictness {
    pub(crate) unknown_parameters: UnknownParameters,
    pub(crate) unknown_fields: UnknownFields,
    pub(crate) judge_responses: bool,
    pub(crate) limits: Limits,
}

/// One document in all the variants that operations ask for.
pub(crate) struct Spec {
    path: PathBuf,
    /// Every file read, with a digest of its content: whether this is still the same document.
    files: Digests,
    /// The document as read, for further variants; dropped when the plan is complete.
    document: Mutex<Option<Document>>,
    variants: Mutex<Vec<Variant>>,
    diagnostics: Vec<Diagnostic>,
}

/// Files with the SHA-256 of their content.
type Digests = Vec<(String, [u8; 32])>;

/// A document compiled with certain options.
struct Variant {
    strictness: Strictness,
    compiled: Arc<CompiledDocument>,
    /// Whether the plan being built asked for it; what it did not ask for is forgotten.
    wanted: bool,
}

/// All documents of a plan, by path.
pub(crate) type Specs = BTreeMap<PathBuf, Arc<Spec>>;

impl Spec {
    /// Reads a document, or takes it over from `before` when no file of it changed.
    pub(crate) fn load(path: &Path, before: &Specs, outside: &dyn Outside) -> Result<Arc<Self>, Problem> {
        if let Some(known) = before.get(path).filter(|it| it.is_unchanged(outside)) {
            for variant in known.variants.lock().unwrap_or_else(PoisonError::into_inner).iter_mut() {
                variant.wanted = false;
            }
            return Ok(Arc::clone(known));
        }
        let (document, files) = read(path, outside)?;
        let diagnostics = document.diagnostics.clone();
        Ok(Arc::new(Self {
            path: path.to_owned(),
            files,
            document: Mutex::new(Some(document)),
            variants: Mutex::default(),
            diagnostics,
        }))
    }

    /// The document compiled with these options.
    pub(crate) fn variant(
        &self,
        strictness: &Strictness,
        outside: &dyn Outside,
    ) -> Result<Arc<CompiledDocument>, Problem> {
        let mut variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = variants.iter_mut().find(|it| it.strictness == *strictness) {
            known.wanted = true;
            return Ok(Arc::clone(&known.compiled));
        }
        let mut kept = self.document.lock().unwrap_or_else(PoisonError::into_inner);
        let document = match kept.as_ref() {
            Some(document) => document.clone(),
            // Taken over from an earlier load, which dropped the source.
            None => kept.insert(read(&self.path, outside)?.0).clone(),
        };
        let options = CompileOptions {
            file: self.path.display().to_string().into(),
            unknown_parameters: strictness.unknown_parameters,
            unknown_fields: strictness.unknown_fields,
            judge_responses: strictness.judge_responses,
            limits: strictness.limits,
        };
        let compiled = Arc::new(CompiledDocument::compile(document, options));
        variants.push(Variant {
            strictness: strictness.clone(),
            compiled: Arc::clone(&compiled),
            wanted: true,
        });
        Ok(compiled)
    }

    /// Forgets the source and what the new plan does not use.
    pub(crate) fn drop_source(&self) {
        self.variants.lock().unwrap_or_else(PoisonError::into_inner).retain(|it| it.wanted);
        *self.document.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What reading and compiling found, for the operator.
    pub(crate) fn problems(&self, api: &str) -> Vec<Problem> {
        let variants = self.variants.lock().unwrap_or_else(PoisonError::into_inner);
        let compiled = variants.first().map(|it| it.compiled.diagnostics.as_slice());
        compiled.unwrap_or(&self.diagnostics).iter().map(|it| problem(api, it)).collect()
    }

    fn is_unchanged(&self, outside: &dyn Outside) -> bool {
        self.files.iter().all(|(name, digest)| {
            outside
                .read(Path::new(name))
                .is_ok_and(|text| portcullis_auth::mechanisms::api_key::sha256(text.as_bytes()) == *digest)
        })
    }
}

/// The document alone, for comparing.
pub(crate) fn document(path: &Path, outside: &dyn Outside) -> Result<Document, Problem> {
    read(path, outside).map(|(document, _)| document)
}

/// The same operation in another variant.
pub(crate) fn same_operation(
    document: &CompiledDocument,
    like: &CompiledOperation,
) -> Option<Arc<CompiledOperation>> {
    document.same_operation(like).map(Arc::clone)
}

fn read(path: &Path, outside: &dyn Outside) -> Result<(Document, Digests), Problem> {
    let source = Files { outside, root: path.parent().unwrap_or(Path::new("")), seen: Mutex::default() };
    let name = path.display().to_string();
    let document = openapi::load(&name, &source, &LoadOptions::default())
        .map_err(|error| Problem::of(format!("spec {name}"), &error))?;
    Ok((document, source.seen.into_inner().unwrap_or_else(PoisonError::into_inner)))
}

fn problem(api: &str, found: &Diagnostic) -> Problem {
    let place = match found.position {
        Some(at) => format!("{}:{}:{} {}", found.file, at.line, at.column, found.pointer),
        None => format!("{} {}", found.file, found.pointer),
    };
    let message = match &found.operation {
        Some(operation) => format!("{} ({operation})", found.message),
        None => found.message.clone(),
    };
    let mut problem = Problem::warning(format!("api {api}"), message).at(place);
    problem.hint.clone_from(&found.hint);
    match found.severity {
        DiagnosticSeverity::Warning => (),
        // What cannot be enforced is not served: calls get 404, which nobody should have to find out live.
        DiagnosticSeverity::Error if found.operation.is_some() => {
            problem.message.push_str(": this operation is not served");
        }
        DiagnosticSeverity::Error => problem.message.push_str(": what is below it is not served"),
    }
    problem
}

/// The files of one document, below the folder of its root.
struct Files<'a> {
    outside: &'a dyn Outside,
    root: &'a Path,
    seen: Mutex<Digests>,
}

impl Source for Files<'_> {
    fn read(&self, path: &str) -> io::Result<Vec<u8>> {
        let text = self.outside.read(Path::new(path))?;
        let digest = portcullis_auth::mechanisms::api_key::sha256(text.as_bytes());
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).push((path.to_owned(), digest));
        Ok(text.into_bytes())
    }

    /// Specifications are often split over sibling folders: one level above the root document is fine, the rest
    /// of the disk is not.
    fn permits(&self, path: &str) -> bool {
        let above = self.root.parent().unwrap_or(Path::new(""));
        let path = Path::new(path);
        !path.components().any(|it| it == Component::ParentDir)
            && path.starts_with(above)
            && above != Path::new("")
    }
}
