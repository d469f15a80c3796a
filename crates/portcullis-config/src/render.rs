//! Diagnostics for people: the line, a caret under what is meant, and how to mend it.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Origin as Place, Renderer, Snippet};

use crate::{
    diagnostic::{Diagnostic, Severity},
    source::{Sources, Span},
};

/// How diagnostics are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without colour: for files, pipes and tests.
    Plain,
    /// With ANSI colours: for terminals.
    Colour,
}

/// Two places nearer than this, in bytes, share one picture.
const NEAR: u32 = 2_000;

/// Draws diagnostics one after the other, with a line at the end that counts them. Secrets written in the
/// configuration are drawn as asterisks.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources, style: Style) -> String {
    let concealed: Vec<Span> = diagnostics.iter().filter(|it| it.conceal).filter_map(|it| it.span).collect();
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&renderer.render(&groups(diagnostic, sources, &concealed)));
        text.push_str("\n\n");
    }
    text.push_str(&summary(diagnostics));
    text
}

/// "2 errors, 1 warning".
fn summary(diagnostics: &[Diagnostic]) -> String {
    let count = |severity| diagnostics.iter().filter(|it| it.severity() == severity).count();
    let words = |count: usize, word: &str| match count {
        1 => format!("1 {word}"),
        _ => format!("{count} {word}s"),
    };
    format!("{}, {}\n", words(count(Severity::Error), "error"), words(count(Severity::Warning), "warning"))
}

fn groups<'a>(diagnostic: &'a Diagnostic, sources: &'a Sources, concealed: &[Span]) -> Vec<Group<'a>> {
    let level = match diagnostic.severity() {
        Severity::Warning => Level::WARNING,
        Severity::Error => Level::ERROR,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code.id);
    let mut group = Group::with_title(title);
    if let Some(span) = diagnostic.span {
        let also = diagnostic.also.as_ref();
        let beside =
            also.filter(|(other, ..)| other.file == span.file && other.start.abs_diff(span.start) < NEAR);
        match picture(span, beside.map(|(other, _, label)| (*other, *label)), sources, concealed) {
            Some(snippet) => group = group.element(snippet),
            None => group = place(group, diagnostic),
        }
        if let (Some((other, _, label)), None) = (also, beside)
            && let Some(window) = Window::around(*other, *other, sources, concealed)
        {
            let annotation = AnnotationKind::Context.span(window.part(*other)).label(*label);
            group = group.element(window.snippet().annotation(annotation));
        }
    } else {
        group = place(group, diagnostic);
    }
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.message(hint.as_str()));
    }
    vec![group]
}

fn place<'a>(group: Group<'a>, diagnostic: &Diagnostic) -> Group<'a> {
    match &diagnostic.origin {
        Some(at) => group.element(Place::path(at.file.to_string()).line(at.line as usize)),
        None => group,
    }
}

fn picture<'a>(
    span: Span,
    beside: Option<(Span, &'a str)>,
    sources: &Sources,
    concealed: &[Span],
) -> Option<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let window = Window::around(span, beside.map_or(span, |(other, _)| other), sources, concealed)?;
    let mut snippet = window.snippet().annotation(AnnotationKind::Primary.span(window.part(span)));
    if let Some((other, label)) = beside {
        snippet = snippet.annotation(AnnotationKind::Context.span(window.part(other)).label(label));
    }
    Some(snippet)
}

/// The lines of a file that are drawn: a whole file would be searched anew for every remark.
struct Window {
    text: String,
    path: String,
    start: usize,
    line: usize,
}

impl Window {
    fn around(a: Span, b: Span, sources: &Sources, concealed: &[Span]) -> Option<Self> {
        let file = sources.file(a)?;
        let (first, last) = (a.start.min(b.start) as usize, a.start.max(b.start) as usize);
        let start = file.text.get(..first)?.rfind('\n').map_or(0, |at| at + 1);
        let end = file.text.get(last..)?.find('\n').map_or(file.text.len(), |at| last + at);
        let mut bytes = file.text.get(start..end)?.to_owned().into_bytes();
        for secret in concealed.iter().filter(|it| it.file == a.file) {
            let from = (secret.start as usize).saturating_sub(start);
            let to = (secret.end as usize).saturating_sub(start).min(bytes.len());
            if let Some(part) = bytes.get_mut(from..to) {
                part.fill(b'*');
            }
        }
        // Spans of secrets begin and end between characters, so this stays UTF-8.
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let line = sources.origin(Span { start: u32::try_from(start).ok()?, ..a }).line as usize;
        Some(Self { text, path: file.name.to_string(), start, line })
    }

    fn snippet<'a>(&self) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        Snippet::source(self.text.clone()).line_start(self.line).path(self.path.clone())
    }

    /// The part of a span that lies on its first line.
    fn part(&self, span: Span) -> Range<usize> {
        let start = (span.start as usize).saturating_sub(self.start).min(self.text.len());
        let end = (span.end as usize).saturating_sub(self.start).clamp(start, self.text.len());
        let line = self.text.get(start..end).unwrap_or_default();
        let shown = line.split('\n').next().unwrap_or_default().trim_end().len();
        start..start + shown
    }
}
