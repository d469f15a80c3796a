//! The engine: a compiled rule set that threads share.

mod collect;
mod effects;
mod expand;
mod judge;
mod run;
pub(crate) mod state;
mod time;

use std::sync::{Arc, Mutex};

use crate::batch::Memory;
use crate::compile;
use crate::diagnostic::Diagnostic;
use crate::engine::judge::Room;
use crate::engine::state::State;
use crate::ports::Ports;
use crate::program::Program;
use crate::rules::RuleSet;
use crate::source::Files;
use crate::syntax::EngineMode;
use crate::transaction::Transaction;
use crate::transformations::UnicodeMap;
use crate::values::Values;

pub(crate) use collect::{request_body, request_head, response_body, response_head};
pub(crate) use judge::Hit;
pub(crate) use run::run_phase;

/// Working memories kept for later transactions; as many as threads commonly judge at once.
const DESKS_MAX: usize = 64;

/// A compiled rule set. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

/// What transactions share.
pub(crate) struct Shared {
    pub(crate) program: Program,
    pub(crate) ports: Ports,
    #[expect(clippy::vec_box, reason = "transactions hold them boxed, and they are large")]
    desks: Mutex<Vec<Box<Desk>>>,
}

/// The working memory of one transaction, reused by the next.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) values: Values,
    pub(crate) state: State,
    pub(crate) room: Room,
    pub(crate) memory: Memory,
}

/// What judging looks at and does not change.
#[derive(Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) program: &'a Program,
    pub(crate) ports: &'a Ports,
    pub(crate) values: &'a Values,
    /// 1 to 5.
    pub(crate) phase: u8,
}

impl Context<'_> {
    /// The bytes of a stored value.
    pub(crate) fn stored(&self, hit: Hit) -> &[u8] {
        let entry = self.values.entry(hit.list, hit.index);
        entry.map_or(&[], |entry| self.values.bytes(hit.view.of(entry)))
    }

    pub(crate) fn unicode_map(&self) -> Option<&UnicodeMap> {
        self.program.settings.unicode_map.as_ref()
    }

    /// Whether rules run and may interrupt.
    pub(crate) fn mode(&self, state: &State) -> EngineMode {
        state.mode.unwrap_or(self.program.settings.rule_engine)
    }
}

/// How rules are compiled.
#[derive(Debug, Clone, Copy, Default)]
pub struct CompileOptions<'a> {
    /// Variables of `TX` that the host sets for each transaction: their values are no constants.
    pub host_variables: &'a [&'a str],
}

impl Engine {
    /// Compiles a rule set. Data files that operators name are read through `files`, once and now.
    ///
    /// # Errors
    /// Everything that cannot be compiled, each with file, line and column: malformed arguments of operators, files that
    /// cannot be read, XPaths beyond what is understood, and whatever needs a port that is absent.
    pub fn compile(
        rules: RuleSet,
        files: &dyn Files,
        ports: Ports,
        options: &CompileOptions<'_>,
    ) -> Result<Self, Vec<Diagnostic>> {
        let program = compile::compile(&rules, files, &ports, options.host_variables)?;
        Ok(Engine { shared: Arc::new(Shared { program, ports, desks: Mutex::new(Vec::new()) }) })
    }

    /// Opens the judgement of one exchange.
    #[must_use]
    pub fn transaction(&self) -> Transaction {
        Transaction::new(Arc::clone(&self.shared))
    }

    /// How many rules are left once those that can never run are gone (a chain counts once).
    #[must_use]
    pub fn live_rules(&self) -> usize {
        self.shared.program.rules.len()
    }
}

impl Shared {
    /// Working memory, used before or new.
    pub(crate) fn take_desk(&self) -> Box<Desk> {
        let kept = self.desks.lock().ok().and_then(|mut desks| desks.pop());
        let mut desk = kept.unwrap_or_else(|| {
            Box::new(Desk {
                values: Values::new(self.program.xpaths.len()),
                state: State::default(),
                room: Room::default(),
                memory: Memory::default(),
            })
        });
        desk.values.clear();
        desk.state.reset(&self.program);
        desk
    }

    /// Keeps working memory for a later transaction.
    pub(crate) fn give_back(&self, desk: Box<Desk>) {
        if let Ok(mut desks) = self.desks.lock()
            && desks.len() < DESKS_MAX
        {
            desks.push(desk);
        }
    }
}
