//! Every kind of remark that `portcullis check` can make, with what `portcullis explain PCnnnn` says about it.

use crate::diagnostic::Severity;

/// A kind of remark.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// `PC` and four digits: 1 the files, 2 the language, 3 weak settings.
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// A few words.
    pub title: &'static str,
    /// What it means, why it is refused or warned of, and what to do.
    pub explanation: &'static str,
}

const fn error(id: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity: Severity::Error, title, explanation }
}

const fn warning(id: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code { id, severity: Severity::Warning, title, explanation }
}

/// The text is not YAML.
pub static SYNTAX: Code = error(
    "PC1001",
    "the file is not valid YAML",
    "The file could not be read as YAML, so nothing behind this place was looked at.\n\
     A frequent reason: inside `{ … }` or `[ … ]` a value that holds braces must be quoted, as in\n\
     `{ path: \"/orders/{id}\" }`. Tabs cannot indent. A value that begins with `*`, `&`, `!`, `%`, `@` or a\n\
     backtick must be quoted. One file holds one document.",
);
/// A key stands twice in one mapping.
pub static DUPLICATE_KEY: Code = error(
    "PC1002",
    "a key is given twice",
    "The same key stands twice in one mapping. Which of the two was meant cannot be known, so neither is taken.\n\
     Remove one, or merge what they hold.",
);
/// A file cannot be read.
pub static UNREADABLE: Code = error(
    "PC1003",
    "a file cannot be read",
    "The file does not exist, is no readable UTF-8 text, or is larger than a configuration may be (16 MiB).\n\
     Relative paths start at the directory of the file that names them.",
);
/// An include pattern matches nothing.
pub static NOTHING_INCLUDED: Code = warning(
    "PC1004",
    "an include pattern matches no file",
    "The pattern is well-formed and matches no file at the moment. That is allowed, so that a directory may be\n\
     empty, but more often it is a misspelt path. Patterns start at the directory of the file that holds them and\n\
     may use `*` and `?` within a name, and `**` for any number of directories.",
);
/// Two documents define one name.
pub static NAME_TWICE: Code = error(
    "PC1005",
    "a name is defined in two files",
    "Included documents are merged by name, and a name stands in one place only: otherwise the order of files would\n\
     decide what protects an API. Remove or rename one of the two.",
);
/// A bound on size was passed.
pub static TOO_LARGE: Code = error(
    "PC1006",
    "the configuration is too large or too deep",
    "There are bounds on the size of a file (16 MiB), on the number of values after aliases are followed (a\n\
     million), on nesting (64 levels) and on included files (10,000), so that no file can exhaust the machine.",
);
/// The language version is unknown.
pub static VERSION: Code = error(
    "PC1007",
    "the version is not known",
    "This program reads version 1 of the language. A file for a later version needs a later program.",
);
/// A key that the language does not have.
pub static UNKNOWN_KEY: Code = error(
    "PC2001",
    "the key is not known here",
    "The language has no such key at this place. Unknown keys are never skipped, because a misspelt protection would\n\
     be no protection. `portcullis schema` prints the JSON Schema that editors use to complete keys.",
);
/// A list where a word was expected, and the like.
pub static WRONG_TYPE: Code = error(
    "PC2002",
    "the value has the wrong shape",
    "A mapping, a list or a single value was expected, and something else is written. The message says which.",
);
/// A key that must be there is not.
pub static MISSING_KEY: Code = error(
    "PC2003",
    "a key is missing",
    "This mapping makes no sense without that key, and there is no default that would be safe.",
);
/// A value that cannot be read in its unit or form.
pub static BAD_VALUE: Code = error(
    "PC2004",
    "the value cannot be read",
    "The value is not in the form this key takes. Units are written in words: durations `500ms`, `30s`, `5m`, `1d`;\n\
     sizes `32KiB`, `1MiB`; counts `100`, `10k`, `5M`; rates `100/s burst 200 per consumer`; quotas `10k/day`;\n\
     ranges `25ms..250ms`; addresses `:8443` or `127.0.0.1:8443`.",
);
/// A word that is not among those the key takes.
pub static BAD_WORD: Code = error(
    "PC2005",
    "the word is not one of those possible",
    "This key takes one of a few words. The message lists them.",
);
/// A key of a later version.
pub static NOT_YET: Code = error(
    "PC2006",
    "not supported yet",
    "The key belongs to the language, but this version of the program does not act on it. It is refused rather than\n\
     skipped, because a protection that is written down and not at work is worse than none.",
);
/// A reference to a name that is defined nowhere.
pub static UNKNOWN_NAME: Code = error(
    "PC2007",
    "the name is not defined",
    "A provider, plan, listener or upstream is referred to by a name that no document defines.",
);
/// Keys that exclude each other, or a choice that was not made.
pub static CONFLICT: Code = error(
    "PC2008",
    "these keys do not go together",
    "Two keys exclude one another, or exactly one of several must be given. The message names them.",
);
/// An exception whose day has passed.
pub static EXPIRED: Code = error(
    "PC2009",
    "an exception has expired",
    "Exceptions weaken a protection, so they may carry an `until` date, and once it has passed the configuration is\n\
     refused. Remove the exception, or look at its reason again and move the date.",
);
/// A secret in clear text.
pub static LITERAL_SECRET: Code = warning(
    "PC3001",
    "a secret is written in the configuration",
    "The value of this key is a secret and stands in the file as it is. Files end up in repositories, backups and\n\
     terminals. Write a reference: `env:NAME` reads the environment, `file:/path` reads a file (CWE-798).",
);
/// An admin listener that others can reach.
pub static ADMIN_OPEN: Code = error(
    "PC3002",
    "the admin listener is open to others",
    "The admin listener shows metrics and state and steers the gate. On any address but loopback it needs a `token`\n\
     (CWE-306).",
);
/// Upstream certificates are not verified.
pub static UNVERIFIED_UPSTREAM: Code = warning(
    "PC3003",
    "the upstream's certificate is not verified",
    "With `verify: false` anybody on the way to the upstream can read and change everything (CWE-295). Give the\n\
     private authority's certificate with `tls.ca` instead.",
);
/// Clear text on an address that others can reach.
pub static CLEARTEXT: Code = warning(
    "PC3004",
    "a listener serves clear text to others",
    "TLS is off on an address that is not loopback. That is right only behind something that ends TLS on the same\n\
     machine or a trusted network (CWE-319).",
);
/// CORS lets every site act with the user's credentials.
pub static CORS_ANY: Code = error(
    "PC3005",
    "every web site may act as the signed-in user",
    "`origins: [\"*\"]` together with `credentials: true` would let any page a user visits call this API with the\n\
     user's credentials; browsers refuse it too (Fetch standard, CORS protocol and credentials). List the origins.",
);
/// Credentials over clear text are accepted.
pub static PLAINTEXT_CREDENTIALS: Code = warning(
    "PC3006",
    "credentials are accepted over clear text",
    "With `plaintext_credentials: allow` passwords, keys and tokens travel readable for everybody on the way\n\
     (CWE-523).",
);
/// Nobody has to say who they are.
pub static ANONYMOUS_DEFAULT: Code = warning(
    "PC3007",
    "every API is open by default",
    "`auth: anonymous` in `defaults` opens each API that says nothing, and those added later. Say it at the API or\n\
     operation that is meant to be open.",
);
/// A protection is switched off as a whole.
pub static SWITCHED_OFF: Code = warning(
    "PC3008",
    "protection is switched off",
    "`mode: off` runs no guard at all here, not even in the shadow. `mode: report` would at least record what it\n\
     would have refused.",
);
/// Keys in the query string.
pub static KEY_IN_QUERY: Code = error(
    "PC3009",
    "credentials in the query string",
    "Query strings end up in logs, histories and Referer headers (CWE-598, RFC 9700 §2.6). Keys are read from a\n\
     header only.",
);
/// Signing keys fetched without TLS.
pub static INSECURE_ISSUER: Code = error(
    "PC3010",
    "signing keys would be fetched over clear text",
    "Whoever can change the answer could sign tokens for anybody. Only `https://`, or `http://` to loopback, is\n\
     taken.",
);
/// A provider that no listener can serve.
pub static NO_CERTIFICATES: Code = error(
    "PC3011",
    "no listener asks for client certificates",
    "An `mtls` provider takes the caller's identity from a client certificate, but no listener asks for one. Set\n\
     `tls.client_certificates: { mode: optional, ca: file:… }` at the listener.",
);
/// Everybody is trusted to say where a call came from.
pub static TRUST_EVERYBODY: Code = warning(
    "PC3012",
    "every address is a trusted proxy",
    "With a trusted proxy range of all addresses any client can choose the address it is counted and banned by.",
);
/// A definition nobody uses.
pub static UNUSED: Code = warning(
    "PC3013",
    "a definition is not used",
    "Nothing refers to this name. Either a reference is missing or the definition can go.",
);
/// No API is configured.
pub static NOTHING_SERVED: Code = warning(
    "PC3014",
    "nothing is served",
    "There is no API below `apis`, so every call is answered with 404. An API is a specification and an upstream:\n\
     `apis: { orders: { spec: openapi.yaml, upstream: \"http://127.0.0.1:9000\" } }`.",
);
/// A consumer that several providers could vouch for.
pub static CONSUMER_OF_ANY: Code = error(
    "PC3015",
    "a consumer could be vouched for by several providers",
    "Ids are names that a provider gives. Where several providers give them, the same id may be somebody else at\n\
     each, and a consumer without `provider:` would lend its roles, scopes and plan to all of them (CWE-290). Say\n\
     whose id is meant: `consumers: { shop: { provider: keys } }`. All providers of API keys count as one, for\n\
     their keys come from one store.",
);
/// All kinds of remark, in the order of their ids.
pub static ALL: [&Code; 31] = [
    &SYNTAX,
    &DUPLICATE_KEY,
    &UNREADABLE,
    &NOTHING_INCLUDED,
    &NAME_TWICE,
    &TOO_LARGE,
    &VERSION,
    &UNKNOWN_KEY,
    &WRONG_TYPE,
    &MISSING_KEY,
    &BAD_VALUE,
    &BAD_WORD,
    &NOT_YET,
    &UNKNOWN_NAME,
    &CONFLICT,
    &EXPIRED,
    &LITERAL_SECRET,
    &ADMIN_OPEN,
    &UNVERIFIED_UPSTREAM,
    &CLEARTEXT,
    &CORS_ANY,
    &PLAINTEXT_CREDENTIALS,
    &ANONYMOUS_DEFAULT,
    &SWITCHED_OFF,
    &KEY_IN_QUERY,
    &INSECURE_ISSUER,
    &NO_CERTIFICATES,
    &TRUST_EVERYBODY,
    &UNUSED,
    &NOTHING_SERVED,
    &CONSUMER_OF_ANY,
];

/// The kind of remark of an id such as `PC3001`, in any case of letters.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}
