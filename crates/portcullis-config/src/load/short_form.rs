//! `listen:` and `tls:` at the top of a document are the listener `main`; `firewall:` there is that of `defaults`.

use super::{include::remark, merge};
use crate::{
    codes,
    diagnostic::Diagnostic,
    source::Sources,
    yaml::{Entry, Node, Value},
};

/// Puts what is written in the short form where it belongs.
pub(super) fn expand(root: &mut Node, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) {
    firewall(root, sources, diagnostics);
    listener(root, sources, diagnostics);
}

fn firewall(root: &mut Node, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) {
    let span = root.span;
    let Value::Map(entries) = &mut root.value else { return };
    let Some(firewall) = entries.iter().find(|entry| entry.key == "firewall").cloned() else { return };
    match entries.iter_mut().find(|entry| entry.key == "defaults").map(|entry| &mut entry.value.value) {
        Some(Value::Map(defaults)) => match defaults.iter().find(|entry| entry.key == "firewall") {
            Some(other) => diagnostics.push(merge::twice("defaults.firewall", other, &firewall, sources)),
            None => defaults.push(firewall),
        },
        // Of another shape, which is noted when it is read.
        Some(Value::Scalar(_) | Value::List(_)) => {}
        Some(empty @ Value::Null) => *empty = Value::Map(vec![firewall]),
        None => {
            let key_span = firewall.key_span;
            let defaults = Node { span, value: Value::Map(vec![firewall]) };
            entries.push(Entry { key: "defaults".to_owned(), key_span, value: defaults });
        }
    }
}

/// Adds the listener `main` where the short form is used.
fn listener(root: &mut Node, sources: &Sources, diagnostics: &mut Vec<Diagnostic>) {
    let span = root.span;
    // An empty document is one that forgot everything, a listener first of all.
    if let Value::Null = root.value {
        root.value = Value::Map(Vec::new());
    }
    let Value::Map(entries) = &mut root.value else { return };
    let find = |entries: &[Entry], key: &str| entries.iter().find(|entry| entry.key == key).cloned();
    let tls = find(entries, "tls");
    let Some(listen) = find(entries, "listen") else {
        if let Some(tls) = tls {
            let message = "`tls` belongs to `listen`, which is missing".to_owned();
            let hint = Some("add `listen: :8443`, or set `tls` at the listener".to_owned());
            let it = remark(&codes::CONFLICT, message, Some(tls.key_span), sources);
            diagnostics.push(Diagnostic { hint, ..it });
        } else if find(entries, "listeners").is_none() {
            let hint = Some("add `listen: :8443`".to_owned());
            let it = remark(
                &codes::MISSING_KEY,
                "nothing listens: no listener is defined".to_owned(),
                Some(span),
                sources,
            );
            diagnostics.push(Diagnostic { hint, ..it });
        }
        return;
    };
    let mut fields = vec![Entry { key: "address".to_owned(), ..listen.clone() }];
    fields.extend(tls);
    let value = Node { span: listen.value.span, value: Value::Map(fields) };
    let main = Entry { key: "main".to_owned(), key_span: listen.key_span, value };
    match entries.iter_mut().find(|entry| entry.key == "listeners").map(|entry| &mut entry.value.value) {
        Some(Value::Map(listeners)) => match listeners.iter().find(|entry| entry.key == "main") {
            Some(other) => diagnostics.push(merge::twice("listeners.main", other, &main, sources)),
            None => listeners.push(main),
        },
        // Of another shape, which is noted when it is read.
        Some(_) => {}
        None => {
            let listeners = Node { span, value: Value::Map(vec![main]) };
            entries.push(Entry { key: "listeners".to_owned(), key_span: listen.key_span, value: listeners });
        }
    }
}
