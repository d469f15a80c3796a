//! What belongs to no operation: listeners, plans, providers, exceptions.

use std::{collections::BTreeMap, sync::Arc};

use portcullis_config::model::{
    ClientCertificateMode, Config, Listener, PlaintextCredentials, Plan, RecordedCalls, TlsVersion,
};

use super::{Differences, Kind};

/// Compares everything beside operations.
pub(super) fn compare(before: &Config, after: &Config, folders: (&str, &str), differences: &mut Differences) {
    for (name, old) in &before.listeners {
        match after.listeners.get(name) {
            None => {
                differences.note(Kind::Changed, &*format!("listener {name}"), "listener", "open", "closed")
            }
            Some(new) => listener(&format!("listener {name}"), old, new, differences),
        }
    }
    for name in after.listeners.keys().filter(|it| !before.listeners.contains_key(*it)) {
        differences.note(Kind::Changed, &*format!("listener {name}"), "listener", "none", "open");
    }
    plans(&before.plans, &after.plans, differences);
    exceptions(before, after, differences);
    if before.admin.token.is_some() && after.admin.token.is_none() {
        differences.note(Kind::Weaker, "admin", "token", "required", "none");
    }
    let calls = (&before.record.calls, &after.record.calls);
    differences
        .ordered("record", "calls", calls, *calls.1 == RecordedCalls::Refused, |it| it.word().to_owned());
    for (name, old) in &before.identity.providers {
        if after
            .identity
            .providers
            .get(name)
            .is_some_and(|new| as_written(new, folders.1) != as_written(old, folders.0))
        {
            differences.note(
                Kind::Changed,
                &*format!("provider {name}"),
                "provider",
                "as it was",
                "written differently",
            );
        }
    }
}

/// The same file names in two folders are the same configuration, checked out twice.
fn as_written(it: &impl std::fmt::Debug, folder: &str) -> String {
    let text = format!("{it:?}");
    if folder.is_empty() { text } else { text.replace(&format!("{folder}/"), "") }
}

fn listener(subject: &str, old: &Listener, new: &Listener, differences: &mut Differences) {
    let tls = |it: &Listener| it.tls.on().is_some();
    differences.ordered(subject, "tls", (&tls(old), &tls(new)), !tls(new), |it| {
        if *it { "on" } else { "off" }.to_owned()
    });
    if let (Some(a), Some(b)) = (old.tls.on(), new.tls.on()) {
        let lower = b.min_version == TlsVersion::Tls12;
        differences.ordered(subject, "tls.min_version", (&a.min_version, &b.min_version), lower, |it| {
            it.word().to_owned()
        });
        let strength = |mode: ClientCertificateMode| match mode {
            ClientCertificateMode::Off => 0,
            ClientCertificateMode::Optional => 1,
            ClientCertificateMode::Required => 2,
        };
        let (a, b) = (a.client_certificates.mode, b.client_certificates.mode);
        differences.ordered(subject, "tls.client_certificates", (&a, &b), strength(b) < strength(a), |it| {
            it.word().to_owned()
        });
    }
    let (a, b) = (old.plaintext_credentials, new.plaintext_credentials);
    differences.ordered(subject, "plaintext_credentials", (&a, &b), b == PlaintextCredentials::Allow, |it| {
        it.word().to_owned()
    });
    let (a, b) = (&old.trusted_proxies, &new.trusted_proxies);
    let wider = b.iter().any(|range| !a.iter().any(|it| it.contains(range)));
    differences.ordered(subject, "trusted_proxies", (a, b), wider, |it| {
        it.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    });
    if old.hsts().is_some() && new.hsts().is_none() {
        differences.note(Kind::Weaker, subject, "hsts", "sent", "not sent");
    }
    if old.limit != new.limit {
        let text =
            |it: &Listener| it.limit.iter().map(|it| it.text.to_string()).collect::<Vec<_>>().join(", ");
        let gone = old.limit.iter().any(|it| !new.limit.contains(it));
        let kind = if gone { Kind::Weaker } else { Kind::Stronger };
        differences.note(kind, subject, "limit", text(old), text(new));
    }
    if old.limits != new.limits {
        differences.note(Kind::Changed, subject, "limits", "as they were", "written differently");
    }
}

fn plans(before: &BTreeMap<Arc<str>, Plan>, after: &BTreeMap<Arc<str>, Plan>, differences: &mut Differences) {
    for (name, old) in before {
        let subject = format!("plan {name}");
        match after.get(name) {
            None => differences.note(
                Kind::Weaker,
                &*subject,
                "plan",
                "limited",
                "gone: its consumers are not limited by it",
            ),
            Some(new) if new != old => {
                let rate_kept = old.rate.is_none_or(|a| {
                    new.rate.is_some_and(|b| {
                        let per_second =
                            |it: portcullis_core::limit::Rate| f64::from(it.count) / it.period.as_secs_f64();
                        per_second(b) <= per_second(a) && b.burst <= a.burst
                    })
                });
                let quota_kept = old
                    .quota
                    .is_none_or(|a| new.quota.is_some_and(|b| a.period == b.period && b.count <= a.count));
                let places = |it: &Plan| it.concurrency.as_ref().map(|it| it.0);
                let places_kept = places(old).is_none_or(|a| places(new).is_some_and(|b| b <= a));
                let kind = if rate_kept && quota_kept && places_kept { Kind::Stronger } else { Kind::Weaker };
                differences.note(kind, &*subject, "plan", format!("{old:?}"), format!("{new:?}"));
            }
            Some(_) => (),
        }
    }
}

/// A new exception is a hole that was not there.
fn exceptions(before: &Config, after: &Config, differences: &mut Differences) {
    for (name, api) in &after.apis {
        let known = before.apis.get(name).map(|it| it.except.as_slice()).unwrap_or_default();
        for it in api.except.iter().filter(|it| !known.contains(it)) {
            let text = format!("{} ({})", it.rule, it.why);
            differences.note(Kind::Weaker, &*format!("exceptions of {name}"), "except", "none", text);
        }
        for it in known.iter().filter(|it| !api.except.contains(it)) {
            differences.note(
                Kind::Stronger,
                &*format!("exceptions of {name}"),
                "except",
                format!("{} ({})", it.rule, it.why),
                "none",
            );
        }
    }
}
