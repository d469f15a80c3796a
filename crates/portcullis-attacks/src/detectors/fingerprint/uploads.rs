//! Uploads that a server would run (CWE-434).

use crate::{class::Class, hit::Hit, view::View};

/// Endings of what web servers run by themselves.
const ENDINGS: [&[u8]; 22] = [
    b"php",
    b"php3",
    b"php4",
    b"php5",
    b"php7",
    b"pht",
    b"phtml",
    b"phar",
    b"jsp",
    b"jspx",
    b"jspf",
    b"asp",
    b"aspx",
    b"ashx",
    b"asmx",
    b"asa",
    b"cer",
    b"cfm",
    b"cgi",
    b"war",
    b"htaccess",
    b"shtml",
];

/// A script by any part of its name's ending: `shell.php`, `shell.php.jpeg`, `shell.php;.png`.
pub(super) fn find(view: &View<'_>) -> Option<Hit> {
    let lower = view.lower;
    // Tools that move source code name it by its path.
    if lower.contains(&b'/') && !lower.windows(2).any(|two| two == b"..") {
        return None;
    }
    let is_edge =
        |byte: &u8| matches!(byte, b'.' | b';' | b' ' | b'%' | b':' | 0 | b'"' | b'/' | b'\\' | b'#');
    let mut parts = lower.split(is_edge);
    parts.next()?;
    let runs = parts.any(|part| ENDINGS.contains(&part));
    runs.then_some(Hit {
        class: Class::Fingerprint,
        rule: "uploaded_script",
        score: 10,
        span: 0..lower.len(),
        why: "an uploaded file that a web server would run",
    })
}
