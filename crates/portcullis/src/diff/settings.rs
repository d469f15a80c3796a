//! The other settings of an operation, each with what makes it weaker.

use portcullis_config::EffectiveSettings;
use portcullis_core::chain::Mode;

use super::{Differences, Kind, Subject};

/// Compares the settings of an operation.
pub(super) fn compare(
    subject: &Subject,
    before: &EffectiveSettings,
    after: &EffectiveSettings,
    differences: &mut Differences,
) {
    modes(subject, before, after, differences);
    firewall(subject, before, after, differences);
    sizes(subject, before, after, differences);
    let (old, new) = (&before.roles.value, &after.roles.value);
    let fewer = !old.is_empty() && (new.is_empty() || new.iter().any(|it| !old.contains(it)));
    differences.ordered(subject, "roles", (old, new), fewer, |it| words(it, "any"));
    let (old, new) = (&before.scopes.value, &after.scopes.value);
    let fewer = old.iter().any(|it| !new.contains(it));
    differences.ordered(subject, "scopes", (old, new), fewer, |it| words(it, "none"));
    differences.ordered(
        subject,
        "deny",
        (&before.deny.value, &after.deny.value),
        before.deny.value,
        ToString::to_string,
    );
    let opened = after.stream.value;
    differences.ordered(
        subject,
        "stream",
        (&before.stream.value, &after.stream.value),
        opened,
        ToString::to_string,
    );
    let opened = after.allow_server.value;
    differences.ordered(
        subject,
        "headers.allow_server",
        (&before.allow_server.value, &after.allow_server.value),
        opened,
        ToString::to_string,
    );
    // What else there is in the rows: told, without a judgement that could be wrong.
    let judged =
        ["auth", "limit", "login", "roles", "scopes", "deny", "stream", "headers.allow_server", "mode"];
    for (old, new) in before.rows().into_iter().zip(after.rows()) {
        let done = judged.contains(&old.key)
            || old.key.starts_with("schema.")
            || old.key.starts_with("firewall.")
            || old.key.starts_with("size.");
        if !done && old.value != new.value {
            differences.note(judge(old.key, &old.value, &new.value), subject, old.key, old.value, new.value);
        }
    }
}

/// Settings whose opposite ends are known: anything but their safe word is weaker.
fn judge(key: &str, before: &str, after: &str) -> Kind {
    let safe = match key {
        "cors" => "off",
        "errors" => "minimal",
        "upgrade" => "none",
        _ => return Kind::Changed,
    };
    match (before == safe, after == safe) {
        (_, true) => Kind::Stronger,
        // From one open form to another: whether it opens more cannot be told from here.
        (true, false) | (false, false) => Kind::Weaker,
    }
}

fn modes(
    subject: &Subject,
    before: &EffectiveSettings,
    after: &EffectiveSettings,
    differences: &mut Differences,
) {
    let pairs = [
        ("mode", before.mode.value, after.mode.value),
        (
            "schema.request",
            before.mode_of(before.schema_request.value),
            after.mode_of(after.schema_request.value),
        ),
        (
            "schema.response",
            before.mode_of(before.schema_response.value),
            after.mode_of(after.schema_response.value),
        ),
        ("schema.unknown_operations", before.unknown_operations.value, after.unknown_operations.value),
        ("schema.unknown_methods", before.unknown_methods.value, after.unknown_methods.value),
        ("schema.unknown_parameters", before.unknown_parameters.value, after.unknown_parameters.value),
        ("firewall.attacks", before.mode_of(before.attacks.value), after.mode_of(after.attacks.value)),
        (
            "firewall.rules_mode",
            before.mode_of(before.rules_mode.value),
            after.mode_of(after.rules_mode.value),
        ),
        ("schema.unknown_fields", before.unknown_fields.value, after.unknown_fields.value),
    ];
    for (name, old, new) in pairs {
        differences
            .ordered(subject, name, (&old, &new), strength(new) < strength(old), |it| word(*it).to_owned());
    }
}

fn firewall(
    subject: &Subject,
    before: &EffectiveSettings,
    after: &EffectiveSettings,
    differences: &mut Differences,
) {
    // More is weaker: a higher score is let through.
    let thresholds = [
        ("firewall.threshold", before.attack_threshold.value, after.attack_threshold.value),
        ("firewall.inbound_threshold", before.inbound_threshold.value, after.inbound_threshold.value),
        ("firewall.outbound_threshold", before.outbound_threshold.value, after.outbound_threshold.value),
    ];
    for (name, old, new) in thresholds {
        differences.ordered(subject, name, (&old, &new), new > old, ToString::to_string);
    }
    // Less is weaker: less is looked at.
    let (old, new) = (before.paranoia.value.0, after.paranoia.value.0);
    differences.ordered(subject, "firewall.paranoia", (&old, &new), new < old, ToString::to_string);
    let (old, new) = (before.inspect_bytes_max.value, after.inspect_bytes_max.value);
    differences.ordered(subject, "firewall.inspect", (&old, &new), new < old, ToString::to_string);
    let (old, new) = (before.beyond.value, after.beyond.value);
    differences.ordered(subject, "firewall.beyond", (&old, &new), new > old, |it| it.word().to_owned());
    let (old, new) = (&before.attacks_ignored.value, &after.attacks_ignored.value);
    let more = new.iter().any(|it| !old.contains(it));
    differences.ordered(subject, "firewall.ignore", (old, new), more, |it| {
        words(&it.iter().map(|it| it.word().into()).collect::<Vec<_>>(), "none")
    });
    let sources = |it: &EffectiveSettings| -> Vec<std::sync::Arc<str>> {
        it.rules.value.iter().map(|it| it.to_string().into()).collect()
    };
    let (old, new) = (sources(before), sources(after));
    let fewer = old.iter().any(|it| !new.contains(it));
    differences.ordered(subject, "firewall.rules", (&old, &new), fewer, |it| words(it, "none"));
}

fn sizes(
    subject: &Subject,
    before: &EffectiveSettings,
    after: &EffectiveSettings,
    differences: &mut Differences,
) {
    let pairs = [
        ("size.body", before.body_bytes_max.value, after.body_bytes_max.value),
        ("size.json_depth", before.json_depth_max.value, after.json_depth_max.value),
        ("size.json_keys", before.json_keys_max.value, after.json_keys_max.value),
        ("size.parts", before.parts_max.value, after.parts_max.value),
    ];
    for (name, old, new) in pairs {
        differences.ordered(subject, name, (&old, &new), new > old, ToString::to_string);
    }
    // A larger bound here means that more answers are judged.
    let (old, new) = (before.response_body_bytes_max.value, after.response_body_bytes_max.value);
    differences.ordered(subject, "size.response_body", (&old, &new), new < old, ToString::to_string);
}

const fn strength(mode: Mode) -> u8 {
    match mode {
        Mode::Block => 2,
        Mode::Report => 1,
        Mode::Off => 0,
    }
}

const fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Block => "block",
        Mode::Report => "report",
        Mode::Off => "off",
    }
}

fn words(words: &[std::sync::Arc<str>], none: &str) -> String {
    if words.is_empty() { none.to_owned() } else { words.join(", ") }
}
