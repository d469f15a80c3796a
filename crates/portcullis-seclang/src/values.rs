//! The values of one exchange: bytes in one arena, and per variable the list of its named values.
//!
//! Names and values are spans of the arena, so that collecting a body of thousands of leaves allocates nothing once the
//! arena has grown, and a whole transaction is forgotten by setting lengths back to 0.

use crate::syntax::Variable;

/// A piece of the arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    start: u32,
    end: u32,
}

impl Span {
    /// Bytes from the span's start.
    pub(crate) const fn len(self) -> usize {
        (self.end - self.start) as usize
    }
}

/// One value of a variable; scalars have an empty name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// Which list of values: one per stored variable, one for arguments of structured bodies, one per XPath of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct List(u16);

/// Arguments that a JSON (or XML) body gave: part of `ARGS`, but not of `ARGS_POST`, as in ModSecurity v3.
pub(crate) const ARGS_STRUCTURED: List = List(Variable::ALL.len() as u16);

impl List {
    /// The list of the values of a variable that is stored.
    pub(crate) const fn of(variable: Variable) -> Self {
        List(variable as u16)
    }

    /// The list of what an XPath of the rules selects.
    pub(crate) const fn of_xpath(index: u16) -> Self {
        List(ARGS_STRUCTURED.0 + 1 + index)
    }

    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The most that one arena holds; what exceeds it is cut off, and the collector reports the body as faulty.
const ARENA_BYTES_MAX: usize = 1 << 30;

/// All values of one exchange.
#[derive(Debug, Default)]
pub(crate) struct Values {
    arena: Vec<u8>,
    lists: Vec<Vec<Entry>>,
}

impl Values {
    /// Room for the stored variables and so many XPaths.
    pub(crate) fn new(xpaths: usize) -> Self {
        let mut lists = Vec::new();
        lists.resize_with(ARGS_STRUCTURED.index() + 1 + xpaths, Vec::new);
        Values { arena: Vec::new(), lists }
    }

    /// Forgets everything, keeps the room, but no more of it than a common exchange needs.
    pub(crate) fn clear(&mut self) {
        self.arena.clear();
        self.arena.shrink_to(1 << 18);
        for list in &mut self.lists {
            list.clear();
            list.shrink_to(1 << 12);
        }
    }

    /// Copies bytes into the arena.
    pub(crate) fn store(&mut self, bytes: &[u8]) -> Span {
        let start = self.arena.len();
        let room = ARENA_BYTES_MAX.saturating_sub(start);
        self.arena.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        self.span_from(start)
    }

    /// Opens a value that is written piece by piece; [`Self::span_from`] ends it.
    pub(crate) fn open(&mut self) -> usize {
        self.arena.len()
    }

    /// Appends to the open value.
    pub(crate) fn push(&mut self, byte: u8) {
        if self.arena.len() < ARENA_BYTES_MAX {
            self.arena.push(byte);
        }
    }

    /// Appends to the open value.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let _ = self.store(bytes);
    }

    /// What was written since `start`.
    pub(crate) fn span_from(&self, start: usize) -> Span {
        Span { start: start as u32, end: self.arena.len() as u32 }
    }

    /// A part of a span.
    pub(crate) fn part(span: Span, start: usize, end: usize) -> Span {
        let clamp = |at: usize| span.start + (at.min(span.len()) as u32);
        let (start, end) = (clamp(start), clamp(end));
        Span { start: start.min(end), end }
    }

    /// The bytes of a span.
    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        self.arena.get(span.start as usize..span.end as usize).unwrap_or_default()
    }

    /// Adds a named value.
    pub(crate) fn add(&mut self, list: List, name: Span, value: Span) {
        if let Some(entries) = self.lists.get_mut(list.index()) {
            entries.push(Entry { name, value });
        }
    }

    /// Sets a variable that has one value.
    pub(crate) fn set(&mut self, variable: Variable, value: &[u8]) {
        let value = self.store(value);
        self.set_span(variable, value);
    }

    /// Sets a variable that has one value to bytes already stored.
    pub(crate) fn set_span(&mut self, variable: Variable, value: Span) {
        if let Some(entries) = self.lists.get_mut(List::of(variable).index()) {
            entries.clear();
            entries.push(Entry { name: Span::default(), value });
        }
    }

    /// Sets a variable that has one value to a number.
    pub(crate) fn set_number(&mut self, variable: Variable, number: u64) {
        let start = self.open();
        self.push_number(number);
        let span = self.span_from(start);
        self.set_span(variable, span);
    }

    /// Appends a number in decimal to the open value.
    pub(crate) fn push_number(&mut self, number: u64) {
        let mut digits = [0u8; 20];
        let mut rest = number;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        self.extend(digits.get(digits.len() - used..).unwrap_or_default());
    }

    /// The values of one list, in order.
    pub(crate) fn list(&self, list: List) -> &[Entry] {
        self.lists.get(list.index()).map_or(&[], Vec::as_slice)
    }

    /// One value of a list.
    pub(crate) fn entry(&self, list: List, index: u32) -> Option<Entry> {
        self.list(list).get(index as usize).copied()
    }

    /// The value of a variable that has one; empty when it is not set.
    pub(crate) fn scalar(&self, variable: Variable) -> &[u8] {
        self.list(List::of(variable)).first().map_or(&[], |entry| self.bytes(entry.value))
    }
}

/// Whether a variable shows the values or the names of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum View {
    Value,
    Name,
}

impl View {
    /// The span that the variable shows of an entry.
    pub(crate) const fn of(self, entry: Entry) -> Span {
        match self {
            View::Value => entry.value,
            View::Name => entry.name,
        }
    }
}

const ARGS: &[List] = &[List::of(Variable::ArgsGet), List::of(Variable::ArgsPost), ARGS_STRUCTURED];
const ARGS_GET: &[List] = &[List::of(Variable::ArgsGet)];
const ARGS_POST: &[List] = &[List::of(Variable::ArgsPost)];
const COOKIES: &[List] = &[List::of(Variable::RequestCookies)];
const FILES: &[List] = &[List::of(Variable::Files)];
const REQUEST_HEADERS: &[List] = &[List::of(Variable::RequestHeaders)];
const RESPONSE_HEADERS: &[List] = &[List::of(Variable::ResponseHeaders)];

/// The lists a variable shows and what of them; `None` where a variable is computed when asked, or is one list of its own
/// (then [`List::of`] it).
pub(crate) const fn composed_of(variable: Variable) -> Option<(&'static [List], View)> {
    Some(match variable {
        Variable::Args => (ARGS, View::Value),
        Variable::ArgsNames => (ARGS, View::Name),
        Variable::ArgsGetNames => (ARGS_GET, View::Name),
        Variable::ArgsPostNames => (ARGS_POST, View::Name),
        Variable::RequestCookiesNames => (COOKIES, View::Name),
        Variable::FilesNames => (FILES, View::Name),
        Variable::RequestHeadersNames => (REQUEST_HEADERS, View::Name),
        Variable::ResponseHeadersNames => (RESPONSE_HEADERS, View::Name),
        _ => return None,
    })
}

/// Whether a variable's values are fixed within a phase: everything but what rules change and what time changes.
pub(crate) const fn is_stored(variable: Variable) -> bool {
    !matches!(
        variable,
        Variable::Duration
            | Variable::Env
            | Variable::Geo
            | Variable::Global
            | Variable::HighestSeverity
            | Variable::Ip
            | Variable::MatchedVar
            | Variable::MatchedVarName
            | Variable::MatchedVars
            | Variable::MatchedVarsNames
            | Variable::ReqbodyProcessor
            | Variable::Resource
            | Variable::Rule
            | Variable::Session
            | Variable::SessionId
            | Variable::Time
            | Variable::TimeDay
            | Variable::TimeEpoch
            | Variable::TimeHour
            | Variable::TimeMin
            | Variable::TimeMon
            | Variable::TimeSec
            | Variable::TimeWday
            | Variable::TimeYear
            | Variable::Tx
            | Variable::User
            | Variable::UserId
    )
}
