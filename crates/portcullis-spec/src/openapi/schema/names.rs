//! Names of definitions: readable, and such that no pointer or reference to them needs escaping.

use std::sync::Arc;

use hashbrown::HashMap;

/// Longer names are cut; the number that makes them unique follows.
const LENGTH_MAX: usize = 96;

/// A name for the schema at a pointer; `file` is empty for the root document.
pub(super) fn of(file: &str, pointer: &str) -> String {
    let inner = ["/components/schemas/", "/definitions/", "/components/", "/paths/", "/"]
        .iter()
        .find_map(|prefix| pointer.strip_prefix(prefix))
        .unwrap_or(pointer);
    let stem = file.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
    let mut name = String::with_capacity(stem.len() + inner.len() + 1);
    for part in [stem, inner] {
        if !name.is_empty() && !part.is_empty() {
            name.push('.');
        }
        for character in part.replace("~1", "-").replace("~0", "_").chars() {
            match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' => name.push(character),
                '/' => name.push('.'),
                '{' | '}' => {}
                _ => name.push('_'),
            }
        }
    }
    // Only ASCII is in it by now.
    name.truncate(LENGTH_MAX);
    if name.is_empty() { "schema".to_owned() } else { name }
}

/// The name, or the first of its numbered forms that is free.
pub(super) fn unique<T>(name: String, taken: &HashMap<Arc<str>, T>) -> Arc<str> {
    if !taken.contains_key(name.as_str()) {
        return name.into();
    }
    let mut number = 2_usize;
    loop {
        let numbered = format!("{name}-{number}");
        if !taken.contains_key(numbered.as_str()) {
            return numbered.into();
        }
        number += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn names_are_readable_and_need_no_escaping() {
        assert_eq!(of("", "/components/schemas/Pet"), "Pet");
        assert_eq!(of("", "/components/schemas/Pet/properties/a~1b"), "Pet.properties.a-b");
        assert_eq!(of("", "/paths/~1pets~1{id}/get/schema"), "-pets-id.get.schema");
        assert_eq!(of("a/pets.yaml", ""), "pets");
        assert_eq!(of("", "/components/schemas/Größe"), "Gr__e");
    }
}
