//! From a path to a checked configuration, or to everything that is wrong with it.

mod check;
mod glob;
mod include;
mod merge;
mod short_form;

pub use glob::files_matching;

use std::{path::Path, sync::Arc};

use jiff::{Timestamp as Moment, tz::TimeZone};
use portcullis_core::clock::Timestamp;

use crate::{
    diagnostic::{Diagnostic, Severity},
    model::Config,
    outside::Outside,
    read::{Names, Read, Reader},
    render::{Style, render},
    source::Sources,
    units::FilePath,
};

/// What loading found.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The configuration; `None` when there is an error among the diagnostics.
    pub config: Option<Config>,
    /// The data directory, even of a configuration that is refused, so that a running gate can be found.
    pub data: Option<FilePath>,
    /// Every remark, in the order of files and lines.
    pub diagnostics: Vec<Diagnostic>,
    /// The files read.
    pub sources: Sources,
}

impl Loaded {
    /// Whether anything forbids to run this configuration.
    pub fn refused(&self) -> bool {
        self.config.is_none()
    }

    /// The remarks for people.
    pub fn render(&self, style: Style) -> String {
        render(&self.diagnostics, &self.sources, style)
    }
}

/// Loads a configuration. `now` decides which exceptions have expired.
pub fn load(path: &Path, outside: &dyn Outside, now: Timestamp) -> Loaded {
    let mut sources = Sources::default();
    let (trees, mut diagnostics) = include::read_all(path, outside, &mut sources);
    let root = merge::merge(trees, &sources, &mut diagnostics);
    let mut config = None;
    let mut data = None;
    if let Some(mut root) = root {
        short_form::expand(&mut root, &sources, &mut diagnostics);
        let mut reader = Reader::new(&sources, Names::of(&root), day(now));
        config = Config::read(&root, &mut reader);
        let (providers, upstreams) =
            (std::mem::take(&mut reader.inline_providers), std::mem::take(&mut reader.inline_upstreams));
        if let Some(config) = &mut config {
            data.clone_from(&config.data);
            // Names with dots cannot clash with a path such as `apis.orders.auth`: they are refused below.
            config.identity.providers.extend(providers.into_iter().map(|(name, it)| (Arc::from(name), it)));
            config.upstreams.extend(upstreams.into_iter().map(|(name, it)| (Arc::from(name), it)));
            check::check(config, &root, &mut reader);
        }
        diagnostics.append(&mut reader.diagnostics);
    }
    diagnostics.sort_by_key(|it| it.span.map(|span| (span.file, span.start)));
    if diagnostics.iter().any(|it| it.severity() == Severity::Error) {
        config = None;
    }
    Loaded { config, data, diagnostics, sources }
}

/// The day of a moment in UTC.
fn day(now: Timestamp) -> jiff::civil::Date {
    let micros = i64::try_from(now.as_micros()).unwrap_or(i64::MAX);
    let moment = Moment::from_microsecond(micros).unwrap_or(Moment::MAX);
    moment.to_zoned(TimeZone::UTC).date()
}
