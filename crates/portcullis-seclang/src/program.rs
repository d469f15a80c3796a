//! The compiled rule set: what a [`crate::rules::RuleSet`] becomes so that judging is quick. Immutable, shared by threads.

use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;

use crate::batch::Batch;
use crate::bit_set::BitSet;
use crate::bodies::xpath::XPath;
use crate::operators::{Operator, OperatorKind};
use crate::rules::Settings;
use crate::scan::Scanner;
use crate::syntax::{AllowScope, BodyProcessor, Collection, EngineMode, Variable, XmlIntoArgs};
use crate::transformations::Transformation;
use crate::values::{List, View};

/// A compiled rule set.
#[derive(Debug)]
pub(crate) struct Program {
    pub(crate) settings: Settings,
    /// All live rules, phase by phase in order.
    pub(crate) rules: Vec<Rule>,
    /// For each phase its steps.
    pub(crate) phases: [Phase; 5],
    /// `TX` names that the rules know, lower case; the first ten are the captures.
    pub(crate) tx_names: Vec<Box<[u8]>>,
    pub(crate) tx_index: HashMap<Box<[u8]>, u32>,
    pub(crate) xpaths: Vec<XPath>,
    /// The distinct operators that are asked in bulk.
    pub(crate) scanner: Scanner,
    /// Rules that `ctl:ruleRemove…` takes out, by the number in [`Effect::RemoveRules`].
    pub(crate) removals: Vec<BitSet>,
    /// Targets that `ctl:ruleRemoveTarget…` takes out, by the number in [`Effect::RemoveTarget`].
    pub(crate) target_removals: Vec<(BitSet, Target)>,
    /// The variables that some rule reads.
    pub(crate) reads: BitSet,
}

impl Program {
    /// Whether some rule reads a variable.
    pub(crate) fn reads(&self, variable: Variable) -> bool {
        self.reads.contains(variable as usize)
    }

    /// Whether some rule asks what time it is.
    pub(crate) fn reads_time(&self) -> bool {
        [
            Variable::Duration,
            Variable::Time,
            Variable::TimeDay,
            Variable::TimeEpoch,
            Variable::TimeHour,
            Variable::TimeMin,
            Variable::TimeMon,
            Variable::TimeSec,
            Variable::TimeWday,
            Variable::TimeYear,
        ]
        .into_iter()
        .any(|variable| self.reads(variable))
    }
}

/// What runs in one phase.
#[derive(Debug, Default)]
pub(crate) struct Phase {
    /// Indexes into [`Program::rules`], in order.
    pub(crate) steps: Vec<u32>,
    /// Positions in `steps` of the rules that cannot be judged in bulk, ascending.
    pub(crate) plain: Vec<u32>,
    /// The rules that can.
    pub(crate) batch: Batch,
}

/// A rule with the rules chained to it.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: u64,
    pub(crate) disruption: Disruption,
    pub(crate) status: u16,
    pub(crate) log: bool,
    /// Every condition looks at `TX` alone, and a match adds to no score.
    pub(crate) is_infrastructure: bool,
    /// Step of its phase to go on at after a match.
    pub(crate) skip_to: Option<u32>,
    pub(crate) tags: Vec<Tag>,
    pub(crate) severity: Option<u8>,
    pub(crate) rev: Box<[u8]>,
    pub(crate) links: Vec<Link>,
}

/// A tag.
#[derive(Debug)]
pub(crate) enum Tag {
    Text(Arc<[u8]>),
    Template(Template),
}

/// A disruptive action.
#[derive(Debug)]
pub(crate) enum Disruption {
    Pass,
    Deny,
    Drop,
    Redirect(Template),
    Allow(AllowScope),
}

/// One rule of a chain.
#[derive(Debug)]
pub(crate) struct Link {
    pub(crate) condition: Option<Condition>,
    pub(crate) transformations: Vec<Transformation>,
    pub(crate) capture: bool,
    pub(crate) multi_match: bool,
    /// Done at each match.
    pub(crate) set_vars: Vec<SetVar>,
    /// Done once, when the whole chain has matched.
    pub(crate) effects: Vec<Effect>,
    pub(crate) msg: Option<Template>,
    pub(crate) logdata: Option<Template>,
}

/// Targets and operator.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) targets: Vec<Target>,
    pub(crate) exclusions: Vec<Target>,
    pub(crate) negated: bool,
    pub(crate) judge: Judge,
}

/// How a value is judged.
#[derive(Debug)]
pub(crate) enum Judge {
    Compiled(Arc<Operator>),
    /// The argument holds macros.
    Expanded(OperatorKind, Template),
}

/// What a rule looks at.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) count: bool,
    pub(crate) variable: Variable,
    pub(crate) source: Source,
    pub(crate) selector: Selector,
}

impl Target {
    /// Whether this target, as an exclusion, covers a named value of a variable.
    pub(crate) fn covers(&self, variable: Variable, source: Source, name: &[u8]) -> bool {
        if self.variable != variable {
            return false;
        }
        match (&self.selector, variable) {
            // Of documents an exclusion means the same XPath.
            (_, Variable::Xml) => self.source == source,
            (Selector::All, _) => true,
            (selector, _) => selector.admits(name),
        }
    }
}

/// Where a variable's values come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// Lists filled before the phase runs.
    Lists(&'static [List], View),
    /// One such list.
    List(List),
    /// Computed when asked.
    Dynamic,
}

/// Which of a variable's values.
#[derive(Debug, Clone)]
pub(crate) enum Selector {
    All,
    /// By name; lower case.
    Key(Box<[u8]>),
    Regex(Arc<NamePattern>),
    /// A `TX` variable known by number.
    Slot(u32),
}

/// A pattern that selects names.
#[derive(Debug)]
pub(crate) struct NamePattern {
    regex: regex::bytes::Regex,
    /// The numbers of the `TX` names that it selects, once asked for.
    slots: OnceLock<BitSet>,
}

impl NamePattern {
    pub(crate) fn new(regex: regex::bytes::Regex) -> Self {
        NamePattern { regex, slots: OnceLock::new() }
    }

    pub(crate) fn admits(&self, name: &[u8]) -> bool {
        self.regex.is_match(name)
    }

    /// Which of the program's `TX` names it selects; they never change, so that they are looked at once.
    pub(crate) fn slots(&self, names: &[Box<[u8]>]) -> &BitSet {
        self.slots.get_or_init(|| {
            let selected = names.iter().enumerate().filter(|(_, name)| self.admits(name));
            selected.map(|(slot, _)| slot).collect()
        })
    }
}

impl Selector {
    /// Whether a name is selected.
    #[inline]
    pub(crate) fn admits(&self, name: &[u8]) -> bool {
        match self {
            Selector::All | Selector::Slot(_) => true,
            Selector::Key(key) => key.len() == name.len() && key.eq_ignore_ascii_case(name),
            Selector::Regex(pattern) => pattern.admits(name),
        }
    }
}

/// Text with macros.
#[derive(Debug, Clone, Default)]
pub(crate) struct Template(pub(crate) Vec<Segment>);

/// A piece of a template.
#[derive(Debug, Clone)]
pub(crate) enum Segment {
    Text(Box<[u8]>),
    Macro(Reference),
}

/// A macro.
#[derive(Debug, Clone)]
pub(crate) struct Reference {
    pub(crate) variable: Variable,
    pub(crate) source: Source,
    pub(crate) selector: Selector,
}

/// A `TX` variable as an action names it.
#[derive(Debug)]
pub(crate) enum Key {
    Slot(u32),
    /// A name that is known only when the rule runs, or a key of a persistent collection.
    Name(Template),
}

/// A `setvar`.
#[derive(Debug)]
pub(crate) struct SetVar {
    pub(crate) collection: Collection,
    pub(crate) key: Key,
    pub(crate) change: Change,
}

/// What happens to the value.
#[derive(Debug)]
pub(crate) enum Change {
    Set(Template),
    /// To text without macros, which all exchanges share.
    SetText(Arc<[u8]>),
    SetNumber(i64),
    Add(Template),
    AddNumber(i64),
    Subtract(Template),
    Unset,
}

/// What a full match does beside `setvar`.
#[derive(Debug)]
pub(crate) enum Effect {
    ExpireVar {
        collection: Collection,
        key: Template,
        seconds: Template,
    },
    DeprecateVar {
        collection: Collection,
        key: Template,
        amount: u64,
        period_secs: u64,
    },
    InitCol {
        collection: Collection,
        key: Template,
    },
    SetEnv {
        name: Template,
        value: Option<Template>,
    },
    RuleEngine(EngineMode),
    RequestBodyProcessor(BodyProcessor),
    RequestBodyAccess(bool),
    ResponseBodyAccess(bool),
    ForceRequestBodyVariable(bool),
    ParseXmlIntoArgs(XmlIntoArgs),
    RemoveRules(u32),
    RemoveTarget(u32),
    /// For the host's record.
    Record(crate::verdict::RecordChange),
}
