//! Postman collections, v2.0 and v2.1: requests in folders, with variables, authentication and saved answers.

mod body;
mod url;
mod variables;

use serde_json::Value;

use self::variables::Variables;
use super::{
    Model, Note, Place, Scheme, effect,
    har::HarError,
    observed::{self, Observed, Seen, carried_in_cookie, carried_in_header, carried_in_query},
    server,
};

/// Folders inside one another.
const DEPTH_MAX: usize = 32;
/// Saved answers read of one request.
const ANSWERS_MAX: usize = 20;

/// The model of a collection. `base` is where it came from: what a request without a server goes to.
///
/// # Errors
/// It is no collection, or has no request in it.
pub fn read(text: &[u8], base: Option<&str>) -> Result<Model, HarError> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let whole: Value = serde_json::from_slice(text)?;
    // Exported through the API, a collection stands inside of `collection`.
    let root = whole.get("collection").filter(|it| it.get("item").is_some()).unwrap_or(&whole);
    let items = root.get("item").and_then(Value::as_array).ok_or_else(|| HarError::Shape {
        pointer: "/item".to_owned(),
        message: "must be an array: this is no Postman collection of version 2".to_owned(),
    })?;
    let mut reading = Reading { calls: Vec::new(), servers: Vec::new(), notes: Vec::new(), left_out: 0 };
    let outer = Outer {
        variables: Variables::of(root.get("variable")),
        presents: presented(root.get("auth")),
        words: Vec::new(),
    };
    reading.items(items, "/item", &outer, DEPTH_MAX);
    if reading.calls.is_empty() {
        return Err(HarError::Empty(items.len()));
    }
    let title = root.pointer("/info/name").and_then(Value::as_str).unwrap_or_default();
    let mut model = observed::model(title, &reading.calls);
    server::resolve_all(&reading.servers, base, &mut model);
    model.notes.extend(reading.notes);
    if reading.left_out > 0 {
        let text = format!("{} items are too many or too deep and left out", reading.left_out);
        model.notes.push(Note { place: "/item".to_owned(), text });
    }
    Ok(model)
}

/// What folders say of all that is in them.
#[derive(Clone)]
struct Outer {
    variables: Variables,
    /// `None`: nothing is said.
    presents: Option<Vec<Scheme>>,
    words: Vec<String>,
}

struct Reading {
    calls: Vec<Observed>,
    servers: Vec<String>,
    notes: Vec<Note>,
    left_out: usize,
}

impl Reading {
    fn items(&mut self, items: &[Value], pointer: &str, outer: &Outer, depth: usize) {
        for (at, item) in items.iter().enumerate() {
            let pointer = format!("{pointer}/{at}");
            let inner = item.get("item").and_then(Value::as_array);
            if self.calls.len() >= observed::CALLS_MAX || (inner.is_some() && depth == 0) {
                self.left_out += 1;
                continue;
            }
            let mut here = outer.clone();
            here.variables.add(item.get("variable"));
            here.presents = presented(item.get("auth")).or(here.presents);
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
            match inner {
                Some(inner) => {
                    here.words.extend(effect::words(name));
                    self.items(inner, &format!("{pointer}/item"), &here, depth.saturating_sub(1));
                }
                None => self.item(item, name, &pointer, &here),
            }
        }
    }

    fn item(&mut self, item: &Value, name: &str, pointer: &str, outer: &Outer) {
        let Some(request) = item.get("request") else {
            self.note(pointer, "neither a folder nor a request");
            return;
        };
        let Some(call) = self.call(request, name, &format!("{pointer}/request"), outer) else { return };
        let answers = item.get("response").and_then(Value::as_array);
        let answers: Vec<&Value> = answers.into_iter().flatten().take(ANSWERS_MAX).collect();
        for (at, answer) in answers.iter().enumerate() {
            let pointer = format!("{pointer}/response/{at}/originalRequest");
            let original = answer.get("originalRequest").filter(|it| !it.is_null());
            let mut seen = match original.map(|it| self.call(it, name, &pointer, outer)) {
                Some(Some(call)) => call,
                Some(None) | None => call.clone(),
            };
            seen.answer = answered(answer);
            self.calls.push(seen);
        }
        if answers.is_empty() {
            self.calls.push(call);
        }
    }

    /// A request: an object, or nothing but a URL.
    fn call(&mut self, request: &Value, name: &str, pointer: &str, outer: &Outer) -> Option<Observed> {
        let (url, method) = match request {
            Value::String(_) => (request, "GET"),
            other => (other.get("url")?, other.get("method").and_then(Value::as_str).unwrap_or("GET")),
        };
        let Some(url) = url::read(url, &outer.variables) else {
            self.note(pointer, "a request without a URL");
            return None;
        };
        if let Some(server) = url.server
            && !self.servers.contains(&server)
        {
            self.servers.push(server);
        }
        let mut words = outer.words.clone();
        words.extend(effect::words(name));
        let mut call = Observed {
            name: name.to_owned(),
            words,
            method: method.to_ascii_uppercase(),
            segments: url.segments,
            ..Observed::default()
        };
        let mut schemes = presented(request.get("auth")).or_else(|| outer.presents.clone());
        for (name, value) in url.query {
            match carried_in_query(&name) {
                Some(scheme) => schemes.get_or_insert_default().push(scheme),
                None => call.query.push((name, value)),
            }
        }
        for (name, value) in headers(request.get("header"), &outer.variables) {
            if name == "cookie" {
                for pair in value.split(';') {
                    let (name, value) = pair.trim().split_once('=').unwrap_or((pair.trim(), ""));
                    match carried_in_cookie(name) {
                        Some(scheme) => schemes.get_or_insert_default().push(scheme),
                        None => call.cookies.push((name.to_owned(), value.to_owned())),
                    }
                }
            } else if let Some(scheme) = carried_in_header(&name, &value) {
                schemes.get_or_insert_default().push(scheme);
            } else if !matches!(
                name.as_str(),
                "content-type" | "accept" | "user-agent" | "host" | "content-length"
            ) {
                call.headers.push((name, value));
            }
        }
        if let Some(schemes) = &mut schemes {
            schemes.sort_by_key(|it| format!("{it:?}"));
            schemes.dedup();
        }
        call.presents = schemes;
        match request.get("body").map(|it| body::read(it, request, &outer.variables)) {
            Some(Ok(body)) => call.body = body,
            Some(Err(text)) => self.note(pointer, &text),
            None => {}
        }
        Some(call)
    }

    fn note(&mut self, pointer: &str, text: &str) {
        self.notes.push(Note { place: pointer.to_owned(), text: text.to_owned() });
    }
}

/// `{key, value, disabled}` in a list, or a text of lines.
fn headers(list: Option<&Value>, variables: &Variables) -> Vec<(String, String)> {
    let written: Vec<(String, String)> = match list {
        Some(Value::String(text)) => text
            .lines()
            .filter_map(|it| it.split_once(':'))
            .map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
            .collect(),
        other => entries(other),
    };
    written
        .into_iter()
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_ascii_lowercase(), variables.fill(&value)))
        .collect()
}

/// The enabled ones of a list of `{key, value}`.
fn entries(list: Option<&Value>) -> Vec<(String, String)> {
    let one = |it: &Value| {
        if it.get("disabled") == Some(&Value::Bool(true)) {
            return None;
        }
        let key = it.get("key")?.as_str()?.to_owned();
        let value = match it.get("value") {
            Some(Value::String(text)) => text.clone(),
            None | Some(Value::Null) => String::new(),
            Some(other) => other.to_string(),
        };
        Some((key, value))
    };
    list.and_then(Value::as_array).into_iter().flatten().filter_map(one).collect()
}

/// What an `auth` says; `None` where there is none, or it says to inherit.
fn presented(auth: Option<&Value>) -> Option<Vec<Scheme>> {
    let auth = auth?;
    let kind = auth.get("type")?.as_str()?;
    Some(match kind {
        "noauth" => Vec::new(),
        "bearer" | "oauth2" | "jwt" => vec![Scheme::Bearer],
        "basic" => vec![Scheme::Basic],
        "apikey" => {
            let details = auth.get("apikey");
            // v2.0 has an object, v2.1 a list.
            let text = |key: &str| match details {
                Some(list @ Value::Array(_)) => {
                    entries(Some(list)).into_iter().find(|(own, _)| own == key).map(|(_, value)| value)
                }
                Some(object) => object.get(key)?.as_str().map(str::to_owned),
                None => None,
            };
            let name = text("key").unwrap_or_else(|| "X-API-Key".to_owned());
            vec![Scheme::Key(match text("in").as_deref() {
                Some("query") => Place::Query(name.as_str().into()),
                Some(_) | None => Place::Header(name.to_ascii_lowercase().into()),
            })]
        }
        "inherit" => return None,
        other => vec![Scheme::Other(other.to_owned())],
    })
}

fn answered(answer: &Value) -> Option<Seen> {
    let status = answer.get("code").and_then(Value::as_u64).and_then(|it| u16::try_from(it).ok())?;
    let fields = headers(answer.get("header"), &Variables::default());
    let media = fields.iter().find(|(name, _)| name == "content-type").map_or("", |(_, value)| value);
    let body = answer.get("body").and_then(Value::as_str).unwrap_or_default();
    Some(Seen {
        status,
        media: media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase(),
        json: serde_json::from_str(body).ok(),
    })
}

#[cfg(test)]
mod tests;
