//! From matches to what the operator is told: the rule that matters first, the machinery of a rule set not at all.

use std::collections::HashSet;

use portcullis_core::{
    chain::Phase,
    context::Context,
    verdict::{Denial, Reason, RuleId, Severity, Verdict},
};
use portcullis_seclang::{Disruption, Intervention, RuleMatch};

use super::place;

/// Rules told with place and value besides the one that matters.
const OTHERS_MAX: usize = 5;
/// Rules beyond those that are told by their number alone. No good call and hardly an attack breaks as many; what is
/// written down of one call must stay small.
const NAMED_MAX: usize = 64;
/// Bytes told of a message and of a value.
const SEEN_BYTES_MAX: usize = 120;

/// A refusal, explained by what led to it.
#[cold]
pub(super) fn refusal(stop: &Intervention, matches: &[RuleMatch], cx: &Context, phase: Phase) -> Verdict {
    let denial = match phase {
        Phase::RequestHead | Phase::RequestBody => denial(stop),
        Phase::ResponseHead | Phase::ResponseBody => Denial::BadAnswer,
    };
    match reason(matches, cx) {
        Some(reason) => reason.deny(denial),
        None => {
            let message = "a rule refused the call";
            Reason::new(RuleId::owned(format!("rules/{}", stop.rule)), Severity::High, message).deny(denial)
        }
    }
}

/// What matched without leading to a refusal.
pub(super) fn remark(matches: &[RuleMatch], cx: &Context, _phase: Phase) -> Verdict {
    if matches.is_empty() {
        return Verdict::Pass;
    }
    match reason(matches, cx) {
        Some(reason) => reason.flag(),
        None => Verdict::Pass,
    }
}

/// The matches as one reason, the worst first; `None` when all that matched is machinery.
#[cold]
fn reason(matches: &[RuleMatch], cx: &Context) -> Option<Reason> {
    let mut told: Vec<&RuleMatch> = matches.iter().filter(|it| !it.infrastructure).collect();
    // A stable sort: among equals the first found stays first.
    told.sort_by_key(|it| it.severity.unwrap_or(u8::MAX));
    // A rule that many values broke is told once.
    let mut known = HashSet::new();
    told.retain(|it| known.insert(it.id));
    let (worst, others) = told.split_first()?;
    let id = RuleId::owned(format!("rules/{}", worst.id));
    let message = match text(&worst.message) {
        message if message.is_empty() => "a rule matched".to_owned(),
        message => message,
    };
    let mut reason = Reason::new(id, severity(worst.severity), message);
    reason = reason.at(place::of(&worst.variable, cx), text(&worst.value));
    let name = |it: &RuleMatch| RuleId::owned(format!("rules/{}", it.id));
    let (shown, named) = others.split_at_checked(OTHERS_MAX).unwrap_or((others, &[]));
    for other in shown {
        reason = reason.also(name(other), place::of(&other.variable, cx), text(&other.value));
    }
    reason.others = named.iter().take(NAMED_MAX).map(|it| name(it)).collect();
    Some(reason)
}

/// The refusal as clients know it. What a rule wants to say or do beyond that is not theirs to hear.
fn denial(stop: &Intervention) -> Denial {
    match (&stop.disruption, stop.status) {
        (Disruption::Deny, 400) => Denial::Malformed,
        (Disruption::Deny, 404) => Denial::NotFound,
        (Disruption::Deny, 413) => Denial::TooLarge,
        (Disruption::Deny, 415) => Denial::UnsupportedMediaType,
        (Disruption::Deny, 422) => Denial::Invalid,
        (Disruption::Deny, 429) => Denial::TooManyRequests { retry_after_secs: 1 },
        (Disruption::Deny, 503) => Denial::Unavailable,
        (Disruption::Deny | Disruption::Drop | Disruption::Redirect(_), _) => Denial::Blocked,
    }
}

/// ModSecurity's eight severities as ours.
const fn severity(severity: Option<u8>) -> Severity {
    match severity {
        Some(0..=2) => Severity::Critical,
        Some(3) => Severity::High,
        Some(4) => Severity::Medium,
        Some(5) => Severity::Low,
        Some(_) => Severity::Info,
        None => Severity::Medium,
    }
}

fn text(bytes: &[u8]) -> String {
    let cut = bytes.get(..SEEN_BYTES_MAX).unwrap_or(bytes);
    String::from_utf8_lossy(cut).replace(char::is_control, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate_limit::testing::call;

    fn found(id: u64, severity: u8) -> RuleMatch {
        RuleMatch {
            id,
            phase: 2,
            message: b"m".to_vec(),
            logdata: Vec::new(),
            tags: Vec::new(),
            severity: Some(severity),
            variable: b"REQUEST_URI".to_vec(),
            value: b"v".to_vec(),
            disruptive: false,
            infrastructure: id == 9,
        }
    }

    #[test]
    fn tells_each_rule_once_the_worst_first_and_no_machinery() {
        let matches = [found(1, 4), found(9, 0), found(2, 2), found(1, 4), found(2, 2)];
        let reason = reason(&matches, &call("192.0.2.1")).unwrap();
        assert_eq!(reason.rule.as_str(), "rules/2");
        let others: Vec<_> = reason.evidence.iter().filter_map(|it| it.rule.as_ref()).collect();
        assert_eq!(others, [&RuleId::new("rules/1")]);
        assert_eq!((reason.evidence.len(), reason.others.len()), (2, 0));
        assert!(super::reason(&[found(9, 0)], &call("192.0.2.1")).is_none());
    }

    #[test]
    fn names_what_it_does_not_show_and_no_more_than_may_be() {
        let matches: Vec<RuleMatch> = (100..300).map(|id| found(id, 2)).collect();
        let reason = reason(&matches, &call("192.0.2.1")).unwrap();
        assert_eq!(reason.evidence.len(), 1 + OTHERS_MAX);
        assert_eq!(reason.others.len(), NAMED_MAX);
        assert_eq!(reason.others.first(), Some(&RuleId::new("rules/106")));
    }
}
