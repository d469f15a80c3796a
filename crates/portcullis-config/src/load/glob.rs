//! Patterns of file names: `*` and `?` within a name, `**` for any number of directories.

use std::{
    io,
    path::{Component, Path, PathBuf},
};

use crate::outside::Outside;

/// Directories visited for one pattern: a pattern at the root of a disk ends here.
const DIRECTORIES_MAX: usize = 10_000;

/// The files that match a pattern below `base`, sorted. A pattern without wildcards is the path itself.
///
/// # Errors
/// When a pattern would visit too many directories.
pub fn files_matching(base: &Path, pattern: &str, outside: &dyn Outside) -> io::Result<Vec<PathBuf>> {
    let names: Vec<String> = Path::new(pattern)
        .components()
        .filter(|it| *it != Component::CurDir)
        .map(|it| it.as_os_str().to_string_lossy().into_owned())
        .collect();
    let mut found = Vec::new();
    // Each entry: a directory and how many names of the pattern are behind it.
    let mut open = vec![(base.to_path_buf(), 0)];
    let mut visited = 0;
    while let Some((place, at)) = open.pop() {
        visited += 1;
        if visited > DIRECTORIES_MAX {
            return Err(io::Error::other("the pattern visits more than 10,000 directories"));
        }
        let Some(name) = names.get(at) else {
            found.push(place);
            continue;
        };
        if name == "**" {
            open.push((place.clone(), at + 1));
            for child in outside.list(&place).unwrap_or_default() {
                if child.extension().is_none() {
                    open.push((child, at));
                }
            }
        } else if name.contains(['*', '?']) {
            for child in outside.list(&place).unwrap_or_default() {
                let matches = child.file_name().is_some_and(|it| fits(&it.to_string_lossy(), name));
                if matches {
                    open.push((child, at + 1));
                }
            }
        } else {
            open.push((place.join(name), at + 1));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Whether a pattern holds wildcards.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

/// Whether a name fits a pattern of literal characters, `*` and `?`; linear but for the last `*`, which is tried anew.
fn fits(name: &str, pattern: &str) -> bool {
    // As in shells, a wildcard does not show hidden files.
    if name.starts_with('.') && !pattern.starts_with('.') {
        return false;
    }
    let name: Vec<char> = name.chars().collect();
    let pattern: Vec<char> = pattern.chars().collect();
    let (mut n, mut p) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || Some(c) == name.get(n) => {
                n += 1;
                p += 1;
            }
            Some(_) | None => {
                let Some((at, from)) = star else { return false };
                star = Some((at, from + 1));
                p = at + 1;
                n = from + 1;
            }
        }
    }
    pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_within_a_name() {
        for (name, pattern, expected) in [
            ("orders.yaml", "*.yaml", true),
            ("orders.yml", "*.yaml", false),
            ("a.yaml", "?.yaml", true),
            ("ab.yaml", "?.yaml", false),
            ("aXbXc", "a*b*c", true),
            ("aXbX", "a*b*c", false),
            (".hidden.yaml", "*.yaml", false),
            ("abc", "abc", true),
        ] {
            assert_eq!(fits(name, pattern), expected, "{name} {pattern}");
        }
    }
}
