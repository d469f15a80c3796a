//! One trial: the check tells what it needs next, the engine does it, until there is a verdict.

use std::sync::Arc;

use super::{Engine, TrialRecord, VISIT_WAIT};
use crate::{
    call::Call,
    check::{Check, Info, Phase, Proof, Target, Verdict},
    finding::{Exchange, Finding, Shield},
    model::Protocol,
    script::{Next, Step, StepOutcome, Trace, Want, next},
    wire::Answer,
};

/// A token that nobody had called when the trial looked; who calls later makes a second-order finding of it.
pub(super) struct Awaited {
    token: String,
    info: &'static Info,
    target: Target,
    exchange: Vec<Exchange>,
}

/// Tokens remembered, at most.
const AWAITED_MAX: usize = 4_096;

/// What a trial sent and got, numbered as the script numbers answers.
#[derive(Default)]
struct Seen {
    all: Vec<(Call, Arc<Answer>)>,
}

impl Engine<'_> {
    /// Makes one trial, unless it was made before the scan was interrupted.
    pub(super) async fn try_one(&mut self, check: &'static dyn Check, target: &Target) {
        let info = check.info();
        let key = self.key_of(info.id, target);
        if self.log.made(&key).is_some() {
            return;
        }
        self.label = key.replace('\n', " ").trim().to_owned();
        let before = self.pace.requests;
        let (mut verdict, mut seen) = self.told_to_the_end(check, target).await;
        let touched = seen.all.iter().any(|(call, answer)| {
            answer.done()
                && call.operation.and_then(|it| self.world.effect(it)).is_none_or(|it| it.changes_state())
        });
        if touched || matches!(info.phase, Phase::Destroy | Phase::Flood) {
            self.revive().await;
        }
        // An identity fell out in the middle: what the trial saw means nothing, it is told once more from the start.
        if verdict == Verdict::Clean && self.fell_out(&seen) {
            (verdict, seen) = self.told_to_the_end(check, target).await;
        }
        let mut record = TrialRecord {
            key,
            check: info.id.to_owned(),
            requests: u32::try_from(self.pace.requests - before).unwrap_or(u32::MAX),
            skipped: None,
            findings: Vec::new(),
        };
        match verdict {
            Verdict::Clean => {}
            Verdict::Skipped(why) => record.skipped = Some(why),
            Verdict::Found(proofs) => {
                for proof in proofs {
                    let finding = self.finding(info, target, proof, &seen);
                    (self.tell)(super::Progress::Found(Box::new(finding.clone())));
                    record.findings.push(finding);
                }
            }
        }
        self.log.done(record);
        self.clones.clear();
    }

    fn fell_out(&self, seen: &Seen) -> bool {
        seen.all.iter().any(|(call, answer)| {
            answer.outcome == crate::wire::Outcome::Unauthenticated
                && call.by != crate::call::ANONYMOUS
                && call.edits.is_empty()
                && self.world.identity(call.by).is_some_and(|identity| {
                    !identity.session.secret.is_empty()
                        && !answer
                            .request
                            .headers
                            .iter()
                            .any(|(_, value)| value.contains(&identity.session.secret))
                })
        })
    }

    async fn told_to_the_end(&mut self, check: &'static dyn Check, target: &Target) -> (Verdict, Seen) {
        let info = check.info();
        let seed = self.seed_of(info.id, target);
        let (mut trace, mut seen) = (Trace::default(), Seen::default());
        loop {
            let step = match next(check, &self.world, target, seed, &trace) {
                Next::Done(verdict) => return (verdict, seen),
                Next::Step(step) => step,
            };
            if seen.all.len() >= info.requests_max as usize {
                return (Verdict::Skipped(format!("more than {} requests", info.requests_max)), seen);
            }
            if let Some(why) = self.pace.exhausted() {
                return (Verdict::Skipped(why), seen);
            }
            let awaits = if let Step::Await(token) = &step { Some(token.clone()) } else { None };
            let outcome = self.take(step, &mut seen).await;
            if let (Some(token), StepOutcome::Hits(hits)) = (awaits, &outcome)
                && hits.is_empty()
                && self.awaited.len() < AWAITED_MAX
            {
                let secrets = self.secrets();
                let last = seen.all.last();
                let exchange = last.map(|(call, answer)| self.exchange(call, answer, "probe", &secrets));
                let (target, exchange) = (target.clone(), exchange.into_iter().collect());
                self.awaited.push(Awaited { token, info, target, exchange });
            }
            trace.outcomes.push(outcome);
        }
    }

    async fn take(&mut self, step: Step, seen: &mut Seen) -> StepOutcome {
        match step {
            Step::Send(call) => {
                let answer = self.call(&call).await;
                seen.all.push((call, Arc::clone(&answer)));
                StepOutcome::Answer(answer)
            }
            Step::Together(mut calls) => {
                calls.truncate(self.options.bounds.burst as usize);
                let answers = self.call_together(&calls).await;
                seen.all.extend(calls.into_iter().zip(answers.iter().cloned()));
                StepOutcome::Answers(answers)
            }
            Step::Identity(want) => {
                let identity = match want {
                    Want::Fresh(role) => self.fresh(role).await,
                    Want::Login(id) => self.further_session(id).await,
                };
                StepOutcome::Identity(identity.map(Arc::new))
            }
            Step::Await(token) => StepOutcome::Hits(match &self.listener {
                Some(listener) => listener.wait(&token, VISIT_WAIT).await,
                None => Vec::new(),
            }),
            Step::Plant(token, planted) => {
                if let Some(listener) = &self.listener {
                    listener.plant(&token, planted);
                }
                StepOutcome::Planted
            }
        }
    }

    /// The same user under a number of its own, with a session of its own: ending it leaves the first alone.
    async fn further_session(
        &mut self,
        id: crate::call::IdentityId,
    ) -> Result<crate::identity::Identity, String> {
        let mut again = self.log_in_again(id).await?;
        let last = self.world.identities.iter().chain(&self.clones).map(|identity| identity.id.0).max();
        again.id = crate::call::IdentityId(last.unwrap_or_default() + 1);
        self.clones.push(again.clone());
        Ok(again)
    }

    fn finding(&self, info: &Info, target: &Target, proof: Proof, seen: &Seen) -> Finding {
        let operation = proof.operation.or(target.operation).and_then(|it| self.world.model.operation(it));
        let slot = proof.slot.as_ref().or(target.slot.as_ref()).map(ToString::to_string).unwrap_or_default();
        let variant = if proof.variant.is_empty() { &target.variant } else { &proof.variant };
        let id = operation.map(|it| it.id.to_string()).unwrap_or_default();
        let secrets = self.secrets();
        let exchanges: Vec<Exchange> = proof
            .exchanges
            .iter()
            .filter_map(|(number, part)| seen.all.get(*number).map(|(call, answer)| (call, answer, *part)))
            .map(|(call, answer, part)| self.exchange(call, answer, part, &secrets))
            .collect();
        let probe = exchanges.iter().find(|it| it.part == "probe").or_else(|| exchanges.last());
        Finding {
            fingerprint: fingerprint(&[info.id, &id, &slot, variant]),
            check: info.id.to_owned(),
            title: info.title.to_owned(),
            section: info.section,
            severity: proof.severity.unwrap_or(info.severity),
            certainty: proof.certainty,
            operation: if id.is_empty() { variant.clone() } else { id },
            slot,
            protocol: operation.map_or(Protocol::Rest, crate::model::Operation::protocol),
            owasp: info.owasp.to_owned(),
            cwe: info.cwe,
            wfc: info.wfc.map(str::to_owned),
            summary: proof.summary,
            remedy: info.remedy.to_owned(),
            curl: probe.map(curl).unwrap_or_default(),
            exchanges,
            shield: proof.shield,
        }
    }

    fn exchange(&self, call: &Call, answer: &Answer, part: &str, secrets: &[(String, String)]) -> Exchange {
        const SHOWN: usize = 4 << 10;
        let masked = |text: &str| {
            secrets.iter().fold(text.to_owned(), |text, (secret, name)| text.replace(secret.as_str(), name))
        };
        let cut = |bytes: &[u8]| {
            masked(&String::from_utf8_lossy(bytes.get(..bytes.len().min(SHOWN)).unwrap_or_default()))
        };
        let fields = |list: &[(String, String)]| {
            list.iter().map(|(name, value)| (name.clone(), masked(value))).collect()
        };
        let request = &answer.request;
        Exchange {
            by: self.name_of(call.by),
            part: part.to_owned(),
            method: request.method.clone(),
            url: format!("{}{}", self.options.base.origin(), masked(&request.target)),
            request_headers: fields(&request.headers),
            request_body: cut(&request.body),
            status: answer.status,
            answer_headers: fields(&answer.headers),
            answer_body: cut(&answer.body),
            micros: answer.micros,
        }
    }

    /// What came to the listener after its trial was over: second-order findings.
    pub(super) async fn late_hits(&mut self) {
        let Some(listener) = &self.listener else { return };
        tokio::time::sleep(VISIT_WAIT).await;
        let visits = listener.all();
        let mut found: Vec<(Awaited, String)> = Vec::new();
        for awaited in std::mem::take(&mut self.awaited) {
            let visit = visits.iter().find(|(token, hits)| *token == awaited.token && !hits.is_empty());
            if let Some(hit) = visit.and_then(|(_, hits)| hits.first()) {
                found.push((awaited, hit.by.clone()));
            }
        }
        for (Awaited { info, target, exchange, .. }, by) in found {
            let proof = Proof {
                variant: format!("{}later", target.variant),
                ..Proof::confirmed(
                    format!(
                        "the value was taken up later: our listener was visited over {by} after the call had been answered"
                    ),
                    Vec::new(),
                    Shield::AttackRule,
                )
            };
            let mut finding = self.finding(info, &target, proof, &Seen::default());
            finding.curl = exchange.first().map(curl).unwrap_or_default();
            finding.exchanges = exchange;
            (self.tell)(super::Progress::Found(Box::new(finding.clone())));
            self.log.done(TrialRecord {
                key: format!("{}\nlater", self.key_of(info.id, &target)),
                check: info.id.to_owned(),
                requests: 0,
                skipped: None,
                findings: vec![finding],
            });
        }
    }
}

/// SHA-256 over the parts, the first sixteen hexadecimal digits.
pub(crate) fn fingerprint(parts: &[&str]) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, parts.join("\n").as_bytes());
    digest.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// One command that makes the call again; every word quoted for a POSIX shell, `$NAME_TOKEN` left to expand.
fn curl(exchange: &Exchange) -> String {
    let quoted = |text: &str| {
        // Double quotes, so that the names of secrets expand; what else a shell would read is escaped.
        let mut out = String::from("\"");
        for (at, letter) in text.char_indices() {
            let expands = letter == '$' && names_secret(text.get(at + 1..).unwrap_or_default());
            if matches!(letter, '"' | '\\' | '`' | '$') && !expands {
                out.push('\\');
            }
            out.push(letter);
        }
        out.push('"');
        out
    };
    let literal = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let word = |text: &str| {
        if text.contains('$') && (text.contains("_TOKEN") || text.contains("_PASSWORD")) {
            quoted(text)
        } else {
            literal(text)
        }
    };
    let mut line = format!("curl -sS -i -X {} {}", exchange.method, word(&exchange.url));
    for (name, value) in
        exchange.request_headers.iter().filter(|(name, _)| name != "user-agent" && name != "host")
    {
        line.push_str(&format!(" -H {}", word(&format!("{name}: {value}"))));
    }
    if !exchange.request_body.is_empty() {
        line.push_str(&format!(" --data-raw {}", word(&exchange.request_body)));
    }
    line
}

/// Whether a text begins with the name of a masked secret: `A_TOKEN`.
fn names_secret(text: &str) -> bool {
    let name = text
        .split(|letter: char| !(letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '_'))
        .next();
    name.is_some_and(|name| name.ends_with("_TOKEN") || name.ends_with("_PASSWORD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exchange(url: &str, body: &str) -> Exchange {
        Exchange {
            by: "A".to_owned(),
            part: "probe".to_owned(),
            method: "POST".to_owned(),
            url: url.to_owned(),
            request_headers: vec![("authorization".to_owned(), "Bearer $A_TOKEN".to_owned())],
            request_body: body.to_owned(),
            status: 200,
            answer_headers: Vec::new(),
            answer_body: String::new(),
            micros: 1,
        }
    }

    #[test]
    fn a_command_runs_nothing_but_curl() {
        let line = curl(&exchange(
            "http://127.0.0.1/a?b='$(id)`id`",
            "{\"a\": \"$A_TOKEN $(touch x) `id` \\\" $HOME\"}",
        ));
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!("A_TOKEN=secret; curl() {{ printf '%s\\n' \"$@\"; }}; {line}"))
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("authorization: Bearer secret"), "{text}");
        assert!(text.contains("b='$(id)`id`"), "{text}");
        assert!(text.contains("secret $(touch x) `id` \\\" $HOME"), "{text}");
    }

    #[test]
    fn a_fingerprint_depends_on_every_part() {
        assert_eq!(fingerprint(&["a", "b"]).len(), 16);
        assert_ne!(fingerprint(&["a", "b"]), fingerprint(&["a", "c"]));
    }
}
