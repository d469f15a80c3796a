//! A line that moves while a scan runs; on anything but a terminal nothing but what was found.

use std::io::{IsTerminal as _, Write as _};

use indicatif::{ProgressBar, ProgressStyle};
use portcullis_scanner::engine;

/// What the operator sees meanwhile.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
}

impl Progress {
    /// Begins; quiet says nothing at all.
    pub(super) fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            if let Ok(style) =
                ProgressStyle::with_template("{spinner} {prefix:10} {bar:24} {pos}/{len} {elapsed} {msg}")
            {
                bar.set_style(style);
            }
            bar
        });
        Self { bar, quiet }
    }

    /// Shows an occurrence.
    pub(super) fn tell(&mut self, what: engine::Progress) {
        match what {
            engine::Progress::Part(part) => {
                if let Some(bar) = &self.bar {
                    bar.set_prefix(part);
                    bar.set_position(0);
                }
            }
            engine::Progress::Step { done, of, what, requests } => {
                if let Some(bar) = &self.bar {
                    bar.set_length(u64::try_from(of.max(done)).unwrap_or_default());
                    bar.set_position(u64::try_from(done).unwrap_or_default());
                    bar.set_message(format!("{requests} requests  {what}"));
                }
            }
            engine::Progress::Found(finding) => {
                let place =
                    if finding.slot.is_empty() { String::new() } else { format!(" {}", finding.slot) };
                self.line(&format!(
                    "found  {:9} {} {}{place}",
                    format!("{:?}", finding.severity).to_lowercase(),
                    finding.check,
                    finding.operation
                ));
            }
            engine::Progress::Note(text) => self.line(&format!("note   {text}")),
        }
    }

    fn line(&self, text: &str) {
        // What a target answered may stand in it: control characters would move the cursor.
        let text: String =
            text.chars().map(|letter| if letter.is_control() { '·' } else { letter }).collect();
        match &self.bar {
            Some(bar) => bar.println(text),
            None if self.quiet => {}
            None => {
                // A closed standard error is no reason to stop.
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
