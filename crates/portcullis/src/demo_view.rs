//! What `portcullis demo` and `portcullis proxy` show while they run: totals, refusals by rule, the latest ones.

use std::collections::{BTreeMap, VecDeque};

use portcullis_core::event::{Event, Outcome};
use portcullis_demo::driver::Seen;

use crate::show_event;

/// Refusals shown one by one.
const LATEST_MAX: usize = 8;
/// Rules shown; a demo meets about a dozen.
const RULES_SHOWN: usize = 14;

/// What happened so far.
#[derive(Default)]
pub(crate) struct View {
    seconds: u64,
    calls: u64,
    served: u64,
    refused: u64,
    reported: u64,
    this_second: u64,
    rate: u64,
    micros: u64,
    rules: BTreeMap<String, Rule>,
    latest: VecDeque<String>,
    /// Calls of known intent: attackers' that were stopped, ordinary ones that were served.
    attacks: (u64, u64),
    ordinary: (u64, u64),
}

#[derive(Default)]
struct Rule {
    count: u64,
    reported_only: bool,
    example: String,
}

impl View {
    /// Takes an event in. A refusal by a rule that was not seen before is returned, for plain output.
    pub(crate) fn event(&mut self, event: &Event) -> Option<String> {
        self.calls += 1;
        self.this_second += 1;
        self.micros += event.took_micros;
        let denied = matches!(event.outcome, Outcome::Denied(_));
        match event.outcome {
            Outcome::Served | Outcome::Answered => self.served += 1,
            Outcome::Denied(_) => self.refused += 1,
            Outcome::UpstreamFailed(_) | Outcome::ClientGone | Outcome::Panicked => (),
        }
        let reason = show_event::telling(event).filter(|it| denied || it.reported_only)?;
        self.reported += u64::from(!denied);
        let would = if denied { "" } else { "would be " };
        let line = format!(
            "{would}{} {} {}  {}",
            status(event, denied),
            event.method,
            event.path,
            show_event::short(reason)
        );
        let rule = self.rules.entry(reason.rule.as_str().to_owned()).or_default();
        rule.count += 1;
        rule.reported_only = !denied;
        let is_new = rule.count == 1;
        rule.example = format!("{} {}", event.method, event.path);
        self.latest.push_back(line.clone());
        if self.latest.len() > LATEST_MAX {
            self.latest.pop_front();
        }
        is_new.then_some(line)
    }

    /// Takes in what a caller of known intent saw.
    pub(crate) fn seen(&mut self, seen: &Seen) {
        let Some(status) = seen.status else { return };
        let (good, all) = if seen.attack { &mut self.attacks } else { &mut self.ordinary };
        *all += 1;
        *good += u64::from((status >= 400) == seen.attack);
    }

    /// A second has passed.
    pub(crate) fn tick(&mut self) {
        self.seconds += 1;
        self.rate = std::mem::take(&mut self.this_second);
    }

    /// One line for output that is not a terminal.
    pub(crate) fn line(&self) -> String {
        format!(
            "{:>4} s  {:>5} calls/s  {} calls  {} served  {} refused  {} reported",
            self.seconds, self.rate, self.calls, self.served, self.refused, self.reported
        )
    }

    /// The same as one JSON object.
    pub(crate) fn json(&self) -> serde_json::Value {
        let rules: BTreeMap<&str, u64> =
            self.rules.iter().map(|(rule, it)| (rule.as_str(), it.count)).collect();
        serde_json::json!({
            "second": self.seconds, "calls_per_second": self.rate, "calls": self.calls, "served": self.served,
            "refused": self.refused, "reported": self.reported, "rules": rules,
        })
    }

    /// The whole picture, for a terminal of that width.
    pub(crate) fn picture(&self, width: usize) -> String {
        let mean = self.micros.checked_div(self.calls).unwrap_or(0);
        let mut text = format!(
            "  {} calls/s   {} calls   {} served   {} refused   {} reported   {:.1} ms a call\n\n",
            self.rate,
            self.calls,
            self.served,
            self.refused,
            self.reported,
            mean as f64 / 1_000.0
        );
        let mut rules: Vec<_> = self.rules.iter().collect();
        rules.sort_by_key(|(_, it)| std::cmp::Reverse(it.count));
        if !rules.is_empty() {
            text.push_str("  refused by rule\n");
        }
        for (rule, it) in rules.into_iter().take(RULES_SHOWN) {
            let only = if it.reported_only { " (reported only)" } else { "" };
            text.push_str(&cut(&format!("  {:>6}  {rule}{only}  {}", it.count, it.example), width));
        }
        if !self.latest.is_empty() {
            text.push_str("\n  latest\n");
        }
        for line in &self.latest {
            text.push_str(&cut(&format!("    {line}"), width));
        }
        text
    }

    /// How it ended, in a few lines.
    pub(crate) fn summary(&self) -> String {
        let mut text = format!(
            "{} calls in {} s: {} served, {} refused, {} would have been refused\n",
            self.calls, self.seconds, self.served, self.refused, self.reported
        );
        if self.attacks.1 > 0 {
            text.push_str(&format!(
                "attackers' calls stopped: {} of {}; ordinary calls served: {} of {}\n",
                self.attacks.0, self.attacks.1, self.ordinary.0, self.ordinary.1
            ));
        }
        text
    }
}

fn status(event: &Event, denied: bool) -> String {
    if denied { event.status.to_string() } else { "refused:".to_owned() }
}

/// One line, cut at the terminal's edge: a wrapped line would break the redrawing. Paths are the attackers' text.
fn cut(line: &str, width: usize) -> String {
    let printable = portcullis_events::text::printable(line);
    let mut cut: String = printable.chars().take(width.saturating_sub(1)).collect();
    cut.push('\n');
    cut
}
