//! The classes of attack, each with its weakness number.

/// A class of attack; one detector file each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// SQL injection (CWE-89).
    Sql,
    /// NoSQL operator and JavaScript injection (CWE-943).
    Nosql,
    /// Operating-system command injection, Unix and Windows (CWE-78).
    Shell,
    /// Cross-site scripting (CWE-79).
    Script,
    /// Path traversal and disclosure of well-known files (CWE-22).
    Path,
    /// Template and expression-language injection (CWE-1336, CWE-917).
    Template,
    /// Code injection: PHP, Node.js, Java, Ruby, Python (CWE-94).
    Code,
    /// Deserialization of untrusted data (CWE-502).
    Deserialization,
    /// XML external entities and entity expansion (CWE-611, CWE-776).
    Xxe,
    /// Server-side request forgery and remote file inclusion (CWE-918, CWE-98).
    Ssrf,
    /// LDAP filter injection (CWE-90).
    Ldap,
    /// XPath and XQuery injection (CWE-643).
    Xpath,
    /// Header and CRLF injection, response splitting (CWE-93, CWE-113).
    Crlf,
    /// Prototype pollution (CWE-1321).
    Prototype,
    /// Abuse of GraphQL texts: introspection dumps, injected documents (CWE-400).
    Graphql,
    /// Marks of scanners and of exploits for known holes.
    Fingerprint,
    /// Marks of request smuggling inside values (CWE-444).
    Smuggling,
}

impl Class {
    /// The word used in rule ids (`attacks/sql`), configuration and records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sql => "sql",
            Self::Nosql => "nosql",
            Self::Shell => "shell",
            Self::Script => "script",
            Self::Path => "path",
            Self::Template => "template",
            Self::Code => "code",
            Self::Deserialization => "deserialization",
            Self::Xxe => "xxe",
            Self::Ssrf => "ssrf",
            Self::Ldap => "ldap",
            Self::Xpath => "xpath",
            Self::Crlf => "crlf",
            Self::Prototype => "prototype",
            Self::Graphql => "graphql",
            Self::Fingerprint => "fingerprint",
            Self::Smuggling => "smuggling",
        }
    }
}
