//! An XML reader with all that is dangerous about document types: internal, external and parameter entities. The
//! careful twins refuse any document type and so never come here with one.

use std::collections::HashMap;

use super::{fetch, files};

/// Text after expansion, in bytes; a bomb ends here, so that the range stays up.
const EXPANDED_MAX: usize = 4 << 20;

/// Entities within one another.
const DEPTH_MAX: u32 = 12;

/// Entities of one document type.
const ENTITIES_MAX: usize = 64;

/// Whether there is a document type at all.
pub(crate) fn has_doctype(text: &str) -> bool {
    text.to_ascii_lowercase().contains("<!doctype")
}

/// A document with its entities expanded and its document type taken out. Blocks: entities may be fetched.
pub(crate) fn expand(text: &str) -> String {
    let Some(start) = text.find("<!DOCTYPE") else { return replaced(text, &HashMap::new(), 0) };
    let Some((before, rest)) = text.split_at_checked(start) else { return String::new() };
    let end = match (rest.find('['), rest.find('>')) {
        (Some(open), Some(close)) if open < close => rest.find("]>").map(|at| at + 2),
        (_, close) => close.map(|at| at + 1),
    };
    let Some((doctype, body)) = rest.split_at_checked(end.unwrap_or(rest.len())) else {
        return String::new();
    };
    let mut entities = HashMap::new();
    declare(doctype, &mut entities, 0);
    if let Some(uri) = doctype.split('[').next().and_then(system_of) {
        declare(&resolve(&uri), &mut entities, 1);
    }
    format!("{before}{}", replaced(body, &entities, 0))
}

/// Reads the entities of a document type; parameter entities are resolved where they are used.
fn declare(doctype: &str, entities: &mut HashMap<String, String>, depth: u32) {
    let mut parameters: HashMap<String, String> = HashMap::new();
    for piece in doctype.split("<!ENTITY").skip(1) {
        let Some(declaration) = piece.split('>').next() else { continue };
        let declaration = declaration.trim();
        let (is_parameter, declaration) = match declaration.strip_prefix('%') {
            Some(rest) => (true, rest.trim()),
            None => (false, declaration),
        };
        let Some((name, value)) = declaration.split_once(char::is_whitespace) else { continue };
        let value = match system_of(value) {
            Some(uri) if !is_parameter || doctype.contains(&format!("%{name};")) => resolve(&uri),
            Some(_) => String::new(),
            None => quoted(value).unwrap_or_default(),
        };
        if is_parameter {
            parameters.insert(name.to_owned(), value);
        } else if entities.len() < ENTITIES_MAX {
            entities.insert(name.to_owned(), value);
        }
    }
    if depth < 2 {
        for (name, value) in parameters.iter().take(8) {
            if doctype.contains(&format!("%{name};")) {
                declare(value, entities, depth + 1);
            }
        }
    }
}

/// The address of an external entity.
fn system_of(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("SYSTEM").or_else(|| {
        let (_, rest) = text.split_once("PUBLIC")?;
        // Behind the public name, which is quoted too.
        let quote = rest.find(['"', '\''])?;
        let inner = rest.get(quote + 1..)?;
        Some(("", inner.get(inner.find(['"', '\''])? + 1..)?))
    })?;
    quoted(rest)
}

fn quoted(text: &str) -> Option<String> {
    let at = text.find(['"', '\''])?;
    let quote = text.get(at..)?.chars().next()?;
    text.get(at + 1..)?.split(quote).next().map(str::to_owned)
}

fn resolve(uri: &str) -> String {
    if let Some(path) = uri.strip_prefix("file://") {
        return files::read(path).unwrap_or_default().to_owned();
    }
    if uri.starts_with('/') {
        return files::read(uri).unwrap_or_default().to_owned();
    }
    let Ok(runtime) = tokio::runtime::Handle::try_current() else { return String::new() };
    runtime.block_on(fetch::get(uri, 0)).map(|it| it.text()).unwrap_or_default()
}

fn replaced(text: &str, entities: &HashMap<String, String>, depth: u32) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        if out.len() > EXPANDED_MAX {
            break;
        }
        let Some((name, tail)) = after.split_once(';') else {
            out.push('&');
            rest = after;
            continue;
        };
        match (name, entities.get(name)) {
            ("lt" | "gt" | "amp" | "quot" | "apos", _) => {
                out.push('&');
                out.push_str(name);
                out.push(';');
            }
            (_, Some(value)) if depth < DEPTH_MAX => out.push_str(&replaced(value, entities, depth + 1)),
            _ => {}
        }
        rest = tail;
    }
    out.push_str(rest);
    let mut end = EXPANDED_MAX.min(out.len());
    while !out.is_char_boundary(end) {
        end -= 1;
    }
    out.truncate(end);
    out
}

/// The text of the first element with this local name, without its inner tags.
pub(crate) fn element(text: &str, name: &str) -> Option<String> {
    elements(text, name).into_iter().next()
}

/// The texts of all elements with this local name, at most sixteen.
pub(crate) fn elements(text: &str, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('<') {
        rest = after;
        let tag: String =
            after.chars().take_while(|it| !it.is_whitespace() && !matches!(it, '>' | '/')).collect();
        if tag.rsplit(':').next() != Some(name) || tag.is_empty() || found.len() >= 16 {
            continue;
        }
        let Some((head, inner)) = after.split_once('>') else { break };
        if head.ends_with('/') {
            found.push(String::new());
            continue;
        }
        let Some((content, _)) = inner.split_once(&format!("</{tag}>")) else { break };
        found.push(plain(content));
    }
    found
}

/// Text with its entities for markup read.
fn plain(content: &str) -> String {
    let mut text = content.to_owned();
    for (entity, character) in
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")]
    {
        text = text.replace(entity, character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expands_what_a_careless_reader_would() {
        let file = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/hostname\">]><a><b>&x;</b></a>";
        assert_eq!(element(&expand(file), "b").as_deref(), Some("market-01\n"));
        let nested = "<!DOCTYPE a [<!ENTITY x \"y\"><!ENTITY z \"&x;&x;\">]><a>&z;</a>";
        assert_eq!(element(&expand(nested), "a").as_deref(), Some("yy"));
        let bomb: String = (1..12)
            .map(|it| format!("<!ENTITY e{it} \"{}\">", format!("&e{};", it - 1).repeat(10)))
            .collect();
        let bomb = format!("<!DOCTYPE a [<!ENTITY e0 \"0123456789\">{bomb}]><a>&e11;</a>");
        assert!(expand(&bomb).len() <= EXPANDED_MAX + 100);
    }

    #[test]
    fn finds_elements_by_local_name() {
        let text = "<s:Body><m:name>A &amp; B</m:name><m:name/></s:Body>";
        assert_eq!(elements(text, "name"), ["A & B", ""]);
        assert_eq!(element(text, "other"), None);
        for broken in ["<a", "<a>", "<", "&", "<!DOCTYPE", "<!DOCTYPE a [", "<!DOCTYPE a [<!ENTITY"] {
            let _ = element(&expand(broken), "a");
        }
    }
}
