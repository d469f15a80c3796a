//! A value of a request with the place where it stood.

/// Which part of the request a value stood in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Where {
    /// One segment of the path, or the whole path for detectors of traversal.
    Path,
    /// A query parameter's value.
    Query,
    /// A request header field's value.
    Header,
    /// A cookie's value.
    Cookie,
    /// A value in the body.
    Body,
    /// A name chosen by the client: a parameter's, a member's, a part's.
    Name,
}

/// What the field is for, as far as its name, declared type and neighbours tell. Detectors weigh by it: source code
/// in a field for source code is no attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Field {
    /// Nothing is known.
    Unknown,
    /// A short value that applications use as a key: id, name, sort, page.
    Token,
    /// Prose for people: a message, a description, a comment, a prompt.
    Prose,
    /// Markup for people: Markdown or HTML in a field for it.
    Markup,
    /// Source code, a patch, a script, a template, in a field for it.
    Code,
    /// A query in a query language (search DSL, GraphQL, SQL console) in a field for it.
    Query,
    /// A URL in a field for it.
    Url,
    /// A file path in a field for it.
    File,
    /// Opaque data: a token, a signature, base64 content.
    Opaque,
    /// A `User-Agent`, whose value is a product list.
    UserAgent,
    /// A `Referer`, a URL of another page.
    Referer,
}

/// One value of a request.
#[derive(Clone, Copy, Debug)]
pub struct Leaf<'a> {
    /// Which part of the request.
    pub at: Where,
    /// What the field is for.
    pub field: Field,
    /// The field's name (last member of the path to it), as sent; empty where it has none. For a [`Where::Name`], whose
    /// value is the name itself, the name of what contains it.
    pub name: &'a str,
    /// The value after the transport's own decoding (one percent-decoding of query and form, JSON string escapes).
    pub value: &'a [u8],
}
