//! A refusal that was made: the whole reason, and the narrowest exception that would let the call pass.

use portcullis_core::{
    event::{Event, Outcome},
    id::ReferenceId,
    verdict::{Place, Reason},
};
use portcullis_events::query;
use serde_json::json;

use crate::{
    cli,
    commands::{complain, data_directory, print},
    exit::Exit,
    show_event,
};

/// Finds the event and tells all of it.
pub(super) fn explain(id: ReferenceId, arguments: &cli::Explain) -> anyhow::Result<Exit> {
    let directory = data_directory(&arguments.place)?.join("record");
    let Some(event) = query::find(&directory, id)? else {
        complain(&format!("no exchange `{id}` is in the record at `{}`\n", directory.display()));
        return Ok(Exit::Failure);
    };
    let exceptions = exceptions(&event);
    if arguments.json {
        let exceptions: Vec<_> = exceptions.iter().map(|it| it.as_json(&event)).collect();
        print(&format!("{:#}\n", json!({ "event": event, "exceptions": exceptions })));
    } else {
        print(&text(&event, &exceptions));
    }
    Ok(Exit::Success)
}

fn text(event: &Event, exceptions: &[NarrowException]) -> String {
    let mut text = format!("{} {}{}\n", event.method, event.host, event.path);
    let operation = match (&event.api, &event.operation) {
        (Some(api), Some(operation)) => {
            format!("{operation} of api {api} ({})", event.template.as_deref().unwrap_or("?"))
        }
        (Some(api), None) => format!("no operation of api {api}"),
        (None, _) => "no api".to_owned(),
    };
    let who = match &event.principal {
        Some(principal) => format!("{} (vouched for by {})", principal.id, principal.provider),
        None => "nobody in particular".to_owned(),
    };
    text.push_str(&format!("  when       {}\n", show_event::moment(event.at)));
    text.push_str(&format!("  from       {} at listener {}\n", event.client, event.listener));
    text.push_str(&format!(
        "  caller     {who}\n  operation  {operation}\n  outcome    {}\n",
        outcome(event)
    ));
    if let Some(upstream) = &event.upstream {
        text.push_str(&format!("  upstream   {upstream}\n"));
    }
    if !event.reasons.is_empty() {
        text.push_str("\nwhy\n");
    }
    for reason in &event.reasons {
        let only = if reason.reported_only { " (reported only: the call went on)" } else { "" };
        text.push_str(&format!("  {}: {}{only}\n", reason.rule.as_str(), reason.message));
        for evidence in &reason.evidence {
            let rule = evidence.rule.as_ref().map(|it| format!(" ({})", it.as_str())).unwrap_or_default();
            let seen = if evidence.seen.is_empty() { String::new() } else { format!(": {}", evidence.seen) };
            text.push_str(&format!("    at {}{rule}{seen}\n", show_event::place(&evidence.place)));
        }
        if !reason.others.is_empty() {
            let others: Vec<&str> = reason.others.iter().map(|it| it.as_str()).collect();
            text.push_str(&format!("    and {}\n", others.join(", ")));
        }
    }
    if let Some(api) = event.api.as_ref().filter(|_| !exceptions.is_empty()) {
        text.push_str(&format!(
            "\nif this call is right, the narrowest exception is, below `apis.{api}`:\n  except:\n"
        ));
        for exception in exceptions {
            text.push_str(&format!("    - {}\n", exception.as_yaml(event)));
        }
    }
    text
}

fn outcome(event: &Event) -> String {
    match event.outcome {
        Outcome::Served => format!("served with {}", event.status),
        Outcome::Answered => format!("answered by the gate with {}", event.status),
        Outcome::Denied(denial) => format!("refused with {} ({})", event.status, denial.word()),
        Outcome::UpstreamFailed(fault) => {
            let how = show_event::fault_words(fault);
            format!("the upstream failed ({how}); the client got {}", event.status)
        }
        Outcome::ClientGone => "the client left before the end".to_owned(),
        Outcome::Panicked => "a defect of the gate; please report it".to_owned(),
    }
}

/// One rule at one place of one operation.
#[derive(PartialEq, Eq)]
struct NarrowException {
    rule: String,
    field: Option<String>,
}

impl NarrowException {
    fn as_yaml(&self, event: &Event) -> String {
        let operation =
            event.operation.as_ref().map(|it| format!(", operation: {}", quoted(it))).unwrap_or_default();
        let field = self.field.as_ref().map(|it| format!(", field: {}", quoted(it))).unwrap_or_default();
        format!("{{ rule: {}{operation}{field}, why: \"…\", until: YYYY-MM-DD }}", self.rule)
    }

    fn as_json(&self, event: &Event) -> serde_json::Value {
        json!({ "rule": self.rule, "operation": event.operation, "field": self.field })
    }
}

/// In flow mappings anything but plain words is quoted.
fn quoted(text: &str) -> String {
    let plain =
        text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'/' | b'.' | b'-'));
    if plain && !text.is_empty() { text.to_owned() } else { format!("\"{}\"", text.replace('"', "\\\"")) }
}

/// Exceptions for everything that was refused; none when something was refused that takes no exception.
fn exceptions(event: &Event) -> Vec<NarrowException> {
    let refusing = |reason: &&Reason| reason.reported_only || matches!(event.outcome, Outcome::Denied(_));
    let mut found = Vec::new();
    for reason in event.reasons.iter().filter(refusing) {
        let rule = reason.rule.as_str();
        if !["schema/", "limits/", "login_attempts/"].iter().any(|it| rule.starts_with(it)) {
            return Vec::new();
        }
        let places = reason
            .evidence
            .iter()
            .map(|it| (it.rule.as_ref().map_or(rule, |own| own.as_str()), field(&it.place)));
        let none = reason.evidence.is_empty().then_some((rule, None));
        for (rule, field) in places.chain(none) {
            let exception = NarrowException { rule: rule.to_owned(), field };
            if !found.contains(&exception) {
                found.push(exception);
            }
        }
    }
    found
}

/// The place as `field:` names it: an item's number says nothing about the next call.
fn field(place: &Place) -> Option<String> {
    match place {
        Place::Body(pointer) | Place::ResponseBody(pointer) => {
            let step = |step: &str| {
                let is_number = !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit());
                if is_number { "*".to_owned() } else { step.to_owned() }
            };
            Some(pointer.split('/').map(step).collect::<Vec<_>>().join("/"))
        }
        Place::PathParameter(name) | Place::Query(name) | Place::Cookie(name) => {
            Some(name.split('/').next().unwrap_or_default().to_owned())
        }
        Place::Header(name) | Place::ResponseHeader(name) => Some(name.to_string()),
        Place::Connection | Place::Method | Place::Path | Place::ResponseStatus => None,
    }
}
