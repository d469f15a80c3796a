//! Names that APIs are made of: our own list. What a server suggests for them finds the others.

const THINGS: [&str; 44] = [
    "user",
    "account",
    "profile",
    "order",
    "product",
    "item",
    "post",
    "comment",
    "message",
    "file",
    "image",
    "document",
    "invoice",
    "payment",
    "customer",
    "employee",
    "company",
    "organization",
    "team",
    "member",
    "group",
    "role",
    "project",
    "task",
    "ticket",
    "event",
    "note",
    "article",
    "book",
    "category",
    "tag",
    "review",
    "cart",
    "address",
    "device",
    "session",
    "token",
    "report",
    "log",
    "audit",
    "setting",
    "notification",
    "paste",
    "transaction",
];

const FIELDS: [&str; 78] = [
    "id",
    "name",
    "title",
    "content",
    "body",
    "text",
    "description",
    "email",
    "username",
    "password",
    "firstName",
    "lastName",
    "phone",
    "address",
    "city",
    "country",
    "status",
    "state",
    "type",
    "kind",
    "role",
    "roles",
    "admin",
    "isAdmin",
    "active",
    "enabled",
    "public",
    "private",
    "verified",
    "createdAt",
    "updatedAt",
    "deletedAt",
    "date",
    "time",
    "timestamp",
    "owner",
    "ownerId",
    "user",
    "userId",
    "author",
    "users",
    "posts",
    "comments",
    "orders",
    "items",
    "products",
    "price",
    "amount",
    "total",
    "quantity",
    "currency",
    "balance",
    "url",
    "uri",
    "link",
    "image",
    "avatar",
    "file",
    "path",
    "token",
    "accessToken",
    "refreshToken",
    "secret",
    "key",
    "apiKey",
    "code",
    "value",
    "data",
    "result",
    "success",
    "message",
    "error",
    "count",
    "edges",
    "nodes",
    "node",
    "pageInfo",
    "tags",
];

const ARGUMENTS: [&str; 44] = [
    "id", "ids", "name", "title", "content", "text", "username", "user", "userId", "email", "password",
    "token", "input", "data", "filter", "where", "search", "query", "keyword", "limit", "offset", "first",
    "last", "after", "before", "page", "pageSize", "size", "skip", "take", "sort", "order", "orderBy",
    "type", "status", "role", "public", "url", "path", "host", "file", "filename", "code", "amount",
];

/// The plural, as names have it.
fn plural(thing: &str) -> String {
    match thing.strip_suffix('y').filter(|rest| !rest.ends_with(['a', 'e', 'o'])) {
        Some(rest) => format!("{rest}ies"),
        None if thing.ends_with('s') => format!("{thing}es"),
        None => format!("{thing}s"),
    }
}

/// With an upper-case first letter.
fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Names of queries.
pub(super) fn queries() -> Vec<String> {
    let more = [
        "me",
        "viewer",
        "currentUser",
        "whoami",
        "node",
        "nodes",
        "search",
        "version",
        "health",
        "status",
        "systemHealth",
        "systemDebug",
        "systemUpdate",
        "ping",
        "hello",
        "info",
        "stats",
        "config",
        "settings",
        "debug",
        "admin",
        "login",
    ];
    let mut names: Vec<String> = more.iter().map(|it| (*it).to_owned()).collect();
    for thing in THINGS {
        names.push(thing.to_owned());
        names.push(plural(thing));
    }
    for thing in THINGS.iter().take(12) {
        names.push(format!("get{}", capital(thing)));
        names.push(format!("all{}", capital(&plural(thing))));
    }
    names
}

/// Names of mutations.
pub(super) fn mutations() -> Vec<String> {
    let more = [
        "login",
        "logout",
        "signIn",
        "signUp",
        "signup",
        "register",
        "authenticate",
        "refreshToken",
        "changePassword",
        "resetPassword",
        "forgotPassword",
        "upload",
        "uploadFile",
        "importFile",
        "checkout",
        "pay",
        "transfer",
        "subscribe",
        "sendMessage",
        "invite",
    ];
    let mut names: Vec<String> = more.iter().map(|it| (*it).to_owned()).collect();
    for verb in ["create", "update", "delete", "add", "edit", "remove"] {
        names.extend(THINGS.iter().map(|thing| format!("{verb}{}", capital(thing))));
    }
    names
}

/// Names of fields of objects.
pub(super) fn fields() -> Vec<String> {
    FIELDS.iter().map(|it| (*it).to_owned()).collect()
}

/// Names of arguments.
pub(super) fn arguments() -> Vec<String> {
    ARGUMENTS.iter().map(|it| (*it).to_owned()).collect()
}
