//! Files and folders of cases.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::cases::{self, Case, Mistake};

/// Folders within folders that are looked into; a link that leads back ends there.
const DEPTH_MAX: usize = 32;

/// Why cases cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file or folder cannot be read.
    #[error("{}: {}", path.display(), why(source))]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{}:{mistake}", path.display())]
    Malformed {
        /// Which.
        path: PathBuf,
        /// Where in it, and why.
        mistake: Mistake,
    },
    /// A folder holds no file of cases, which tests nothing.
    #[error("{}: there are no files of cases (`*.yaml`, `*.yml`) in it", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
    },
}

fn why(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file or folder".to_owned(),
        io::ErrorKind::InvalidData => "it is no text in UTF-8".to_owned(),
        _ => error.to_string(),
    }
}

/// All cases of these files, and of the files below these folders, in the order of their ids.
///
/// # Errors
/// Everything that is wrong with any of the files.
pub fn load(paths: &[PathBuf]) -> Result<Vec<Case>, Vec<LoadError>> {
    let (mut cases, mut errors) = (Vec::new(), Vec::new());
    for path in paths {
        let mut files = Vec::new();
        if path.is_dir() {
            collect(path, DEPTH_MAX, &mut files, &mut errors);
            files.sort();
            if files.is_empty() && errors.is_empty() {
                errors.push(LoadError::Empty { path: path.clone() });
            }
        } else {
            files.push(path.clone());
        }
        for file in files {
            match read(&file) {
                Ok(found) => cases.extend(found),
                Err(error) => errors.push(error),
            }
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    cases.sort_by_key(|case| case.id);
    Ok(cases)
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>, errors: &mut Vec<LoadError>) {
    let unreadable = |source| LoadError::Unreadable { path: folder.to_owned(), source };
    let entries = match fs::read_dir(folder).and_then(Iterator::collect::<io::Result<Vec<_>>>) {
        Ok(entries) => entries,
        Err(error) => return errors.push(unreadable(error)),
    };
    for path in entries.into_iter().map(|it| it.path()) {
        if !path.is_dir() {
            files.extend(path.extension().is_some_and(|it| it == "yaml" || it == "yml").then_some(path));
        } else if depth > 0 {
            collect(&path, depth - 1, files, errors);
        }
    }
}

fn read(path: &Path) -> Result<Vec<Case>, LoadError> {
    let text =
        fs::read_to_string(path).map_err(|source| LoadError::Unreadable { path: path.to_owned(), source })?;
    let name = Arc::from(path.to_string_lossy());
    cases::parse(&name, &text).map_err(|mistake| LoadError::Malformed { path: path.to_owned(), mistake })
}

#[cfg(test)]
mod tests {
    use super::*;

    const CASE: &str = "rule_id: RULE\ntests: [{ stages: [{ input: { uri: / }, output: { status: 200 } }] }]";

    #[test]
    fn reads_files_and_folders_in_the_order_of_ids() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, rule: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, CASE.replace("RULE", rule)).unwrap();
        };
        write("set/b/2.yaml", "2");
        write("set/a.yml", "3");
        write("one.yaml", "1");
        fs::write(folder.path().join("set/notes.txt"), "no cases").unwrap();
        let cases = load(&[folder.path().join("set"), folder.path().join("one.yaml")]).unwrap();
        assert_eq!(cases.iter().map(|it| it.id.rule).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(cases[0].file.ends_with("one.yaml"));
    }

    #[test]
    fn tells_everything_that_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        fs::write(folder.path().join("bad.yaml"), "rule_id: 1\ntests: 5\n").unwrap();
        let paths = ["empty", "bad.yaml", "absent.yaml"].map(|it| folder.path().join(it));
        let errors: Vec<String> = load(&paths).unwrap_err().iter().map(ToString::to_string).collect();
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[0].contains("no files of cases"), "{errors:?}");
        assert!(errors[1].contains("bad.yaml:2:"), "{errors:?}");
        assert!(errors[2].ends_with("absent.yaml: there is no such file or folder"), "{errors:?}");
    }
}
