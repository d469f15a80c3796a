//! Serialized objects of four languages, as far as a careless service acts on them: it makes the objects that the
//! stream names, and so does what they do when they are made.

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{fetch, shell};

/// What became of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is none.
    NotOne,
    /// The objects were made, and then were not of the kind that was wanted: the language's own complaint.
    Complaint(String),
}

/// A Java stream (`AC ED 00 05`), in base64. A URL within it is looked up, as `java.net.URL` does when hashed.
pub(crate) fn java(text: &str) -> Outcome {
    let Some(bytes) = STANDARD.decode(text.trim()).ok().filter(|it| it.starts_with(&[0xac, 0xed, 0, 5]))
    else {
        return Outcome::NotOne;
    };
    call_out(&bytes);
    // TC_CLASSDESC, then the name with its length.
    let class = bytes.iter().position(|it| *it == 0x72).and_then(|at| {
        let length = usize::from(u16::from_be_bytes(bytes.get(at + 1..at + 3)?.try_into().ok()?));
        bytes.get(at + 3..at + 3 + length.min(200))
    });
    let class = String::from_utf8_lossy(class.unwrap_or(b"java.lang.Object")).into_owned();
    Outcome::Complaint(format!(
        "java.lang.ClassCastException: class {class} cannot be cast to class market.session.Session"
    ))
}

/// A PHP value (`O:8:"Gadget":0:{}`).
pub(crate) fn php(text: &str) -> Outcome {
    let Some(rest) = text.find("O:").and_then(|at| text.get(at + 2..)) else { return Outcome::NotOne };
    let mut parts = rest.splitn(3, ':');
    let length = parts.next().and_then(|it| it.parse::<usize>().ok());
    let class = parts.next().map(|it| it.trim_matches('"'));
    match (length, class) {
        (Some(length), Some(class)) if class.len() == length => {
            call_out(text.as_bytes());
            Outcome::Complaint(format!(
                "PHP Fatal error: unserialize(): the object of class \"{class}\" is no Cart, __PHP_Incomplete_Class given"
            ))
        }
        _ => Outcome::NotOne,
    }
}

/// A Python pickle, in base64. A call of `os.system` is made in the simulated shell.
pub(crate) fn python(text: &str) -> Outcome {
    let Ok(bytes) = STANDARD.decode(text.trim()) else { return Outcome::NotOne };
    let known = bytes.first() == Some(&0x80) || bytes.starts_with(b"c") || bytes.starts_with(b"(");
    if !known || bytes.last() != Some(&b'.') {
        return Outcome::NotOne;
    }
    let printable: Vec<String> = bytes
        .split(|it| !(b' '..=b'~').contains(it))
        .map(|it| String::from_utf8_lossy(it).into_owned())
        .filter(|it| !it.is_empty())
        .collect();
    let system = printable.iter().position(|it| it.contains("system"));
    if let Some(line) = system.and_then(|at| printable.iter().skip(at + 1).find(|it| it.len() > 3)) {
        let line = line.trim_start_matches(['(', 'S', 'V', '\'', '"', 'X']).trim_end_matches(['\'', '"']);
        shell::run(line);
    }
    let name = printable.iter().max_by_key(|it| it.len()).cloned().unwrap_or_default();
    Outcome::Complaint(format!("_pickle.UnpicklingError: the object of `{name}` is no Job"))
}

/// A .NET stream of BinaryFormatter (`00 01 00 00 00 FF FF FF FF`), in base64.
pub(crate) fn dotnet(text: &str) -> Outcome {
    let bytes = STANDARD.decode(text.trim()).unwrap_or_default();
    if !bytes.starts_with(&[0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]) {
        return Outcome::NotOne;
    }
    call_out(&bytes);
    let name = bytes
        .split(|it| !(b' '..=b'~').contains(it))
        .map(|it| String::from_utf8_lossy(it).into_owned())
        .find(|it| it.contains('.'))
        .unwrap_or_else(|| "System.Object".to_owned());
    Outcome::Complaint(format!(
        "System.InvalidCastException: Unable to cast object of type '{name}' to type 'Market.Layout'."
    ))
}

/// Fetches the first URL within a stream, if there is one. Blocks.
fn call_out(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let url = text.find("http://").and_then(|at| text.get(at..)).and_then(|it| {
        it.split(|next: char| !next.is_ascii_graphic() || matches!(next, '"' | '\'' | ';')).next()
    });
    if let (Some(url), Ok(runtime)) = (url, tokio::runtime::Handle::try_current()) {
        let _ = runtime.block_on(fetch::get(url, 0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_class_it_made() {
        let java_stream = STANDARD.encode(b"\xac\xed\x00\x05sr\x00\x0bgadget.Evil\x00");
        let Outcome::Complaint(text) = java(&java_stream) else { panic!("no complaint") };
        assert!(text.contains("class gadget.Evil cannot"), "{text}");
        assert!(
            matches!(php("O:6:\"Gadget\":0:{}"), Outcome::Complaint(text) if text.contains("\"Gadget\""))
        );
        assert!(matches!(python(&STANDARD.encode(b"cgadget\nEvil\n.")), Outcome::Complaint(_)));
        let dotnet_stream = STANDARD.encode(b"\0\x01\0\0\0\xff\xff\xff\xff\x01\0System.Evil\0");
        assert!(matches!(dotnet(&dotnet_stream), Outcome::Complaint(text) if text.contains("System.Evil")));
        for other in ["", "plain", "eyJhIjoxfQ==", "O:9:\"short\":0:{}"] {
            assert_eq!(
                [java(other), php(other), python(other), dotnet(other)],
                [const { Outcome::NotOne }; 4],
                "{other}"
            );
        }
    }
}
