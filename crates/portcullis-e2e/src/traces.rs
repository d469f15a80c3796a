//! What a call leaves behind: its answer, its one event, its explanation, and nothing secret anywhere.

use std::{path::Path, time::Duration};

use serde_json::Value;

use crate::{caller::Answer, gate::Gate};

impl Gate {
    /// Fails unless the answer is the minimal refusal of that status, the record holds exactly one event for it with
    /// that rule among its reasons, and `explain` names the rule. Returns the event.
    pub async fn assert_refused(&self, answer: &Answer, status: u16, rule: &str) -> Value {
        assert_eq!(answer.status, status, "for {rule}: {}\n{}", answer.text(), self.log());
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let problem = answer.json();
        let members: Vec<&str> = problem.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(members, ["type", "title", "status", "instance"], "the client is told no more");
        assert_eq!(problem["status"], status);
        let event = self.only_event_of(&answer.reference()).await;
        assert_eq!(event["status"], status);
        assert!(rules(&event).contains(&rule), "{rule} is not among the reasons of {event:#}");
        let explained = self.command(&["explain", &answer.reference()]);
        assert_eq!(explained.code, 0, "{}{}", explained.stdout, explained.stderr);
        assert!(explained.stdout.contains(rule), "{rule} is not explained in\n{}", explained.stdout);
        event
    }

    /// The event of a reference, once it is on record; fails when there is more than one.
    pub async fn only_event_of(&self, reference: &str) -> Value {
        for _ in 0..200 {
            let all = self.events(0).await;
            let mut found = all.into_iter().filter(|event| event["id"] == reference);
            if let Some(event) = found.next() {
                assert!(found.next().is_none(), "two events for {reference}");
                return event;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("no event for {reference}\n{}", self.log());
    }

    /// Fails when a secret stands anywhere in the gate's data, its log, its record or its status.
    pub fn assert_nowhere(&self, secret: &str) {
        assert!(secret.len() >= 8, "too short to look for");
        assert!(!self.log().contains(secret), "the secret is in the log");
        assert!(!self.status().to_string().contains(secret), "the secret is in the status");
        let mut found = Vec::new();
        files_with(&self.data(), secret.as_bytes(), &mut found);
        assert!(found.is_empty(), "the secret is in {found:?}");
    }

    /// Reloads, and fails unless the gate took the configuration.
    pub fn reload_well(&self) {
        let output = self.reload();
        assert_eq!(output.code, 0, "{}{}\n{}", output.stdout, output.stderr, self.log());
    }
}

/// The rules among an event's reasons.
pub fn rules(event: &Value) -> Vec<&str> {
    let reasons = event["reasons"].as_array().map(Vec::as_slice).unwrap_or_default();
    reasons.iter().filter_map(|reason| reason["rule"].as_str()).collect()
}

/// Asks again and again until an answer has that status; fails after some seconds.
pub async fn until_status<F, A>(status: u16, mut ask: F) -> Answer
where
    F: FnMut() -> A,
    A: Future<Output = Answer>,
{
    let mut last = None;
    for _ in 0..400 {
        let answer = ask().await;
        if answer.status == status {
            return answer;
        }
        last = Some(answer);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never {status}: {last:?}");
}

fn files_with(folder: &Path, needle: &[u8], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files_with(&path, needle, found);
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(needle.len()).any(|window| window == needle)
        {
            found.push(path.display().to_string());
        }
    }
}
