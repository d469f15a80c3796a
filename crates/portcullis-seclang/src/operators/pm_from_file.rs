//! `@pmFromFile`: the phrases of a file, one a line; empty lines and lines that begin with `#` do not count.

use super::OperatorError;
use super::pm::Phrases;

pub(super) fn compile(file: &[u8]) -> Result<Phrases, OperatorError> {
    let lines = file.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Phrases::new(lines.filter(|line| !line.is_empty() && !line.trim_ascii_start().starts_with(b"#")))
}

#[cfg(test)]
mod tests {
    use super::compile;

    #[test]
    fn reads_whole_lines_as_phrases() {
        let phrases = compile(b"# tools\r\n  # more\n\nopen vas\r\nC#\n").unwrap();
        assert_eq!(phrases.listed().collect::<Vec<_>>(), [&b"open vas"[..], b"C#"]);
        assert!(phrases.matches(b"OPEN VAS 9"));
        assert!(!phrases.matches(b"openvas"));
    }

    #[test]
    fn refuses_a_file_without_phrases() {
        assert!(compile(b"# nothing\n").is_err());
    }
}
